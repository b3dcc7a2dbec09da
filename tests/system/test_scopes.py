"""Whose a record is, who reads it and who may write it: what the schema says, real daemons do."""
import pytest

from network import wait_until
from schemas import SCHOOLS


@pytest.fixture(scope="module")
def schools(shared_network):
    """A hub that is no reader, two schools of a group, and one that is not in it."""
    hub = shared_network.add_hub(SCHOOLS)
    pantin, poissy, niort = shared_network.add_schools("pantin", "poissy", "niort")
    hub.cli("group", "nord")
    hub.cli("group", "nord", "--add", "pantin", "--add", "poissy")
    for site in (pantin, poissy):
        wait_until(lambda: any(member["own"] and "group/nord" in member["reads"] for member in site.cli("members")),
                   "%s knows that it reads the group" % site.name)
    return hub, pantin, poissy, niort


def rows(site, table, key):
    return site.query("SELECT * FROM %s WHERE %s = ?" % (table, "siret" if table == "employer" else "id"), key)


def settle(*sites):
    """All that was written is sealed, and all that the hub has of what they carry is everywhere."""
    def holds():
        for site in sites:
            assert site.pending() == 0, site.name
            peers = site.cli("status", codes=(0, 1))["peers"]
            assert peers and all(peer["behind"] == peer["ahead"] == 0 for peer in peers), (site.name, peers)
        return True
    wait_until(holds, "all is level")


def test_a_child_follows_its_parent_and_waits_for_it(schools):
    hub, pantin, poissy, niort = schools
    pantin.sql("""INSERT INTO visit VALUES ('v-early', 'l-late', 'before its learner');
                  INSERT INTO learner(id, name) VALUES ('l-own', 'Ada Exemple');
                  INSERT INTO visit VALUES ('v-own', 'l-own', 'for this site alone');""")
    settle(pantin)
    assert pantin.cli("status", codes=(0, 1))["unplaced"] == 1
    assert not rows(poissy, "visit", "v-early")
    pantin.sql("INSERT INTO learner(id, name, visible_to) VALUES ('l-late', 'Bo Exemple', 'group/nord');")
    wait_until(lambda: rows(poissy, "visit", "v-early") and rows(poissy, "learner", "l-late"), "both are at poissy")
    wait_until(lambda: pantin.cli("status", codes=(0, 1))["unplaced"] == 0, "nothing waits for its place")
    settle(pantin, poissy, niort)
    for site in (hub, niort):
        assert not any(site.query("SELECT 1 FROM learner UNION ALL SELECT 1 FROM visit")), site.name
    assert not rows(poissy, "learner", "l-own") and not rows(poissy, "visit", "v-own")


def test_a_record_moves_with_its_children_and_back(schools):
    hub, pantin, poissy, niort = schools
    pantin.sql("""INSERT INTO learner(id, name, phone) VALUES ('l-move', 'Cy Exemple', '06 99 00 01 01');
                  INSERT INTO visit VALUES ('v-move-1', 'l-move', 'one'), ('v-move-2', 'l-move', 'two');""")
    settle(pantin)
    pantin.cli("move", "learner", "l-move", "group/nord")
    wait_until(lambda: rows(poissy, "learner", "l-move") and len(poissy.query(
        "SELECT 1 FROM visit WHERE learner = 'l-move'")) == 2, "all of it is at poissy")
    wait_until(lambda: pantin.query("SELECT count(*) FROM navette_move") == [(0,)], "the move has ended")
    poissy.write("UPDATE learner SET phone = '06 99 00 01 02' WHERE id = 'l-move'")
    wait_until(lambda: rows(pantin, "learner", "l-move")[0][3] == "06 99 00 01 02", "pantin has poissy's word")
    # Only its home says who reads it.
    refused = poissy.run("move", "learner", "l-move", "site/poissy", codes=(3,))
    assert "belongs to another site" in refused.stderr
    assert "pantin does not" not in refused.stderr
    pantin.cli("move", "learner", "l-move", "site/pantin")
    wait_until(lambda: not poissy.query("SELECT 1 FROM visit WHERE learner = 'l-move'") and
               not rows(poissy, "learner", "l-move"), "it has left poissy")
    # While it is on its way it waits for nobody's answer, though it stands in both.
    pantin.line.cut()
    pantin.cli("move", "learner", "l-move", "group/nord")
    wait_until(lambda: pantin.cli("status", codes=(0, 1))["moving"] == 3, "three records are on their way")
    assert pantin.conflicts("learner", "l-move") == {}
    assert "3 records are on their way" in pantin.run("status", codes=(0, 1)).stdout
    pantin.line.heal()
    wait_until(lambda: pantin.cli("status", codes=(0, 1))["moving"] == 0 and rows(poissy, "learner", "l-move"), "it is there")
    pantin.cli("move", "learner", "l-move", "site/pantin")
    wait_until(lambda: not rows(poissy, "learner", "l-move"), "it has left again")
    assert rows(pantin, "learner", "l-move") == [("l-move", "Cy Exemple", None, "06 99 00 01 02", None)]
    assert len(pantin.query("SELECT 1 FROM visit WHERE learner = 'l-move'")) == 2
    assert pantin.run("move", "learner", "l-move", "group/sud", codes=(1,)).stderr
    assert "none of them moves" in pantin.run("move", "employer", "1", "site/pantin", codes=(3,)).stderr


def test_what_another_site_may_not_write_is_put_back_and_kept(schools):
    hub, pantin, poissy, niort = schools
    pantin.sql("INSERT INTO offer VALUES ('o1', 'Menuisier');")
    wait_until(lambda: rows(poissy, "offer", "o1") and rows(niort, "offer", "o1"), "the offer is everywhere")
    for _ in range(3):
        niort.write("UPDATE offer SET title = 'Charpentier' WHERE id = 'o1'")
        wait_until(lambda: rows(niort, "offer", "o1") == [("o1", "Menuisier")], "it is put back")
    niort.write("DELETE FROM offer WHERE id = 'o1'")
    wait_until(lambda: rows(niort, "offer", "o1") == [("o1", "Menuisier")], "it is back")
    entries = [entry for entry in niort.cli("quarantine") if entry["key"] == "o1"]
    assert [(entry["field"], entry["value"], entry["reason"], entry["count"]) for entry in entries] == [
        (None, None, "right", 1), ("title", "Charpentier", "right", 3)]
    text = niort.run("quarantine").stdout
    assert "Charpentier" in text and "without the right" in text
    settle(pantin, niort)
    assert rows(pantin, "offer", "o1") == rows(hub, "offer", "o1") == [("o1", "Menuisier")]
    # Who reads a learner his home alone says; the rest of him is for all readers to write.
    pantin.sql("INSERT INTO learner(id, name, visible_to) VALUES ('l-home', 'Di Exemple', 'group/nord');")
    wait_until(lambda: rows(poissy, "learner", "l-home"), "poissy has the learner")
    poissy.write("UPDATE learner SET visible_to = NULL, name = 'Di Exemple-Durand' WHERE id = 'l-home'")
    wait_until(lambda: rows(pantin, "learner", "l-home")[0][1] == "Di Exemple-Durand", "the name is at pantin")
    assert rows(poissy, "learner", "l-home")[0][4] == rows(pantin, "learner", "l-home")[0][4] == "group/nord"


def test_one_key_in_two_scopes_is_two_records_and_shows_the_private_one(schools):
    hub, pantin, poissy, niort = schools
    pantin.line.cut()
    pantin.sql("INSERT INTO learner(id, name, phone) VALUES ('l-twice', 'Ed Exemple', '06 99 00 02 02');")
    poissy.sql("INSERT INTO learner(id, name, phone, visible_to) VALUES ('l-twice', 'Fa Exemple', NULL, 'group/nord');")
    settle(poissy)
    pantin.line.heal()
    wait_until(lambda: any(one["kind"] == "scopes" and one["key"] == "l-twice"
                           for one in pantin.cli("conflicts", codes=(0, 1))), "pantin lists both")
    assert rows(pantin, "learner", "l-twice")[0][1:4] == ("Ed Exemple", None, "06 99 00 02 02")
    assert rows(poissy, "learner", "l-twice")[0][1:4] == ("Fa Exemple", None, None)
    pantin.write("UPDATE learner SET email = 'ed@exemple.invalid' WHERE id = 'l-twice'")
    settle(pantin, poissy)
    assert rows(poissy, "learner", "l-twice")[0][1:4] == ("Fa Exemple", None, None)
    assert not any(b"ed@exemple" in file.read_bytes() for file in poissy.home.rglob("*") if file.is_file())
    poissy.write("DELETE FROM learner WHERE id = 'l-twice'")
    wait_until(lambda: not any(one["key"] == "l-twice" for one in pantin.cli("conflicts", codes=(0, 1))), "one is left")
    assert rows(pantin, "learner", "l-twice")[0][1:4] == ("Ed Exemple", "ed@exemple.invalid", "06 99 00 02 02")


def test_all_of_it_is_as_the_logs_say(schools, shared_network):
    settle(*schools[1:])
    shared_network.assert_clean()
    assert len({site.digest("group/nord") for site in schools[1:3]}) == 1
