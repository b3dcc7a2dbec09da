"""A member signs another's records: what it has no right to counts nowhere, and is listed alike by all who read it."""
import pytest

from grouped import NORD, assert_goes_on, assert_listed_alike, learners, readers_of_nord, write_learner
from network import wait_until
from peer import changeset as form


@pytest.mark.parametrize("at_school", (False, True))
def test_the_log_of_another_member(network, proto, at_school):
    """In a group and in its own scope; at the hub, and at a school to which it is brought directly."""
    with readers_of_nord(network, proto, "thief", listen=True) as (pantin, vitry, thief):
        nord, victim = thief.groups["nord"], network.hub
        write_learner(vitry, "l1", "Ada Exemple")
        thief.until(lambda: thief.record("learner", "l1"), "a log of Vitry's")
        if at_school:
            victim = pantin
            thief.close()
            thief.connect(pantin.endpoint(), server_key=thief.curve_key_of("pantin")).carry(nord)
            thief.until(lambda: thief.peer_has == thief.heads, "both have the same")
        log, head = next((log, head) for log, head in thief.heads.items() if log[0] == nord)

        def next_of(header):
            header.site, header.epoch, header.seq = log[1], log[2], head[0] + 1
            header.previous = form.header_hash(thief.parsed(thief.logs[log][-1]).header)
            header.absolute = False
            del header.context[:]

        def new_epoch(header):
            header.site = log[1]
        for pretend in (next_of, new_epoch):
            before = victim.refusals().get("signature", 0)
            thief.push(thief.seal_in(nord, thief.put("learner", ["l1"], name="stolen"), change_header=pretend,
                                     advance=False))
            thief.until(lambda: victim.refusals().get("signature", 0) == before + 1, "it is refused")
        assert victim.refusals() == {"signature": 2}
        for site in network.sites:
            assert site is victim or site.refusals() == {}
        assert learners(pantin) == learners(vitry) == [("l1", "Ada Exemple")]
        assert_goes_on(network, pantin, vitry)


def test_records_that_their_home_alone_writes(network, proto):
    """Cards of Pantin, by a reader of the same group: named as Pantin's, deleted, or written as if they were its own."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        pantin.sql("INSERT INTO card(id, text, visible_to) VALUES ('c1', 'of Pantin', 'group/nord');")
        thief.until(lambda: thief.record("card", "c1"), "the card")
        home = next(site for site, one in thief.members.items() if one.name == "pantin")

        def of_pantin(raw):
            op = proto.Op.FromString(raw)
            op.home = home
            return op.SerializeToString(deterministic=True)
        thief.write_in(nord, of_pantin(thief.put("card", ["c1"], text="stolen")),
                       of_pantin(thief.put("card", ["c2"], text="made up", visible_to=NORD)))
        thief.write_in(nord, thief.delete("card", ["c1"]))
        thief.write_in(nord, thief.put("learner", ["l1"], name="after", visible_to=NORD))
        for school in (pantin, vitry):
            thief.until(lambda: learners(school) == [("l1", "after")], "what follows")
            assert school.query("SELECT id, text FROM card") == [("c1", "of Pantin")]
            assert school.quarantine() == {("card", key, None, "home", None): 1 for key in ("c1", "c2")}
            assert school.cli("status", codes=(0, 1))["quarantine"] == 2
        # One of its own with the same key is another record: both are listed at all who read them, and neither merges.
        thief.write_in(nord, thief.put("card", ["c1"], text="of the thief", visible_to=NORD))
        for school in (pantin, vitry):
            wait_until(lambda: [one["kind"] for one in school.cli("conflicts", codes=(0, 1))] == ["scopes"],
                       "%s lists that there are two" % school.name)
        assert pantin.query("SELECT text FROM card WHERE id = 'c1'") == [("of Pantin",)]
        pantin.sql("UPDATE card SET text = 'of Pantin still' WHERE id = 'c1';")
        wait_until(lambda: pantin.pending() == 0, "Pantin sealed it")
        thief.until(lambda: any("of Pantin still" in record.values() for record in thief.records.values()), "its word")
        assert_listed_alike(pantin, vitry)
        # Which of the two a row shows is a matter of who looks; the records are the same.
        write_learner(vitry, "l2", "Bo Exemple")
        wait_until(lambda: ("l2", "Bo Exemple") in learners(pantin), "the others go on")
        wait_until(lambda: pantin.digest(NORD) is not None and pantin.digest(NORD) == vitry.digest(NORD), "equal digests")
        network.assert_clean(pantin, vitry)


def test_who_reads_a_record_its_home_alone_says(network, proto):
    """Another reader may change a learner, but not the column that says who reads it."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        write_learner(pantin, "l1", "Ada Exemple")
        thief.until(lambda: thief.record("learner", "l1"), "the record")
        op = proto.Op.FromString(thief.put("learner", ["l1"], town="Vitry", visible_to="network"))
        op.home = next(site for site, one in thief.members.items() if one.name == "pantin")
        thief.write_in(nord, op.SerializeToString(deterministic=True))
        for school in (pantin, vitry):
            thief.until(lambda: school.query("SELECT town, visible_to FROM learner") == [("Vitry", NORD)], "the rest of it")
            assert school.quarantine() == {("learner", "l1", "visible_to", "home", "network"): 1}
        assert_goes_on(network, pantin, vitry)
        for school in (pantin, vitry):
            school.stop()
            assert school.run("rebuild").returncode == 0
            school.start()
        assert_listed_alike(pantin, vitry)
        assert_goes_on(network, pantin, vitry)


def test_tables_of_one_scope_in_logs_of_another(network, proto):
    """A notice is of the network: in a group it is nothing. In `network` a learner would be read by all: it may be written
    there, and yet shows nothing of the record of the group that has its key."""
    with readers_of_nord(network, proto, "thief") as (pantin, vitry, thief):
        nord = thief.groups["nord"]
        write_learner(pantin, "l1", "Ada Exemple")
        thief.until(lambda: thief.record("learner", "l1"), "the record")
        thief.write_in(nord, thief.put("notice", ["n1"], text="for the group"))
        thief.push(thief.seal(thief.put("learner", ["l1"], name="public")))
        for school in (pantin, vitry):
            thief.until(lambda: [one["kind"] for one in school.cli("conflicts", codes=(0, 1))] == ["scopes"],
                        "%s lists that there are two" % school.name)
            assert school.query("SELECT 1 FROM notice") == [] and learners(school) == [("l1", "Ada Exemple")]
            assert school.quarantine() == {("notice", "n1", None, "scope", None): 1}
        vitry.sql("UPDATE learner SET town = 'Vitry' WHERE id = 'l1';")
        wait_until(lambda: pantin.query("SELECT town FROM learner WHERE id = 'l1'") == [("Vitry",)], "a write to what shows")
        thief.until(lambda: network.hub.query("SELECT name, town FROM learner") == [("public", None)], "the hub's")
        network.converge(pantin, vitry)
        assert_goes_on(network, pantin, vitry)
