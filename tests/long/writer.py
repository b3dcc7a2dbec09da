"""A program that writes to a site's store without a pause, and tells each transaction in its record before it commits.

It may be killed at any moment. Whether the transaction that it was in came to be is then said by the table `witness`,
which the transaction itself wrote to; that table is the site's own, and Navette does not know it.

Called as: writer.py STORE RECORD SITE GENERATION SEED PAUSE_MS ROLE...
"""
import json
import os
import random
import select
import signal
import sqlite3
import sys
import time

from people import COLUMNS, REBUILD

WITNESS = ("CREATE TABLE IF NOT EXISTS witness(n TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID",
           "CREATE TABLE IF NOT EXISTS formed(key TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID")
SHARED_SECONDS, SHARED_KEYS = 4, 8
FORMS, FORM_SECONDS = 6, 0.5


def pause(seconds):
    """Not time.sleep, which libfaketime makes fail when the clock jumps."""
    select.select([], [], [], seconds)


class Writer:
    def __init__(self, store, record, site, generation, seed, pause_ms, roles):
        self.site, self.generation, self.pause, self.roles = site, generation, int(pause_ms) / 1000, roles
        self.chance = random.Random("%s %s %s" % (site, generation, seed))
        self.record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.db = sqlite3.connect(store, timeout=60, isolation_level=None)
        self.count, self.forms, self.stopping = 0, [], False
        self.deeds = [(30, self.insert), (18, self.update_own), (6, self.replace_own), (4, self.delete_own),
                      (4, self.move_own), (24, self.update_shared), (4, self.replace_shared), (4, self.delete_shared),
                      (2, self.roll_back), (1, self.insert_many)]
        if "forms" in roles:
            self.deeds += [(8, self.open_form), (8, self.save_form)]
        else:
            self.deeds += [(4, self.open_form)]
        if "rebuild" in roles:
            self.deeds.append((0.15, self.rebuild))

    # ---- one transaction ----
    def run(self):
        while not self.stopping:
            deed, = self.chance.choices([deed for _, deed in self.deeds], [weight for weight, _ in self.deeds])
            try:
                self.transaction(deed)
            except sqlite3.OperationalError as caught:
                if "full" not in str(caught) and "locked" not in str(caught) and "I/O" not in str(caught):
                    raise
                # A full disk, or a lock held for a minute: the transaction is undone, and the person tries again later.
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                self.tell(failed=str(caught))
                pause(0.2)
            pause(self.chance.uniform(0, 2 * self.pause))

    def transaction(self, deed):
        for statement in WITNESS if self.count == 0 else ():
            self.db.execute(statement)
        self.count += 1
        self.number = "%s.%s.%d" % (self.site, self.generation, self.count)
        self.rows = []
        self.db.execute("BEGIN IMMEDIATE")
        commit = deed()
        if commit is False:
            self.db.execute("ROLLBACK")
            return
        self.db.execute("INSERT INTO witness VALUES (?)", (self.number,))
        self.tell(n=self.number, rows=self.rows)
        if self.chance.random() < 0.3:
            pause(self.chance.uniform(0, 0.01))  # long enough to be killed here, too
        self.db.execute("COMMIT")
        self.tell(done=self.number)

    def tell(self, **what):
        os.write(self.record, (json.dumps(what) + "\n").encode())

    # ---- what is there, and what is written ----
    def row(self, key):
        found = self.db.execute("SELECT %s FROM person WHERE id = ?" % ", ".join(COLUMNS), (key,)).fetchone()
        return dict(zip(COLUMNS, found)) if found else None

    def value(self, column):
        return "%s %s" % (self.number, column)

    def some_values(self):
        return {column: self.value(column)
                for column in self.chance.sample(COLUMNS, self.chance.choice([1, 1, 1, 2, 3]))}

    def own_key(self):
        """A record of this site's own that is there; None where the search finds none."""
        start = "%s.%d.%d" % (self.site, self.chance.randrange(int(self.generation) + 1), self.chance.randrange(1000))
        found = self.db.execute("SELECT id FROM person WHERE id >= ? AND id < ? LIMIT 1",
                                (start, self.site + "/")).fetchone()
        return found and found[0]

    def shared_key(self):
        window = int(time.monotonic() / SHARED_SECONDS) - self.chance.choice([0, 0, 0, 0, 0, 0, 1, 2, 5, 10])
        return "shared.%d.%d" % (window, self.chance.randrange(SHARED_KEYS))

    def is_captured(self):
        """A tool has rebuilt the table, and the triggers are not back: a DELETE now would be a row that is missing."""
        return self.db.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'person'"
                               ).fetchone()[0] >= 4

    def give(self, key, values, seen):
        if seen is None:
            self.db.execute("INSERT INTO person(id, %s) VALUES (?%s)" % (", ".join(values), ", ?" * len(values)),
                            (key, *values.values()))
        else:
            self.db.execute("UPDATE person SET %s WHERE id = ?" % ", ".join(column + " = ?" for column in values),
                            (*values.values(), key))
        self.note(key, values, seen and {column: seen[column] for column in values})

    def note(self, key, values, seen):
        self.rows.append([key, values, seen])

    def replace(self, key, seen):
        values = dict.fromkeys(COLUMNS)
        values.update(self.some_values(), name=self.value("name"))
        self.db.execute("INSERT OR REPLACE INTO person(id, %s) VALUES (?%s)" % (", ".join(values), ", ?" * len(values)),
                        (key, *values.values()))
        self.note(key, values, seen)

    # ---- deeds on records of its own ----
    def insert(self, rows=0):
        for place in range(rows or self.chance.choice([1, 1, 1, 20])):
            self.give("%s.%d" % (self.number, place), {"name": self.value("name"), **self.some_values()}, None)

    def insert_many(self):
        self.insert(400)

    def update_own(self):
        key = self.own_key()
        if key is None:
            return False
        self.give(key, self.some_values(), self.row(key))

    def replace_own(self):
        key = self.own_key()
        if key is None:
            return False
        self.replace(key, self.row(key))

    def delete_own(self):
        key = self.own_key()
        return self.delete(key) if key is not None else False

    def delete(self, key):
        seen = self.row(key)
        if seen is None or not self.is_captured():
            return False
        self.db.execute("DELETE FROM person WHERE id = ?", (key,))
        self.note(key, None, seen)

    def move_own(self):
        key, moved = self.own_key(), "%s.moved" % self.number
        if key is None or not self.is_captured():
            return False
        seen = self.row(key)
        self.db.execute("UPDATE person SET id = ? WHERE id = ?", (moved, key))
        self.note(key, None, seen)
        self.note(moved, seen, None)

    def roll_back(self):
        self.insert()
        return False

    # ---- deeds on records that all sites write ----
    def update_shared(self):
        key = self.shared_key()
        self.give(key, self.some_values(), self.row(key))

    def replace_shared(self):
        key = self.shared_key()
        self.replace(key, self.row(key))

    def delete_shared(self):
        return self.delete(self.shared_key())

    # ---- forms: read, left open for a while, and saved whole ----
    def open_form(self):
        """Of each such record a site writes one edit, or opens one form: a store remembers only a few of the values that
        were replaced, and only those that another site replaced."""
        key = "form.%d.%d" % (time.monotonic() / SHARED_SECONDS, self.chance.randrange(FORMS))
        if self.db.execute("INSERT OR IGNORE INTO formed VALUES (?)", (key,)).rowcount == 0:
            return False
        seen = self.row(key)
        if seen is not None and "forms" in self.roles:
            self.forms.append((time.monotonic() + FORM_SECONDS * self.chance.uniform(1, 6), key, seen))
        else:
            self.give(key, self.some_values(), seen)

    def save_form(self):
        due = [form for form in self.forms if form[0] <= time.monotonic()]
        if not due:
            return False
        self.forms.remove(due[0])
        _, key, read = due[0]
        stands = self.row(key)
        if stands is None:
            return False
        changed = self.some_values()
        self.give(key, {**read, **changed}, stands)
        # What other sites wrote since is not seen by whoever writes the old value back. (Whoever writes a new one is
        # taken to have seen what the row showed: a store cannot know better.)
        self.rows[-1][2] = {column: value for column, value in stands.items()
                            if column in changed}

    # ---- a tool ----
    def rebuild(self):
        for statement in REBUILD:
            self.db.execute(statement)


def main():
    store, record, site, generation, seed, pause_ms, *roles = sys.argv[1:]
    writer = Writer(store, record, site, generation, seed, pause_ms, roles)

    def stop(_number, _frame):
        writer.stopping = True
    signal.signal(signal.SIGTERM, stop)
    writer.run()


if __name__ == "__main__":
    main()
