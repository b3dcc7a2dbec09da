"""A network with a group that schools and peers read through a hub which cannot: what tests of personal records begin with."""
import contextlib

from network import wait_until
from peer.reader import Reader
from schemas import GROUPED

NORD = "group/nord"


@contextlib.contextmanager
def readers_of_nord(network, proto, *peers, listen=False):
    """Makes the hub, the schools pantin and vitry, and members of the tests' own: all but the hub read group/nord.
    Yields (pantin, vitry, members…); the members are connected with the hub, and closed at the end."""
    hub = network.add_hub(GROUPED)
    schools = network.add_schools("pantin", "vitry", listen=listen)
    members = [Reader(proto, name).join(network.invitation(name)) for name in peers]
    network.add_group("nord", *schools, *members)
    try:
        for member in members:
            member.connect(hub.endpoint()).follow("nord")
        yield (*schools, *members)
    finally:
        for member in members:
            member.close()


def learners(site):
    return site.query("SELECT id, name FROM learner ORDER BY id")


def write_learner(school, key, name):
    school.write("INSERT INTO learner(id, name, visible_to) VALUES (?, ?, ?)", key, name, NORD)


def assert_goes_on(network, *schools):
    """Each school writes, all have it, their digests are equal, and every log and row is what was signed."""
    count = schools[0].query("SELECT count(*) FROM learner WHERE id GLOB 'on.*'")[0][0]
    for number, school in enumerate(schools):
        write_learner(school, "on.%d.%d" % (count, number), "on")
    for school in schools:
        wait_until(lambda: school.query("SELECT count(*) FROM learner WHERE id GLOB 'on.*'") == [(count + len(schools),)],
                   "%s has what was written on" % school.name)
    network.converge(*schools, scope=NORD)
    network.assert_clean(*schools, network.hub)


def listed(school):
    """What the school lists of what others wrote against the protocol or without a right: the same at every reader."""
    return school.quarantine(), school.refusals()


def assert_listed_alike(*schools):
    wait_until(lambda: listed(schools[0]) == listed(schools[-1]), "the same is listed: %s" % [
        listed(school) for school in schools])
