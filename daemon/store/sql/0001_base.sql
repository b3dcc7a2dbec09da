-- The tables that Navette keeps beside the site's own. Numbers of logs, sites and changesets mean something in this file only.

-- Facts about this store: site, name, epoch, network, row_digest_key, schema_version…
CREATE TABLE navette_meta(
    name  TEXT NOT NULL PRIMARY KEY,
    value
) WITHOUT ROWID;

CREATE TABLE navette_site(
    number INTEGER PRIMARY KEY,
    id     BLOB NOT NULL UNIQUE
);

-- One row a log. `context` is the whole context at its newest changeset (see store/log/logs.c).
CREATE TABLE navette_log(
    number        INTEGER PRIMARY KEY,
    site          BLOB NOT NULL,
    epoch         INTEGER NOT NULL,
    scope         BLOB NOT NULL,
    has_seq       INTEGER NOT NULL DEFAULT 0,
    has_hash      BLOB,
    applied_seq   INTEGER NOT NULL DEFAULT 0,
    applied_hash  BLOB,
    authority_seq INTEGER NOT NULL DEFAULT 0,
    context       BLOB,
    UNIQUE (site, epoch, scope)
);

-- The log itself: the exact bytes that were signed and hashed. number is the order of arrival. `records` has 4 bytes of a
-- hash of (table, key) for each op, in order, so that a record's ops are found without opening every body.
CREATE TABLE navette_changeset(
    number     INTEGER PRIMARY KEY,
    log        INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    header     BLOB NOT NULL,
    signature  BLOB NOT NULL,
    compressed INTEGER NOT NULL,
    ops        INTEGER NOT NULL,
    sealed_ms  INTEGER NOT NULL,
    records    BLOB NOT NULL,
    body       BLOB NOT NULL
);
CREATE UNIQUE INDEX navette_changeset_place ON navette_changeset(log, seq);

-- The state of every record: siblings, live deletes, marks, digest of the row (see store/merge/versions.c).
CREATE TABLE navette_version(
    tbl     INTEGER NOT NULL,
    key     BLOB NOT NULL,
    scope   INTEGER NOT NULL,
    version BLOB NOT NULL,
    PRIMARY KEY (tbl, key, scope)
) WITHOUT ROWID;

-- While an apply's own transaction runs there is a row here, and capture is silent.
CREATE TABLE navette_guard(applying INTEGER PRIMARY KEY);

-- The manifest: what a schema file says of its tables and columns, and the numbers that the authority gave them.
CREATE TABLE navette_table(
    name      TEXT NOT NULL PRIMARY KEY,
    scope     TEXT NOT NULL DEFAULT 'site',
    writers   TEXT NOT NULL DEFAULT 'scope',
    number    INTEGER UNIQUE,
    published INTEGER
);
CREATE TABLE navette_column(
    table_name TEXT NOT NULL,
    name       TEXT NOT NULL,
    rule       TEXT NOT NULL DEFAULT 'last',
    quiet      INTEGER NOT NULL DEFAULT 0,
    label_fr   TEXT,
    label_en   TEXT,
    field      INTEGER,
    published  INTEGER,
    PRIMARY KEY (table_name, name)
);

-- The SQL that was published, in order: the schema as it stands in the authority log, whatever a tool made of it here.
CREATE TABLE navette_statement(
    number    INTEGER PRIMARY KEY,
    published INTEGER NOT NULL,
    sql       TEXT NOT NULL
);

CREATE TABLE navette_member(
    site          BLOB NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    sign_key      BLOB NOT NULL,
    curve_key     BLOB NOT NULL,
    recovery_key  BLOB NOT NULL,
    role          INTEGER NOT NULL,
    endpoints     TEXT NOT NULL,
    not_before_ms INTEGER NOT NULL,
    not_after_ms  INTEGER NOT NULL,
    certified     INTEGER NOT NULL
);

CREATE TABLE navette_invitation(
    number      INTEGER PRIMARY KEY,
    secret_hash BLOB NOT NULL,
    name        TEXT NOT NULL,
    role        INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL,
    used_by     BLOB
);

-- A person's word on a conflict: the next put of the field covers all siblings.
CREATE TABLE navette_intent(
    number INTEGER PRIMARY KEY,
    tbl    INTEGER NOT NULL,
    key    BLOB NOT NULL,
    field  INTEGER,
    at_ms  INTEGER NOT NULL
);

-- What two sites wrote without knowing of each other, and nobody has answered yet.
CREATE TABLE navette_conflict(
    table_name TEXT NOT NULL,
    key_text   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    field      TEXT,
    choice     INTEGER NOT NULL,
    value,
    site       TEXT NOT NULL,
    time_ms    INTEGER NOT NULL,
    shown      INTEGER NOT NULL,
    tbl        INTEGER NOT NULL,
    key        BLOB NOT NULL
);
CREATE INDEX navette_conflict_record ON navette_conflict(tbl, key);

-- Values that no row can hold, and rows that cannot be sealed: kept, never dropped in silence.
CREATE TABLE navette_quarantine(
    tbl      INTEGER NOT NULL,
    key      BLOB NOT NULL,
    field    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    value,
    count    INTEGER NOT NULL DEFAULT 1,
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL,
    PRIMARY KEY (tbl, key, field, reason, value)
);

-- Rows that were found gone without a DELETE: a tool may be rebuilding the table, so no delete is made of them.
CREATE TABLE navette_missing(
    tbl     INTEGER NOT NULL,
    key     BLOB NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (tbl, key)
) WITHOUT ROWID;

-- Bodies that we lack and that no redaction names.
CREATE TABLE navette_owed(
    changeset INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    PRIMARY KEY (changeset, place)
) WITHOUT ROWID;

-- Ops that an applied redaction names: their bodies are gone, or go as soon as they come.
CREATE TABLE navette_redaction(
    log   INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (log, seq, place)
) WITHOUT ROWID;

-- Proof that a log has two histories: a header that stands where another one does.
CREATE TABLE navette_fork(
    log       INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    header    BLOB NOT NULL,
    signature BLOB NOT NULL,
    seen_ms   INTEGER NOT NULL,
    PRIMARY KEY (log, seq, hash)
);

CREATE TABLE navette_refusal(
    reason  TEXT NOT NULL,
    site    BLOB NOT NULL,
    count   INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (reason, site)
);

CREATE TABLE navette_peer(
    site             BLOB NOT NULL PRIMARY KEY,
    connected        INTEGER NOT NULL,
    since_ms         INTEGER NOT NULL,
    last_heard_ms    INTEGER NOT NULL,
    behind           INTEGER NOT NULL,
    behind_since_ms  INTEGER NOT NULL,
    ahead            INTEGER NOT NULL,
    last_error       TEXT NOT NULL
);
