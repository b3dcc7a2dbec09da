"""Daemons that are killed at any moment, under load, lose nothing that was committed beside them."""
import random
import threading
import time

from network import count_from_environment, wait_until
from schemas import PEOPLE

KILLS = count_from_environment("NAVETTE_KILLS", 200)
SHARED = ["shared%d" % n for n in range(20)]


class School(threading.Thread):
    """A school's program: it inserts people, edits them, and edits a column of its own of records that all schools share.

    `own` and `shared` are what it committed, and so what must be there in the end.
    """

    def __init__(self, site, column, seed):
        super().__init__()
        self.site, self.column, self.random = site, column, random.Random(seed)
        self.own, self.shared, self.deleted = {}, {}, set()
        self.stopping, self.problem = threading.Event(), None

    def run(self):
        try:
            with self.site.connection() as connection:
                number = 0
                while not self.stopping.is_set():
                    number += 1
                    self.write(connection, number)
                    time.sleep(self.random.uniform(0, 0.02))
        except Exception as caught:  # told by the test, in its own thread
            self.problem = caught

    def write(self, connection, number):
        choice = self.random.random()
        if choice < 0.5 or not self.own:
            rows = [("%s.%d.%d" % (self.site.name, number, place), "Name %d" % number)
                    for place in range(self.random.choice([1, 1, 1, 20]))]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO person(id, name) VALUES (?, ?)", rows)
            connection.execute("COMMIT")
            self.own.update(rows)
        elif choice < 0.7:
            key = self.random.choice(sorted(self.own))
            connection.execute("UPDATE person SET name = ? WHERE id = ?", ("Renamed %d" % number, key))
            self.own[key] = "Renamed %d" % number
        elif choice < 0.75:
            key = self.random.choice(sorted(self.own))
            connection.execute("DELETE FROM person WHERE id = ?", (key,))
            del self.own[key]
            self.deleted.add(key)
        else:
            key = self.random.choice(SHARED)
            connection.execute('UPDATE person SET "%s" = ? WHERE id = ?' % self.column, ("%d" % number, key))
            self.shared[key] = "%d" % number


def test_killed_at_random_moments(network):
    seed = count_from_environment("NAVETTE_SEED", random.randrange(2**32))
    print("NAVETTE_SEED=%d" % seed)
    chance = random.Random(seed)
    network.add_hub(PEOPLE)
    sites = network.add_schools("villeneuve", "pantin", "poissy")
    sites[0].sql("".join("INSERT INTO person(id) VALUES ('%s');" % key for key in SHARED))
    network.converge()

    schools = [School(site, column, seed + n)
               for n, (site, column) in enumerate(zip(sites, ("phone", "town", "referent")))]
    for school in schools:
        school.start()
    ready = 0
    try:
        for _ in range(KILLS):
            victim = chance.choice(network.sites)
            ready += victim.is_ready()
            victim.kill()
            if chance.random() < 0.2:
                time.sleep(chance.uniform(0, 0.1))
            victim.start()
            time.sleep(chance.choice([0.01, 0.05, 0.15, 0.3]) * chance.random() * 2)
    finally:
        for school in schools:
            school.stopping.set()
        for school in schools:
            school.join()
    assert [school.problem for school in schools] == [None] * len(schools)
    network.converge(seconds=120)

    for site in network.sites:
        names = dict(site.query("SELECT id, name FROM person"))
        for school in schools:
            lost = {key for key, name in school.own.items() if names.get(key) != name}
            assert not lost, "%s lost %d of %d of %s: %s" % (
                site.name, len(lost), len(school.own), school.site.name, sorted(lost)[:5])
            assert not school.deleted & names.keys()
            shown = dict(site.query('SELECT id, "%s" FROM person WHERE id LIKE \'shared%%\'' % school.column))
            assert {key: shown[key] for key in school.shared} == school.shared, site.name
        assert site.conflicts() == {}, site.name
    # The test means something where there was something to lose, and where most daemons died at work.
    assert sum(len(school.own) for school in schools) > 100
    assert ready > KILLS / 2, "%d of %d daemons had begun to work" % (ready, KILLS)
    network.assert_clean()


def test_killed_while_a_large_load_arrives(network):
    """Progress survives: a site that is killed again and again in the middle of a first sync ends in step all the same."""
    network.add_hub(PEOPLE)
    giver, taker = network.add_schools("giver", "taker")
    taker.kill()
    with giver.connection() as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO person(id, name, town) VALUES (?, ?, ?)",
                               (("%06d" % n, "Name %d" % n, "Town %d" % (n % 100)) for n in range(30000)))
        connection.execute("COMMIT")
    for _ in range(4):
        giver.kill()
        network.hub.kill()
        giver.start()
        network.hub.start()
        time.sleep(0.2)
    network.converge(network.hub, giver, seconds=90)
    for _ in range(6):
        taker.start()
        time.sleep(0.25)
        taker.kill()
    taker.start()
    network.converge(seconds=90)
    assert taker.query("SELECT count(*) FROM person") == [(30000,)]
    network.assert_clean(taker)


def test_an_end_on_request_is_quick_and_complete(network):
    network.add_hub(PEOPLE)
    school, = network.add_schools("school")
    school.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    begun = time.monotonic()
    school.stop()
    assert time.monotonic() - begun < 5
    school.start()
    network.converge()
    network.hub.stop()
    school.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    wait_until(lambda: school.pending() == 0, "a school seals without its hub")
    network.hub.start()
    network.converge()
