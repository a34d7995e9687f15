-- What pages need: who is signed in where, how a member reads, and what they have begun to write.
CREATE TABLE sessions (
  session_id BIGINT PRIMARY KEY,
  -- SHA-256 of the cookie
  session_hash TEXT NOT NULL UNIQUE,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- the browser, as it calls itself, shortened
  agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_actor ON sessions (actor_id);

CREATE TABLE preferences (
  actor_id BIGINT PRIMARY KEY REFERENCES members (actor_id),
  language TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  date_style TEXT NOT NULL
);

-- How far a member has read a thread; one row for all their devices.
CREATE TABLE read_positions (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  root_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  -- the newest post they have seen in it
  post_id BIGINT NOT NULL,
  read_at BIGINT NOT NULL,
  PRIMARY KEY (actor_id, root_id)
);
CREATE INDEX read_positions_by_group ON read_positions (group_id);

-- Everything up to this post of a group is read, whatever the threads say: it keeps catch-up short.
CREATE TABLE read_marks (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  group_id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  PRIMARY KEY (actor_id, group_id)
);
CREATE INDEX read_marks_by_group ON read_marks (group_id);

-- What a member has begun to write: one for each group's new topic, one for each post they are answering.
CREATE TABLE drafts (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  group_id BIGINT NOT NULL,
  -- 0 for a new topic
  parent_id BIGINT NOT NULL,
  title TEXT NOT NULL,
  warning TEXT NOT NULL,
  text TEXT NOT NULL,
  saved_at BIGINT NOT NULL,
  PRIMARY KEY (actor_id, group_id, parent_id)
);
CREATE INDEX drafts_by_group ON drafts (group_id);

-- What a list of threads needs, so that it walks an index: the newest post of each, and how many there are.
CREATE TABLE threads (
  root_id BIGINT PRIMARY KEY,
  group_id BIGINT NOT NULL,
  newest_id BIGINT NOT NULL,
  posts BIGINT NOT NULL
);
CREATE INDEX threads_by_group ON threads (group_id, newest_id);
INSERT INTO threads (root_id, group_id, newest_id, posts)
  SELECT root_id, group_id, MAX(post_id), COUNT(*) FROM posts
  WHERE audience = 'group' AND group_id IS NOT NULL AND seq IS NOT NULL GROUP BY root_id, group_id;

-- The last part of a post's page here: that of its id where it is one of ours, else a hash.
ALTER TABLE posts ADD COLUMN token TEXT;
UPDATE posts SET token = substr(uri, length(uri) - 25);
CREATE INDEX posts_by_token ON posts (token);
CREATE INDEX mentions_by_actor ON mentions (actor_uri, post_id);
CREATE INDEX posts_pinned ON posts (group_id) WHERE is_pinned = 1;
