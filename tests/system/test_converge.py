"""Schools that write apart end alike, lose nothing, and show what two of them wrote to the same field."""
import pytest

from network import wait_until
from schemas import PEOPLE


@pytest.fixture
def three(network):
    network.add_hub(PEOPLE)
    return (network, *network.add_schools("villeneuve", "pantin", "poissy"))


def shown(site, key, column):
    rows = site.query('SELECT "%s" FROM person WHERE id = ?' % column, key)
    return rows[0][0] if rows else None


def test_what_one_school_writes_is_at_all(three):
    network, villeneuve, pantin, poissy = three
    villeneuve.sql("INSERT INTO person(id, name, town) VALUES ('p1', 'Ada Exemple', 'Villeneuve-la-Garenne');")
    pantin.sql("INSERT INTO person(id, name, visits) VALUES ('p2', 'Bo Exemple', 3);")
    poissy.write("INSERT INTO person(id, name, phone) VALUES (?, ?, ?)", "p3", "Cy Exemple", "0100000000")
    network.hub.sql("INSERT INTO person(id, name) VALUES ('p4', 'Di Exemple');")
    network.converge()
    assert [row[0] for row in poissy.query("SELECT id FROM person ORDER BY id")] == ["p1", "p2", "p3", "p4"]
    pantin.sql("DELETE FROM person WHERE id = 'p1'; UPDATE person SET phone = '0200000000' WHERE id = 'p3';")
    network.converge()
    assert villeneuve.query("SELECT id, phone FROM person ORDER BY id") == [
        ("p2", None), ("p3", "0200000000"), ("p4", None)]
    assert all(site.conflicts() == {} for site in network.sites)
    network.assert_clean()


def test_edits_on_both_sides_of_a_cut_line(three):
    network, villeneuve, pantin, poissy = three
    villeneuve.sql("INSERT INTO person(id, name, phone, town) VALUES ('p1', 'Ada Exemple', '01', 'Paris');")
    network.converge()

    pantin.line.cut()
    villeneuve.sql("UPDATE person SET town = 'Poissy', phone = '0111111111' WHERE id = 'p1';")
    network.converge(network.hub, villeneuve, poissy)
    pantin.sql("UPDATE person SET name = 'Ada Exemple-Second', phone = '0222222222' WHERE id = 'p1';")
    assert shown(pantin, "p1", "town") == "Paris"
    pantin.line.heal()
    network.converge()

    place = ("person", "p1", "phone")
    for site in network.sites:
        assert shown(site, "p1", "town") == "Poissy", site.name
        assert shown(site, "p1", "name") == "Ada Exemple-Second", site.name
        conflicts = site.conflicts()
        assert list(conflicts) == [place], (site.name, conflicts)
        assert sorted(conflicts[place]) == ["0111111111", "0222222222"], site.name
    # The clock picks what is shown, alike everywhere: Pantin wrote later.
    assert {shown(site, "p1", "phone") for site in network.sites} == {"0222222222"}

    values = poissy.conflicts()[place]
    poissy.cli("resolve", "person", "p1", "phone", "--take", values.index("0111111111") + 1)
    wait_until(lambda: all(site.conflicts() == {} for site in network.sites), "the conflict is gone everywhere")
    network.converge()
    assert {shown(site, "p1", "phone") for site in network.sites} == {"0111111111"}
    network.assert_clean()


def test_a_conflict_answered_with_a_new_value(three):
    network, villeneuve, pantin, poissy = three
    villeneuve.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    pantin.line.cut()
    pantin.sql("UPDATE person SET name = 'Ada B.' WHERE id = 'p1';")
    villeneuve.sql("UPDATE person SET name = 'Ada C.' WHERE id = 'p1';")
    pantin.line.heal()
    network.converge()
    assert pantin.conflicts() != {}
    pantin.cli("resolve", "person", "p1", "name", "--value", "Ada D.")
    network.converge()
    assert all(site.conflicts() == {} for site in network.sites)
    assert {shown(site, "p1", "name") for site in network.sites} == {"Ada D."}
    # Nothing is left to answer, and saying so is the exit code for "not so".
    pantin.cli("resolve", "person", "p1", "name", "--take", "1", codes=(1, 3))


def test_equal_values_are_no_conflict(three):
    network, villeneuve, pantin, _ = three
    villeneuve.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    pantin.line.cut()
    pantin.sql("UPDATE person SET town = 'Pantin' WHERE id = 'p1';")
    villeneuve.sql("UPDATE person SET town = 'Pantin' WHERE id = 'p1';")
    pantin.line.heal()
    network.converge()
    assert all(site.conflicts() == {} for site in network.sites)
    assert shown(network.hub, "p1", "town") == "Pantin"


def test_the_rules_pick_what_is_shown_and_quiet_asks_nobody(three):
    network, villeneuve, pantin, _ = three
    villeneuve.sql("INSERT INTO person(id, name, visits, first_day, referent, seen)"
                   " VALUES ('p1', 'Ada Exemple', 5, '2024-03-01', 'first', 100);")
    network.converge()
    pantin.line.cut()
    villeneuve.sql("UPDATE person SET visits = 9, first_day = '2024-02-01', referent = 'of home', seen = 300"
                   " WHERE id = 'p1';")
    network.converge(network.hub, villeneuve)
    pantin.sql("UPDATE person SET visits = 7, first_day = '2024-01-01', referent = 'of pantin', seen = 200"
               " WHERE id = 'p1';")
    pantin.line.heal()
    network.converge()
    for site in network.sites:
        assert site.query("SELECT visits, first_day, referent, seen FROM person WHERE id = 'p1'") == [
            (9, "2024-01-01", "of home", 300)], site.name
        assert sorted(field for _, _, field in site.conflicts()) == ["first_day", "referent", "visits"], site.name


def test_a_plain_write_over_an_open_conflict_covers_only_what_was_shown(three):
    network, villeneuve, pantin, poissy = three
    villeneuve.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    pantin.line.cut()
    villeneuve.sql("UPDATE person SET phone = '01' WHERE id = 'p1';")
    network.converge(network.hub, villeneuve, poissy)
    pantin.sql("UPDATE person SET phone = '02' WHERE id = 'p1';")
    pantin.line.heal()
    network.converge()
    assert shown(poissy, "p1", "phone") == "02"
    poissy.sql("UPDATE person SET phone = '03' WHERE id = 'p1';")
    network.converge()
    for site in network.sites:
        assert sorted(site.conflicts()[("person", "p1", "phone")]) == ["01", "03"], site.name


def test_a_form_saved_late_hides_nothing(three):
    network, villeneuve, pantin, _ = three
    villeneuve.sql("INSERT INTO person(id, name, phone) VALUES ('p1', 'Ada Exemple', '01');")
    network.converge()
    pantin.sql("UPDATE person SET phone = '02' WHERE id = 'p1';")
    network.converge()
    # The form was opened before Pantin's change came, and writes all its fields back as it had read them.
    villeneuve.sql("UPDATE person SET phone = '01', town = 'Gennevilliers' WHERE id = 'p1';")
    network.converge()
    for site in network.sites:
        assert sorted(site.conflicts()[("person", "p1", "phone")]) == ["01", "02"], site.name
        assert shown(site, "p1", "town") == "Gennevilliers"


def test_a_delete_beside_an_edit_shows_the_record_and_asks(three):
    network, villeneuve, pantin, poissy = three
    villeneuve.sql("INSERT INTO person(id, name, phone) VALUES ('p1', 'Ada Exemple', '01');")
    network.converge()
    pantin.line.cut()
    villeneuve.sql("DELETE FROM person WHERE id = 'p1';")
    network.converge(network.hub, villeneuve, poissy)
    assert poissy.query("SELECT * FROM person") == []
    pantin.sql("UPDATE person SET phone = '02' WHERE id = 'p1';")
    pantin.line.heal()
    network.converge()
    for site in network.sites:
        # The whole record is back, not only the field that was written.
        assert site.query("SELECT name, phone FROM person WHERE id = 'p1'") == [("Ada Exemple", "02")], site.name
        assert [place for place in site.conflicts()] == [("person", "p1", None)], site.name
    network.assert_clean()


def test_the_same_natural_key_entered_apart_is_one_record(three):
    network, villeneuve, pantin, _ = three
    pantin.line.cut()
    villeneuve.sql("INSERT INTO person(id, name, town) VALUES ('35600000000048', 'Poste', 'Paris');")
    pantin.sql("INSERT INTO person(id, name, town) VALUES ('35600000000048', 'La Poste', 'Paris');")
    pantin.line.heal()
    network.converge()
    for site in network.sites:
        assert len(site.query("SELECT * FROM person")) == 1
        assert {place[2] for place in site.conflicts()} == {"name"}, site.name


def test_a_slow_and_a_half_open_line(three):
    network, villeneuve, pantin, _ = three
    pantin.line.delay = 0.05
    for i in range(5):
        pantin.write("INSERT INTO person(id, name) VALUES (?, ?)", "slow%d" % i, "Slow Exemple")
    network.converge()
    pantin.line.delay = 0
    pantin.line.one_way("down")
    pantin.sql("INSERT INTO person(id, name) VALUES ('deaf', 'Deaf Exemple');")
    villeneuve.sql("INSERT INTO person(id, name) VALUES ('away', 'Away Exemple');")
    network.converge(network.hub, villeneuve)
    pantin.line.heal()
    network.converge()
    for _ in range(5):
        pantin.write("INSERT INTO person(id, name) VALUES (hex(randomblob(8)), 'Reset Exemple')")
        pantin.line.reset()
    network.converge()
    assert len(network.hub.query("SELECT * FROM person")) == 12


def test_a_site_that_joins_late_gets_all(three):
    network, villeneuve, _, _ = three
    with villeneuve.connection() as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO person(id, name) VALUES (?, ?)",
                               [("n%04d" % i, "Number %d" % i) for i in range(3000)])
        connection.execute("COMMIT")
    villeneuve.sql("UPDATE person SET town = 'x' WHERE id > 'n2000'; DELETE FROM person WHERE id < 'n0500';")
    network.converge()
    late = network.add_school("vitry")
    network.converge()
    assert late.query("SELECT count(*) FROM person") == [(2500,)]
    network.assert_clean(late)


def test_status_says_in_words_who_is_behind(three):
    network, villeneuve, pantin, _ = three
    network.converge()
    wait_until(lambda: "pantin" in network.hub.run("status").stdout, "the hub knows Pantin")
    pantin.line.cut()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p9', 'Ed Exemple');")
    wait_until(lambda: pantin.pending() == 0, "sealed")

    def peer(site, name):
        found = [one for one in site.cli("peers", codes=(0, 1)) if one["name"] == name]
        assert len(found) == 1, "%s has %d lines about %s" % (site.name, len(found), name)
        return found[0]
    wait_until(lambda: not peer(pantin, "hub")["connected"], "Pantin sees that its line is cut")
    wait_until(lambda: peer(pantin, "hub")["behind"] >= 1, "Pantin knows that the hub lacks a changeset")
    assert pantin.run("status", codes=(0, 1)).stdout.strip()
    pantin.line.heal()
    wait_until(lambda: peer(pantin, "hub")["connected"] and peer(pantin, "hub")["behind"] == 0, "in step again")
