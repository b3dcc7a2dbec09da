-- Scopes by number, for the versions of records. `home` is empty, but for tables that a record's home alone writes: there
-- the records of each home stand under a number of their own. `leaving`: the site no longer reads it, and what is here goes.
CREATE TABLE navette_scope(
    number INTEGER PRIMARY KEY,
    id     BLOB NOT NULL,
    home   BLOB NOT NULL,
    leaving INTEGER NOT NULL DEFAULT 0,
    UNIQUE (id, home)
);
INSERT INTO navette_scope(number, id, home) VALUES (1, x'00000000000000000000000000000001', x'');

-- The scope whose record it is; 0 where records of several scopes have one key (kind 'scopes').
ALTER TABLE navette_conflict ADD COLUMN scope INTEGER NOT NULL DEFAULT 1;

-- Records that stand in the site's own scope because the one that they ask for cannot be had: they go there once it can.
CREATE TABLE navette_unplaced(
    tbl      INTEGER NOT NULL,
    key      BLOB NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;

-- The scope of the op, where another site wrote it.
ALTER TABLE navette_quarantine ADD COLUMN scope INTEGER NOT NULL DEFAULT 0;

-- Moves under way: records made anew in another scope, in the changesets first_seq to seq of our own log there. Once
-- another node has those (held), what changed since follows, and the records are deleted where they stood.
CREATE TABLE navette_move(
    number    INTEGER PRIMARY KEY,
    scope     INTEGER NOT NULL,
    log       INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    held      INTEGER NOT NULL DEFAULT 0,
    since_ms  INTEGER NOT NULL
);

-- Their records: where they stood, and what they said when they were made anew.
CREATE TABLE navette_moved(
    tbl     INTEGER NOT NULL,
    key     BLOB NOT NULL,
    move    INTEGER NOT NULL,
    scope   INTEGER NOT NULL,
    version BLOB NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;
