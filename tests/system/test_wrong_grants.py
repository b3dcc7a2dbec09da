"""Grants that give another content key than they say: they give none, are listed, and a right one makes it good."""
import nacl.public

from grouped import NORD, assert_goes_on, learners, readers_of_nord, write_learner
from network import wait_until
from peer import sealed
from peer.reader import Reader


def site_of(member, name):
    return next(site for site, one in member.members.items() if one.name == name)


def lie_to(member, encoded, site):
    """The same grant, whose boxes for that site hold a key that is another one."""
    op = member.proto.Op.FromString(encoded)
    one, wrong = member.members[site], sealed.new_key()
    for box in op.grant.boxes:
        if box.site == site:
            public = nacl.public.PublicKey(one.recovery_key if box.recovery else one.curve_key)
            box.sealed = nacl.public.SealedBox(public).encrypt(wrong)
    return op.SerializeToString(deterministic=True)


class Liar(Reader):
    """Grants its own keys to all readers, and to one of them another key than it uses."""

    victim = None

    def grant_to(self, key, log, sites, number=0):
        return lie_to(self, super().grant_to(key, log, sites, number), self.victim)


def is_catching_up(site):
    """What the operator is told; a site that has merged nothing of the scope yet tells it as well."""
    lines = [line.split() for line in site.run("digest", codes=(0, 1)).stdout.splitlines()]
    return any(line[:3] == [NORD, "catching", "up"] for line in lines if line)


def test_the_key_of_a_new_log(network, proto):
    """Its writer lies to one of three readers. That one waits, and all that builds on it; another reader's grant helps."""
    with readers_of_nord(network, proto, "liar", "friend") as (pantin, vitry, liar, friend):
        nord, hub = liar.groups["nord"], network.hub
        liar.__class__, liar.victim = Liar, site_of(liar, "vitry")
        liar.write_in(nord, liar.put("learner", ["l1"], name="Ada Exemple", visible_to=NORD))
        liar.until(lambda: learners(pantin) == [("l1", "Ada Exemple")], "Pantin has it")
        pantin.sql("UPDATE learner SET town = 'Pantin' WHERE id = 'l1';")
        liar.until(lambda: vitry.refusals() == {"malformed": 1}, "Vitry lists it")
        liar.until(lambda: is_catching_up(vitry), "Vitry says that it lacks something")
        assert learners(vitry) == [] and pantin.refusals() == {} and hub.refusals() == {}

        friend.until(lambda: friend.record("learner", "l1") and friend.record("learner", "l1").get("town"), "the friend has it")
        log = (nord, liar.site, liar.writer_in(nord).epoch)
        grant = Reader.grant_to(friend, friend.keys[log, 1], log, [site_of(friend, "vitry")], number=1)
        # The friend of a thief may lie as well: then it counts no more than the first.
        friend.write_in(nord, clear=[lie_to(friend, grant, site_of(friend, "vitry"))])
        friend.until(lambda: vitry.refusals() == {"malformed": 2}, "Vitry lists that too")
        assert learners(vitry) == [] and is_catching_up(vitry)
        assert vitry.cli("status", codes=(0, 1))["waiting"] > 0 and "asked for" in vitry.run("status", codes=(0, 1)).stdout
        friend.write_in(nord, clear=[grant])
        for school in (pantin, vitry):
            friend.until(lambda: school.query("SELECT name, town FROM learner") == [("Ada Exemple", "Pantin")],
                         "%s has it" % school.name)
        assert_goes_on(network, pantin, vitry)
        assert vitry.refusals() == {"malformed": 2} and pantin.refusals() == {}


def test_a_key_that_was_asked_for(network, proto):
    """A new reader asks the writer, who is away; meanwhile another reader gives it a key that is none. The answer helps."""
    with readers_of_nord(network, proto, "liar") as (pantin, vitry, liar):
        nord, hub = liar.groups["nord"], network.hub
        hub.cli("group", "nord", "--remove", "vitry")
        wait_until(lambda: not network.reads(vitry, NORD) and not network.reads(pantin, NORD + "?"), "Vitry is out")
        write_learner(pantin, "l1", "Ada Exemple")
        liar.until(lambda: liar.record("learner", "l1"), "what Pantin wrote")
        pantin.line.cut()
        hub.cli("group", "nord", "--add", "vitry")
        liar.until(lambda: is_catching_up(vitry), "Vitry lacks the key")

        (log, number), key = next((of, key) for of, key in liar.keys.items() if of[0][1] == site_of(liar, "pantin"))
        victim = site_of(liar, "vitry")
        other_id = proto.Op.FromString(liar.grant_to(sealed.new_key(), log, [victim], number=number))
        for count, grant in ((1, lie_to(liar, liar.grant_to(key, log, [victim], number=number), victim)),
                             (2, other_id.SerializeToString(deterministic=True))):
            liar.write_in(nord, clear=[grant])
            liar.until(lambda: vitry.refusals() == {"malformed": count}, "Vitry lists it")
        assert learners(vitry) == [] and is_catching_up(vitry)

        pantin.line.heal()
        liar.until(lambda: learners(vitry) == [("l1", "Ada Exemple")], "Pantin's answer")
        # A key id that is not that of the key is wrong to all; what is in a box is known to whom it is for.
        wait_until(lambda: pantin.refusals() == {"malformed": 1}, "Pantin lists the one that it can judge")
        assert vitry.refusals() == {"malformed": 2}
        assert_goes_on(network, pantin, vitry)
