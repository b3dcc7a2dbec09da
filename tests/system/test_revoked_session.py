"""A member is revoked while it talks: its session ends at once, nothing more is taken from it, nothing more is said to it."""
import subprocess

import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord
from network import BUILD, wait_until


def heads_of(site, member):
    """{(scope, epoch): seq} of the member's logs that count here."""
    return {(scope, epoch): seq for scope, epoch, seq in site.query(
        "SELECT scope, epoch, has_seq FROM navette_log WHERE site = ? AND has_seq > 0", member.site)}


def named(site, member):
    """The same, as far as the revocation names them."""
    return {(scope, epoch): seq for scope, epoch, seq in site.query(
        "SELECT scope, epoch, seq FROM navette_cut WHERE site = ? AND seq > 0", member.site)}


def is_cut_off(site, member):
    return "the line with %s is down" % member.name in site.stderr(last=100000)


def begin(network, member, victim):
    """The member talks with that daemon; all know what it wrote so far."""
    nord = member.groups["nord"]
    if victim is not network.hub:
        member.close()
        member.connect(victim.endpoint(), server_key=member.curve_key_of(victim.name)).carry(nord)
    member.write(member.put("notice", ["n1"], text="before"))
    member.write_in(nord, member.put("learner", ["l1"], name="before", visible_to=NORD))
    for school in network.schools.values():
        member.until(lambda: learners(school) == [("l1", "before")] and school.query("SELECT id FROM notice") == [("n1",)],
                     "%s has what was written before" % school.name)
    member.until(lambda: member.peer_has == dict(member.shared_heads()), "both have the same")
    return nord


def drain(member):
    while member.session.poll(0):
        member.read()


def assert_nothing_more(network, member, victim, nord):
    """It goes on talking in its session, and comes back with its key: it is not heard, and hears nothing."""
    heads, heard = heads_of(victim, member), len(member.said)
    for number in range(3):
        member.push(member.seal(member.put("notice", ["after.%d" % number], text="after")))
        member.push(member.seal_in(nord, member.put("learner", ["after.%d" % number], name="after", visible_to=NORD)))
        member.say_has(please=True)
        member.send(ping=member.proto.Ping())
        member.send(pull=member.proto.Pull(pull=500 + number, has=[], credit_bytes=1 << 20))
    assert_goes_on(network, *network.schools.values())
    before = victim.refusals().get("network", 0)
    drain(member)
    assert len(member.said) == heard
    member.close()
    member.connect(victim.endpoint(), server_key=member.curve_key_of(victim.name))
    wait_until(lambda: victim.refusals().get("network", 0) > before, "its key is refused")
    assert_goes_on(network, *network.schools.values())
    assert not member.session.poll(0) and member.said == []
    for site in network.sites:
        assert heads_of(site, member) == heads and site.query("SELECT count(*) FROM navette_beyond") == [(0,)]
        assert site.query("SELECT 1 FROM notice WHERE text = 'after'") == []
        assert all(name != "after" for _, name in learners(site))


@pytest.mark.parametrize("at_school", (False, True))
def test_while_nothing_happens(network, proto, at_school):
    """The session idles: a word of the authority ends it, at the hub and at a school that the member had dialled."""
    with readers_of_nord(network, proto, "thief", listen=True) as (pantin, vitry, thief):
        victim = pantin if at_school else network.hub
        nord = begin(network, thief, victim)
        drain(thief)
        network.hub.cli("revoke", "thief")
        # It hears nothing from us, and would count as gone after 20 seconds.
        wait_until(lambda: is_cut_off(victim, thief), "%s cut it off" % victim.name, seconds=12)
        drain(thief)
        for site in network.sites:
            wait_until(lambda: "thief" not in [one["name"] for one in site.cli("members")], "%s knows it" % site.name)
            assert heads_of(site, thief) == named(site, thief)
        assert_nothing_more(network, thief, victim, nord)


def test_while_it_writes(network, proto):
    """It pushes without a pause while it is revoked. What counts is what the revocation names, to the last changeset."""
    with readers_of_nord(network, proto, "thief", listen=True) as (pantin, vitry, thief):
        hub = network.hub
        nord = begin(network, thief, hub)
        command, number = None, 0
        while not is_cut_off(hub, thief):
            thief.write_in(nord, thief.put("learner", ["w%d" % number], name="meanwhile", visible_to=NORD))
            drain(thief)
            if number == 10:
                command = subprocess.Popen([BUILD / "navette", "--home", hub.home, "revoke", "thief"],
                                           stdout=subprocess.DEVNULL)
            number += 1
            assert number < 20000, "it is never cut off"
        assert command.wait(30) == 0
        drain(thief)
        for site in network.sites:
            wait_until(lambda: named(site, thief), "%s has the revocation" % site.name)
            wait_until(lambda: heads_of(site, thief) == named(site, thief), "%s counts what it names: %s, %s" % (
                site.name, heads_of(site, thief), named(site, thief)))
        counted = dict(named(hub, thief))
        assert 1 <= max(counted.values()) <= number + 1
        assert_goes_on(network, pantin, vitry)
        drain(thief)
        heard = len(thief.said)
        thief.say_has(please=True)
        assert_goes_on(network, pantin, vitry)
        drain(thief)
        assert len(thief.said) == heard
        for site in network.sites:
            assert heads_of(site, thief) == counted
