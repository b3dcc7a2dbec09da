"""What a group's readers write goes to its readers and to the hub, and nowhere else, while groups change."""
import threading

import pytest

from network import rows_of, wait_until

NOTES = """
CREATE TABLE note(id TEXT NOT NULL PRIMARY KEY, t TEXT, visible_to TEXT);
INSERT INTO navette_table(name, scope) VALUES ('note', 'column:visible_to');
"""


@pytest.fixture
def four(network):
    """A hub, two schools of a group, and one that is not in it."""
    hub = network.add_hub(NOTES)
    schools = network.add_schools("pantin", "poissy", "niort")
    hub.cli("group", "nord")
    hub.cli("group", "nord", "--add", "pantin", "--add", "poissy")
    network.converge()
    return (network, hub, *schools)


def scopes_held(site):
    """{scope in hexadecimal: changesets} of what stands in the site's logs, whatever it reads."""
    return dict(site.query("SELECT lower(hex(l.scope)), count(*) FROM navette_changeset c JOIN navette_log l "
                           "ON l.number = c.log GROUP BY l.scope"))


def heads_held(site, scope):
    """{(site, epoch): (seq, hash)} of the newest changesets of the scope that the site holds."""
    return {(writer, epoch): (seq, digest) for writer, epoch, seq, digest in site.query(
        "SELECT hex(l.site), hex(l.epoch), max(c.seq), hex(c.hash) FROM navette_changeset c JOIN navette_log l "
        "ON l.number = c.log WHERE lower(hex(l.scope)) = ? GROUP BY l.number", scope)}


def notes(site):
    return sorted(t for (t,) in site.query("SELECT t FROM note"))


def write(site, t, scope="group/nord"):
    site.write("INSERT INTO note(id, t, visible_to) VALUES (lower(hex(randomblob(8))), ?, ?)", t, scope)


def holds_bytes(site, words):
    return any(words.encode() in file.read_bytes() for file in site.home.rglob("*") if file.is_file())


class Writer:
    """Writes to the group, at a site, until it is asked to end."""

    def __init__(self, site):
        self.site, self.count, self.ends = site, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ends.wait(0.01):
            write(self.site, "%s wrote %04d" % (self.site.name, self.count))
            self.count += 1

    def end(self):
        self.ends.set()
        self.thread.join()
        return ["%s wrote %04d" % (self.site.name, number) for number in range(self.count)]


def test_a_group_of_two_schools(four):
    network, hub, pantin, poissy, niort = four
    write(pantin, "of pantin, for the north")
    write(poissy, "of poissy, for the north")
    write(niort, "of niort alone", None)
    for school in pantin, poissy:
        wait_until(lambda: notes(school) == ["of pantin, for the north", "of poissy, for the north"], school.name)
    wait_until(lambda: hub.cli("status", codes=(0, 1))["carried"] == 3, "the hub carries all three")
    assert notes(hub) == []
    # The authority log, the group's, those of the sites' own scopes: nobody wrote in `network`.
    assert [len(scopes_held(site)) for site in (hub, pantin, poissy, niort)] == [3, 2, 2, 2]
    assert not holds_bytes(niort, "for the north") and not holds_bytes(pantin, "of niort alone")
    for site in network.sites:  # told a moment after it is so
        wait_until(lambda: all(peer["behind"] == peer["ahead"] == 0 for peer in site.cli("peers")),
                   "%s and its peers have the same" % site.name)
    network.assert_clean()


def test_readers_come_and_go(four):
    network, hub, pantin, poissy, niort = four
    for number in range(30):
        write(pantin, "note %02d " % number + "of the north " * 900)
    wait_until(lambda: len(notes(poissy)) == 30, "poissy has all")
    assert holds_bytes(poissy, "of the north")
    niort.stop()
    hub.cli("group", "nord", "--add", "niort", "--remove", "poissy")
    wait_until(lambda: notes(poissy) == [], "poissy has none")
    wait_until(lambda: not holds_bytes(poissy, "of the north"), "nor in a free page, nor in the write-ahead log")
    write(pantin, "after poissy left")
    niort.start()
    wait_until(lambda: len(notes(niort)) == 31, "niort has all")
    assert len(scopes_held(poissy)) == 1 and not holds_bytes(poissy, "after poissy left")
    hub.cli("group", "nord", "--add", "poissy")
    wait_until(lambda: len(notes(poissy)) == 31, "poissy has all again")
    write(poissy, "poissy is back")
    for school in pantin, poissy, niort:
        wait_until(lambda: len(notes(school)) == 32, school.name + " has all")
    network.assert_clean()


def test_a_reader_is_taken_out_and_added_again_while_all_write_and_one_is_away(four):
    network, hub, pantin, poissy, niort = four
    (group,) = set(scopes_held_after_a_note(pantin)) - {"00" * 16}
    hub.cli("group", "nord", "--add", "niort")
    writers = [Writer(school) for school in (pantin, poissy, niort)]
    wait_until(lambda: all(any(t.startswith(other.name) for t in notes(school)) for school in (pantin, poissy, niort)
                           for other in (pantin, poissy, niort)), "all three have of all three")
    pantin.line.cut()
    hub.cli("group", "nord", "--remove", "niort")
    wait_until(lambda: group not in scopes_held(niort), "niort holds nothing of the group")
    # What niort writes now stands in its own scope: it has no right to write elsewhere.
    apart = writers[2].count
    wait_until(lambda: writers[2].count > apart + 20, "niort goes on")
    hub.cli("group", "nord", "--add", "niort")
    wait_until(lambda: group in scopes_held(niort), "niort is back")
    pantin.line.heal()
    after = [writer.count for writer in writers]
    wait_until(lambda: all(writer.count > count + 20 for writer, count in zip(writers, after)), "all write on")
    of_pantin, of_poissy, of_niort = (writer.end() for writer in writers)

    def is_level():
        digests = {school.digest("group/nord") for school in (pantin, poissy, niort)}
        assert len(digests) == 1 and None not in digests, digests
        held = [heads_held(site, group) for site in (hub, pantin, poissy, niort)]
        assert all(heads == held[0] for heads in held), held
        return True
    wait_until(is_level, "the group is level", 90)

    # Nothing that anybody wrote is lost; what the readers show is one and the same, and niort shows what is its own besides.
    shown = [rows_of(school, "note") for school in (pantin, poissy, niort)]
    assert shown[0] == shown[1] and set(shown[0]) <= set(shown[2])
    assert {"first note", *of_pantin, *of_poissy} <= set(notes(pantin))
    kept = set(notes(niort)) | {entry["value"] for entry in niort.cli("quarantine")}
    assert set(of_niort) <= kept
    assert notes(hub) == [] and not holds_bytes(hub, "pantin wrote")
    # The hub holds every log whole, from its first changeset on.
    assert hub.query("SELECT count(*), max(c.seq) FROM navette_changeset c JOIN navette_log l ON l.number = c.log "
                     "GROUP BY l.number HAVING count(*) <> max(c.seq)") == []
    network.assert_clean()


def scopes_held_after_a_note(site):
    write(site, "first note")
    wait_until(lambda: site.pending() == 0 and len(scopes_held(site)) == 2, "a changeset of the group")
    return scopes_held(site)
