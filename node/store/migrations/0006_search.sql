-- Search. The index itself is a file for each database, beside this one; the words are put in by the program.
-- Posts of a group stand in shards of 1,024 by their number in its log; a search walks shards, the newest first.
CREATE TABLE search_shards (
  group_id BIGINT NOT NULL,
  shard BIGINT NOT NULL,
  -- no post of the shard that can be found has a smaller or larger number, or was published earlier or later
  oldest_id BIGINT NOT NULL,
  newest_id BIGINT NOT NULL,
  earliest_at BIGINT NOT NULL,
  latest_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, shard)
);

-- The words of people's names and of groups' titles. head: their first three letters.
CREATE TABLE search_names (
  actor_id BIGINT NOT NULL,
  word TEXT NOT NULL,
  head TEXT NOT NULL,
  PRIMARY KEY (actor_id, word)
);
CREATE INDEX search_names_by_head ON search_names (head);

-- How far the posts and the names that were here before have come into the index; no row once all have.
INSERT INTO settings (name, value) VALUES ('search_filled_up_to', '0');
INSERT INTO settings (name, value) VALUES ('search_named_up_to', '0');
