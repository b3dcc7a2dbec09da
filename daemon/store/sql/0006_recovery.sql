-- The member whose place an invitation gives to whoever has that one's recovery key; NULL: it is for a new site.
ALTER TABLE navette_invitation ADD COLUMN recovers BLOB;

-- Content keys that this site's recovery key opened when it joined again, by their ids, sealed to the key that it has now. Each is
-- here until a grant of this site's own gives it.
CREATE TABLE navette_recovered(
    key_id BLOB NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) WITHOUT ROWID;
