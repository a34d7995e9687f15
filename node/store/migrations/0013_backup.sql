-- Backups that were made and tried here, and restores that other nodes have to hear of.
CREATE TABLE backups (
  backup_id BIGINT PRIMARY KEY,
  -- the file's name, without its folder; empty where it went to whoever asked for it
  name TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  -- why there is none; empty when it is good
  problem TEXT NOT NULL,
  -- of when the copy in it is
  taken_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
);
CREATE INDEX backups_by_time ON backups (finished_at);

-- Drills: a backup was restored into an isolated folder and looked through.
CREATE TABLE drills (
  drill_id BIGINT PRIMARY KEY,
  is_good SMALLINT NOT NULL,
  taken_at BIGINT NOT NULL,
  drilled_at BIGINT NOT NULL
);
CREATE INDEX drills_by_time ON drills (drilled_at);

-- Which process makes the backups of the schedule: one at a time, until its time is over.
CREATE TABLE backup_lease (one BIGINT PRIMARY KEY, owner TEXT NOT NULL, lease_until_at BIGINT NOT NULL);
INSERT INTO backup_lease (one, owner, lease_until_at) VALUES (1, '', 0);

-- One row for each time this node was restored: what happened here between taken_at and restored_at, others may know.
CREATE TABLE recoveries (
  recovery_id BIGINT PRIMARY KEY,
  -- begun, asking the other nodes, done
  state TEXT NOT NULL,
  taken_at BIGINT NOT NULL,
  restored_at BIGINT NOT NULL
);
