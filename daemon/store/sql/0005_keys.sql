-- Grants of content keys, by the key that they give: the one that the changeset `number` of a log introduces. The grant itself
-- stands at `place` of a changeset, and `introduces` the key where that is the same one. `opens`: whether it gave this site the
-- key: 0 no, 1 by its own key, 2 by its recovery key; NULL: that was not tried, for want of keys. `sealed`: what the grant has
-- for this site. `readers`, in a grant of this site's own: a hash of whom it gave the key to.
CREATE TABLE navette_grant(
    log        INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    changeset  INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    introduces INTEGER NOT NULL,
    key_id     BLOB NOT NULL,
    opens      INTEGER,
    sealed     BLOB,
    readers    BLOB,
    PRIMARY KEY (log, number, changeset, place)
) WITHOUT ROWID;

-- Changesets that were merged around sealed ops whose key was lacking: the one that `number` of their log introduces. Once it is
-- there their records are derived anew, from the place `next` on.
CREATE TABLE navette_keyless(
    changeset INTEGER NOT NULL,
    log       INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    next      INTEGER NOT NULL,
    PRIMARY KEY (changeset, number)
) WITHOUT ROWID;

-- Whom this site asked last for a content key that it lacks, and how long before somebody else is asked.
CREATE TABLE navette_ask(
    log     INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    of      BLOB NOT NULL,
    at_ms   INTEGER NOT NULL,
    wait_ms INTEGER NOT NULL,
    PRIMARY KEY (log, number)
) WITHOUT ROWID;

-- Sites that are to get a content key from this one: they asked for it, or were let read. `given`: the X25519 key that it was
-- sealed to; whoever asks again with that one has it already.
CREATE TABLE navette_asked(
    log    INTEGER NOT NULL,
    number INTEGER NOT NULL,
    site   BLOB NOT NULL,
    given  BLOB,
    PRIMARY KEY (log, number, site)
) WITHOUT ROWID;
