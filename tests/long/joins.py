"""Making, joining and changing a network, with every command and the hub killed at random moments in the middle of it.

Whoever repeats a command that was cut short, doing what its message says, must get there. JOINS says how many sites
join (12).
"""
import shutil
import subprocess
import time

import part as program
from load import assert_in_order
from network import BUILD, Site, free_port, wait_until
from people import SCHEMA

JOINS = program.parameter("JOINS", 12)


class Joins:
    def __init__(self, part, network):
        self.part, self.network, self.chance = part, network, part.chance

    def cut_short(self, site, *words):
        """Runs a command and kills it in the middle; sometimes it is quicker."""
        command = [BUILD / "navette", "--home", site.home, *words]
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(self.chance.uniform(0, 0.06))
        running.kill()
        running.wait()
        self.part.faults += 1

    def kill_the_hub(self):
        self.network.hub.kill()
        self.part.faults += 1
        time.sleep(self.chance.uniform(0, 0.05))
        self.network.hub.start().wait_for_endpoint()

    def make(self, name):
        """init, cut short a few times. What is half-made says so, and says what to remove."""
        site = Site(self.network.folder / name, name)
        for _ in range(self.chance.randrange(4)):
            self.cut_short(site, "init", name)
            if site.store.exists():
                break
            if site.home.exists() and any(site.home.iterdir()):
                refused = site.run("init", name, codes=(0, 3))
                if refused.returncode == 0:
                    return site
                assert "begun and not finished" in refused.stderr, refused.stderr
                shutil.rmtree(site.home)
        if not site.store.exists():
            site.cli("init", name)
        site.run("verify", codes=(0, 1))
        return site

    def join(self, site):
        invitation = self.network.invitation(site.name)
        for _ in range(self.chance.randrange(4)):
            if self.chance.random() < 0.3:
                self.kill_the_hub()
            self.cut_short(site, "join", invitation)
        done = site.run("join", invitation, codes=(0, 3))
        assert done.returncode == 0 or "in a network already" in done.stderr, done.stderr
        site.line = self.network.relay_to(self.network.hub)
        self.network.schools[site.name] = site.start()

    def add_column(self, number):
        """A schema that is applied and cut short, until it is there. Applied twice, it changes nothing."""
        file = self.network.folder / "column.sql"
        name = "more%d" % number
        file.write_text("ALTER TABLE person ADD COLUMN %s TEXT;" % name)
        hub = self.network.hub

        def is_there():
            return name in [column[1] for column in hub.query("PRAGMA table_info(person)")]
        for _ in range(self.chance.randrange(1, 4)):
            if is_there():
                break
            self.cut_short(hub, "schema", "apply", str(file))
            if self.chance.random() < 0.3:
                self.kill_the_hub()
        if not is_there():
            hub.cli("schema", "apply", file)
        return name


def body(part):
    with part.folder() as folder, part.network(folder) as network:
        network.add_hub(SCHEMA, listen="tcp://127.0.0.1:%d" % free_port(part.chance))
        joins = Joins(part, network)
        columns = []
        for number in range(JOINS):
            site = joins.make("site%02d" % number)
            site.sql("CREATE TABLE own(a);")
            joins.join(site)
            if number % 3 == 0:
                columns.append(joins.add_column(number))
            wait_until(lambda: network.tracked_tables(site) == ["person"], "%s has the schema" % site.name)
            site.write("INSERT INTO person(id, name) VALUES (?, 'Ada Exemple')", site.name)
            part.writes += 1
        network.converge(seconds=120)
        for site in network.sites:
            there = [name for (name,) in site.query("SELECT id FROM person ORDER BY id")]
            part.lost += JOINS - len(there)
            found = [column[1] for column in site.query("PRAGMA table_info(person)")]
            assert set(columns) <= set(found), (site.name, found)
            members = site.cli("members")
            assert len(members) == JOINS + 1, "%s knows %d members" % (site.name, len(members))
            assert_in_order(site, JOINS + 1)
        part.facts.append("%d sites joined, %d columns were added" % (JOINS, len(columns)))


if __name__ == "__main__":
    program.run("joins", body)
