"""Two schools that can reach one another stay in step without the hub."""
from network import wait_until
from schemas import PEOPLE


def test_two_schools_converge_with_the_hub_stopped(network):
    network.add_hub(PEOPLE)
    pantin, poissy = network.add_schools("pantin", "poissy", listen=True)
    pantin.sql("INSERT INTO person(id, name) VALUES ('p0', 'Ada Exemple');")
    network.converge()

    # Each dials the other through a relay, as an operator would name an address in the settings.
    for site, other in ((pantin, poissy), (poissy, pantin)):
        site.stop()
        network.set_peers(site, {"hub": site.line.endpoint, other.name: network.relay_to(other).endpoint})
    network.hub.stop()
    for site in (pantin, poissy):
        site.start()
        site.wait_for_endpoint()

    pantin.sql("INSERT INTO person(id, name) VALUES ('p1', 'Bo Exemple');")
    poissy.sql("INSERT INTO person(id, name) VALUES ('p2', 'Cy Exemple'); UPDATE person SET phone = '01' WHERE id = 'p0';")
    network.converge(pantin, poissy)
    assert poissy.query("SELECT count(*) FROM person") == [(3,)]
    assert pantin.query("SELECT phone FROM person WHERE id = 'p0'") == [("01",)]

    # The hub comes back and learns all of it from whichever speaks first.
    poissy.kill()
    network.hub.start()
    network.converge(network.hub, pantin)
    poissy.start()
    network.converge()
    network.assert_clean()


def test_the_line_between_two_schools_heals(network):
    network.add_hub(PEOPLE)
    pantin, poissy = network.add_schools("pantin", "poissy", listen=True)
    poissy.stop()
    direct = network.relay_to(pantin)
    network.set_peers(poissy, {"hub": poissy.line.endpoint, "pantin": direct.endpoint})
    network.hub.stop()
    poissy.start()
    poissy.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge(pantin, poissy)
    for turn in range(5):
        direct.cut()
        pantin.sql("UPDATE person SET town = 'T%d' WHERE id = 'p1';" % turn)
        poissy.sql("UPDATE person SET phone = '%d' WHERE id = 'p1';" % turn)
        direct.heal()
        network.converge(pantin, poissy)
    wait_until(lambda: pantin.query("SELECT town, phone FROM person") == [("T4", "4")], "both edits of the last turn")
    assert pantin.conflicts() == {}
