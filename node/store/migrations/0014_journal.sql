-- What no restore may undo, on its way into the file that lies outside the database.
CREATE TABLE journal_lines (
  line_id TEXT PRIMARY KEY,
  line TEXT NOT NULL
);

-- How many acts were ever noted: a file with more lines than that is younger than this database, which was put back.
CREATE TABLE journal_state (one BIGINT PRIMARY KEY, lines BIGINT NOT NULL);
INSERT INTO journal_state (one, lines) VALUES (1, 0);

-- Since when a group that we host asks its members' nodes for what a restore has lost, and the epoch that begins then.
ALTER TABLE groups ADD COLUMN recovering_at BIGINT;
ALTER TABLE groups ADD COLUMN next_epoch BIGINT;

-- Entries outside their log, by their chain: what a copy took back because its host counts anew, kept for the host; and
-- what nodes gave back to a host, until it is adopted or said anew.
CREATE TABLE orphans (
  group_id BIGINT NOT NULL,
  chain TEXT NOT NULL,
  activity_uri TEXT NOT NULL,
  seq BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  document TEXT NOT NULL,
  asks BIGINT NOT NULL,
  kept_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, chain)
);
CREATE INDEX orphans_by_activity ON orphans (group_id, activity_uri);
