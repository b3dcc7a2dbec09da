"""Whoever knocks with a key that no certificate has: no session begins, and not a byte is said to it."""
import nacl.public
import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord
from network import wait_until


@pytest.mark.parametrize("at_school", (False, True))
def test_a_key_that_nobody_certified(network, proto, at_school):
    """It knows all else that a member knows, its signing key too: the hub and a school hear nothing of what it says."""
    with readers_of_nord(network, proto, "member", listen=True) as (pantin, vitry, member):
        victim, nord = pantin if at_school else network.hub, member.groups["nord"]
        member.close()
        wait_until(lambda: "the line with member is down" in network.hub.stderr(), "the hub's session is over")
        lines, before = victim.stderr().count("is connected"), victim.refusals().get("network", 0)
        member.connect(victim.endpoint(), server_key=member.curve_key_of(victim.name),
                       curve_key=nacl.public.PrivateKey.generate())
        member.push(member.seal(member.put("notice", ["n1"], text="unheard"), advance=False))
        member.push(member.seal_in(nord, member.put("learner", ["l1"], name="unheard", visible_to=NORD)))
        member.send(pull=proto.Pull(pull=1, has=[], credit_bytes=1 << 20))
        # libzmq gives a refused connection up for good: one knock, one refusal.
        member.until(lambda: victim.refusals().get("network", 0) > before, "it is refused and counted")
        assert_goes_on(network, pantin, vitry)
        assert not member.session.poll(0) and member.said == []
        assert victim.stderr().count("is connected") == lines
        wait_until(lambda: all(peer["name"] != "member" or not peer["connected"] for peer in victim.cli("peers")),
                   "it is listed as away: peers are noted once a second")
        for site in network.sites:
            assert site.query("SELECT 1 FROM notice") == [] and all(name != "unheard" for _, name in learners(site))
            assert set(site.refusals()) <= {"network"}
        # With the key that was certified it is heard at once.
        member.close()
        member.connect(victim.endpoint(), server_key=member.curve_key_of(victim.name))
        member.until(lambda: member.peer_has, "a session")
