"""The table that the writers of the long check write to. No column is quiet: of a quiet one nobody is asked, so nothing
would have to be kept of what was written apart."""

COLUMNS = ("name", "phone", "town", "first_day", "referent")

SHAPE = """(
    id        TEXT NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL DEFAULT '',
    phone     TEXT,
    town      TEXT,
    first_day TEXT,
    referent  TEXT
)"""

SCHEMA = "CREATE TABLE person " + SHAPE + """;
INSERT INTO navette_table(name, scope) VALUES ('person', 'network');
INSERT INTO navette_column(table_name, name, rule, quiet) VALUES
    ('person', 'name', 'last', 0), ('person', 'first_day', 'min', 0), ('person', 'referent', 'home', 0);
"""

# What a tool does that changes a table in a way that ALTER TABLE cannot: the triggers are gone afterwards.
REBUILD = ("CREATE TABLE person_anew " + SHAPE,
           "INSERT INTO person_anew SELECT id, name, phone, town, first_day, referent FROM person",
           "DROP TABLE person",
           "ALTER TABLE person_anew RENAME TO person")
