"""A reader puts boxes that were sealed for another place into its own log: they open nowhere, and are nothing everywhere.

Salts are chosen such that each box has the nonce that it was sealed with: what it is bound to alone keeps it closed.
"""
import os

import pytest

from grouped import NORD, assert_goes_on, assert_listed_alike, learners, readers_of_nord
from peer import changeset as form
from peer import sealed


def boxes_of(member, log):
    """(number of its content key, salt, box) of each sealed op of a log, in order."""
    found = []
    for raw in member.logs[log]:
        seq = member.header_of(raw).seq
        found += [(op.key_number or seq, salt, op.box) for _, salt, op in member.ops_of(raw) if op.kind == form.SEALED]
    return found


def take(member, scope, log, box, introduced):
    """Seals the box of another member's log into its own. `introduced`: it says that the other's key is its own log's."""
    number, salt, box = box
    writer = form.Writer(member.proto, member.network_key, member.sign_key, member.site, scope=scope)
    own = (scope, member.site, writer.epoch)
    key = member.keys[log, number] if introduced else sealed.new_key()
    ops = [member.proto.Op(kind=form.SEALED, box=box).SerializeToString(deterministic=True),
           member.grant_to(key, own, member.readers[scope])]
    member.push(member.seal(*ops, writer=writer, own_salts=[salt, os.urandom(24)]))


def again(member, scope, box, times):
    """Seals a box of its own log into the same log once more, at another seq, and so often at one index after the other."""
    number, salt, box = box
    op = member.proto.Op(kind=form.SEALED, key_number=number, box=box).SerializeToString(deterministic=True)
    member.push(member.seal(*[op] * times, writer=member.writer_in(scope), own_salts=[salt] * times))


@pytest.mark.parametrize("introduced", (False, True))
def test_a_box_of_another_log(network, proto, introduced):
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        for name in ("first", "second"):
            pantin.sql("INSERT INTO learner(id, name, visible_to) VALUES ('l1', '%s', 'group/nord')"
                       " ON CONFLICT(id) DO UPDATE SET name = excluded.name;" % name)
            thief.until(lambda: (thief.record("learner", "l1") or {}).get("name") == name, "what Pantin wrote")
        log = next(log for log in thief.logs if log[0] == nord)
        boxes = boxes_of(thief, log)
        assert len(boxes) == 2
        # Were the first one taken for the thief's word, it would give the record its first name again.
        take(thief, nord, log, boxes[0], introduced)
        thief.write_in(nord, thief.put("learner", ["l2"], name="after", visible_to=NORD))
        for school in (pantin, vitry):
            thief.until(lambda: learners(school) == [("l1", "second"), ("l2", "after")], "what follows")
            assert school.refusals() == {"malformed": 1}
            assert len(school.history("learner", "l1")) == 2
        assert_listed_alike(pantin, vitry)
        assert_goes_on(network, pantin, vitry)
        assert network.hub.refusals() == {}


def test_a_box_of_its_own_log(network, proto):
    """At another seq, and at another seq and index: what a writer said once is not said again."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        for name in ("first", "second"):
            thief.write_in(nord, thief.put("learner", ["l1"], name=name, visible_to=NORD))
        log = (nord, thief.site, thief.writer_in(nord).epoch)
        again(thief, nord, boxes_of(thief, log)[0], times=2)
        thief.push(thief.seal_in(nord, thief.put("learner", ["l2"], name="after", visible_to=NORD)))
        for school in (pantin, vitry):
            thief.until(lambda: learners(school) == [("l1", "second"), ("l2", "after")], "what follows")
            assert school.refusals() == {"malformed": 2}
            assert len(school.history("learner", "l1")) == 2
        assert_listed_alike(pantin, vitry)
        assert_goes_on(network, pantin, vitry)


def test_boxes_that_change_places(network, proto):
    """Two ops of one changeset, each in the box that was sealed for the place of the other."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        thief.write_in(nord, thief.put("learner", ["l0"], name="before", visible_to=NORD))
        writer = thief.writer_in(nord)
        log, salts = (nord, thief.site, writer.epoch), [os.urandom(24), os.urandom(24)]
        boxes = [sealed.seal_box(thief.keys[log, 1], log, 2, index, salts[index],
                                 thief.put("learner", ["l%d" % index], name="moved", visible_to=NORD)) for index in (0, 1)]
        ops = [proto.Op(kind=form.SEALED, key_number=1, box=box).SerializeToString(deterministic=True) for box in boxes]
        thief.push(thief.seal(*reversed(ops), writer=writer, own_salts=salts[::-1]))
        thief.push(thief.seal_in(nord, thief.put("learner", ["l2"], name="after", visible_to=NORD)))
        for school in (pantin, vitry):
            thief.until(lambda: learners(school) == [("l0", "before"), ("l2", "after")], "what follows")
            assert school.refusals() == {"malformed": 2}
        assert_listed_alike(pantin, vitry)
        assert_goes_on(network, pantin, vitry)
