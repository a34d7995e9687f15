-- What arrives, what waits to be sent, and how far each peer has it.
CREATE TABLE activities (
  activity_id BIGINT PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  peer_id BIGINT NOT NULL,
  actor_uri TEXT NOT NULL,
  type TEXT NOT NULL,
  digest TEXT NOT NULL,
  -- as received; emptied once its effect is kept elsewhere
  document TEXT NOT NULL,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  reason TEXT,
  received_at BIGINT NOT NULL
);
CREATE INDEX activities_waiting ON activities (activity_id) WHERE state = 'waiting';
CREATE INDEX activities_dead ON activities (activity_id) WHERE state = 'dead';

CREATE TABLE stream_heads (
  peer_id BIGINT NOT NULL,
  stream TEXT NOT NULL,
  head BIGINT NOT NULL,
  PRIMARY KEY (peer_id, stream)
);

CREATE TABLE stream_entries (
  peer_id BIGINT NOT NULL,
  stream TEXT NOT NULL,
  position BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  activity_uri TEXT NOT NULL,
  inbox_uri TEXT NOT NULL,
  document TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (peer_id, stream, position)
);

CREATE INDEX stream_entries_by_activity ON stream_entries (activity_uri);

-- stream is 'control', 'direct' or the id of a group hosted here
CREATE TABLE lanes (
  peer_id BIGINT NOT NULL,
  stream TEXT NOT NULL,
  group_id BIGINT,
  cursor BIGINT NOT NULL,
  state TEXT NOT NULL,
  fails BIGINT NOT NULL,
  item_tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  last_success_at BIGINT,
  error_code TEXT,
  error_status BIGINT,
  error_sentence TEXT,
  error_since_at BIGINT,
  PRIMARY KEY (peer_id, stream)
);

CREATE TABLE dead_letters (
  dead_id BIGINT PRIMARY KEY,
  peer_id BIGINT NOT NULL,
  stream TEXT NOT NULL,
  actor_id BIGINT NOT NULL,
  activity_uri TEXT NOT NULL,
  inbox_uri TEXT NOT NULL,
  document TEXT NOT NULL,
  reason TEXT NOT NULL,
  tries BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE media (
  token TEXT PRIMARY KEY,
  post_id BIGINT,
  group_id BIGINT,
  owner_id BIGINT,
  sha256 TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  width BIGINT NOT NULL,
  height BIGINT NOT NULL,
  alt TEXT NOT NULL,
  source_uri TEXT,
  state TEXT NOT NULL,
  tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX media_by_post ON media (post_id);
CREATE INDEX media_by_source ON media (source_uri) WHERE source_uri IS NOT NULL;
CREATE INDEX media_by_hash ON media (sha256);
CREATE INDEX media_wanted ON media (due_at) WHERE state = 'wanted';
