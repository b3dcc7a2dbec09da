"""What `status` says of a peer is true after restarts, too."""
import os

from network import wait_until
from schemas import VALUES


def hub_as_seen_by(school):
    peers = [peer for peer in school.cli("status", codes=(0, 1))["peers"] if peer["name"] == "hub"]
    assert peers, "it never met the hub"
    return peers[0]


def test_how_far_behind_a_peer_is_that_was_not_met_since_the_start(network):
    hub = network.add_hub(VALUES)
    school, = network.add_schools("school")
    wait_until(lambda: hub_as_seen_by(school)["connected"], "the line is up")
    network.converge()
    hub.stop()
    wait_until(lambda: not hub_as_seen_by(school)["connected"], "the line is down")
    school.write("INSERT INTO thing(id) VALUES ('before')")
    wait_until(lambda: hub_as_seen_by(school)["behind"] == 1, "one behind")
    since = hub_as_seen_by(school)["behind_since_ms"]
    school.stop()
    school.start()
    for number in range(3):
        school.write("INSERT INTO thing(id) VALUES (?)", "after%d" % number)
        wait_until(lambda: school.pending() == 0, "it is sealed")
    wait_until(lambda: hub_as_seen_by(school)["behind"] == 4, "four behind")
    assert hub_as_seen_by(school)["behind_since_ms"] == since
    hub.start()
    network.converge()
    wait_until(lambda: hub_as_seen_by(school)["behind"] == 0, "nothing is lacking")


def test_the_room_that_is_left_is_that_of_the_stores_disk(network):
    hub = network.add_hub(VALUES)
    found = hub.cli("status", codes=(0, 1))
    about = os.statvfs(hub.store)
    assert abs(found["free_bytes"] - about.f_bavail * about.f_frsize) < 1 << 30
    assert found["full"] == (found["free_bytes"] < 1 << 20)
