"""A site that was taken out, of the network or of a group, and is let in again goes on in another epoch."""
from network import wait_until
from schemas import PEOPLE


def people(site):
    return [key for (key,) in site.query("SELECT id FROM person ORDER BY id")]


def own_epoch(site):
    return site.query("SELECT value FROM navette_meta WHERE name = 'epoch'")[0][0]


def authority_position(site):
    return site.query("SELECT has_seq FROM navette_log WHERE scope = zeroblob(16)")[0][0]


def assert_nothing_is_blocked(*sites):
    for site in sites:
        status = site.cli("status", codes=(0, 1))
        assert [one["held"] for one in status["vouched"] if one["held"]] == [], (site.name, status["vouched"])
        assert not site.refusals(), (site.name, site.refusals())


def test_a_site_that_was_revoked_is_invited_back(network):
    hub = network.add_hub(PEOPLE)
    pantin, vitry = network.add_schools("pantin", "vitry")
    pantin.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    before = own_epoch(pantin)
    # Cut off it hears of nothing, and writes what nobody will vouch for.
    pantin.line.cut()
    hub.cli("revoke", "pantin")
    pantin.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple'); UPDATE person SET town = 'Pantin' WHERE id = 'p1';")
    wait_until(lambda: pantin.pending() == 0, "sealed")
    vitry.sql("UPDATE person SET phone = '02' WHERE id = 'p1';")
    network.converge(hub, vitry)
    assert people(vitry) == ["p1"]

    pantin.stop()
    pantin.cli("join", network.invitation("pantin"))
    pantin.line.heal()
    pantin.start()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p3', 'Cy Exemple'); UPDATE person SET visits = 3 WHERE id = 'p1';")
    network.converge()
    assert own_epoch(pantin) != before
    for site in network.sites:
        assert people(site) == ["p1", "p3"]
        assert site.query("SELECT phone, town, visits FROM person WHERE id = 'p1'") == [("02", None, 3)]
    # What does not count is not lost in silence: it is listed, with its values.
    assert set(pantin.query("SELECT value FROM navette_quarantine WHERE value IN ('Bo Exemple', 'Pantin')")) == {
        ("Bo Exemple",), ("Pantin",)}
    assert_nothing_is_blocked(*network.sites)
    network.assert_clean()


def test_what_is_written_after_a_site_knows_goes_out_once_it_is_back(network):
    hub = network.add_hub(PEOPLE)
    pantin, vitry = network.add_schools("pantin", "vitry", listen=True)
    for site, other in ((pantin, vitry), (vitry, pantin)):
        site.stop()
        network.set_peers(site, {"hub": site.line.endpoint, other.name: network.relay_to(other).endpoint})
        site.start()
        site.wait_for_endpoint()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    # What it writes now another school has, over a direct line, before it hears that the site is taken out.
    vitry.line.cut()
    pantin.line.cut()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    wait_until(lambda: people(vitry) == ["p1", "p2"], "Vitry has it over the direct line")
    hub.cli("revoke", "pantin")
    vitry.line.heal()
    network.converge(hub, vitry)
    assert people(hub) == ["p1", "p2"]

    pantin.stop()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p3', 'Cy Exemple');")
    invitation = network.invitation("pantin")
    hub.cli("group", "est")  # whatever else happens meanwhile
    pantin.cli("join", invitation)
    pantin.line.heal()
    pantin.start()
    network.converge()
    pantin.sql("UPDATE person SET town = 'Pantin';")
    network.converge()
    for site in network.sites:
        assert set(people(site)) >= {"p1", "p2"}
        assert site.query("SELECT DISTINCT town FROM person") == [("Pantin",)]
    assert_nothing_is_blocked(*network.sites)
    network.assert_clean()


GROUPED = """
CREATE TABLE learner (id TEXT NOT NULL PRIMARY KEY, name TEXT, visible_to TEXT);
INSERT INTO navette_table(name, scope) VALUES ('learner', 'column:visible_to');
"""


def test_a_site_that_was_taken_out_of_a_group_is_listed_again(network):
    hub = network.add_hub(GROUPED)
    pantin, vitry = network.add_schools("pantin", "vitry")
    hub.cli("group", "est")
    hub.cli("group", "est", "--add", "pantin", "--add", "vitry")
    for site in (pantin, vitry):
        wait_until(lambda: authority_position(site) == authority_position(hub), "%s knows the group" % site.name)

    def converge():
        for site in (pantin, vitry):
            wait_until(lambda: site.pending() == 0, "sealed")
        wait_until(lambda: pantin.digest("group/est") and pantin.digest("group/est") == vitry.digest("group/est"), "one digest")

    pantin.sql("INSERT INTO learner VALUES ('l1', 'Ada', 'group/est');")
    converge()
    before = own_epoch(pantin)
    pantin.line.cut()
    hub.cli("group", "est", "--remove", "pantin")
    pantin.sql("INSERT INTO learner VALUES ('l2', 'Bo', 'group/est');")
    wait_until(lambda: pantin.pending() == 0, "sealed")
    vitry.sql("INSERT INTO learner VALUES ('l3', 'Cy', 'group/est');")
    wait_until(lambda: vitry.pending() == 0, "sealed")
    hub.cli("group", "est", "--add", "pantin")
    pantin.line.heal()
    wait_until(lambda: authority_position(pantin) == authority_position(hub), "Pantin knows")
    assert own_epoch(pantin) != before
    pantin.sql("INSERT INTO learner VALUES ('l4', 'Di', 'group/est');")
    converge()
    pantin.sql("UPDATE learner SET name = name || ' P';")
    converge()
    for site in (pantin, vitry):
        rows = dict(site.query("SELECT id, name FROM learner"))
        assert {key: rows.get(key) for key in ("l1", "l3", "l4")} == {"l1": "Ada P", "l3": "Cy P", "l4": "Di P"}, rows
    # The hub may have got what Pantin wrote before it knew, for which nobody vouches: that is all it holds beside.
    assert_nothing_is_blocked(pantin, vitry)
    network.assert_clean()
