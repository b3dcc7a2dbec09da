"""A store's log that was changed on the disk is noticed, said, and goes no further."""
import sqlite3

import pytest

from network import wait_until
from schemas import PEOPLE


@pytest.fixture
def three(network):
    network.add_hub(PEOPLE)
    return (network, *network.add_schools("writer", "reader", "other"))


def flip(store, column, number):
    """Changes one byte in the middle of one changeset's header, signature or body."""
    connection = sqlite3.connect(store, timeout=30)
    (old,) = connection.execute('SELECT "%s" FROM navette_changeset WHERE number = ?' % column, (number,)).fetchone()
    new = bytearray(old)
    new[len(new) // 2] ^= 0x20
    connection.execute('UPDATE navette_changeset SET "%s" = ? WHERE number = ?' % column, (bytes(new), number))
    connection.commit()
    connection.close()


def newest(site):
    return site.query("SELECT max(number) FROM navette_changeset")[0][0]


@pytest.mark.parametrize("column", ["header", "signature", "body", "hash"])
def test_verify_notices_a_changed_byte(three, column):
    network, writer, reader, _ = three
    writer.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple'), ('p2', 'Bo Exemple');")
    network.converge()
    reader.stop()
    flip(reader.store, column, newest(reader))
    done = reader.run("verify", codes=(1,))
    assert "p1" not in done.stdout + done.stderr and "Ada" not in done.stdout + done.stderr
    assert reader.cli("verify", codes=(1,))["bad"] >= 1
    assert writer.cli("verify")["bad"] == 0


def test_a_changed_byte_in_the_file_itself(three):
    network, writer, reader, _ = three
    writer.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    reader.stop()
    reader.sql("PRAGMA wal_checkpoint(TRUNCATE);")
    (signature,) = reader.query("SELECT signature FROM navette_changeset WHERE number = ?", newest(reader))[0]
    raw = bytearray(reader.store.read_bytes())
    place = raw.rindex(signature)
    raw[place + 10] ^= 1
    reader.store.write_bytes(raw)
    assert reader.cli("verify", codes=(1,))["bad"] == 1


@pytest.mark.parametrize("column", ["signature", "body"])
def test_a_changed_changeset_is_not_spread(three, column):
    network, writer, reader, other = three
    writer.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple');")
    network.converge()
    reader.line.cut()
    writer.sql("INSERT INTO person(id, name) VALUES ('p2', 'Bo Exemple');")
    network.converge(network.hub, writer, other)
    network.hub.stop()
    flip(network.hub.store, column, newest(network.hub))
    network.hub.start().wait_for_endpoint()
    reader.line.heal()

    # What the hub holds is no longer what was signed: it is not sent, or it is refused; either way somebody says so.
    other.sql("INSERT INTO person(id, name) VALUES ('p3', 'Cy Exemple');")
    network.hub.sql("INSERT INTO person(id, name) VALUES ('p4', 'Di Exemple');")
    wait_until(lambda: sum(reader.refusals().values()) + sum(network.hub.refusals().values()) > 0,
               "the changed changeset is noticed")
    assert reader.query("SELECT id FROM person WHERE id = 'p2'") == []
    assert reader.cli("verify")["bad"] == 0

    # The others, who hold the true one, go on with each other.
    network.hub.cli("verify", codes=(1,))
    wait_until(lambda: writer.query("SELECT count(*) FROM person") == [(4,)] and
               other.query("SELECT count(*) FROM person") == [(4,)], "the others go on")


def test_rows_that_were_changed_behind_capture_are_mended_or_taken_as_edits(three):
    """Versions that no longer say what the log says are mended by a rebuild."""
    network, writer, reader, _ = three
    writer.sql("INSERT INTO person(id, name) VALUES ('p1', 'Ada Exemple'), ('p2', 'Bo Exemple');")
    network.converge()
    reader.stop()
    reader.sql("DELETE FROM navette_version WHERE key = (SELECT min(key) FROM navette_version);")
    mended = reader.cli("rebuild")
    assert mended["versions_mended"] == 1
    again = reader.cli("rebuild")
    assert (again["versions_mended"], again["rows_mended"]) == (0, 0)
    reader.start()
    network.converge()
