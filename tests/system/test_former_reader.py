"""A site that was taken out of a group goes on writing in it, with an accomplice who hands all of it on: nothing counts.

The accomplice reads the group on, and brings everything to the hub and to both schools; it writes nothing itself.
"""
import contextlib

import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord
from network import wait_until
from peer import changeset as form

BEFORE = [("l1", "one"), ("l2", "two"), ("l3", "three")]


class Thief:
    """What it has in hand after it was taken out: its member, its log at seq 1 and at seq 3, its old position."""

    def __init__(self, member, nord):
        self.member, self.nord = member, nord
        for number, (key, name) in enumerate(BEFORE):
            member.write_in(nord, member.put("learner", [key], name=name, visible_to=NORD))
            if number == 0:
                self.early = member.writer_in(nord).copy()
        self.authority, self.readers = member.authority, set(member.readers[nord])

    @property
    def log(self):
        return self.nord, self.member.site, self.member.writer_in(self.nord).epoch

    def seal(self, writer, key, authority=None):
        """A learner that it never wrote while it had the right to, sealed as if its readers were those of before."""
        member = self.member
        member.readers[self.nord] = set(self.readers)
        return member.seal_in(self.nord, member.put("learner", [key], name="stolen", visible_to=NORD), writer=writer,
                              authority=authority or self.authority)


def beyond(site):
    return site.query("SELECT count(*) FROM navette_beyond")[0][0]


def add_reader_who_is_away(network, *members):
    """A third school, which reads nord and is cut off before anything is written there."""
    school = network.add_schools("poissy", listen=True)[0]
    network.add_group("nord", school)
    for member in members:
        nord = member.groups["nord"]
        member.until(lambda: len(member.readers[nord]) == 5, "the third school is known")
    school.line.cut()
    return school


@contextlib.contextmanager
def taken_out(network, proto, away=False):
    """Yields (pantin, vitry, accomplice, thief) once everybody who is not away knows that the thief is out of nord."""
    with readers_of_nord(network, proto, "thief", "accomplice", listen=True) as (pantin, vitry, member, accomplice):
        nord = member.groups["nord"]
        if away:
            add_reader_who_is_away(network, member, accomplice)
        thief = Thief(member, nord)
        for school in (pantin, vitry):
            member.until(lambda: learners(school) == BEFORE, "%s has what counts" % school.name)
        member.close()
        member.carried.clear()
        network.hub.cli("group", "nord", "--remove", "thief")
        accomplice.until(lambda: member.site not in accomplice.readers[nord], "the accomplice knows it")
        for log, _, raw in accomplice.arrived:
            if log[0] == form.AUTHORITY_SCOPE:
                member.take(raw)
        for site in (network.hub, pantin, vitry):
            wait_until(lambda: "thief" not in site.cli("group", "nord")["readers"], "%s knows it" % site.name)
        yield pantin, vitry, accomplice, thief


def hand_on(network, accomplice, nord, changesets, holds, what):
    """Brings the changesets to every daemon in turn, and waits there until holds(site)."""
    for site in network.sites:
        accomplice.close()
        accomplice.connect(site.endpoint(), server_key=accomplice.curve_key_of(site.name)).carry(nord)
        accomplice.until(lambda: accomplice.peer_has, "a session with " + site.name)
        for raw in changesets:
            accomplice.push(raw)
        accomplice.until(lambda: holds(site), "%s: %s; refused: %s, beyond: %d" % (
            site.name, what, site.refusals(), beyond(site)))


def assert_counts_nowhere(network, thief, *schools):
    """It is in no log, in no Has, in no row; the readers go on, and so does the thief where it still may."""
    assert_goes_on(network, *schools)
    for school in schools:
        assert learners(school)[:3] == BEFORE and all(name != "stolen" for _, name in learners(school))
    for site in network.sites:
        assert site.query("SELECT epoch, has_seq FROM navette_log WHERE site = ? AND scope = ? AND has_seq > 0",
                          thief.member.site, thief.nord) == [(as_signed(thief.log[2]), 3)]
    thief.member.close()
    thief.member.connect(network.hub.endpoint())
    thief.member.write(thief.member.put("notice", ["n1"], text="of a member still"))
    for school in schools:
        thief.member.until(lambda: school.query("SELECT text FROM notice") == [("of a member still",)], "the network's")


def start_anew(*sites):
    for site in sites:
        site.stop()
        site.start()
        site.wait_for_endpoint()


def as_signed(epoch):
    return epoch - (1 << 64 if epoch >> 63 else 0)


def test_with_its_own_hands(network, proto):
    """It brings them itself: what it no longer carries is not taken of it, at any position."""
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        member = thief.member
        member.connect(network.hub.endpoint())
        for authority in (member.authority, None):
            member.push(thief.seal(member.writer_in(thief.nord).copy(), "l4", authority))
        member.until(lambda: network.hub.refusals() == {"member": 2}, "both are refused")
        assert_counts_nowhere(network, thief, pantin, vitry)
        assert all(beyond(site) == 0 for site in network.sites)


def test_at_its_true_position(network, proto):
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        raw = thief.seal(thief.member.writer_in(thief.nord), "l4", authority=thief.member.authority)
        hand_on(network, accomplice, thief.nord, [raw], lambda site: site.refusals() == {"member": 1}, "it is refused")
        assert_counts_nowhere(network, thief, pantin, vitry)
        assert all(beyond(site) == 0 for site in network.sites)


def test_at_its_old_position(network, proto):
    """Valid, and cut off: it is held beside the log, passed on by nobody."""
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        writer = thief.member.writer_in(thief.nord)
        late = [thief.seal(writer, "l4"), thief.seal(writer, "l1")]
        hand_on(network, accomplice, thief.nord, late, lambda site: beyond(site) == 2, "held beside the log")
        start_anew(*network.sites)
        assert_counts_nowhere(network, thief, pantin, vitry)
        for site in network.sites:
            assert site.refusals() == {} and beyond(site) == 2
            (told,) = site.cli("status", codes=(0, 1))["vouched"]
            assert (told["site"], told["scope"], told["changesets"], told["by"], told["held"]) == ("thief", NORD, 0, [], 2)


def test_in_a_new_epoch_at_its_old_position(network, proto):
    """A whole new log, with a key of its own, whose every header names the position from before."""
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        member = thief.member
        writer = form.Writer(proto, member.network_key, member.sign_key, member.site, scope=thief.nord)
        late = [thief.seal(writer, "l4"), thief.seal(writer, "l5")]
        hand_on(network, accomplice, thief.nord, late, lambda site: beyond(site) == 2, "held beside the logs")
        assert_counts_nowhere(network, thief, pantin, vitry)


@pytest.mark.parametrize("is_long", (False, True), ids=("shorter", "longer"))
def test_on_a_back_dated_branch(network, proto, is_long):
    """A second history of its log from seq 2 on, shorter or longer than the one that counts: evidence, and no more."""
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        branch = [thief.seal(thief.early, "b%d" % number) for number in range(4 if is_long else 2)]
        hand_on(network, accomplice, thief.nord, branch, lambda site: site.refusals().get("fork", 0) >= 2,
                "two histories of one log")
        assert_counts_nowhere(network, thief, pantin, vitry)
        for site in network.sites:
            assert site.cli("status", codes=(1,))["forks"] == 1 and beyond(site) == 0


def test_on_a_back_dated_branch_that_comes_first(network, proto):
    """To a reader who was away the accomplice brings the branch alone: it counts no more than where the log is known."""
    with taken_out(network, proto, away=True) as (pantin, vitry, accomplice, thief):
        poissy = network.schools["poissy"]
        first = thief.member.logs[thief.log][0]
        branch = [first, *(thief.seal(thief.early, "b%d" % number) for number in range(4))]
        authority = [raw for log, _, raw in accomplice.arrived if log[0] == form.AUTHORITY_SCOPE]
        accomplice.close()
        accomplice.arrived = []  # it gives nothing of what it has but what it pushes
        accomplice.connect(poissy.endpoint(), server_key=accomplice.curve_key_of("poissy")).carry(thief.nord)
        accomplice.until(lambda: accomplice.peer_has, "a session with poissy")
        accomplice.push(*authority, *branch)
        accomplice.until(lambda: beyond(poissy) == 5, "Poissy holds all of it beside the log: %d" % beyond(poissy))
        assert learners(poissy) == []
        poissy.line.heal()
        wait_until(lambda: learners(poissy) == BEFORE, "the log that counts")
        assert_counts_nowhere(network, thief, pantin, vitry, poissy)


def test_two_who_vouch_for_each_other(network, proto):
    """Both are taken out, and each names in its context what the other writes afterwards: a third one brings all of it."""
    with readers_of_nord(network, proto, "thief", "accomplice", "relay", listen=True) as members:
        pantin, vitry, member, accomplice, relay = members
        nord = member.groups["nord"]
        thief = Thief(member, nord)
        accomplice.until(lambda: accomplice.record("learner", "l3"), "what counts")
        for one in (member, accomplice):
            one.close()
            one.carried.clear()
            network.hub.cli("group", "nord", "--remove", one.name)
        late, writer = [], member.writer_in(nord)
        for key in ("l4", "l5"):
            late.append(thief.seal(writer, key))
            late.append(accomplice.seal_in(nord, accomplice.put("learner", [key + "a"], name="stolen", visible_to=NORD)))
            for raw in late[-2:]:
                assert accomplice.take(raw) and member.take(raw)
        relay.until(lambda: len(relay.readers[nord]) == 3, "both are out")
        for school in (pantin, vitry):
            wait_until(lambda: len(school.cli("group", "nord")["readers"]) == 3, "%s knows it" % school.name)
        hand_on(network, relay, nord, late, lambda site: beyond(site) == 4, "held beside the logs")
        assert_counts_nowhere(network, thief, pantin, vitry)
        assert all(beyond(site) == 4 for site in network.sites)


def test_nothing_is_written_for_it_any_more(network, proto):
    """Who writes in the group after it is gone uses keys that it was not given, and of those logs nothing comes to it."""
    with taken_out(network, proto) as (pantin, vitry, accomplice, thief):
        member, nord = thief.member, thief.nord
        member.connect(network.hub.endpoint())
        known = len([1 for log, _, _ in member.arrived if log[0] == nord])
        assert_goes_on(network, pantin, vitry)
        accomplice.until(lambda: accomplice.record("learner", "on.0.1"), "what the others wrote")
        for log, seq, raw in accomplice.arrived:
            for _, _, op in accomplice.ops_of(raw):
                if op.kind == form.GRANT and log[1] != member.site:
                    assert member.site not in {box.site for box in op.grant.boxes}
        member.carry(nord)
        member.send(pull=proto.Pull(pull=99, has=member.far_heads(), credit_bytes=1 << 20))
        member.until(lambda: any(message.batch.pull == 99 and message.batch.last for message in member.said), "a pull")
        assert len([1 for log, _, _ in member.arrived if log[0] == nord]) == known
        assert member.record("learner", "on.0.1") is None
