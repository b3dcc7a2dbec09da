#!/usr/bin/env python3
"""Three schools and a hub on this machine: real daemons, ordinary SQLite files, and a line that is cut.

    demo.py [BUILD]     BUILD is the folder with navetted and navette (default: build, beside deploy/)

Everything happens in a temporary folder and on loopback. Each step is checked; the first that fails ends the demo with
exit code 1. Nothing is left running or behind.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from line import Line

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE_S = 20
SCHOOLS = HERE.parent / "schools"
# The three schools of a real programme whose doors open first, with three times as many made-up learners.
SAMPLE, SCALE = "lepoles", "3"
PLACES = (("villeneuve-la-garenne", "Villeneuve-la-Garenne"), ("pantin", "Pantin"), ("poissy", "Poissy"))
EMPLOYER = "99900000000031"
REPORTS = ("R1", "R2", "R6", "R10", "R12")


class Failed(Exception):
    """A step of the demo did not do what it should."""


class Site:
    """A school or the hub: its home, its store, its daemon."""

    def __init__(self, build, folder, name, called):
        self.build, self.name, self.called = build, name, called
        self.home = folder / name
        self.stderr = folder / (name + ".stderr")
        self.process = self.line = None

    def navette(self, *words, codes=(0,)):
        command = [self.build / "navette", "--home", self.home, "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode not in codes:
            raise Failed("navette %s at %s ended with %d: %s" % (
                " ".join(map(str, words)), self.called, done.returncode, done.stderr.strip() or done.stdout.strip()))
        return json.loads(done.stdout) if done.stdout.strip() else None

    def show(self, *words, skip=0):
        """Lets navette speak to whoever watches, in their language: all but the first `skip` lines of what it says."""
        done = subprocess.run([self.build / "navette", "--home", self.home, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed("navette %s at %s: %s" % (" ".join(words), self.called, done.stderr.strip()))
        print("\n".join("   " + line for line in done.stdout.splitlines()[skip:]), flush=True)

    def sql(self, text):
        """What any program of the school does: plain SQL, here with the sqlite3 shell."""
        done = subprocess.run(["sqlite3", "-bail", "-cmd", ".timeout 10000", self.home / "store.db"], input=text,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed("sqlite3 at %s: %s" % (self.called, done.stderr.strip()))
        return done.stdout.strip()

    def start(self):
        with open(self.stderr, "ab") as log:
            self.process = subprocess.Popen([self.build / "navetted", "--home", self.home], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def address(self):
        """Where the daemon listens; None while it does not."""
        try:
            for line in (self.home / "endpoints").read_text().splitlines():
                kind, endpoint = line.split()
                if kind == "listen":
                    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
                    return host, int(port)
        except FileNotFoundError:
            pass
        return None

    def conflicts(self):
        """{(table, key, field): values} of the open ones, in the order in which `resolve --take` counts them."""
        return {(one["table"], one["key"], one["field"]):
                [value["value"] for value in sorted(one["values"], key=lambda value: value["choice"])]
                for one in self.navette("conflicts", codes=(0, 1))}

    def digest(self):
        """Of what is for all."""
        (said,) = [one for one in self.navette("digest", codes=(0, 1)) if one["scope"] == "network"]
        return (said["state"], said["vector"]) if said["closed"] else None


class Demo:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.hub, self.schools, self.step_number = None, [], 0
        self.begun = time.monotonic()

    @property
    def sites(self):
        return [self.hub, *self.schools]

    # ---- telling and checking ----
    def step(self, text):
        self.step_number += 1
        print("\n%d. %s" % (self.step_number, text), flush=True)

    def say(self, text):
        print("   " + text, flush=True)

    def check(self, holds, text):
        if not holds:
            raise Failed("this is not so: " + text)
        self.say("checked: " + text)

    def wait(self, holds, what):
        """Waits until holds() and returns how many seconds it took."""
        begun = time.monotonic()
        while not holds():
            for site in self.sites:
                if site is not None and site.process is not None and site.process.poll() is not None:
                    raise Failed("the daemon of %s ended with %s" % (site.called, site.process.returncode))
            if time.monotonic() - begun > PATIENCE_S:
                raise Failed("waited %d s in vain for this: %s" % (PATIENCE_S, what))
            time.sleep(0.01)
        return time.monotonic() - begun

    def count(self, site, table):
        return int(site.sql("SELECT count(*) FROM %s;" % table))

    # ---- the story ----
    def run(self):
        self.set_up()
        self.fill()
        self.write_apart()
        self.heal()
        self.resolve()
        self.prove()
        self.report()
        print("\nAll of it held, in %.1f s." % (time.monotonic() - self.begun))

    def set_up(self):
        self.step("A hub begins the network, and three schools join it.")
        self.hub = Site(self.build, self.folder, "hub", "the hub")
        self.hub.navette("init", "hub", "--hub", "--listen", "tcp://127.0.0.1:*")
        self.hub.start()
        self.wait(self.hub.address, "the hub listens")
        self.hub.navette("schema", "apply", SCHOOLS / "schema.sql")
        self.say("The hub publishes the schools' tables: places, courses, learners, employers.")
        for name, called in PLACES:
            school = Site(self.build, self.folder, name, called)
            invitation = self.hub.navette("invite", name)["invitation"]
            school.navette("init", name)
            school.navette("join", invitation)
            school.line = Line(self.hub.address)
            with open(school.home / "navette.conf", "a") as settings:
                settings.write("hub = %s\n" % school.line.endpoint)
            school.start()
            self.schools.append(school)
            self.say("%s: invited, joined, its daemon runs beside %s." % (called, name + "/store.db"))
        took = self.wait(lambda: all(
            school.sql("SELECT count(*) FROM sqlite_master WHERE name IN ('learner', 'outcome_count');") == "2"
            for school in self.schools), "every school has the tables")
        self.say("Every school has the tables, %.2f s later." % took)

    def fill(self):
        self.step("Each school enters its courses, its learners (who do not exist) and its employers.")
        for school in self.schools:
            done = subprocess.run([SCHOOLS / "samples" / "load", SAMPLE, "--home", school.home, "--place", school.name,
                                   "--scale", SCALE], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                raise Failed("the sample could not be loaded at %s: %s" % (school.called, done.stderr.strip()))
        self.schools[2].sql("INSERT INTO employer(code, name) VALUES ('%s', 'Atelier fictif');" % EMPLOYER)
        took = self.converge(self.sites)
        self.say("What is for all is everywhere, %.2f s later." % took)
        employers = {self.count(site, "employer") for site in self.sites}
        self.check(len(employers) == 1 and employers != {0}, "every site has the same %d employers" % min(employers))
        for school in self.schools:
            self.check(self.count(school, "learner") > 0, "%s has its %d learners" % (
                school.called, self.count(school, "learner")))
        self.check(self.count(self.hub, "learner") == 0, "the hub has none: it carries them sealed, and cannot read them")

    def write_apart(self):
        self.step("Pantin's line is cut. Both sides go on writing.")
        villeneuve, pantin, poissy = self.schools
        pantin.line.cut()
        poissy.sql("UPDATE employer SET staff_bracket = '10-19', name = 'Atelier fictif SARL' WHERE code = '%s';" % EMPLOYER)
        villeneuve.sql("INSERT INTO employer(code, name) VALUES ('99900000000049', 'Ouvert pendant la coupure');")
        self.say("Poissy: an employer has 10 to 19 staff, and another name.")
        took = self.converge([self.hub, villeneuve, poissy])
        self.say("The hub, Villeneuve-la-Garenne and Poissy hold the same, %.2f s later." % took)
        pantin.sql("UPDATE employer SET commune = '93055', name = 'Atelier fictif et fils' WHERE code = '%s';" % EMPLOYER)
        self.say("Pantin, cut off: the same employer is at Pantin, and has yet another name.")
        self.check(pantin.sql("SELECT staff_bracket FROM employer WHERE code = '%s';" % EMPLOYER) == "unknown",
                   "Pantin works on, and does not know yet what the others wrote")
        self.check(self.hub.sql("SELECT commune FROM employer WHERE code = '%s';" % EMPLOYER) == "",
                   "nor do they know what Pantin wrote")

    def heal(self):
        self.step("Pantin's line heals.")
        self.schools[1].line.heal()
        took = self.converge(self.sites)
        self.say("All four stores hold the same, %.2f s later (reconnecting included)." % took)
        for site in self.sites:
            row = site.sql("SELECT staff_bracket, commune FROM employer WHERE code = '%s';" % EMPLOYER)
            self.check(row == "10-19|93055", "at %s the employer's staff and commune are both there" % site.called)

        self.step("The name was written on both sides: the one true collision.")
        place = ("employer", EMPLOYER, "name")
        for site in self.sites:
            conflicts = site.conflicts()
            self.check(list(conflicts) == [place] and
                       sorted(conflicts[place]) == ["Atelier fictif SARL", "Atelier fictif et fils"],
                       "%s shows it, with both values: %s" % (site.called, " and ".join(conflicts.get(place, []))))

    def resolve(self):
        self.step("Poissy asks the employer, and takes the first name.")
        poissy, place = self.schools[2], ("employer", EMPLOYER, "name")
        choice = poissy.conflicts()[place].index("Atelier fictif SARL") + 1
        poissy.navette("resolve", *place, "--take", str(choice))
        took = self.wait(lambda: not any(site.conflicts() for site in self.sites), "the conflict is gone everywhere")
        self.converge(self.sites)
        self.say("The collision is gone at every site, %.2f s later." % took)
        for site in self.sites:
            name = site.sql("SELECT name FROM employer WHERE code = '%s';" % EMPLOYER)
            self.check(name == "Atelier fictif SARL", "%s shows %s" % (site.called, name))

    def prove(self):
        self.step("The proof: digests, logs, tables.")
        digests = {site.digest() for site in self.sites}
        self.check(len(digests) == 1 and None not in digests, "all four digests are equal (%s…)" %
                   str(min(digests, key=str)[0])[:16])
        for site in self.sites:
            verified = site.navette("verify")
            self.check(verified["bad"] == 0 and verified["changesets"] > 0,
                       "%s: %d signed changesets verify from the first one on" % (site.called, verified["changesets"]))
            rebuilt = site.navette("rebuild")
            self.check(rebuilt["versions_mended"] == rebuilt["rows_mended"] == 0,
                       "%s: %d records computed anew from the logs, none differs" % (site.called, rebuilt["records"]))
            check = site.sql("PRAGMA integrity_check;")
            if check != "ok":
                raise Failed("SQLite's integrity check at %s says: %s" % (site.called, check))

    def report(self):
        self.step("Each school counts its own records and publishes the counts. The hub adds them up.")
        rows = sum(school.navette("publish")[0]["rows"] for school in self.schools)
        took = self.wait(lambda: self.count(self.hub, "outcome_count") == rows, "the counts are at the hub")
        self.say("%d counts are at the hub, %.2f s later. This is its report:" % (rows, took))
        entrants = sum(int(school.sql("SELECT count(*) FROM enrolment WHERE entered_on IS NOT NULL;"))
                       for school in self.schools)
        (figure,) = [one for one in self.hub.navette("report", "R13")["figures"] if one["line"] == "learners"]
        self.check(figure["numerator"] == entrants and self.count(self.hub, "learner") == 0,
                   "it counts all %d learners, and still knows none of them" % entrants)
        print()
        for n, name in enumerate(REPORTS):
            # The first one tells of what day and for whom it is; that is the same for all.
            self.hub.show("report", name, *(["--by", "place"] if name in ("R1", "R6") else []), skip=2 if n > 0 else 0)

    def converge(self, sites):
        """Waits until the sites' digests are equal and nothing waits to be sealed."""
        def holds():
            pending = [site.navette("status", codes=(0, 1))["pending"] for site in sites]
            return not any(pending) and None not in (digests := {site.digest() for site in sites}) and len(digests) == 1
        return self.wait(holds, "equal digests at " + ", ".join(site.called for site in sites))

    # ---- leaving ----
    def close(self):
        running = [site for site in self.sites if site is not None and site.process is not None]
        for site in running:
            site.process.terminate()
        for site in running:
            try:
                site.process.wait(10)
            except subprocess.TimeoutExpired:
                site.process.kill()
                site.process.wait()
        for school in self.schools:
            if school.line is not None:
                school.line.close()

    def tell_stderr(self):
        for site in self.sites:
            if site is not None and site.stderr.exists():
                print("---- the daemon of %s said:\n%s" % (site.called, site.stderr.read_text(errors="replace")[-3000:]),
                      file=sys.stderr)


def end_on_signal(number, _):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else HERE.parents[1] / "build").absolute()
    for program in ("navetted", "navette"):
        if not os.access(build / program, os.X_OK):
            sys.exit("%s is not there: run make first" % (build / program))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on_signal)
    with tempfile.TemporaryDirectory(prefix="navette-demo-") as folder:
        demo = Demo(build, pathlib.Path(folder))
        try:
            demo.run()
        except Failed as failed:
            print("\nFAILED: %s" % failed, file=sys.stderr)
            demo.tell_stderr()
            return 1
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
        finally:
            demo.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
