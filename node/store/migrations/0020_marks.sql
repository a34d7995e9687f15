-- What members keep for themselves, and whom they keep at a distance. A bookmark, a mute and a block never leave the node and
-- are told to nobody; thanks are told to the author alone, and counted nowhere.
CREATE TABLE bookmarks (
  bookmark_id BIGINT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  post_id BIGINT NOT NULL
);
CREATE UNIQUE INDEX bookmarks_once ON bookmarks (actor_id, post_id);
CREATE INDEX bookmarks_by_actor ON bookmarks (actor_id, bookmark_id);
CREATE INDEX bookmarks_by_post ON bookmarks (post_id);

CREATE TABLE thanks (
  thanks_id BIGINT PRIMARY KEY,
  -- who thanks, and who wrote the post; one of them at least is a member of ours
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  author_id BIGINT NOT NULL REFERENCES actors (actor_id),
  post_id BIGINT NOT NULL,
  -- of the Like
  activity_uri TEXT NOT NULL,
  given_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX thanks_once ON thanks (actor_id, post_id);
CREATE INDEX thanks_by_actor ON thanks (actor_id, thanks_id);
CREATE INDEX thanks_by_author ON thanks (author_id, thanks_id);
CREATE INDEX thanks_by_post ON thanks (post_id, thanks_id);

CREATE TABLE mutes (
  mute_id BIGINT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  target_id BIGINT NOT NULL REFERENCES actors (actor_id),
  -- 1: what they write makes no notices either
  is_for_notices SMALLINT NOT NULL,
  -- when it ends by itself; NULL until somebody ends it
  until_at BIGINT
);
CREATE UNIQUE INDEX mutes_once ON mutes (actor_id, target_id);
CREATE INDEX mutes_by_actor ON mutes (actor_id, mute_id);
CREATE INDEX mutes_by_end ON mutes (until_at) WHERE until_at IS NOT NULL;

CREATE TABLE blocks (
  block_id BIGINT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  target_id BIGINT NOT NULL REFERENCES actors (actor_id)
);
CREATE UNIQUE INDEX blocks_once ON blocks (actor_id, target_id);
CREATE INDEX blocks_by_actor ON blocks (actor_id, block_id);
-- whoever is blocked sees nothing of the other in lists either
CREATE INDEX blocks_by_target ON blocks (target_id, actor_id);
