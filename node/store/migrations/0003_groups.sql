-- Groups, who is in them, their log, and the posts it amounts to.
CREATE TABLE groups (
  group_id BIGINT PRIMARY KEY REFERENCES actors (actor_id),
  -- NULL when we host it
  peer_id BIGINT,
  -- the group whose staff this one is
  staff_of BIGINT,
  title TEXT NOT NULL,
  policy TEXT NOT NULL,
  is_hidden SMALLINT NOT NULL,
  history TEXT NOT NULL,
  new_node_approvals BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  base_seq BIGINT NOT NULL,
  base_chain TEXT NOT NULL,
  head_seq BIGINT NOT NULL,
  head_chain TEXT NOT NULL,
  -- how far the log has become posts
  applied_seq BIGINT NOT NULL,
  apply_tries BIGINT NOT NULL,
  apply_due_at BIGINT NOT NULL,
  -- when to ask the host for what we lack; NULL when we lack nothing
  pull_due_at BIGINT,
  newest_post_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX groups_by_staff ON groups (staff_of) WHERE staff_of IS NOT NULL;
CREATE INDEX groups_to_pull ON groups (pull_due_at) WHERE pull_due_at IS NOT NULL;
CREATE INDEX groups_unapplied ON groups (group_id) WHERE applied_seq < head_seq;

CREATE TABLE memberships (
  group_id BIGINT NOT NULL REFERENCES groups (group_id),
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- the Follow or Invite this rests on
  request_uri TEXT,
  request_document TEXT,
  joined_seq BIGINT,
  -- entries above this number may be read by this member
  visible_after BIGINT NOT NULL,
  requested_at BIGINT NOT NULL,
  joined_at BIGINT,
  decided_by TEXT,
  decided_at BIGINT,
  PRIMARY KEY (group_id, actor_id)
);
CREATE INDEX memberships_by_actor ON memberships (actor_id, state);

CREATE TABLE admissions (
  group_id BIGINT NOT NULL REFERENCES groups (group_id),
  peer_id BIGINT NOT NULL REFERENCES peers (peer_id),
  decided_by TEXT NOT NULL,
  because_of TEXT NOT NULL,
  admitted_at BIGINT NOT NULL,
  base_seq BIGINT NOT NULL,
  PRIMARY KEY (group_id, peer_id)
);

-- Who can read this: the nodes named by the newest `readers` entry.
CREATE TABLE readers (
  group_id BIGINT NOT NULL,
  host TEXT NOT NULL,
  name TEXT NOT NULL,
  operator TEXT NOT NULL,
  members BIGINT NOT NULL,
  PRIMARY KEY (group_id, host)
);

CREATE TABLE log_entries (
  group_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  kind TEXT NOT NULL,
  activity_uri TEXT NOT NULL,
  actor_uri TEXT NOT NULL,
  prev TEXT NOT NULL,
  chain TEXT NOT NULL,
  commit_hash TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  proof TEXT NOT NULL,
  -- NULL once erased
  salt TEXT,
  document TEXT NOT NULL,
  media_json TEXT,
  appended_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, seq)
);
CREATE UNIQUE INDEX log_entries_by_activity ON log_entries (activity_uri, group_id);

CREATE TABLE author_cards (
  group_id BIGINT NOT NULL,
  actor_uri TEXT NOT NULL,
  seq BIGINT NOT NULL,
  document TEXT NOT NULL,
  key_id TEXT,
  public_key TEXT,
  PRIMARY KEY (group_id, actor_uri, seq)
);

CREATE TABLE posts (
  post_id BIGINT PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  audience TEXT NOT NULL,
  group_id BIGINT,
  author_id BIGINT NOT NULL REFERENCES actors (actor_id),
  parent_id BIGINT,
  root_id BIGINT NOT NULL,
  in_reply_to TEXT,
  seq BIGINT,
  state TEXT NOT NULL,
  title TEXT NOT NULL,
  warning TEXT NOT NULL,
  source TEXT NOT NULL,
  html TEXT NOT NULL,
  document TEXT NOT NULL,
  -- the activity that carried the present text
  activity_uri TEXT NOT NULL,
  reason TEXT,
  is_pinned SMALLINT NOT NULL,
  is_locked SMALLINT NOT NULL,
  published_at BIGINT NOT NULL,
  edited_at BIGINT,
  version BIGINT NOT NULL
);
CREATE INDEX posts_by_group ON posts (group_id, post_id);
CREATE INDEX posts_by_group_seq ON posts (group_id, seq);
CREATE INDEX posts_by_group_topic ON posts (group_id, post_id) WHERE parent_id IS NULL;
CREATE INDEX posts_by_root ON posts (root_id, post_id);
CREATE INDEX posts_by_parent ON posts (parent_id);
CREATE INDEX posts_by_author ON posts (author_id, post_id);

CREATE TABLE post_versions (
  post_id BIGINT NOT NULL,
  number BIGINT NOT NULL,
  activity_uri TEXT NOT NULL,
  title TEXT NOT NULL,
  warning TEXT NOT NULL,
  source TEXT NOT NULL,
  html TEXT NOT NULL,
  written_at BIGINT NOT NULL,
  PRIMARY KEY (post_id, number)
);

-- The named people of a private message, its author among them.
CREATE TABLE post_people (
  post_id BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  PRIMARY KEY (post_id, actor_id)
);
CREATE INDEX post_people_by_actor ON post_people (actor_id, post_id);

CREATE TABLE mentions (
  post_id BIGINT NOT NULL,
  actor_uri TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (post_id, actor_uri)
);

-- Our members' activities in groups hosted elsewhere, until they come back in the host's order.
CREATE TABLE submissions (
  activity_uri TEXT PRIMARY KEY,
  group_id BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  post_id BIGINT,
  kind TEXT NOT NULL,
  document TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  submitted_at BIGINT NOT NULL,
  answered_at BIGINT,
  resend_at BIGINT NOT NULL
);
CREATE INDEX submissions_waiting ON submissions (resend_at) WHERE state = 'waiting';
CREATE INDEX submissions_by_group ON submissions (group_id, actor_id);
