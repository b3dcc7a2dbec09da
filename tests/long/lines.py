"""Bad lines: every school's line to the hub goes through a relay that harms it, while all write.

LINE_SECONDS says how long the lines are bad (120), RESIDENT_MIB what a daemon of a few thousand records may hold (128):
one that holds more keeps what a bad line made it keep. Sanitizers need more.
"""
import signal
import time

import part as program
from load import Load, judge
from network import Network, wait_until
from people import SCHEMA
from rough_relay import RoughRelay

LINE_SECONDS = program.parameter("LINE_SECONDS", 120)
RESIDENT_MIB = program.parameter("RESIDENT_MIB", 128)


class RoughNetwork(Network):
    """A network whose schools reach the hub through rough relays."""

    def __init__(self, folder, chance):
        super().__init__(folder)
        self.chance = chance

    def relay_to(self, site):
        relay = RoughRelay(site.address, self.chance)
        self.relays.append(relay)
        return relay


FAULTS = {
    "cut": lambda school, chance: school.line.cut(),
    "reset": lambda school, chance: school.line.reset(),
    "only down": lambda school, chance: school.line.one_way("up"),
    "only up": lambda school, chance: school.line.one_way("down"),
    "stalled": lambda school, chance: school.line.stall(),
    "half-open": lambda school, chance: school.line.half_open(),
    "slow": lambda school, chance: setattr(school.line, "rate", chance.choice([5_000, 20_000, 50_000])),
    "far": lambda school, chance: setattr(school.line, "delay", chance.uniform(0.05, 0.4)),
    "lossy": lambda school, chance: setattr(school.line, "cut_chance", chance.choice([0.02, 0.1, 0.3])),
    # A machine that was suspended, or has too much else to do.
    "frozen": lambda school, chance: school.process.send_signal(signal.SIGSTOP),
}


def heal(school):
    school.process.send_signal(signal.SIGCONT)
    school.line.heal()


def harm_the_lines(part, network):
    """Each school's line is bad in one way after the other, with pauses in which it is good. Most faults are short;
    some outlast the patience of the sessions, which is 20 seconds, so that these must notice by themselves."""
    counts = dict.fromkeys(FAULTS, 0)
    due = {school: 0.0 for school in network.schools.values()}
    bad = set()
    begun = time.monotonic()
    while time.monotonic() < begun + LINE_SECONDS:
        for school in due:
            now = time.monotonic() - begun
            if now < due[school]:
                continue
            if school in bad:
                heal(school)
                bad.discard(school)
                due[school] = now + part.chance.uniform(0.1, 3)
            else:
                kind = part.chance.choice(sorted(FAULTS))
                FAULTS[kind](school, part.chance)
                counts[kind] += 1
                bad.add(school)
                due[school] = now + (part.chance.uniform(20, 30) if part.chance.random() < 0.07
                                     else part.chance.uniform(0.2, 4))
        for site in network.sites:
            assert site.process.poll() is None, "%s ended\n%s" % (site.name, site.stderr())
        time.sleep(0.05)
    for school in bad:
        heal(school)
    part.faults += sum(counts.values())
    part.facts.append(", ".join("%d %s" % (count, kind) for kind, count in sorted(counts.items())))


def peak_mib(site):
    """The most memory that the daemon ever held."""
    with open("/proc/%d/status" % site.process.pid) as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def write_much(part, site, first, rows):
    """In one transaction, and random, so that it stays as long as it is on the way."""
    with site.connection() as connection:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO person(id, name) VALUES (?, ?)",
                               (("much%05d" % (first + number), part.chance.randbytes(20).hex())
                                for number in range(rows)))
        connection.execute("COMMIT")
    part.writes += rows


def count_at(site):
    has_table, = site.query("SELECT count(*) FROM sqlite_master WHERE name = 'person'")
    return site.query("SELECT count(*) FROM person")[0][0] if has_table == (1,) else 0


def both_ways_over_a_slow_line(part, network):
    """A school joins over a line of some kB a second, on which one batch takes longer than any turn or patience. Then it
    writes as much itself."""
    rows = 10000
    write_much(part, network.schools["villeneuve"], 0, rows)
    network.converge()
    late = network.add_school("vitry", start=False)
    late.line.rate = 10_000
    late.start()
    part.faults += 1
    for direction, site in (("down", late), ("up", network.hub)):
        begun, carried = time.monotonic(), late.line.carried[direction]
        if direction == "up":
            write_much(part, late, rows, rows)
            rows *= 2
        wait_until(lambda: count_at(site) == rows, "all is there over a slow line", 300, pause=0.2)
        part.facts.append("%d kB %s a line of 10 kB/s in %.0f s" % (
            (late.line.carried[direction] - carried) / 1000, direction, time.monotonic() - begun))
    late.line.heal()


def body(part):
    with part.folder() as folder, part.network(folder, RoughNetwork, part.chance) as network:
        network.add_hub(SCHEMA)
        network.add_schools("villeneuve", "pantin", "poissy")
        network.converge()
        both_ways_over_a_slow_line(part, network)
        with Load(network.sites, part.seed, pause_ms=40) as load:
            harm_the_lines(part, network)
            load.stop()
        begun = time.monotonic()
        network.converge(seconds=120)
        part.facts.append("in step %.0f s after the last fault" % (time.monotonic() - begun))
        peaks = {site.name: peak_mib(site) for site in network.sites}
        part.facts.append("at most %.0f MiB a daemon" % max(peaks.values()))
        assert max(peaks.values()) < RESIDENT_MIB, peaks
        judge(part, network, load)


if __name__ == "__main__":
    program.run("lines", body)
