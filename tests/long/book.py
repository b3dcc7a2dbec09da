"""What the writers did, by their own record, and whether all of it is accounted for.

Every value that is written is written once (a form that is saved late apart, which writes back what it had read). So a
committed value must, in the end, be shown by its row, be one of the values of an open conflict, or have been seen by
somebody who then wrote over it or deleted the record. Nothing here knows how the merge works.
"""
import json


class Entry:
    """One row that a committed transaction wrote: `values` by column, None for a delete; `seen` is what its writer knew
    to stand there, None where there was no row."""

    def __init__(self, key, values, seen):
        self.key, self.values, self.seen = key, values, seen


def entries_of(record, witnessed):
    """The committed entries of one writer's record, in order, and how many transactions were begun in vain.

    A line "n" is written before COMMIT, a line "done" or "failed" after it. Where the writer was killed between the two,
    only `witnessed`, which the transaction itself wrote to, can say how it ended; so it is asked always.
    """
    committed, vain, done = [], 0, set()
    for line in record.read_text().splitlines():
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue  # the writer was killed while it wrote this line, so before its COMMIT
        if "done" in told:
            done.add(told["done"])
        elif told.get("n") in witnessed:
            committed += [Entry(*entry) for entry in told["rows"]]
        elif "n" in told:
            vain += 1
    gone = done - witnessed
    assert not gone, "%s: SQLite said that these were committed, and they are not there: %s" % (record, sorted(gone)[:5])
    return committed, vain


class Book:
    def __init__(self):
        self.of_writer = {}  # site's name: [Entry, …] in the order of their commits
        self.vain = 0

    def take(self, name, record, witnessed):
        entries, vain = entries_of(record, witnessed)
        self.of_writer.setdefault(name, []).extend(entries)
        self.vain += vain

    def entries(self):
        return [entry for entries in self.of_writer.values() for entry in entries]

    def lost(self, shown, siblings):
        """[(key, column, value)] of what is neither shown ({key: {column: value}}), nor a sibling
        ({(key, column): values}), nor covered by somebody who had seen it."""
        seen = {}
        for entry in self.entries():
            for column, value in (entry.seen or {}).items():
                seen.setdefault((entry.key, column), set()).add(value)
        missing = set()
        for entry in self.entries():
            for column, value in (entry.values or {}).items():
                place = (entry.key, column)
                if (value not in (None, "") and shown.get(entry.key, {}).get(column) != value
                        and value not in siblings.get(place, ()) and value not in seen.get(place, ())):
                    missing.add((*place, value))
        return sorted(missing)

    def own(self):
        """{key: {column: value}, or None where it was deleted} of the records that one writer alone ever wrote."""
        found = {}
        for name, entries in self.of_writer.items():
            for entry in entries:
                if not entry.key.startswith(name + "."):
                    continue
                if entry.values is None:
                    found[entry.key] = None
                else:
                    found[entry.key] = {**(found.get(entry.key) or {}), **entry.values}
        return found
