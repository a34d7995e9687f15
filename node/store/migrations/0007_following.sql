-- What a member wants to hear of: a level for each group, threads they follow or have muted. And the order of pictures.
CREATE TABLE group_levels (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  group_id BIGINT NOT NULL,
  -- all or quiet; a group without a row is at the level in between
  level TEXT NOT NULL,
  -- the group's newest post when it was chosen: what is older makes no notice
  since_id BIGINT NOT NULL,
  PRIMARY KEY (actor_id, group_id)
);
CREATE INDEX group_levels_by_group ON group_levels (group_id);

CREATE TABLE followed_threads (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  root_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  -- 1: muted instead
  is_muted SMALLINT NOT NULL,
  since_id BIGINT NOT NULL,
  PRIMARY KEY (actor_id, root_id)
);
CREATE INDEX followed_threads_by_group ON followed_threads (group_id);
CREATE INDEX followed_threads_by_root ON followed_threads (root_id);
INSERT INTO followed_threads (actor_id, root_id, group_id, is_muted, since_id)
  SELECT p.author_id, p.root_id, p.group_id, 0, MAX(p.post_id) FROM posts p JOIN members m ON m.actor_id = p.author_id
  WHERE p.audience = 'group' AND p.group_id IS NOT NULL AND p.state <> 'draft'
  GROUP BY p.author_id, p.root_id, p.group_id;

-- Which of a post's pictures it is, in the order in which its author put them.
ALTER TABLE media ADD COLUMN place BIGINT;
UPDATE media SET place = 0;
