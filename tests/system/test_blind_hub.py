"""Two schools of a group converge through a hub that cannot read: what they write is found nowhere else."""
import pytest

import seen
from network import rows_of, wait_until
from peer.carrier import Carrier
from schemas import SCHOOLS

# What is written of people (made up), keys and all; and what everybody may know, to show that the searches find.
PEOPLE = [("learner-%02d-key" % n, "Prénom%02d Nomdefamille%02d" % (n, n), "apprenant%02d@exemple.invalid" % n,
           "06 99 00 %02d 42" % n) for n in range(40)]
PRIVATE = [word for person in PEOPLE for word in person] + ["note-sur-sa-situation", "journal-intime-du-site"]
PUBLIC = ["Entreprise Témoin SARL", "01 99 00 00 99"]


@pytest.fixture
def carrying(network, proto):
    """A hub, two schools of a group, one that is not in it, and a second hub that notes all that it is sent."""
    hub = network.add_hub(SCHOOLS)
    schools = network.add_schools("pantin", "poissy", "niort")
    for school in schools:
        school.line.recorded = bytearray()
    hub.cli("group", "nord")
    hub.cli("group", "nord", "--add", "pantin", "--add", "poissy")
    carrier = Carrier(proto, "carrier").join(hub.cli("invite", "carrier", "--role", "hub")["invitation"])
    carrier.connect(hub.endpoint())
    yield (network, hub, *schools, carrier)
    carrier.close()


def write_people(pantin, poissy):
    with pantin.connection() as connection:
        connection.executemany("INSERT INTO learner(id, name, email, phone, visible_to) VALUES (?, ?, ?, ?, 'group/nord')",
                               PEOPLE[:20])
        connection.execute("INSERT INTO diary VALUES ('d1', 'journal-intime-du-site')")
        connection.execute("INSERT INTO employer VALUES ('12345678900017', ?, ?)", PUBLIC)
    poissy.cli("put", "learner", PEOPLE[20][0], "name=" + PEOPLE[20][1], "email=" + PEOPLE[20][2],
               "phone=" + PEOPLE[20][3], "visible_to=group/nord")
    for person in PEOPLE[21:]:
        poissy.write("INSERT INTO learner(id, name, email, phone, visible_to) VALUES (?, ?, ?, ?, 'group/nord')", *person)
    wait_until(lambda: len(rows_of(poissy, "learner")) == 40, "poissy has all")
    poissy.write("INSERT INTO visit VALUES ('v1', ?, 'note-sur-sa-situation')", PEOPLE[0][0])
    poissy.write("UPDATE learner SET phone = '06 99 00 00 42' WHERE id = ?", PEOPLE[3][0])


def is_level(pantin, poissy):
    return all(rows_of(pantin, table) == rows_of(poissy, table) and rows_of(pantin, table)
               for table in ("learner", "visit", "employer")) and pantin.digest("group/nord") == poissy.digest("group/nord")


def test_nothing_of_people_is_anywhere_but_at_the_readers(carrying):
    network, hub, pantin, poissy, niort, carrier = carrying
    write_people(pantin, poissy)
    wait_until(lambda: len(rows_of(pantin, "learner")) == 40 and is_level(pantin, poissy), "the two are level")
    wait_until(lambda: len(rows_of(niort, "employer")) == 1, "niort has what is for all")
    held, = hub.query("SELECT count(*) FROM navette_changeset")[0]
    carrier.until(lambda: len(carrier.arrived) == held, "the second hub carries all that the hub has")

    # The searches find what is there to be found.
    everything = set(PRIVATE + PUBLIC)
    assert seen.in_files(pantin, PRIVATE + PUBLIC) == everything
    assert seen.in_memory(pantin, PRIVATE + PUBLIC)
    assert seen.in_files(hub, PUBLIC) == seen.in_files(niort, PUBLIC) == set(PUBLIC)
    assert seen.in_memory(hub, PUBLIC) == seen.in_memory(niort, PUBLIC) == set(PUBLIC)
    assert seen.found(carrier.all_that_came(), PUBLIC) == set(PUBLIC)
    assert seen.in_log(hub, ["pantin"]) and all(len(school.line.recorded) > 10000 for school in (pantin, poissy))

    # And of people they find nothing: in files, in memory, in logs, on the line.
    for site in (hub, niort):
        assert seen.in_files(site, PRIVATE) == set(), site.name
        assert seen.in_memory(site, PRIVATE) == set(), site.name
    for site in (hub, niort, pantin, poissy):
        assert seen.in_log(site, PRIVATE + PUBLIC) == set(), site.name
    assert seen.found(carrier.all_that_came(), PRIVATE) == set()
    for school in (pantin, poissy, niort):
        assert seen.found(bytes(school.line.recorded), PRIVATE + PUBLIC) == set(), school.name

    # The hub does its work all the same, and niort holds no changeset of what it does not read.
    status = hub.cli("status", codes=(0, 1))
    assert status["carried"] > 0 and status["owed"] == 0
    at_niort, at_pantin = ({scope for (scope,) in site.query(
        "SELECT DISTINCT l.scope FROM navette_changeset AS c JOIN navette_log AS l ON l.number = c.log")}
        for site in (niort, pantin))
    assert at_niort <= at_pantin and len(at_pantin - at_niort) == 2  # the group's, and what is pantin's own
    network.assert_clean()
