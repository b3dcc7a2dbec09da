"""Daemons, writers and commands that are killed at random moments, thousands of times, while everybody writes.

KILLS says how many (3000); KILLS_A_SECOND how fast (10).
"""
import heapq
import subprocess
import time

import part as program
from book import Entry
from load import Load, heads_at, judge, site_id
from network import BUILD, free_port, wait_until
from people import SCHEMA

KILLS = program.parameter("KILLS", 3000)
KILLS_A_SECOND = program.parameter("KILLS_A_SECOND", 10.0)
SCHOOLS = ("villeneuve", "pantin", "poissy", "vitry")


def dial_directly(network):
    """No relay slows the kills down, and so the hub has one port for good."""
    for school in network.schools.values():
        school.stop()
        network.set_peers(school, {network.hub.name: network.hub.endpoint()})
        school.start()


class Killer:
    """Decides who dies when, and looks at what the dead left behind."""

    def __init__(self, part, network, load):
        self.part, self.network, self.load, self.chance = part, network, load, part.chance
        self.ids = {site.name: site_id(site) for site in network.sites}
        self.ready = self.kills = self.answers = self.commands = 0

    def run(self):
        # Whoever is due next. The hub dies less often than a school: without it nothing would ever travel.
        hub_weight = 0.4
        weights = {site.name: hub_weight if site is self.network.hub else 1.0 for site in self.network.sites}
        weights.update({writer.site.name + "'s writer": 0.3 for writer in self.load.writers})
        pace = KILLS_A_SECOND / sum(weights.values())
        due = [(self.chance.expovariate(weight * pace), name) for name, weight in weights.items()]
        heapq.heapify(due)
        begun = time.monotonic()
        while self.kills < KILLS:
            at, name = heapq.heappop(due)
            time.sleep(max(0, begun + at - time.monotonic()))
            self.kill(name)
            self.kills += 1
            self.part.faults += 1
            if self.kills % 50 == 0:
                self.answer_conflicts(self.chance.choice(self.load.writers))
            if self.kills % 40 == 0:
                self.kill_a_command()
            # From when it was done, so that a slow machine is not asked for ever more.
            now = time.monotonic() - begun
            heapq.heappush(due, (max(at, now - 1) + self.chance.expovariate(weights[name] * pace), name))
        return time.monotonic() - begun

    def kill(self, name):
        for writer in self.load.writers:
            if name == writer.site.name + "'s writer":
                writer.kill()
                writer.start()
                return
        site = next(site for site in self.network.sites if site.name == name)
        self.ready += site.is_ready()
        site.kill()
        self.assert_nothing_told_is_missing(site)
        if self.chance.random() < 0.1:
            time.sleep(self.chance.uniform(0, 0.1))
        site.start()

    def assert_nothing_told_is_missing(self, dead):
        """Whatever others got from it, it must hold: its own log, and at the hub also what it passed on."""
        others = {site.name: heads_at(site) for site in self.network.sites if site is not dead}
        held = heads_at(dead)
        for name, heads in others.items():
            for log, seq in heads.items():
                came_from_the_dead = log == self.ids[dead.name] or (
                    dead is self.network.hub and log != self.ids[name])
                assert not came_from_the_dead or held.get(log, 0) >= seq, "%s lost what %s has of it: %d of %d" % (
                    dead.name, name, held.get(log, 0), seq)

    # ---- commands ----
    def answer_conflicts(self, writer):
        """A person answers conflicts while nothing else runs there, so that it is certain what the answer covers."""
        site = writer.site
        writer.kill()
        site.kill()
        conflicts = site.query("SELECT DISTINCT key_text, field FROM navette_conflict WHERE field IS NOT NULL")
        for key, field in self.chance.sample(conflicts, min(len(conflicts), 5)):
            stands = site.query('SELECT "%s" FROM person WHERE id = ?' % field, key)
            values = [value for (value,) in site.query(
                "SELECT value FROM navette_conflict WHERE key_text = ? AND field = ?", key, field)]
            answer = "%s.answer.%d" % (site.name, self.kills)
            if not stands:
                continue
            site.cli("resolve", "person", key, field, "--value", answer)
            self.load.answers.setdefault(site.name, []).extend(
                [Entry(key, {field: answer}, {field: stands[0][0]}),
                 *(Entry(key, None, {field: value}) for value in values)])
            self.answers += 1
        site.start()
        writer.start()

    def kill_a_command(self):
        """Commands work on the store beside the daemon, and may die there, too."""
        site = self.chance.choice(self.network.sites)
        command = self.chance.choice([["rebuild"], ["verify"], ["status"], ["digest"]])
        running = subprocess.Popen([BUILD / "navette", "--home", site.home, *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.chance.uniform(0, 0.1))
        running.kill()
        running.wait()
        self.commands += 1
        self.part.faults += 1


def body(part):
    with part.folder() as folder, part.network(folder) as network:
        network.add_hub(SCHEMA, listen="tcp://127.0.0.1:%d" % free_port(part.chance))
        schools = network.add_schools(*SCHOOLS)
        network.converge()
        dial_directly(network)
        network.converge()
        with Load(schools, part.seed) as load:
            wait_until(lambda: all(writer.record.exists() for writer in load.writers), "the writers write")
            killer = Killer(part, network, load)
            seconds = killer.run()
            load.stop()
        part.facts.append("%d kills in %.0f s (%.1f a second; %d of daemons that were ready), %d commands killed, "
                          "%d conflicts answered" % (killer.kills, seconds, killer.kills / seconds, killer.ready,
                                                     killer.commands, killer.answers))
        # A run in which nothing was at work, or nothing was cut short, would show nothing.
        assert killer.ready > killer.kills / 3
        book = judge(part, network, load)
        assert len(book.entries()) > killer.kills and book.vain > 0


if __name__ == "__main__":
    program.run("kills", body)
