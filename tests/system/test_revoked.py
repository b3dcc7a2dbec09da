"""A site is revoked while another one holds later changesets of it, which came over a direct line."""
from network import wait_until
from schemas import PEOPLE


def people(site):
    return [key for (key,) in site.query("SELECT id FROM person ORDER BY id")]


def test_what_was_merged_before_counts_everywhere_and_nothing_that_comes_after(network):
    hub = network.add_hub(PEOPLE)
    thief, vitry, poissy = network.add_schools("pantin", "vitry", "poissy", listen=True)
    for site, other in ((thief, vitry), (vitry, thief)):
        site.stop()
        network.set_peers(site, {"hub": site.line.endpoint, other.name: network.relay_to(other).endpoint})
        site.start()
        site.wait_for_endpoint()
    thief.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()

    # Both are cut off from the hub, and go on with each other; there the one is revoked.
    thief.line.cut()
    vitry.line.cut()
    thief.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    wait_until(lambda: people(vitry) == ["p1", "p2"], "Vitry has it over the direct line")
    hub.cli("revoke", "pantin")
    poissy.sql("INSERT INTO person(id, name) VALUES ('p3', 'Cy Exemple');")
    network.converge(hub, poissy)
    assert people(hub) == ["p1", "p3"]

    # Vitry hears of it, and vouches for what it had merged.
    vitry.line.heal()
    network.converge(hub, vitry, poissy)
    assert people(poissy) == ["p1", "p2", "p3"]
    for site in (hub, poissy):
        (vouched,) = site.cli("status", codes=(0, 1))["vouched"]
        assert (vouched["site"], vouched["scope"], vouched["by"][0], vouched["held"]) == ("pantin", "network", "vitry", 0)
        assert vouched["changesets"] == 1
        assert "A right was taken from pantin" in site.run("members").stdout

    # What it writes from now on reaches nobody, and vitry, which hears it no more, goes on.
    thief.line.heal()
    thief.sql("INSERT INTO person(id, name) VALUES ('p4', 'Di Exemple');")
    vitry.sql("UPDATE person SET town = 'Vitry' WHERE id = 'p2';")
    network.converge(hub, vitry, poissy)
    assert people(hub) == ["p1", "p2", "p3"]
    network.assert_clean(hub, vitry, poissy)
