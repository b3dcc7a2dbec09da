#!/usr/bin/env python3
"""Tests the simulation: each of the bugs in daemon/base/planted.h is woken, and must be caught.

    planted.py SIMULATE [--seeds N] [--jobs N] [BUG…]

SIMULATE is the simulation of a build with PLANTED=1. For each bug it runs seeds 1, 2, 3… up to the first that fails,
which it must say in a line `seed N: CHECKER: what`; with no bug awake, seeds must pass. Ends with 1 where a bug was not
caught, or where a seed failed without one.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

LIST = pathlib.Path(__file__).parents[2] / "daemon/base/planted.h"
HEALTHY_SEEDS = 200  # with no bug awake
PATIENCE_S = 1800  # for all seeds of one bug
SEED = re.compile(r"^seed (\d+): ([^:]+): ?(.*)", re.MULTILINE)


def planted():
    """The names of the bugs, and what each does."""
    return dict(re.findall(r'^\s*BUG\(([A-Z_]+), "(.+)"\)', LIST.read_text(), re.MULTILINE))


class Run:
    """One run of the simulation: what it said, and how long it took."""

    def __init__(self, simulate, seeds, bug=None):
        command = [simulate, "--bare", "--seeds", f"1..{seeds}"] + (["--planted", bug] if bug else [])
        start = time.monotonic()
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        try:
            self.output, _ = running.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            running.kill()
            self.output, _ = running.communicate()
        self.seconds = time.monotonic() - start
        self.passed = running.returncode == 0
        found = SEED.search(self.output)
        # A crash is no verdict, nor is a run without an end: what names no seed cannot be replayed.
        self.caught = not self.passed and found is not None
        self.seed, self.checker = (found[1], found[2]) if found else ("", "")

    def tell(self):
        """The end of what it said, where that was not what was wanted."""
        for line in self.output.splitlines()[-10:]:
            print(f"    {line}")


def wake(simulate, bugs, seeds, jobs):
    """Runs each bug, and prints a line for each in the order of the list; returns how many were missed."""
    width = max(len(bug) for bug in bugs)
    missed = 0
    print(f"{'bug':{width}}  {'seeds':>5}  {'seconds':>7}  {'caught by':20}  what it does", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = {bug: pool.submit(Run, simulate, seeds, bug) for bug in bugs}
        for bug, text in bugs.items():
            run = runs[bug].result()
            seed, checker = (run.seed, run.checker) if run.caught else ("-", "NOT CAUGHT")
            print(f"{bug:{width}}  {seed:>5}  {run.seconds:7.1f}  {checker:20}  {text}", flush=True)
            if not run.caught:
                missed += 1
                run.tell()
    return missed


def main():
    parser = argparse.ArgumentParser(description="Wakes each planted bug, and looks whether the simulation catches it.")
    parser.add_argument("simulate", help="the simulation of a build with PLANTED=1")
    parser.add_argument("bugs", nargs="*", metavar="BUG", help="only these")
    parser.add_argument("--seeds", type=int, default=3000, help="that each bug is given at most")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    bugs = planted()
    if unknown := set(arguments.bugs) - set(bugs):
        parser.error(f"no bug in {LIST.name} is called {', '.join(sorted(unknown))}")
    if arguments.bugs:
        bugs = {bug: bugs[bug] for bug in arguments.bugs}

    healthy = Run(arguments.simulate, HEALTHY_SEEDS)
    if not healthy.passed:
        print("A seed fails with no bug awake: what is caught below says nothing.")
        healthy.tell()
        return 1
    print(f"With no bug awake {HEALTHY_SEEDS} seeds pass, in {healthy.seconds:.1f} s.")
    missed = wake(arguments.simulate, bugs, arguments.seeds, arguments.jobs)
    print(f"{len(bugs) - missed} of {len(bugs)} planted bugs were caught.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
