"""Looks for texts wherever a daemon could leave them: its files, its memory, what it logged."""
import sqlite3

from peer import zstandard


def in_files(site, words):
    """Those of the words that stand in a file of the site's home, or in a changeset of its store once decompressed."""
    content = b"\0".join(file.read_bytes() for file in site.home.rglob("*") if file.is_file())
    with sqlite3.connect(site.store, timeout=30) as connection:
        for table in ("navette_changeset", "navette_beyond"):
            for compressed, body in connection.execute("SELECT compressed, body FROM %s" % table):
                content += b"\0" + (zstandard.decompress(body) if compressed else body)
    return found(content, words)


def in_memory(site, words):
    """Those that stand in the memory of the site's daemon, all of what it can write to."""
    seen = set()
    with open("/proc/%d/maps" % site.process.pid) as maps, open("/proc/%d/mem" % site.process.pid, "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(address, 16) for address in place.split("-"))
            memory.seek(start)
            try:
                seen |= found(memory.read(end - start), words)
            except OSError:
                continue  # a page of the kernel's own
    return seen


def in_log(site, words):
    return found(site.log.read_bytes(), words)


def found(content, words):
    return {word for word in words if word.encode() in content}
