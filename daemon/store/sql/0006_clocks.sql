-- How far the peer's clock is from this site's, where that is far: its less ours, in whole minutes.
ALTER TABLE navette_peer ADD COLUMN clock_off_ms INTEGER NOT NULL DEFAULT 0;
