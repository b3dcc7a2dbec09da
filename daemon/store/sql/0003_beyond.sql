-- Changesets that are valid and do not count, and what builds on them: held beside the logs, in no Has, served to nobody,
-- never merged. They join their logs once somebody's word comes. A log may have several histories here, so the hash is
-- part of the place. Each of them builds on what is held.
CREATE TABLE navette_beyond(
    number     INTEGER PRIMARY KEY,
    log        INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    header     BLOB NOT NULL,
    signature  BLOB NOT NULL,
    compressed INTEGER NOT NULL,
    body       BLOB NOT NULL
);
CREATE UNIQUE INDEX navette_beyond_place ON navette_beyond(log, seq, hash);
