-- Several processes over one database. A lease belongs to a session of the database, and counts up a fence whenever it is given.
ALTER TABLE lanes ADD COLUMN lease_owner TEXT;
ALTER TABLE lanes ADD COLUMN lease_fence BIGINT;
ALTER TABLE lanes ADD COLUMN leased_until_at BIGINT;

-- work that one process does for all
CREATE TABLE duties (
  name TEXT PRIMARY KEY,
  lease_owner TEXT,
  lease_fence BIGINT NOT NULL,
  leased_until_at BIGINT NOT NULL
);

-- how often something changed that processes keep in memory
CREATE TABLE changes (
  topic TEXT PRIMARY KEY,
  n BIGINT NOT NULL
);

-- nodes that may hold more of a group's log than we, on their way to the process that asks them
CREATE TABLE doubts (
  group_id BIGINT NOT NULL,
  peer_id BIGINT NOT NULL,
  chain TEXT NOT NULL,
  PRIMARY KEY (group_id, peer_id)
);
