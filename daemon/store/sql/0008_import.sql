-- What the last imports made and changed, so that one can be taken back (client/import/undo.c). It never leaves this
-- store, and is kept for the last few imports and some weeks alone: the values are people's.
CREATE TABLE navette_import(
    number  INTEGER PRIMARY KEY,
    tbl     INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    file    TEXT NOT NULL,
    created INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0
);

-- A record that it made, with the values of its fields as they stood then, encoded one after the other.
CREATE TABLE navette_import_record(
    import INTEGER NOT NULL,
    key    BLOB NOT NULL,
    made   BLOB NOT NULL,
    PRIMARY KEY (import, key)
) WITHOUT ROWID;

-- A field of another record that it changed.
CREATE TABLE navette_import_cell(
    import INTEGER NOT NULL,
    key    BLOB NOT NULL,
    field  TEXT NOT NULL,
    old,
    new,
    PRIMARY KEY (import, key, field)
) WITHOUT ROWID;
