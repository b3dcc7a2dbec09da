"""A network may want its hub to read: each site's operator says so, or does not."""
from network import wait_until
from schemas import SCHOOLS


def learners(site):
    return [name for (name,) in site.query("SELECT name FROM learner ORDER BY name")]


def let_read(site, hub):
    file = site.home / "navette.conf"
    file.write_text("hub-reads = %s\n" % hub.name + file.read_text())
    site.stop()
    site.start()


def test_a_hub_reads_what_operators_let_it(network):
    hub = network.add_hub(SCHOOLS, options=["--reader"])
    pantin, poissy = network.add_schools("pantin", "poissy")
    hub.cli("group", "nord")
    hub.cli("group", "nord", "--add", "pantin", "--add", "poissy")
    pantin.sql("INSERT INTO learner(id, name) VALUES ('l1', 'Ada Exemple');")
    poissy.sql("INSERT INTO learner(id, name) VALUES ('l2', 'Bo Exemple');")
    wait_until(lambda: hub.query("SELECT count(DISTINCT log) FROM navette_changeset WHERE log IN (SELECT number FROM "
                                 "navette_log WHERE scope = site)") == [(2,)], "the hub carries both")
    assert learners(hub) == []

    # Pantin's operator says so: what was written before comes along.
    let_read(pantin, hub)
    wait_until(lambda: learners(hub) == ["Ada Exemple"], "the hub reads what pantin lets it")
    pantin.sql("UPDATE learner SET name = 'Ada Exemple-Petit' WHERE id = 'l1';")
    wait_until(lambda: learners(hub) == ["Ada Exemple-Petit"], "and what comes after")
    poissy.sql("INSERT INTO learner(id, name) VALUES ('l3', 'Cy Exemple');")
    wait_until(lambda: poissy.pending() == 0 and all(
        peer["behind"] == 0 for peer in poissy.cli("status", codes=(0, 1))["peers"]), "the hub has what poissy wrote")
    assert learners(hub) == ["Ada Exemple-Petit"]
    assert not any(b"Cy Exemple" in file.read_bytes() for file in hub.home.rglob("*") if file.is_file())

    # It writes nothing there: what somebody at the hub changes is put back.
    hub.write("UPDATE learner SET name = 'Changed' WHERE id = 'l1'")
    wait_until(lambda: learners(hub) == ["Ada Exemple-Petit"], "it is put back")
    assert [(one["value"], one["reason"]) for one in hub.cli("quarantine")] == [("Changed", "right")]
    assert learners(pantin) == ["Ada Exemple-Petit"]
    # Whoever carries it can see who lets it read what.
    for site in (hub, pantin):
        at_hub, = [member for member in site.cli("members") if member["reader"]]
        assert at_hub["granted"] == [{"scope": "site/pantin", "by": "pantin"}]
    assert "hub can read of site/pantin what pantin gave it keys of." in hub.run("members").stdout
    network.assert_clean()


def test_a_hub_that_is_not_certified_as_a_reader_gets_no_key(network):
    hub = network.add_hub(SCHOOLS)
    pantin, = network.add_schools("pantin")
    let_read(pantin, hub)
    pantin.wait_until_ready()
    pantin.sql("INSERT INTO learner(id, name) VALUES ('l1', 'Ada Exemple');")
    wait_until(lambda: hub.cli("status", codes=(0, 1))["carried"] > 0, "the hub carries it")
    assert "hub-reads names hub, which is not certified as a hub that may read" in pantin.stderr()
    assert learners(hub) == [] and not hub.query("SELECT 1 FROM navette_grant WHERE opens")
