"""Writes rows to a site's store, as any program of the school would."""
import sqlite3

from rows import KEYS

BUSY_TIMEOUT_MS = 30_000


class NotReady(Exception):
    """There is no store, or it has not the schools' tables."""


def load(home, rows):
    """Writes what is not there yet, all of it or nothing; returns {table: how many rows are new}.

    A row that is there stays as it is: what people changed in it since is theirs.
    """
    file = home / "store.db"
    if not file.exists():
        raise NotReady("%s is not there. Make the site first: navette --home %s init NAME" % (file, home))
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA busy_timeout = %d" % BUSY_TIMEOUT_MS)
        check_schema(connection, home)
        connection.execute("BEGIN IMMEDIATE")
        new = {table: insert(connection, table, there.values()) for table, there in rows.tables.items()}
        connection.execute("COMMIT")
        return new
    finally:
        connection.close()


def check_schema(connection, home):
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    missing = [table for table in KEYS if table not in there]
    if missing:
        raise NotReady("the store has no table %s: the schools' schema is not here. At the hub: navette --home %s schema "
                       "apply deploy/schools/schema.sql; a school receives it from there." % (", ".join(missing), home))


def insert(connection, table, rows):
    """Inserts rows whose key is not there; returns how many."""
    alike = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(tuple(row.values()))
    new = 0
    for columns, values in alike.items():
        new += connection.executemany("INSERT INTO %s(%s) VALUES (%s) ON CONFLICT DO NOTHING" % (
            table, ", ".join(columns), ", ".join("?" * len(columns))), values).rowcount
    return new
