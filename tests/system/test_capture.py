"""Whatever any SQLite program writes is captured as what it is: no more, no less, and bit by bit."""
import math
import struct
import threading
import time

import pytest

from network import exact, rows_of, wait_until
from schemas import VALUES


@pytest.fixture(scope="module")
def sites(shared_network):
    shared_network.add_hub(VALUES)
    return (shared_network, *shared_network.add_schools("here", "there"))


@pytest.fixture
def key(request):
    """Keys that no other test of this file uses."""
    return request.node.name.removeprefix("test_")[:60]


def thing(site, key):
    rows = site.query("SELECT i, r, t, b, n, a FROM thing WHERE id = ?", key)
    assert len(rows) <= 1
    return tuple(exact(value) for value in rows[0]) if rows else None


def kinds(site, table, key):
    return [entry["kind"] for entry in site.history(table, key)]


def fields(site, table, key):
    """Which fields each change of the record wrote, oldest first; None for a delete."""
    return [sorted(entry["fields"]) if entry["kind"] == "put" else None for entry in site.history(table, key)]


# ---- one statement after the other, by the shell and by Python -------------------------------------------------------

def test_insert_and_update_of_one_many_and_key_columns(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, i, t) VALUES ('%s', 1, 'one');" % key)
    network.converge()
    here.sql("UPDATE thing SET t = 'two' WHERE id = '%s';" % key)
    network.converge()
    here.sql("UPDATE thing SET i = 3, t = 'three', b = x'00ff' WHERE id = '%s';" % key)
    network.converge()
    assert thing(there, key) == (("int", 3), ("NoneType", None), ("str", "three"), ("bytes", b"\x00\xff"),
                                 ("NoneType", None), ("NoneType", None))
    assert fields(there, "thing", key) == [["a", "b", "i", "n", "r", "t"], ["t"], ["b", "i", "t"]]
    here.sql("UPDATE thing SET id = '%s.moved', i = 4 WHERE id = '%s';" % (key, key))
    network.converge()
    assert thing(there, key) is None
    assert thing(there, key + ".moved")[0] == ("int", 4)
    assert thing(there, key + ".moved")[2] == ("str", "three")
    assert kinds(there, "thing", key)[-1] == "delete"


def test_keys_of_several_columns(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO pair VALUES ('%s', 'a/b', 'x', 1), ('%s', '', 'y', 2);" % (key, key))
    network.converge()
    here.sql("UPDATE pair SET two = 'c' WHERE one = '%s' AND two = '';"
             "UPDATE pair SET value = 'z' WHERE one = '%s' AND two = 'a/b';" % (key, key))
    network.converge()
    assert there.query("SELECT two, value, count FROM pair WHERE one = ? ORDER BY two", key) == [
        ("a/b", "z", 1), ("c", "y", 2)]


def test_keys_that_change_places(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, t) VALUES ('%s.1', 'one'), ('%s.2', 'two');" % (key, key))
    network.converge()
    here.sql("BEGIN; UPDATE thing SET id = 'swap' WHERE id = '{0}.1'; UPDATE thing SET id = '{0}.1' WHERE id = '{0}.2';"
             "UPDATE thing SET id = '{0}.2' WHERE id = 'swap'; COMMIT;".format(key))
    network.converge()
    assert thing(there, key + ".1")[2] == ("str", "two")
    assert thing(there, key + ".2")[2] == ("str", "one")
    assert thing(there, "swap") is None


def test_the_same_value_is_no_change(sites, key):
    network, here, there = sites
    here.write("INSERT INTO thing VALUES (?, 1, 0.0, 't', x'01', 2, 'a')", key)
    network.converge()
    before = network.hub.digest()
    here.sql("UPDATE thing SET i = 1, r = 0.0, t = 't', b = x'01', n = 2, a = 'a' WHERE id = '%s';"
             "UPDATE thing SET i = i, t = t || '' WHERE id = '%s';" % (key, key))
    here.sql("BEGIN; UPDATE thing SET t = 'other' WHERE id = '%s'; UPDATE thing SET t = 't' WHERE id = '%s'; COMMIT;"
             % (key, key))
    here.sql("INSERT OR REPLACE INTO thing VALUES ('%s', 1, 0.0, 't', x'01', 2, 'a');" % key)
    # A write to another record is the sign that all before it was sealed.
    here.sql("INSERT INTO thing(id) VALUES ('%s.after');" % key)
    network.converge()
    assert network.hub.digest() != before
    assert kinds(there, "thing", key) == ["put"]


def test_one_and_one_point_zero_are_two_values(sites, key):
    network, here, there = sites
    here.write("INSERT INTO thing(id, a, b) VALUES (?, 1, 0.0)", key)
    network.converge()
    here.write("UPDATE thing SET a = 1.0, b = ? WHERE id = ?", -0.0, key)
    network.converge()
    assert thing(there, key)[5] == ("real", (1.0).hex())


def test_delete_with_and_without_where(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id) VALUES ('%s.1'), ('%s.2'), ('%s.3');" % (key, key, key))
    network.converge()
    here.sql("DELETE FROM thing WHERE id = '%s.2';" % key)
    network.converge()
    assert [thing(there, "%s.%d" % (key, n)) is None for n in (1, 2, 3)] == [False, True, False]
    here.sql("DELETE FROM thing;")
    network.converge()
    assert there.query("SELECT count(*) FROM thing") == [(0,)]
    assert all(site.conflicts() == {} for site in network.sites)
    # What comes back under the same key is a new life of the record, with nothing of the old one.
    here.sql("INSERT INTO thing(id, t) VALUES ('%s.2', 'again');" % key)
    network.converge()
    assert thing(there, key + ".2")[2] == ("str", "again")


@pytest.mark.parametrize("recursive", ["off", "on"])
def test_insert_or_replace(sites, key, recursive):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, i, t) VALUES ('%s', 1, 'one');" % key)
    network.converge()
    here.sql("PRAGMA recursive_triggers = %s; INSERT OR REPLACE INTO thing(id, t) VALUES ('%s', 'two');"
             "REPLACE INTO thing(id, t) VALUES ('%s.new', 'new');" % (recursive, key, key))
    network.converge()
    assert thing(there, key) == (("NoneType", None),) * 2 + (("str", "two"),) + (("NoneType", None),) * 3
    assert thing(there, key + ".new")[2] == ("str", "new")
    assert all(site.conflicts("thing", key) == {} for site in network.sites)


@pytest.mark.parametrize("recursive", ["off", "on"])
def test_update_or_replace_displaces_a_row(sites, key, recursive):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, t) VALUES ('%s.1', 'one'), ('%s.2', 'two');" % (key, key))
    network.converge()
    here.sql("PRAGMA recursive_triggers = %s;"
             "UPDATE OR REPLACE thing SET id = '%s.2' WHERE id = '%s.1';" % (recursive, key, key))
    network.converge()
    assert thing(there, key + ".1") is None
    assert thing(there, key + ".2")[2] == ("str", "one")
    # The displaced row is no different from one that was never there.
    assert rows_of(here, "thing") == rows_of(there, "thing")


def test_upsert(sites, key):
    network, here, there = sites
    statement = ("INSERT INTO thing(id, i, t) VALUES ('%s', 1, '{0}')"
                 " ON CONFLICT(id) DO UPDATE SET i = i + 1, t = excluded.t;" % key)
    here.sql(statement.format("first"))
    network.converge()
    here.sql(statement.format("second"))
    here.sql("INSERT INTO thing(id, t) VALUES ('%s', 'nothing') ON CONFLICT DO NOTHING;"
             "INSERT OR IGNORE INTO thing(id, t) VALUES ('%s', 'nothing');" % (key, key))
    network.converge()
    assert thing(there, key)[0] == ("int", 2)
    assert thing(there, key)[2] == ("str", "second")
    assert fields(there, "thing", key)[1:] == [["i", "t"]]


def test_several_changes_of_a_row(sites, key):
    network, here, there = sites
    here.sql("BEGIN; INSERT INTO thing(id, i) VALUES ('{0}', 1); UPDATE thing SET i = 2 WHERE id = '{0}';"
             "UPDATE thing SET t = 'x' WHERE id = '{0}'; DELETE FROM thing WHERE id = '{0}';"
             "INSERT INTO thing(id, i, r) VALUES ('{0}', 5, 1.5); COMMIT;".format(key))
    here.sql("BEGIN; INSERT INTO thing(id) VALUES ('{0}.gone'); DELETE FROM thing WHERE id = '{0}.gone';"
             "COMMIT;".format(key))
    for i in range(20):
        here.write("UPDATE thing SET i = ? WHERE id = ?", i, key)
    here.write("UPDATE thing SET t = 'last' WHERE id = ?", key)
    network.converge()
    assert thing(there, key)[:3] == (("int", 19), ("real", (1.5).hex()), ("str", "last"))
    assert thing(there, key + ".gone") is None


def test_a_rollback_and_a_savepoint(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, i) VALUES ('%s', 1);" % key)
    network.converge()
    here.sql("BEGIN; UPDATE thing SET i = 2 WHERE id = '{0}'; INSERT INTO thing(id) VALUES ('{0}.never'); ROLLBACK;"
             "BEGIN; UPDATE thing SET t = 'kept' WHERE id = '{0}'; SAVEPOINT s; DELETE FROM thing WHERE id = '{0}';"
             "ROLLBACK TO s; COMMIT;".format(key))
    network.converge()
    assert thing(there, key)[0] == ("int", 1)
    assert thing(there, key)[2] == ("str", "kept")
    assert kinds(there, "thing", key) == ["put", "put"]
    assert thing(there, key + ".never") is None


def test_a_default_and_a_column_default(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO pair(one, two) VALUES ('%s', 'd');" % key)
    network.converge()
    assert there.query("SELECT value, count FROM pair WHERE one = ?", key) == [(None, 7)]


# ---- values ----------------------------------------------------------------------------------------------------------

REALS = [0.0, -0.0, 1.5, -1.5, 0.1, 1e-320, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
         -1.7976931348623157e308, math.inf, -math.inf, 123456789.123456789, 9007199254740993.0, 9.223372036854775807e18,
         math.pi, struct.unpack("<d", b"\x01\x00\x00\x00\x00\x00\xf0\x3f")[0]]
INTEGERS = [0, 1, -1, 127, 128, -128, 2**31, -2**31, 2**53 + 1, 2**63 - 1, -2**63]
TEXTS = ["", "a", "é", "e\u0301", "Ünïcødé ✓ 漢字 👩‍👩‍👧‍👦", "\u202ertl\u202c", "with\x00NUL\x00inside", "\x00", "\ufeffBOM", "\x01\x7f",
         "quote ' \" ; -- /*", "\U0010ffff", "\r\n\t", "a" * 300]
BLOBS = [b"", b"\x00", bytes(range(256)), b"\xff" * 300]


def by_column():
    cases = [("r", value) for value in REALS]
    cases += [("b", value) for value in (*REALS, *INTEGERS, *TEXTS, *BLOBS, None)]
    cases += [("a", value) for value in (*REALS, *INTEGERS, *TEXTS, *BLOBS, None)]
    cases += [("i", value) for value in INTEGERS]
    cases += [("t", value) for value in TEXTS]
    cases += [("n", value) for value in (*INTEGERS, *TEXTS, *BLOBS, 0.5)]
    return cases


def test_every_value_bit_by_bit_inserted_and_updated(sites, key):
    network, here, there = sites
    cases = by_column()
    with here.connection() as connection:
        connection.execute("BEGIN")
        for number, (column, value) in enumerate(cases):
            connection.execute("INSERT INTO thing(id, %s) VALUES (?, ?)" % column, ("%s.i%d" % (key, number), value))
            connection.execute("INSERT INTO thing(id, t) VALUES (?, 'plain')", ("%s.u%d" % (key, number),))
        connection.execute("COMMIT")
        network.converge()
        for number, (column, value) in enumerate(cases):
            connection.execute("UPDATE thing SET %s = ? WHERE id = ?" % column, (value, "%s.u%d" % (key, number)))
    network.converge()
    with here.connection() as writer, there.connection() as reader, network.hub.connection() as relay:
        for number, (column, _) in enumerate(cases):
            for way in "iu":
                question = ("SELECT %s, typeof(%s), hex(%s) FROM thing WHERE id = ?" % (column, column, column),
                            ("%s.%s%d" % (key, way, number),))
                want, got = writer.execute(*question).fetchone(), reader.execute(*question).fetchone()
                assert [exact(part) for part in got] == [exact(part) for part in want], (column, number, way)
                assert relay.execute(*question).fetchone() == want
        # Negative zero is only kept where the column has no affinity to make a 0 of it.
        kept = reader.execute("SELECT r FROM thing WHERE id = ?", ("%s.i1" % key,)).fetchone()[0]
        written = writer.execute("SELECT r FROM thing WHERE id = ?", ("%s.i1" % key,)).fetchone()[0]
        assert math.copysign(1, kept) == math.copysign(1, written)


def test_text_that_is_no_unicode(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, t, a) VALUES ('%s', CAST(x'ff00fe41' AS TEXT), CAST(x'c3' AS TEXT));" % key)
    network.converge()
    assert there.query("SELECT hex(t), typeof(t), hex(a), typeof(a) FROM thing WHERE id = ?", key) == [
        ("FF00FE41", "text", "C3", "text")]


def test_values_of_a_mebibyte(sites, key):
    network, here, there = sites
    text, blob = "é" * (1 << 19), bytes(range(256)) * 4096
    here.write("INSERT INTO thing(id, t, b) VALUES (?, ?, ?)", key, text, blob)
    here.sql("INSERT INTO thing(id, b, t) VALUES ('%s.random', randomblob(1048576), hex(randomblob(524288)));" % key)
    network.converge()
    assert thing(there, key)[2:4] == (("str", text), ("bytes", blob))
    here.write("UPDATE thing SET b = ? WHERE id = ?", blob[::-1], key)
    network.converge()
    assert thing(there, key)[3] == ("bytes", blob[::-1])


def test_a_number_with_leading_zeros_makes_no_storm(sites, key):
    network, here, there = sites
    # SQLite itself stores '012' as 12 in such a column: that, and only that, is what was written.
    here.sql("INSERT INTO thing(id, i, n) VALUES ('%s', '012', '0.50');" % key)
    network.converge()
    here.sql("UPDATE thing SET i = '012', n = '0.5' WHERE id = '%s';" % key)
    here.sql("UPDATE thing SET t = 'sign' WHERE id = '%s';" % key)
    network.converge()
    assert thing(there, key)[0] == ("int", 12)
    assert fields(there, "thing", key)[1:] == [["t"]]
    time.sleep(0.5)
    assert network.converge() is not None
    assert len(there.history("thing", key)) == 2


# ---- at the same time ------------------------------------------------------------------------------------------------

class Writer:
    """A program that never stops writing: UPDATE after UPDATE of one column of the same records, each its own commit."""

    def __init__(self, site, column, keys, values):
        self.site, self.column, self.keys, self.values = site, column, keys, values
        self.written, self.longest, self.stopping = {}, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.problem = None

    def run(self):
        try:
            with self.site.connection() as connection:
                while not self.stopping.is_set():
                    for key in self.keys:
                        value = next(self.values)
                        begun = time.monotonic()
                        connection.execute("UPDATE thing SET %s = ? WHERE id = ?" % self.column, (value, key))
                        self.longest = max(self.longest, time.monotonic() - begun)
                        self.written[key] = value
        except Exception as caught:  # told by stop(), in the test's own thread
            self.problem = caught

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()
        assert self.problem is None, self.problem


def counting():
    number = 0
    while True:
        number += 1
        yield number


def test_a_writer_that_never_stops_while_remote_changes_arrive(sites, key):
    network, here, there = sites
    keys = ["%s.%d" % (key, n) for n in range(10)]
    here.sql("".join("INSERT INTO thing(id) VALUES ('%s');" % one for one in keys))
    network.converge()
    with Writer(here, "i", keys, counting()) as local:
        wait_until(lambda: len(local.written) == len(keys), "the writer writes")
        for turn in range(20):
            for one in keys:
                there.write("UPDATE thing SET t = ? WHERE id = ?", "turn %d" % turn, one)
            time.sleep(0.05)
        wait_until(lambda: all(thing(here, one)[2] == ("str", "turn 19") for one in keys),
                   "remote changes show while the writer goes on")
        assert local.thread.is_alive()
    network.converge()
    for one in keys:
        for site in network.sites:
            assert thing(site, one)[0] == ("int", local.written[one]), (site.name, one)
            assert thing(site, one)[2] == ("str", "turn 19"), (site.name, one)
    assert all(site.conflicts("thing", one) == {} for site in network.sites for one in keys)
    assert local.longest < 5, "a local writer waited %.1f s" % local.longest


def test_two_writers_of_the_same_field_lose_nothing(sites, key):
    network, here, there = sites
    keys = ["%s.%d" % (key, n) for n in range(5)]
    here.sql("".join("INSERT INTO thing(id) VALUES ('%s');" % one for one in keys))
    network.converge()
    with Writer(here, "t", keys, ("here %d" % n for n in counting())) as first, \
            Writer(there, "t", keys, ("there %d" % n for n in counting())) as second:
        time.sleep(2)
    network.converge()
    for one in keys:
        history = [entry["fields"]["t"] for entry in network.hub.history("thing", one) if "t" in entry["fields"]]
        # The last word of each is in the log, and the newest of the two is shown or stands in an open conflict.
        assert first.written[one] in history and second.written[one] in history
        open_values = network.hub.conflicts("thing", one).get(("thing", one, "t"), [thing(here, one)[2][1]])
        assert first.written[one] in open_values or second.written[one] in open_values, (one, open_values)


def test_writers_while_the_daemon_is_stopped(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, t) VALUES ('%s.1', 'before'), ('%s.2', 'before');" % (key, key))
    network.converge()
    here.stop()
    here.sql("UPDATE thing SET t = 'stopped' WHERE id = '{0}.1'; DELETE FROM thing WHERE id = '{0}.2';"
             "INSERT INTO thing(id, t) VALUES ('{0}.3', 'stopped');".format(key))
    there.sql("UPDATE thing SET i = 9 WHERE id = '%s.1';" % key)
    network.converge(network.hub, there)
    here.start()
    network.converge()
    assert thing(there, key + ".1")[0] == ("int", 9)
    assert thing(there, key + ".1")[2] == ("str", "stopped")
    assert thing(there, key + ".2") is None
    assert thing(there, key + ".3")[2] == ("str", "stopped")


# ---- tools that rebuild a table --------------------------------------------------------------------------------------

NEW_PAIR = ("CREATE TABLE {name} (one TEXT NOT NULL, two TEXT NOT NULL, value TEXT, count INTEGER NOT NULL DEFAULT 7,"
            " PRIMARY KEY (one, two));")


def fill_pairs(network, here, key, count=50):
    here.sql("".join("INSERT INTO pair VALUES ('%s', '%03d', 'v%d', %d);" % (key, n, n, n) for n in range(count)))
    network.converge()


def no_deletes(site, key):
    """Nothing of the records was deleted, ever."""
    return all("delete" not in kinds(site, "pair", "%s/%03d" % (key, n)) for n in (0, 10, 49))


def test_a_table_rebuilt_in_one_transaction(sites, key):
    network, here, there = sites
    fill_pairs(network, here, key)
    here.sql("BEGIN;" + NEW_PAIR.format(name="pair_new") + "INSERT INTO pair_new SELECT * FROM pair;"
             "UPDATE pair_new SET value = 'changed on the way' WHERE one = '{0}' AND two = '010';"
             "INSERT INTO pair_new VALUES ('{0}', 'new', 'added on the way', 1);"
             "DROP TABLE pair; ALTER TABLE pair_new RENAME TO pair; COMMIT;".format(key))
    wait_until(lambda: there.query("SELECT value FROM pair WHERE one = ? AND two IN ('010', 'new') ORDER BY two", key) ==
               [("changed on the way",), ("added on the way",)], "what the tool changed on the way arrives")
    network.converge()
    assert no_deletes(there, key)
    assert len(there.history("pair", key + "/000")) == 1
    # Capture works again, and needs no restart.
    here.sql("UPDATE pair SET value = 'after' WHERE one = '%s' AND two = '000';" % key)
    network.converge()
    assert there.query("SELECT value FROM pair WHERE one = ? AND two = '000'", key) == [("after",)]


def test_a_table_rebuilt_in_several_transactions_and_empty_in_between(sites, key):
    network, here, there = sites
    fill_pairs(network, here, key)
    before = rows_of(there, "pair")
    here.sql("CREATE TABLE pair_keep AS SELECT * FROM pair;")
    here.sql("DROP TABLE pair;")
    time.sleep(0.7)
    assert rows_of(there, "pair") == before
    here.sql(NEW_PAIR.format(name="pair"))
    # A change at the other school while the table is empty here: for a record that isn't there at the moment.
    there.sql("UPDATE pair SET count = 1000 WHERE one = '%s' AND two = '010';" % key)
    time.sleep(0.7)
    assert len(rows_of(there, "pair")) == len(before)
    here.sql("INSERT OR IGNORE INTO pair SELECT * FROM pair_keep WHERE two < '025';")
    time.sleep(0.3)
    here.sql("INSERT OR IGNORE INTO pair SELECT * FROM pair_keep WHERE two >= '025'; DROP TABLE pair_keep;")
    wait_until(lambda: len(rows_of(here, "pair")) == len(before), "the rows are back")
    network.converge()
    assert no_deletes(there, key)
    assert len(rows_of(there, "pair")) == len(before)
    assert there.query("SELECT count FROM pair WHERE one = ? AND two = '010'", key) == [(1000,)]
    here.sql("UPDATE pair SET value = 'after' WHERE one = '{0}' AND two = '040';"
             "DELETE FROM pair WHERE one = '{0}' AND two = '041';".format(key))
    network.converge()
    assert there.query("SELECT two, value FROM pair WHERE one = ? AND two IN ('040', '041')", key) == [
        ("040", "after")]


def test_a_table_rebuilt_while_the_daemon_is_stopped(sites, key):
    network, here, there = sites
    fill_pairs(network, here, key)
    here.stop()
    here.sql("UPDATE pair SET value = 'captured' WHERE one = '{0}' AND two = '001';"
             "CREATE TABLE pair_new AS SELECT * FROM pair; DROP TABLE pair;".format(key) + NEW_PAIR.format(name="pair") +
             "INSERT INTO pair SELECT * FROM pair_new; DROP TABLE pair_new;"
             "UPDATE pair SET value = 'without triggers' WHERE one = '%s' AND two = '002';" % key)
    here.start()
    wait_until(lambda: there.query("SELECT value FROM pair WHERE one = ? AND two IN ('001', '002') ORDER BY two", key) ==
               [("captured",), ("without triggers",)], "both kinds of write arrive")
    network.converge()
    assert no_deletes(there, key)


def test_triggers_that_somebody_dropped(sites, key):
    network, here, there = sites
    here.sql("INSERT INTO thing(id, t) VALUES ('%s', 'one');" % key)
    network.converge()
    names = here.sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'thing';").split("\n")
    assert len(names) >= 3
    here.sql("BEGIN;" + "".join('DROP TRIGGER "%s";' % name for name in names) +
             "UPDATE thing SET t = 'unseen' WHERE id = '%s'; COMMIT;" % key)
    wait_until(lambda: thing(there, key)[2] == ("str", "unseen"), "the write that no trigger saw arrives")
    network.converge()
    again = here.sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'thing';").split("\n")
    assert sorted(again) == sorted(names)


def test_the_triggers_of_a_program_of_the_school_go_on(sites, key):
    network, here, there = sites
    there.sql("CREATE TABLE audit(id TEXT, t TEXT); CREATE TRIGGER audit_thing AFTER INSERT ON thing BEGIN"
              " INSERT INTO audit VALUES (NEW.id, NEW.t); END;")
    here.sql("INSERT INTO thing(id, t) VALUES ('%s', 'seen');" % key)
    network.converge()
    assert there.query("SELECT t FROM audit WHERE id = ?", key) == [("seen",)]
    there.sql("DROP TRIGGER audit_thing; DROP TABLE audit;")


def test_every_log_is_clean_after_all_this(sites):
    network, _, _ = sites
    network.converge()
    network.assert_clean()
