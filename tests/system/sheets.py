"""Files as spreadsheets write them, and what the commands on tables say of them to people."""
import os
import subprocess

from network import BUILD, REPOSITORY

SCHEMA = (REPOSITORY / "deploy" / "schools" / "schema.sql").read_text()
MAPS = REPOSITORY / "deploy" / "schools" / "maps"
BOM = b"\xef\xbb\xbf"


def said(site, *arguments, code=0, language="fr_FR.UTF-8"):
    """What a command says to a person who reads that language: (stdout, stderr), with spaces that may break."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    done = subprocess.run([BUILD / "navette", "--home", site.home, *map(str, arguments)], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, env={**environment, "LANG": language})
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return tuple(said.decode().replace("\u00a0", " ") for said in (done.stdout, done.stderr))


def write(folder, name, *lines, separator=";", encoding="utf-8", bom=False, end="\r\n"):
    """A file of lines, each a list of cells that need no quotes; a line that is text stands as it is."""
    path = folder / name
    text = "".join((line if isinstance(line, str) else separator.join(line)) + end for line in lines)
    path.write_bytes((BOM if bom else b"") + text.encode(encoding))
    return path


def rows(site, table):
    """{key: {column: value}} of a table; a key of several columns is a tuple."""
    with site.connection() as connection:
        columns = connection.execute('PRAGMA table_info("%s")' % table).fetchall()
        names = [column[1] for column in columns]
        keys = [column[1] for column in sorted(columns, key=lambda column: column[5]) if column[5]]
        found = {}
        for values in connection.execute('SELECT * FROM "%s"' % table):
            row = dict(zip(names, values))
            key = tuple(row[name] for name in keys)
            found[key[0] if len(keys) == 1 else key] = row
        return found


def values(site, table, *columns):
    """The values of these columns, in order."""
    return sorted(tuple(row[column] for column in columns) for row in rows(site, table).values())
