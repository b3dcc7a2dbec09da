"""A table that cannot be kept in step is refused when it is published, with what to do instead."""
import pytest

from network import CommandFailed

# What is wrong, the table, a word of the fix that the message must give.
REFUSED = [
    ("no primary key", "CREATE TABLE bad (a TEXT, b TEXT);", "PRIMARY KEY"),
    ("an INTEGER key", "CREATE TABLE bad (id INTEGER PRIMARY KEY NOT NULL, b TEXT);", "TEXT"),
    ("a key that may be NULL", "CREATE TABLE bad (id TEXT PRIMARY KEY, b TEXT);", "NOT NULL"),
    ("a key that ignores case", "CREATE TABLE bad (id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, b TEXT);", "BINARY"),
    ("UNIQUE beside the key", "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b TEXT UNIQUE);", "UNIQUE"),
    ("a unique index beside the key",
     "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b TEXT); CREATE UNIQUE INDEX bad_b ON bad(b);", "UNIQUE"),
    ("a CHECK over two columns",
     "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b INTEGER, c INTEGER, CHECK (b < c));", "CHECK"),
    ("a generated column",
     "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b INTEGER, c INTEGER AS (b + 1));", "generated"),
    ("NOT NULL without a default", "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b TEXT NOT NULL);", "DEFAULT"),
    ("a statement that no schema may hold",
     "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b TEXT); ATTACH 'x.db' AS x;", "ATTACH"),
    ("a trigger", "CREATE TABLE bad (id TEXT NOT NULL PRIMARY KEY, b TEXT);"
     "CREATE TRIGGER bad_t AFTER INSERT ON bad BEGIN DELETE FROM bad; END;", "TRIGGER"),
]


@pytest.fixture(scope="module")
def hub(shared_network):
    return shared_network.add_hub()


@pytest.mark.parametrize("what, table, fix", REFUSED, ids=[case[0].replace(" ", "-") for case in REFUSED])
def test_a_table_that_cannot_be_tracked(hub, shared_network, what, table, fix):
    file = shared_network.folder / "bad.sql"
    file.write_text(table + "INSERT INTO navette_table(name, scope) VALUES ('bad', 'network');")
    with pytest.raises(CommandFailed) as caught:
        hub.cli("schema", "apply", file)
    assert caught.value.code == 3, caught.value
    said = caught.value.stderr + caught.value.stdout
    assert fix.lower() in said.lower(), said
    assert hub.query("SELECT name FROM sqlite_master WHERE name = 'bad'") == []
    assert hub.query("SELECT count(*) FROM navette_table") == [(0,)]


def test_a_dry_run_publishes_nothing(hub, shared_network):
    file = shared_network.folder / "good.sql"
    file.write_text("CREATE TABLE good (id TEXT NOT NULL PRIMARY KEY, b TEXT);"
                    "INSERT INTO navette_table(name, scope) VALUES ('good', 'network');")
    hub.cli("schema", "apply", file, "--dry-run")
    assert hub.query("SELECT name FROM sqlite_master WHERE name = 'good'") == []


def test_columns_are_added_where_rows_are_already(network):
    hub = network.add_hub("CREATE TABLE good (id TEXT NOT NULL PRIMARY KEY, b TEXT);"
                          "INSERT INTO navette_table(name, scope) VALUES ('good', 'network');")
    school, other = network.add_schools("school", "other")
    school.sql("INSERT INTO good VALUES ('1', 'one'), ('2', 'two');")
    network.converge()
    network.apply_schema("ALTER TABLE good ADD COLUMN c TEXT NOT NULL DEFAULT 'none';"
                         "INSERT INTO navette_column(table_name, name, rule) VALUES ('good', 'c', 'min');")
    network.converge()
    # A default is nobody's write.
    assert len(other.history("good", "1")) == 1
    assert other.query("SELECT id, b, c FROM good ORDER BY id") == [("1", "one", "none"), ("2", "two", "none")]
    other.sql("UPDATE good SET c = 'some' WHERE id = '2';")
    network.converge()
    assert school.query("SELECT c FROM good WHERE id = '2'") == [("some",)]
    assert hub.cli("schema", "show")
    network.assert_clean()
