"""Writers at several sites at once, and the judgement of what became of their writes."""
import itertools
import pathlib
import signal
import subprocess
import sys

from book import Book
from network import PATIENCE
from people import COLUMNS

HERE = pathlib.Path(__file__).resolve().parent


class WriterProcess:
    """The program that writes at one site. It may be killed and started again."""

    def __init__(self, site, seed, roles, pause_ms):
        self.site, self.seed, self.roles, self.pause_ms = site, seed, roles, pause_ms
        # Beside the homes, so that a full disk of the store does not stop the record.
        self.record = site.log.parent / (site.name + ".record")
        self.errors = site.log.parent / (site.name + ".writer.stderr")
        self.generation, self.process = itertools.count(1), None

    def start(self):
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen(
                [*self.site.prefix, sys.executable, HERE / "writer.py", self.site.store, self.record, self.site.name,
                 str(next(self.generation)), str(self.seed), str(self.pause_ms), *self.roles],
                stdin=subprocess.DEVNULL, stderr=errors)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, number):
        """Ends the writer by a signal. It must have been at work until now."""
        process, self.process = self.process, None
        assert process.poll() is None, "the writer of %s ended by itself\n%s" % (
            self.site.name, self.errors.read_text()[-2000:])
        process.send_signal(number)
        process.wait(PATIENCE + 60)

    def kill(self):
        self.end(signal.SIGKILL)

    def stop(self):
        self.end(signal.SIGTERM)


class Load:
    """One writer a site, while the context lasts. `stop` ends them well."""

    def __init__(self, sites, seed, pause_ms=15, roles=("forms", "forms rebuild", "rebuild", "")):
        self.writers = [WriterProcess(site, seed, roles[place % len(roles)].split(), pause_ms)
                        for place, site in enumerate(sites)]
        self.answers = {}  # site's name: the Entry of each answer that a person gave there

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            if writer.is_alive():
                writer.kill()

    def stop(self):
        for writer in self.writers:
            if writer.process is not None:
                writer.stop()

    def book(self):
        book = Book()
        for writer in self.writers:
            witnessed = {number for (number,) in writer.site.query("SELECT n FROM witness")}
            book.take(writer.site.name, writer.record, witnessed)
        for name, entries in self.answers.items():
            book.of_writer["answers at " + name] = entries
        return book


def siblings_at(site):
    """{(key, column): {value, …}} of the open conflicts; under the column None what is deleted and edited."""
    found = {}
    for key, column, value in site.query("SELECT key_text, field, value FROM navette_conflict"):
        found.setdefault((key, column), set()).add(value)
    return found


def shown_at(site):
    return {key: dict(zip(COLUMNS, values))
            for key, *values in site.query("SELECT id, %s FROM person" % ", ".join(COLUMNS))}


def judge(part, network, load, seconds=300):
    """All are in step, every write is accounted for at every site, and every log and table is in order."""
    network.converge(seconds=seconds)
    book = load.book()
    part.writes += len(book.entries())
    shown, siblings = shown_at(network.hub), siblings_at(network.hub)
    lost = book.lost(shown, siblings)
    own = book.own()
    for key, values in own.items():
        stands = shown.get(key)
        if (values is None) != (stands is None) or any(stands[column] != values[column] for column in values or ()):
            lost.append((key, "the last write of the only writer: %s, and there stands %s" % (values, stands)))
    part.lost += len(lost)
    for one in lost[:10]:
        part.say("LOST %s" % (one,))
    contested = sorted(key for key, _ in siblings if key in own)
    assert not contested, "records that one site alone wrote are in conflict: %s" % contested[:5]
    for site in network.sites:
        assert siblings_at(site) == siblings, "%s lists other conflicts than the hub" % site.name
        assert_in_order(site, len(network.sites))
    part.facts.append("%d writes of %d transactions that were cut short beside, %d conflicts open" % (
        len(book.entries()), book.vain, len(siblings)))
    assert not lost, "%d writes are lost" % len(lost)
    return book


def assert_in_order(site, sites):
    verified = site.cli("verify", "--deep")
    assert verified["bad"] == 0 and verified["changesets"] > 0, (site.name, verified)
    rebuilt = site.cli("rebuild")
    assert (rebuilt["versions_mended"], rebuilt["rows_mended"]) == (0, 0), (site.name, rebuilt)
    missing, = site.query("SELECT (SELECT count(*) FROM navette_missing), (SELECT count(*) FROM navette_quarantine),"
                          " (SELECT count(*) FROM navette_refusal), (SELECT count(*) FROM navette_fork)")
    assert missing == (0, 0, 0, 0), "%s: rows missing, quarantined, refused, forks: %s" % (site.name, missing)
    # A site whose log fell behind what its peers hold of it draws a new epoch: then it has a second log.
    logs, = site.query("SELECT count(DISTINCT site), count(*) FROM navette_log WHERE scope <> zeroblob(16)")
    assert logs[0] == logs[1] <= sites, "%s: logs of %d sites: %d" % (site.name, *logs)


def heads_at(site):
    """{site id: how far its log is held}: what this site may have told its peers."""
    return dict(site.query("SELECT site, has_seq FROM navette_log WHERE scope <> zeroblob(16)"))


def site_id(site):
    return site.query("SELECT value FROM navette_meta WHERE name = 'site'")[0][0]
