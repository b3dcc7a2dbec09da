"""A liar names as its content key what none is, and lets go of the body that would show it: everybody knows all the same.

Whether a changeset may introduce a key its header says, which nobody lets go of, and grants are never let go. So a no-op for
those who were there is one for who comes later, and nobody waits for a key that never was.
"""
import os

import pytest

from grouped import NORD, assert_goes_on, learners, readers_of_nord, write_learner
from network import wait_until
from peer import changeset as form


def site_of(member, name):
    return next(site for site, one in member.members.items() if one.name == name)


def with_void_key(proto, number):
    return proto.Op(kind=form.SEALED, key_number=number, box=os.urandom(80)).SerializeToString(deterministic=True)


def redact(member, scope, seq, index):
    dot = member.proto.Dot(site=member.site, epoch=member.writer_in(scope).epoch, seq=seq, index=index)
    return member.proto.Op(kind=form.REDACT, time_ms=1, names=[dot]).SerializeToString(deterministic=True)


def let_go(site):
    return site.cli("verify")["redacted"]


@pytest.mark.parametrize("is_late", (False, True), ids=("before", "after"))
def test_a_body_that_would_tell_is_let_go(network, proto, is_late):
    """Before it is named as the key, or once all that were there had merged what names it; Vitry comes last."""
    with readers_of_nord(network, proto, "liar") as (pantin, vitry, liar):
        nord, hub = liar.groups["nord"], network.hub
        hub.cli("group", "nord", "--remove", "vitry")
        liar.until(lambda: len(liar.readers[nord]) == 2, "Vitry is out")
        liar.write_in(nord, liar.put("learner", ["l1"], name="one", visible_to=NORD))
        liar.write_in(nord, liar.put("learner", ["l2"], name="two", visible_to=NORD))
        steps = [redact(liar, nord, 2, 0), with_void_key(proto, 2)]
        for op in reversed(steps) if is_late else steps:
            liar.write_in(nord, clear=[op])
            if op == steps[0]:
                for site in (pantin, hub):
                    liar.until(lambda: let_go(site) == 1, "%s let go of it" % site.name)
            else:
                liar.until(lambda: pantin.refusals() == {"malformed": 1}, "Pantin lists what has no key")
        write_learner(pantin, "l3", "Cy Exemple")
        liar.until(lambda: liar.record("learner", "l3"), "Pantin's word, which builds on that")

        hub.cli("group", "nord", "--add", "vitry")
        liar.until(lambda: len(liar.readers[nord]) == 3, "Vitry is in")
        log = (nord, liar.site, liar.writer_in(nord).epoch)
        liar.write_in(nord, clear=[liar.grant_to(liar.keys[log, 1], log, [site_of(liar, "vitry")], number=1)])
        liar.until(lambda: learners(vitry) == [("l1", "one"), ("l3", "Cy Exemple")], "Vitry reads all that is there")
        wait_until(lambda: vitry.refusals() == {"malformed": 1}, "and lists what Pantin does")
        assert_goes_on(network, pantin, vitry)


def test_the_grant_of_a_key_is_not_let_go(network, proto):
    """The liar keeps the grant of its key from Vitry, and has it named by a redact: void for all, so it is owed and comes."""
    with readers_of_nord(network, proto, "liar", listen=True) as (pantin, vitry, liar):
        nord = liar.groups["nord"]
        vitry.line.cut()
        raws = [liar.write_in(nord, liar.put("learner", ["l1"], name="one", visible_to=NORD)),
                liar.write_in(nord, clear=[redact(liar, nord, 1, 1)]),
                liar.write_in(nord, liar.put("learner", ["l2"], name="two", visible_to=NORD))]
        liar.until(lambda: learners(pantin) == [("l1", "one"), ("l2", "two")], "Pantin has it all")
        liar.close()
        liar.arrived = []
        liar.connect(vitry.endpoint(), server_key=liar.curve_key_of("vitry")).carry(nord)
        liar.until(lambda: liar.peer_has, "a session with Vitry")
        liar.push(form.withhold(proto, raws[0], lambda op: op.kind == form.GRANT), *raws[1:])
        liar.until(lambda: vitry.cli("status", codes=(0, 1))["owed"] == 1, "Vitry owes the grant")
        assert learners(vitry) == []
        liar.close()
        vitry.line.heal()
        wait_until(lambda: learners(vitry) == [("l1", "one"), ("l2", "two")], "it came from the hub")
        assert [let_go(site) for site in network.sites] == [0, 0, 0]
        assert_goes_on(network, pantin, vitry)
