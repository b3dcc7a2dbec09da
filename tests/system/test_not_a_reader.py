"""A member tries to read a group that it is not in, and to be granted its keys: nothing of it ever comes to it."""
import contextlib

import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord, write_learner
from network import wait_until
from peer import changeset as form
from peer import sealed
from peer.reader import Reader


@contextlib.contextmanager
def outsider_beside(network, proto, at_school=False):
    """The readers of nord, one of the tests' own among them, and a member of the network that is none and has heard of
    all. Yields (pantin, vitry, friend, thief, who is talked to, scope)."""
    with readers_of_nord(network, proto, "friend", listen=True) as (pantin, vitry, friend):
        write_learner(pantin, "l1", "Ada Exemple")
        friend.until(lambda: friend.record("learner", "l1"), "what Pantin wrote")
        victim = pantin if at_school else network.hub
        thief = Reader(proto, "thief").join(network.invitation("thief"))
        for school in (pantin, vitry):
            wait_until(lambda: len(school.cli("members")) == 5, "%s knows it" % school.name)
        thief.connect(victim.endpoint(), server_key=thief.curve_key_of(victim.name))
        try:
            yield pantin, vitry, friend, thief, victim, thief.groups["nord"]
        finally:
            thief.close()


def came_of(member, scope):
    """What was said or sent to the member of that scope."""
    found = []
    for message in member.said:
        found += [message.hello.scopes.scopes, message.has.scopes.scopes]
        found += [head.scope for head in [*message.has.heads, *message.pull.has]]
        found += [member.header_of(raw).scope for raw in message.batch.changesets]
        assert not (message.hello.scopes.all or message.has.scopes.all)
    return [one for one in found if one == scope or (not isinstance(one, bytes) and scope in one)]


def counted(member, victim, act):
    """Runs act() and waits until the victim has counted a refusal for want of a right, of this member."""
    def count():
        return sum(one["count"] for one in victim.cli("status", codes=(0, 1))["refused"] if one["reason"] == "member")
    before = count()
    act()
    member.until(lambda: count() > before, "a refusal is counted: %s" % victim.refusals())


def keys_named(friend, log):
    return [(log[1], log[2], number) for (of, number) in friend.keys if of == log]


def grants_seen(friend):
    """(log of the key, the sites that have a box) of each grant that a reader can see."""
    for log, _, raw in friend.arrived:
        for _, _, op in friend.ops_of(raw):
            if op.kind == form.GRANT:
                of = (log[0], op.grant.site, op.grant.epoch) if op.grant.site else log
                yield of, {box.site for box in op.grant.boxes}


def assert_nothing_came(network, thief, friend, nord, *schools):
    """Also once more was written, and a person there looked at all that was counted."""
    count = len(friend.arrived)
    assert_goes_on(network, *schools)
    friend.until(lambda: len(friend.arrived) > count, "the readers go on")
    thief.send(pull=thief.proto.Pull(pull=99, has=thief.far_heads(), credit_bytes=1 << 20))
    thief.until(lambda: any(message.batch.pull == 99 and message.batch.last for message in thief.said), "a whole pull")
    assert came_of(thief, nord) == [] and all(log[0] != nord for log, _, _ in thief.arrived)
    assert all(thief.site not in sites for _, sites in grants_seen(friend)) and thief.keys == {}
    assert any(message.WhichOneof("kind") == "batch" for message in thief.said)  # of the network it gets all


@pytest.mark.parametrize("at_school", (False, True))
def test_it_says_that_it_carries_the_group(network, proto, at_school):
    """At a hub that carries it and at a school that reads it: in Hello, in Has, in Pull."""
    with outsider_beside(network, proto, at_school) as (pantin, vitry, friend, thief, victim, nord):
        log = next(log for log in friend.heads if log[0] == nord)
        seq, pin = friend.heads[log]
        known = proto.Head(scope=nord, site=log[1], epoch=log[2], seq=seq, pin=pin)
        thief.carried.add(nord)
        thief.close()
        thief.connect(victim.endpoint(), server_key=thief.curve_key_of(victim.name))  # its Hello and its Has say so
        thief.until(lambda: thief.peer_has, "the session begins")
        # It names a head that is there, one that is not, and pulls as if it had none and as if it had some.
        for head in (known, proto.Head(scope=nord, site=thief.site, epoch=1, seq=7, pin=bytes(16))):
            counted(thief, victim, lambda: thief.send(has=proto.Has(
                digest=bytes(16), whole=True, please=True, heads=[head], scopes=thief.scopes())))
            thief.say_has(please=True)
        for number, has in ((101, []), (102, [known])):
            thief.send(pull=proto.Pull(pull=number, has=has, credit_bytes=1 << 20))
            thief.until(lambda: any(message.batch.pull == number and message.batch.last for message in thief.said),
                        "the pull ends")
        assert_nothing_came(network, thief, friend, nord, pantin, vitry)


@pytest.mark.parametrize("at_school", (False, True))
def test_it_asks_in_the_group(network, proto, at_school):
    """A changeset of a scope that its site does not read is refused by its header: from the site, and from a relay."""
    with outsider_beside(network, proto, at_school) as (pantin, vitry, friend, thief, victim, nord):
        log = next(log for log in friend.heads if log[0] == nord)
        ask = sealed.ask(proto, log[1], keys_named(friend, log))
        raw = thief.seal(ask, writer=form.Writer(proto, thief.network_key, thief.sign_key, thief.site, scope=nord))
        counted(thief, victim, lambda: thief.push(raw))
        counted(friend, network.hub, lambda: friend.push(raw))
        for site in network.sites:
            assert site.query("SELECT 1 FROM navette_log WHERE site = ? AND scope = ? AND has_seq > 0", thief.site,
                              nord) == [], site.name
        assert_nothing_came(network, thief, friend, nord, pantin, vitry)


def test_it_asks_in_the_network(network, proto):
    """There an ask is nothing: it is listed by all, and answered by nobody."""
    with outsider_beside(network, proto) as (pantin, vitry, friend, thief, _, nord):
        log = next(log for log in friend.heads if log[0] == nord)
        for asked in (log[1], friend.site):
            thief.write(sealed.ask(proto, asked, keys_named(friend, log)))
        thief.write(thief.put("notice", ["n1"], text="after"))
        for school in (pantin, vitry):
            thief.until(lambda: school.query("SELECT text FROM notice") == [("after",)], "what follows")
            assert school.refusals() == {"malformed": 2}
        assert_nothing_came(network, thief, friend, nord, pantin, vitry)


def test_it_asks_in_a_group_of_its_own(network, proto):
    """It reads another group together with Pantin, and names there the keys of the one that it does not read."""
    with outsider_beside(network, proto) as (pantin, vitry, friend, thief, _, nord):
        log = next(log for log in friend.heads if log[0] == nord)
        network.hub.cli("group", "sud")
        network.hub.cli("group", "sud", "--add", "pantin", "--add", "thief")
        sud = thief.follow("sud")
        wait_until(lambda: network.reads(pantin, "group/sud"), "Pantin reads it")
        pantin.write("INSERT INTO learner(id, name, visible_to) VALUES ('s1', 'Bo Exemple', 'group/sud')")
        thief.until(lambda: thief.record("learner", "s1"), "what is for it")
        # Pantin's log of each group has the same name but for the scope, and so has the key that introduces it.
        thief.write_in(sud, clear=[sealed.ask(proto, log[1], keys_named(friend, log))])
        thief.until(lambda: [sites for of, sites in grants_seen(thief) if thief.site in sites][1:], "an answer")
        assert all(of[0] == sud for of, _ in grants_seen(thief)) and {of for of, _ in thief.keys} == {(sud, *log[1:])}
        assert thief.record("learner", "l1") is None and learners(vitry) == [("l1", "Ada Exemple")]
        thief.keys.clear()
        assert_nothing_came(network, thief, friend, nord, vitry)
