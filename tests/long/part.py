"""One part of the long check: a program that harms real daemons, and ends with what it did and what it found.

Every part prints its seed first. The same seed gives the same choices, but not the same run: how processes are timed is
the kernel's affair. The last line is for machines: `faults=N seeds=N writes=N lost=N`; the exit code is 0 where nothing
was lost and every check held, 1 else.
"""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "system"))

import network as library  # noqa: E402 (the path must be known first)


def parameter(name, default):
    """A number from the environment; make passes its variables on."""
    return type(default)(os.environ.get(name) or default)


class Part:
    """Counts what a part does. `chance` is its only source of randomness."""

    def __init__(self, name):
        self.name = name
        self.seed = parameter("SEED", random.SystemRandom().randrange(2**32))
        self.chance = random.Random("%s %d" % (name, self.seed))
        self.faults = self.writes = self.lost = 0
        self.facts = []
        self.begun = time.monotonic()

    def say(self, text):
        print("%s: %s" % (self.name, text), flush=True)

    def tell_end(self):
        self.say("%s, %.0f s" % (", ".join(self.facts) or "nothing done", time.monotonic() - self.begun))
        print("faults=%d seeds=0 writes=%d lost=%d" % (self.faults, self.writes, self.lost), flush=True)

    @contextlib.contextmanager
    def folder(self):
        """A folder of its own, on a disk. It stays, and is named, where a check failed."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="navette-long-"))
        try:
            yield folder
        except BaseException:
            self.say("what is left of the run is in %s" % folder)
            raise
        shutil.rmtree(folder)

    @contextlib.contextmanager
    def network(self, folder, kind=library.Network, *how):
        """A network in that folder, closed afterwards. What its daemons said last is told where a check failed."""
        found = kind(folder, *how)
        try:
            yield found
        except BaseException:
            for site in found.sites:
                self.say("stderr of %s: %s" % (site.name, site.stderr(1500)) if site else "the hub was not made")
            with contextlib.suppress(AssertionError):
                found.close()
            raise
        found.close()


def skip(name, why):
    """Ends a part that this machine does not allow: seen by whoever reads, and no failure."""
    print("%s: SKIPPED: %s" % (name, why))
    print("faults=0 seeds=0 writes=0 lost=0")
    sys.exit(0)


def run(name, body):
    """Runs body(part) as a program."""
    part = Part(name)
    part.say("SEED=%d" % part.seed)
    # Whoever ends this program ends its daemons and takes its mounts and namespaces away, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    failed = True
    try:
        body(part)
        failed = part.lost > 0
    except Exception:
        traceback.print_exc()
    part.tell_end()
    sys.exit(1 if failed else 0)
