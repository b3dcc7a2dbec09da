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
