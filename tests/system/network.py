"""Real daemons, real stores, real sockets on loopback: what the system tests drive the programs with.

A Network has a hub and schools. Each school's line to the hub runs through a Relay, so that a test may cut it. Ports are
the kernel's choice and homes are in the test's own folder, so tests do not meet.
"""
import contextlib
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time

from relay import Relay

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NAVETTE_BUILD", REPOSITORY / "build")).absolute()
# How long anything may take before it counts as not happening. A slow build (sanitizers) may ask for more.
PATIENCE = float(os.environ.get("NAVETTE_PATIENCE", "45"))

# What people are told is asked for in English, whatever the tests' own reader speaks.
os.environ["LC_ALL"] = "C.UTF-8"

LIVE_NETWORKS = []


class CommandFailed(AssertionError):
    """A command ended with another exit code than the test wants."""

    def __init__(self, command, done):
        super().__init__("%s: exit %d\nstdout: %s\nstderr: %s" %
                         (" ".join(map(str, command)), done.returncode, done.stdout[-2000:], done.stderr[-2000:]))
        self.code, self.stderr, self.stdout = done.returncode, done.stderr, done.stdout


def wait_until(holds, what, seconds=None, pause=0.02):
    """Waits until holds() is true and returns its value; fails, saying what was waited for, once time is up.

    An AssertionError or sqlite3.OperationalError inside holds() counts as "not yet", and is told at the end.
    """
    end = time.monotonic() + (seconds or PATIENCE)
    problem = None
    while True:
        try:
            value = holds()
            if value:
                return value
            problem = value
        except (AssertionError, sqlite3.OperationalError) as caught:
            problem = caught
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s for: %s\nlast seen: %s" % (seconds or PATIENCE, what, problem))
        time.sleep(pause)


class Site:
    """One site: a home folder and, while it runs, its daemon."""

    def __init__(self, home, name):
        self.home, self.name = pathlib.Path(home), name
        self.store = self.home / "store.db"
        self.log = self.home.parent / (name + ".stderr")
        self.process = None
        self.said_before = 0
        self.line = None  # the Relay between this site and the hub
        self.prefix = []  # what its programs are started by: a network namespace, another clock

    # ---- the daemon ----
    def start(self):
        assert self.process is None, self.name + " runs already"
        with contextlib.suppress(FileNotFoundError):
            (self.home / "endpoints").unlink()
        with open(self.log, "ab") as log:
            self.said_before = log.tell()
            self.process = subprocess.Popen([*self.prefix, BUILD / "navetted", "--home", self.home], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def stop(self):
        """Asks the daemon to end, as systemd would, and expects that it does so well."""
        self.wait_until_ready()
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("%s did not end on SIGTERM\n%s" % (self.name, self.stderr()))
        assert code == 0, "%s ended with %d\n%s" % (self.name, code, self.stderr())

    def wait_until_ready(self):
        def holds():
            assert self.process.poll() is None, "%s ended with %s\n%s" % (
                self.name, self.process.returncode, self.stderr())
            return self.is_ready()
        wait_until(holds, self.name + " is ready")

    def is_ready(self):
        """Whether the daemon that was started last has said so."""
        with open(self.log, "rb") as log:
            log.seek(self.said_before)
            return b"ready: " in log.read()

    def kill(self):
        """SIGKILL: no farewell of any kind."""
        process, self.process = self.process, None
        assert process.poll() is None, "%s had ended by itself with %s\n%s" % (
            self.name, process.returncode, self.stderr())
        process.kill()
        process.wait()

    def stderr(self, last=4000):
        return self.log.read_text(errors="replace")[-last:] if self.log.exists() else ""

    def endpoint(self, kind="listen"):
        """The address that the daemon listens on, once it does; None before."""
        try:
            lines = (self.home / "endpoints").read_text().splitlines()
        except FileNotFoundError:
            return None
        for line in lines:
            words = line.split()
            if len(words) == 2 and words[0] == kind:
                return words[1]
        return None

    def address(self, kind="listen"):
        endpoint = self.endpoint(kind)
        if endpoint is None:
            return None
        host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
        return host, int(port)

    def wait_for_endpoint(self):
        def holds():
            assert self.process.poll() is None, "%s ended with %s\n%s" % (
                self.name, self.process.returncode, self.stderr())
            return self.endpoint()
        return wait_until(holds, self.name + " listens")

    # ---- the command line ----
    def run(self, *arguments, codes=(0,)):
        """Runs `navette` and returns the finished process; fails where its exit code is not among `codes`."""
        command = [*self.prefix, BUILD / "navette", "--home", self.home, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode not in codes:
            raise CommandFailed(command, done)
        return done

    def cli(self, *arguments, codes=(0,)):
        """Runs `navette --json` and returns what it printed."""
        done = self.run("--json", *arguments, codes=codes)
        try:
            return json.loads(done.stdout) if done.stdout.strip() else None
        except json.JSONDecodeError as caught:
            raise AssertionError("%s: no JSON (%s): %r" % (arguments, caught, done.stdout[:500]))

    # ---- the store, as any program sees it ----
    def sql(self, text, *options):
        """Runs SQL (and dot commands) with the stock sqlite3 shell; returns what it printed."""
        command = ["sqlite3", "-bail", "-cmd", ".timeout 30000", *options, self.store]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=120)
        assert done.returncode == 0, "sqlite3 at %s: %s" % (self.name, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    @contextlib.contextmanager
    def connection(self):
        """A connection of Python's sqlite3, in autocommit mode, as a staff program would have."""
        connection = sqlite3.connect(self.store, timeout=30, isolation_level=None)
        # Text comes back as it is stored, whether it is UTF-8 or not.
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        try:
            yield connection
        finally:
            connection.close()

    def query(self, sql, *parameters):
        with self.connection() as connection:
            return connection.execute(sql, parameters).fetchall()

    def write(self, sql, *parameters):
        with self.connection() as connection:
            connection.execute(sql, parameters)

    # ---- what the site says of itself ----
    def pending(self):
        """Rows that were written here and not sealed yet."""
        with self.connection() as connection:
            tables = [name for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'navette_pending_[0-9]*'")]
            return sum(connection.execute('SELECT count(*) FROM "%s"' % table).fetchone()[0] for table in tables)

    def digest(self, scope="network"):
        """(state, vector) of the scope's records, or None while the site is catching up (or reads nothing of it)."""
        found = [one for one in self.cli("digest", codes=(0, 1)) if one["scope"] == scope]
        return (found[0]["state"], found[0]["vector"]) if found and found[0]["closed"] else None

    def conflicts(self, table=None, key=None):
        """{(table, key, field): [conflict's values in order of choice]} of what is open here."""
        found = {}
        for one in self.cli("conflicts", codes=(0, 1)):
            place = (one["table"], one["key"], one["field"])
            if (table is None or place[0] == table) and (key is None or place[1] == key):
                found[place] = [value["value"] for value in sorted(one["values"], key=lambda value: value["choice"])]
        return found

    def quarantine(self):
        """{(table, key, field, reason, value): count} of what stands in no row; a field of None: the whole op."""
        return {(one["table"], one["key"], one["field"], one["reason"], one["value"]): one["count"]
                for one in self.cli("quarantine", codes=(0, 1))}

    def history(self, table, key):
        return self.cli("history", table, key)

    def refusals(self):
        """{reason: count} of what was refused here."""
        counts = {}
        for refusal in self.cli("status", codes=(0, 1))["refused"]:
            counts[refusal["reason"]] = counts.get(refusal["reason"], 0) + refusal["count"]
        return counts


class Network:
    """A hub and its schools in one folder. `close` ends all that runs."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.hub, self.schools, self.relays = None, {}, []
        LIVE_NETWORKS.append(self)

    @property
    def sites(self):
        return [self.hub, *self.schools.values()]

    def add_hub(self, schema=None, name="hub", listen="tcp://127.0.0.1:*", options=()):
        self.hub = Site(self.folder / name, name)
        self.hub.cli("init", name, "--hub", *options, "--listen", listen)
        self.hub.start().wait_for_endpoint()
        if schema is not None:
            self.apply_schema(schema)
        return self.hub

    def apply_schema(self, text):
        file = self.folder / "schema.sql"
        file.write_text(text)
        self.hub.cli("schema", "apply", file)

    def invitation(self, name):
        return self.hub.cli("invite", name)["invitation"]

    def relay_to(self, site):
        relay = Relay(site.address)
        self.relays.append(relay)
        return relay

    def add_school(self, name, listen=False, start=True):
        """A new site in its three steps: init, join, start. Its line to the hub goes through `school.line`."""
        school = Site(self.folder / name, name)
        school.cli("init", name, *(["--listen", "tcp://127.0.0.1:*"] if listen else []))
        school.cli("join", self.invitation(name))
        school.line = self.relay_to(self.hub)
        self.set_peers(school, {self.hub.name: school.line.endpoint})
        self.schools[name] = school
        if start:
            school.start()
            if listen:
                school.wait_for_endpoint()
        return school

    def set_peers(self, site, endpoints):
        """Tells the site, in its settings, where to dial its peers."""
        file = site.home / "navette.conf"
        before = file.read_text().split("[peers]")[0] if file.exists() else ""
        lines = ["%s = %s" % item for item in endpoints.items()]
        file.write_text(before.rstrip() + "\n\n[peers]\n" + "\n".join(lines) + "\n")

    def add_schools(self, *names, **how):
        schools = [self.add_school(name, **how) for name in names]
        tables = set(self.tracked_tables(self.hub))
        for school in schools:
            wait_until(lambda: set(self.tracked_tables(school)) == tables, "%s has the schema" % school.name)
        return schools

    def tracked_tables(self, site):
        return [name for (name,) in site.query("SELECT name FROM navette_table WHERE published IS NOT NULL")]

    def add_group(self, name, *members):
        """A group of those schools and peers, once all of the schools know that they read it."""
        self.hub.cli("group", name)
        self.hub.cli("group", name, *(word for member in members for word in ("--add", member.name)))
        for member in members:
            if member in self.schools.values():
                wait_until(lambda: self.reads(member, "group/" + name), "%s reads %s" % (member.name, name))

    def reads(self, site, scope):
        """Whether the site knows that it reads the scope."""
        return any(member["own"] and scope in member["reads"] for member in site.cli("members"))

    def converge(self, *sites, scope="network", seconds=None):
        """Waits until nothing is pending and all digests of the scope are equal; then the rows must be, too. Returns the
        digest."""
        sites = sites or tuple(site for site in self.sites if site.process is not None)

        def holds():
            for site in sites:
                assert site.process is None or site.process.poll() is None, "%s ended with %s\n%s" % (
                    site.name, site.process.returncode, site.stderr())
                waiting = site.pending()
                assert waiting == 0, "%s has %d rows to seal" % (site.name, waiting)
            digests = {site.name: site.digest(scope) for site in sites}
            assert None not in digests.values() and len(set(digests.values())) == 1, str(digests)
            return digests[sites[0].name]
        digest = wait_until(holds, "convergence of " + ", ".join(site.name for site in sites), seconds, pause=0.05)
        self.assert_same_rows(*sites)
        return digest

    def assert_same_rows(self, *sites):
        for table in self.tracked_tables(sites[0]):
            want = rows_of(sites[0], table)
            for site in sites[1:]:
                got = rows_of(site, table)
                if got != want:
                    only = sorted(set(map(repr, want)) ^ set(map(repr, got)))[:6]
                    raise AssertionError("%s differs between %s and %s: %s" % (table, sites[0].name, site.name, only))

    def assert_clean(self, *sites):
        """Every log verifies from its first header, and the tables are what the logs say."""
        for site in sites or self.sites:
            verified = site.cli("verify")
            assert verified["bad"] == 0 and verified["changesets"] > 0, (site.name, verified)
            rebuilt = site.cli("rebuild")
            assert (rebuilt["versions_mended"], rebuilt["rows_mended"]) == (0, 0), (site.name, rebuilt)

    def close(self):
        problems = []
        for site in self.sites:
            if site is not None and site.process is not None:
                ended = site.process.poll()
                if ended is not None:
                    problems.append("%s had ended by itself with %s" % (site.name, ended))
                else:
                    site.process.terminate()
        for site in self.sites:
            if site is not None and site.process is not None:
                try:
                    code = site.process.wait(20)
                    # Who is told to end before it is ready ends as any program does.
                    if code not in (0, -signal.SIGTERM):
                        problems.append("%s ended with %s" % (site.name, code))
                except subprocess.TimeoutExpired:
                    site.process.kill()
                    site.process.wait()
                    problems.append("%s did not end on SIGTERM" % site.name)
                site.process = None
        for relay in self.relays:
            relay.close()
        for site in self.sites:
            text = site.stderr(10**7) if site is not None else ""
            for alarm in ("Sanitizer", "runtime error:", "Assertion"):
                if alarm in text:
                    problems.append("%s: %s\n%s" % (site.name, alarm, text[text.index(alarm):][:4000]))
        LIVE_NETWORKS.remove(self)
        assert not problems, "\n".join(problems)


def rows_of(site, table):
    """All rows of a table, by key, with values that compare by storage class and by bits."""
    with site.connection() as connection:
        columns = connection.execute('PRAGMA table_info("%s")' % table).fetchall()
        names = sorted(column[1] for column in columns)
        keys = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
        rows = connection.execute("SELECT %s FROM \"%s\" ORDER BY %s" % (
            ", ".join('"%s"' % name for name in names), table, ", ".join('"%s"' % key for key in keys))).fetchall()
    return [tuple(exact(value) for value in row) for row in rows]


def exact(value):
    """A value as something that is equal only where storage class and bits are."""
    if isinstance(value, float):
        return ("real", value.hex())
    return (type(value).__name__, value)


def free_port(chance):
    """A port outside the range that the kernel gives to callers: free again when a killed daemon comes back. A hub
    enrols on the next one, so that is free, too."""
    while True:
        port = chance.randrange(20000, 32000, 2)
        with socket.socket() as listen, socket.socket() as enrol, contextlib.suppress(OSError):
            listen.bind(("127.0.0.1", port))
            enrol.bind(("127.0.0.1", port + 1))
            return port


def count_from_environment(name, default):
    return int(os.environ.get(name, default))
