-- What a member keeps for their own eyes: filters over what they read, notes about others, announcements put away.
CREATE TABLE filters (
  filter_id BIGINT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  title TEXT NOT NULL,
  -- a list of home, notifications, public, thread, account
  contexts_json TEXT NOT NULL,
  -- warn, hide or blur
  action TEXT NOT NULL,
  expires_at BIGINT,
  version BIGINT NOT NULL
);
CREATE INDEX filters_by_actor ON filters (actor_id, filter_id);

CREATE TABLE filter_keywords (
  keyword_id BIGINT PRIMARY KEY,
  filter_id BIGINT NOT NULL REFERENCES filters (filter_id),
  keyword TEXT NOT NULL,
  is_whole_word SMALLINT NOT NULL
);
CREATE INDEX filter_keywords_by_filter ON filter_keywords (filter_id);

-- By the post's id, which stays when its number changes.
CREATE TABLE filter_posts (
  mark_id BIGINT PRIMARY KEY,
  filter_id BIGINT NOT NULL REFERENCES filters (filter_id),
  post_uri TEXT NOT NULL
);
CREATE INDEX filter_posts_by_filter ON filter_posts (filter_id);

CREATE TABLE account_notes (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  about_id BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (actor_id, about_id)
);

CREATE TABLE announcements_put_away (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  announcement_id BIGINT NOT NULL REFERENCES announcements (announcement_id),
  PRIMARY KEY (actor_id, announcement_id)
);
