-- How far the peer's clock is from this site's, where that is far: its less ours, in whole minutes.
ALTER TABLE navette_peer ADD COLUMN clock_off_ms INTEGER NOT NULL DEFAULT 0;

-- What waits for a person's answer. A record that is on its way stands in two scopes for a while, and needs none.
CREATE VIEW navette_open_conflict AS
SELECT * FROM navette_conflict AS c
WHERE NOT (kind = 'scopes' AND EXISTS (SELECT 1 FROM navette_moved AS m WHERE m.tbl = c.tbl AND m.key = c.key));
