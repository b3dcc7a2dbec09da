"""The kernel's own network, harmed: every site has a network namespace, and all are joined by a bridge in another one.

Lines get slow (tc), lose packets or pass them one way only (nftables), are pulled out, and move to another address, while
all write. The namespaces belong to this program alone and lead nowhere else. Needs root, ip, tc and nft; where there are
none, the part says so and does nothing. NAMESPACE_SECONDS says how long the lines are bad (90).
"""
import contextlib
import os
import random
import shutil
import subprocess
import time

import part as program
from load import Load, judge
from network import Network, Site
from people import SCHEMA

NAMESPACE_SECONDS = program.parameter("NAMESPACE_SECONDS", 90)
PORT = 7420


def command(*words, given=None):
    done = subprocess.run([str(word) for word in words], input=given, capture_output=True, text=True)
    assert done.returncode == 0, "%s: %s" % (" ".join(map(str, words)), done.stderr)


class Place:
    """A namespace with one line to the bridge."""

    def __init__(self, switch, number):
        self.switch, self.number = switch, number
        self.name, self.port = "%s-%d" % (switch, number), "port%d" % number
        self.address = "10.77.0.%d" % number
        command("ip", "netns", "add", self.name)
        command("ip", "link", "add", self.port, "netns", switch, "type", "veth", "peer", "name", "line", "netns",
                self.name)
        command("ip", "-n", switch, "link", "set", self.port, "master", "bridge", "up")
        command("ip", "-n", self.name, "link", "set", "lo", "up")
        command("ip", "-n", self.name, "link", "set", "line", "up")
        command("ip", "-n", self.name, "address", "add", self.address + "/24", "dev", "line")

    def prefix(self):
        return ["ip", "netns", "exec", self.name]

    # ---- what may befall the line ----
    def filter(self, **rules):
        """Rules by hook: `input` is what comes to the site, `output` what it sends."""
        chains = "".join("chain %s { type filter hook %s priority 0; %s; }\n" % (hook, hook, rule)
                         for hook, rule in rules.items())
        command("ip", "netns", "exec", self.name, "nft", "-f", "-", given="table inet bad {\n%s}\n" % chains)

    def lose(self, chance):
        share = chance.choice([5, 20, 50])
        drop = "meta oifname != lo numgen random mod 100 < %d drop" % share
        self.filter(input=drop.replace("oifname", "iifname"), output=drop)

    def only_hear(self, _):
        self.filter(output="oifname line drop")

    def only_speak(self, _):
        self.filter(input="iifname line drop")

    def refuse(self, _):
        self.filter(output="oifname line meta l4proto tcp reject with tcp reset")

    def slow_down(self, chance):
        rate = chance.choice(["64kbit", "256kbit"])
        for namespace, device in ((self.name, "line"), (self.switch, self.port)):
            command("tc", "-n", namespace, "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst",
                    "4kb", "latency", "1s")

    def pull_out(self, _):
        command("ip", "-n", self.name, "link", "set", "line", "down")

    def move(self, _):
        """Another address from now on: what was open before is dead, and nobody is told."""
        self.number += 20 if self.number < 200 else -180
        command("ip", "-n", self.name, "address", "flush", "dev", "line")
        command("ip", "-n", self.name, "address", "add", "10.77.0.%d/24" % self.number, "dev", "line")

    def heal(self):
        for words in (["ip", "netns", "exec", self.name, "nft", "delete", "table", "inet", "bad"],
                      ["tc", "-n", self.name, "qdisc", "del", "dev", "line", "root"],
                      ["tc", "-n", self.switch, "qdisc", "del", "dev", self.port, "root"]):
            subprocess.run(words, capture_output=True)  # what was not set cannot be taken away
        command("ip", "-n", self.name, "link", "set", "line", "up")


FAULTS = ("lose", "only_hear", "only_speak", "refuse", "slow_down", "pull_out", "move")


@contextlib.contextmanager
def places(count):
    """So many namespaces around a bridge. They are gone afterwards, and with them all that was set in them."""
    switch = "navette-long-%d" % os.getpid()
    made = []
    try:
        command("ip", "netns", "add", switch)
        command("ip", "-n", switch, "link", "add", "bridge", "type", "bridge")
        command("ip", "-n", switch, "link", "set", "bridge", "up")
        for number in range(1, count + 1):
            made.append(Place(switch, number))
        yield made
    finally:
        for name in [place.name for place in made] + [switch]:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


class SpacedNetwork(Network):
    """A network whose sites live in namespaces of their own."""

    def __init__(self, folder, at):
        super().__init__(folder)
        self.free_places = list(at)

    def settle(self, name, *how):
        site = Site(self.folder / name, name)
        site.place = self.free_places.pop(0)
        site.prefix = site.place.prefix()
        site.cli("init", name, *how)
        return site

    def add_hub(self, schema):
        at = self.free_places[0].address
        self.hub = self.settle("hub", "--hub", "--listen", "tcp://%s:%d" % (at, PORT), "--enrol",
                               "tcp://%s:%d" % (at, PORT + 1))
        self.hub.start().wait_for_endpoint()
        self.apply_schema(schema)

    def add_school(self, name):
        school = self.schools[name] = self.settle(name)
        school.cli("join", self.invitation(name))
        return school.start()


def harm_the_lines(part, network):
    counts = dict.fromkeys(FAULTS, 0)
    due = {school: 0.0 for school in network.schools.values()}
    bad = set()
    begun = time.monotonic()
    while time.monotonic() < begun + NAMESPACE_SECONDS:
        for school in due:
            now = time.monotonic() - begun
            if now < due[school]:
                continue
            if school in bad:
                school.place.heal()
                bad.discard(school)
                due[school] = now + part.chance.uniform(0.5, 6)
            else:
                kind = part.chance.choice(FAULTS)
                getattr(school.place, kind)(part.chance)
                counts[kind] += 1
                bad.add(school)
                due[school] = now + (part.chance.uniform(20, 30) if part.chance.random() < 0.1
                                     else part.chance.uniform(0.5, 8))
        for site in network.sites:
            assert site.process.poll() is None, "%s ended\n%s" % (site.name, site.stderr())
        time.sleep(0.05)
    for school in bad:
        school.place.heal()
    part.faults += sum(counts.values())
    part.facts.append(", ".join("%d times %s" % (count, kind.replace("_", " ")) for kind, count in counts.items()))


def body(part):
    with part.folder() as folder, places(4) as at, part.network(folder, SpacedNetwork, at) as network:
        network.add_hub(SCHEMA)
        network.add_schools("villeneuve", "pantin", "poissy")
        network.converge()
        with Load(network.sites, part.seed, pause_ms=40) as load:
            harm_the_lines(part, network)
            load.stop()
        begun = time.monotonic()
        network.converge(seconds=180)
        part.facts.append("in step %.0f s after the last fault" % (time.monotonic() - begun))
        judge(part, network, load)


def what_is_missing():
    """Why this machine cannot do it; None where it can."""
    lacking = [name for name in ("ip", "tc", "nft") if shutil.which(name) is None]
    if os.geteuid() != 0 or lacking:
        return "network namespaces need root, ip, tc and nft (Debian: iproute2, nftables)"
    try:
        with places(1) as (place,):
            place.slow_down(random.Random(0))
            place.lose(random.Random(0))
    except AssertionError as caught:
        return "this kernel cannot do all of it: %s" % caught
    return None


if __name__ == "__main__":
    missing = what_is_missing()
    if missing:
        program.skip("namespaces", missing)
    program.run("namespaces", body)
