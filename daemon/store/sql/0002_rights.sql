-- Rights by position. Each holds from one seq of the authority log (begins) up to another one (ends, not included; NULL
-- while it goes on). Both are the same where one changeset gave the right and took it again: it never held.

-- The keys and the role of a site: one row for as long as none of them changed.
CREATE TABLE navette_membership(
    number    INTEGER PRIMARY KEY,
    site      BLOB NOT NULL,
    begins    INTEGER NOT NULL,
    ends      INTEGER,
    sign_key  BLOB NOT NULL,
    curve_key BLOB NOT NULL,
    role      INTEGER NOT NULL,
    reader    INTEGER NOT NULL
);
INSERT INTO navette_membership(site, begins, sign_key, curve_key, role, reader)
    SELECT site, certified, sign_key, curve_key, role, 0 FROM navette_member;

-- Where `ends` is set, the site is no member any more; its name is kept.
ALTER TABLE navette_member ADD COLUMN reader INTEGER NOT NULL DEFAULT 0;
ALTER TABLE navette_member ADD COLUMN ends INTEGER;

CREATE TABLE navette_group(
    scope BLOB NOT NULL PRIMARY KEY,
    name  TEXT NOT NULL,
    made  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE navette_readership(
    number INTEGER PRIMARY KEY,
    scope  BLOB NOT NULL,
    site   BLOB NOT NULL,
    begins INTEGER NOT NULL,
    ends   INTEGER
);

-- What was taken away from a site: `taking` counts the ops that did it, `taken_at` is the position of each. One row, of
-- seq 0, says in which scope (zeros: in every one); further ones are the heads of the site's logs that the op names.
CREATE TABLE navette_cut(
    taking   INTEGER NOT NULL,
    taken_at INTEGER NOT NULL,
    site     BLOB NOT NULL,
    scope    BLOB NOT NULL,
    epoch    INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    pin      BLOB NOT NULL,
    PRIMARY KEY (taking, scope, epoch, seq)
) WITHOUT ROWID;
