"""Clocks that are years off and jump, at sites whose daemons and programs all believe them (libfaketime).

A clock may choose what is shown; it must not decide what is lost. Where libfaketime is missing, the part says so and does
nothing. CLOCK_SECONDS says how long the clocks jump (40).
"""
import glob
import time

import part as program
from load import Load, judge
from network import wait_until
from people import SCHEMA

CLOCK_SECONDS = program.parameter("CLOCK_SECONDS", 40)
LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")


class Clock:
    """What a site takes for the time: the real one, and an offset that may change under its running programs."""

    def __init__(self, file):
        self.file = file
        self.set("+0")

    def set(self, offset):
        part_of_it = self.file.with_suffix(".part")
        part_of_it.write_text(offset + "\n")
        part_of_it.rename(self.file)

    def prefix(self):
        # Only the wall clock is wrong. A monotonic one is never off by more than its crystal.
        return ["env", "LD_PRELOAD=" + LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE=%s" % self.file, "FAKETIME_NO_CACHE=1",
                "FAKETIME_DONT_FAKE_MONOTONIC=1"]

    def jump(self, chance):
        number, unit = chance.choice([(15, "y"), (2, "y"), (40, "d"), (3, "h"), (90, "s"), (2, "s")])
        self.set("%s%.1f%s" % (chance.choice("+-"), chance.uniform(0.5, 1) * number, unit))


def body(part):
    with part.folder() as folder, part.network(folder) as network:
        network.add_hub(SCHEMA)
        schools = network.add_schools("villeneuve", "pantin", "poissy")
        network.converge()
        clocks = []
        for site in (network.hub, *schools[1:]):  # one clock stays right
            clocks.append(Clock(folder / (site.name + ".clock")))
            site.stop()
            site.prefix = clocks[-1].prefix()
            site.start().wait_until_ready()
        # No forms: whether one is late, a store tells by its clock, and that is one of those that jump.
        with Load(network.sites, part.seed, pause_ms=40, roles=["", "rebuild"]) as load:
            end = time.monotonic() + CLOCK_SECONDS
            while time.monotonic() < end:
                part.chance.choice(clocks).jump(part.chance)
                part.faults += 1
                if part.chance.random() < 0.2:
                    victim = part.chance.choice(network.sites)
                    victim.kill()
                    victim.start()
                    part.faults += 1
                time.sleep(part.chance.uniform(0.05, 1))
            load.stop()
        for clock in clocks[1:]:
            clock.jump(part.chance)
        # The line must be up while clocks disagree, or nothing was tried.
        wait_until(lambda: all(is_connected(school) for school in schools), "all are connected")
        # In their changesets the clocks must be seen to be wrong, or nothing was tried.
        spread, = network.hub.query("SELECT (max(sealed_ms) - min(sealed_ms)) / 86400000 FROM navette_changeset")
        assert spread[0] > 365, "the clocks were %d days apart" % spread
        judge(part, network, load)
        part.facts.append("%d jumps and kills" % part.faults)


def is_connected(school):
    return any(peer["connected"] for peer in school.cli("status", codes=(0, 1))["peers"])


if __name__ == "__main__":
    if not LIBRARIES:
        program.skip("clocks", "libfaketime is not installed (Debian: libfaketime)")
    program.run("clocks", body)
