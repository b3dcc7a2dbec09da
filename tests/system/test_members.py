"""Members who go and come back, and groups, as an operator sees them."""
from network import Site, wait_until
from schemas import PEOPLE


def names(found):
    return sorted(member["name"] for member in found)


def test_who_is_revoked_is_cut_off_at_once_by_all(network):
    hub = network.add_hub(PEOPLE)
    pantin, vitry = network.add_schools("pantin", "vitry", listen=True)
    for site, other in ((pantin, vitry), (vitry, pantin)):
        site.stop()
        network.set_peers(site, {"hub": site.line.endpoint, other.name: network.relay_to(other).endpoint})
        site.start()
        site.wait_for_endpoint()
    pantin.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    for site, other in ((pantin, "vitry"), (vitry, "pantin")):
        wait_until(lambda: any(peer["name"] == other and peer["connected"] for peer in site.cli("peers")),
                   "%s and %s are connected" % (site.name, other))

    before = {site: len(site.stderr(last=100000)) for site in (hub, vitry)}
    assert hub.cli("revoke", "Pantin")["revoked"] == "pantin"
    for site in (hub, vitry):
        wait_until(lambda: "the line with pantin is down" in site.stderr(last=100000)[before[site]:],
                   "%s cut it off" % site.name)
        assert names(site.cli("members")) == ["hub", "vitry"]
        assert "pantin" not in names(site.cli("peers"))
    wait_until(lambda: "does not admit our key" in pantin.stderr(), "Pantin is refused")

    # It goes on writing, and nobody takes it; the others go on without it.
    pantin.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    wait_until(lambda: pantin.pending() == 0, "Pantin sealed it")
    vitry.sql("UPDATE person SET town = 'Vitry' WHERE id = 'p1';")
    hub.sql("INSERT INTO person(id, name) VALUES ('p3', 'Cy Exemple');")
    network.converge(hub, vitry)
    assert hub.query("SELECT id FROM person ORDER BY id") == [("p1",), ("p3",)]
    assert pantin.query("SELECT id FROM person ORDER BY id") == [("p1",), ("p2",)]
    for site in (hub, vitry):
        assert "pantin is connected" not in site.stderr(last=100000)[before[site]:], site.name
        assert {entry["site"] for entry in site.history("person", "p1")} == {"pantin", "vitry"}
        assert site.cli("verify")["bad"] == 0


def test_who_was_revoked_is_let_back_by_a_new_invitation(network):
    hub = network.add_hub(PEOPLE)
    pantin = Site(network.folder / "pantin", "pantin")
    pantin.cli("init", "pantin")
    used, spare = network.invitation("pantin"), network.invitation("spare")
    pantin.cli("join", used)
    network.set_peers(pantin, {"hub": network.relay_to(hub).endpoint})
    network.schools["pantin"] = pantin.start()
    wait_until(lambda: network.tracked_tables(pantin), "Pantin has the schema")
    pantin.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    assert "already" in pantin.run("join", spare, codes=(3,)).stderr

    hub.cli("revoke", "pantin")
    wait_until(lambda: "does not admit our key" in pantin.stderr(), "Pantin is refused")
    hub.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    assert "ask for a new one" in pantin.run("join", used, codes=(3,)).stderr
    pantin.cli("join", network.invitation("pantin"))
    network.converge()
    assert pantin.query("SELECT id FROM person ORDER BY id") == [("p1",), ("p2",)]
    assert names(hub.cli("members")) == ["hub", "pantin"]

    # Where the authority's word got through to it before it was cut off, it says so itself.
    pantin.stop()
    pantin.write("UPDATE navette_member SET ends = 99 WHERE name = 'pantin'")
    assert pantin.cli("status")["state"] == "revoked"
    assert "Taken out of the network" in pantin.run("status").stdout


def test_groups_are_made_shown_and_changed(network, tmp_path):
    hub = network.add_hub(PEOPLE)
    pantin, vitry = network.add_schools("pantin", "vitry")
    assert hub.cli("group", "nord") == hub.cli("group", "NORD") | {"made": True}
    assert sorted(hub.run("group", "nord", "--add", "pantin", "--add", "vitry").stdout.split()) == ["pantin", "vitry"]
    wait_until(lambda: sorted((vitry.cli("group", "nord", codes=(0, 3)) or {"readers": []})["readers"]) ==
               ["pantin", "vitry"], "Vitry has it")
    for arguments, code, word in (
            (("group", "nord", "--add", "pantin"), 3, "already"), (("group", "nord", "--add", "nobody"), 1, "no member"),
            (("group", "nord", "--remove", "hub"), 3, "not in group"), (("group", "sud", "--add", "pantin"), 1, "make it"),
            (("group", "x\ny"), 2, "name"), (("revoke", "nobody"), 1, "no member"), (("revoke", "hub"), 3, "authority")):
        assert word in hub.run(*arguments, codes=(code,)).stderr, arguments
    for arguments in (("group", "sud"), ("group", "nord", "--remove", "vitry"), ("revoke", "hub")):
        assert "authority key" in vitry.run(*arguments, codes=(3,)).stderr, arguments
    assert "nothing can take" in " ".join(hub.run("group", "nord", "--remove", "pantin").stdout.split())

    members = {member["name"]: member for member in hub.cli("members")}
    assert members["vitry"]["groups"] == ["nord"] and members["pantin"]["groups"] == []
    assert sorted(members["vitry"]["reads"]) == ["group/nord", "network", "site/vitry"]
    assert not members["hub"]["reader"]
    shown = hub.run("members").stdout
    assert "group/nord  vitry" in shown and "carried by hub, which reads of it what this list says" in shown
    hub.cli("revoke", "vitry")
    assert hub.cli("group", "nord")["readers"] == []

    reader = Site(tmp_path / "reader", "reader")
    assert reader.cli("init", "reader", "--hub", "--reader", "--listen", "tcp://127.0.0.1:*")["reader"]
    assert reader.cli("members")[0]["reader"] and "reading hub" in reader.run("members").stdout
    assert "--hub" in Site(tmp_path / "x", "x").run("init", "x", "--reader", codes=(2,)).stderr
    assert reader.cli("group", "all")["readers"] == []
