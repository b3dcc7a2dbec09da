"""A site that was taken out, of the network or of a group, and is let in again goes on in another epoch."""
from network import wait_until
from schemas import PEOPLE


def people(site):
    return [key for (key,) in site.query("SELECT id FROM person ORDER BY id")]


def own_epoch(site):
    return site.query("SELECT value FROM navette_meta WHERE name = 'epoch'")[0][0]


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
    assert_nothing_is_blocked(*network.sites)
    network.assert_clean()
