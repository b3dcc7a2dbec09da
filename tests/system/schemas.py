"""Schemas of the tests. People in the tests are made up."""

PEOPLE = """
CREATE TABLE person (
    id        TEXT NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL DEFAULT '',
    phone     TEXT,
    town      TEXT,
    visits    INTEGER NOT NULL DEFAULT 0,
    first_day TEXT,
    referent  TEXT,
    seen      INTEGER
);
INSERT INTO navette_table(name, scope) VALUES ('person', 'network');
INSERT INTO navette_column(table_name, name, rule, quiet, label_fr, label_en) VALUES
    ('person', 'name', 'last', 0, 'Nom', 'Name'),
    ('person', 'visits', 'max', 0, 'Venues', 'Visits'),
    ('person', 'first_day', 'min', 0, 'Premier jour', 'First day'),
    ('person', 'referent', 'home', 0, 'Référent', 'Referent'),
    ('person', 'seen', 'max', 1, 'Vu', 'Seen');
"""

# One column of each affinity, and a key of several columns.
VALUES = """
CREATE TABLE thing (
    id TEXT NOT NULL PRIMARY KEY,
    i  INTEGER,
    r  REAL,
    t  TEXT,
    b  BLOB,
    n  NUMERIC,
    a
);
CREATE TABLE pair (
    one   TEXT NOT NULL,
    two   TEXT NOT NULL,
    value TEXT,
    count INTEGER NOT NULL DEFAULT 7,
    PRIMARY KEY (one, two)
);
INSERT INTO navette_table(name, scope) VALUES ('thing', 'network'), ('pair', 'network');
"""

# A network's learners, as far as scopes go: who reads a learner, a column says, and what hangs on him follows. A diary
# is its site's own, employers are for all, and an offer is changed by the site that made it.
SCHOOLS = """
CREATE TABLE learner (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL DEFAULT '',
    email      TEXT,
    phone      TEXT,
    visible_to TEXT
);
CREATE TABLE visit (
    id      TEXT NOT NULL PRIMARY KEY,
    learner TEXT REFERENCES learner(id),
    note    TEXT
);
CREATE TABLE diary (id TEXT NOT NULL PRIMARY KEY, note TEXT);
CREATE TABLE employer (siret TEXT NOT NULL PRIMARY KEY, name TEXT, phone TEXT);
CREATE TABLE offer (id TEXT NOT NULL PRIMARY KEY, title TEXT);
INSERT INTO navette_table(name, scope, writers) VALUES
    ('learner', 'column:visible_to', 'scope'), ('visit', 'parent:learner', 'scope'), ('diary', 'site', 'scope'),
    ('employer', 'network', 'scope'), ('offer', 'network', 'home');
"""

# What personal records look like: each says who reads it. Cards are written by their home alone.
GROUPED = """
CREATE TABLE learner (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL DEFAULT '',
    town       TEXT,
    visible_to TEXT
);
CREATE TABLE card (
    id         TEXT NOT NULL PRIMARY KEY,
    text       TEXT,
    visible_to TEXT
);
CREATE TABLE notice (
    id   TEXT NOT NULL PRIMARY KEY,
    text TEXT
);
INSERT INTO navette_table(name, scope, writers) VALUES
    ('learner', 'column:visible_to', 'scope'), ('card', 'column:visible_to', 'home'), ('notice', 'network', 'scope');
"""
