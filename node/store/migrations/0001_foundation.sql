-- Peers, actors and their keys, members, the audit chain.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE peers (
  peer_id BIGINT PRIMARY KEY,
  host TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  fingerprint TEXT,
  is_pinned SMALLINT NOT NULL,
  instance_uri TEXT,
  software_name TEXT,
  software_version TEXT,
  policy_json TEXT NOT NULL,
  agreement_version BIGINT,
  last_received_at BIGINT,
  last_delivered_at BIGINT,
  error_code TEXT,
  error_sentence TEXT,
  error_since_at BIGINT,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);

CREATE TABLE actors (
  actor_id BIGINT PRIMARY KEY,
  uri TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  handle TEXT NOT NULL,
  host TEXT NOT NULL,
  is_local SMALLINT NOT NULL,
  -- the host through which alone we know this actor; NULL when we have its own document
  known_through TEXT,
  name TEXT NOT NULL,
  summary TEXT NOT NULL,
  inbox_uri TEXT,
  document TEXT NOT NULL,
  fetched_at BIGINT,
  created_at BIGINT NOT NULL,
  version BIGINT NOT NULL
);
CREATE INDEX actors_by_address ON actors (host, handle);

CREATE TABLE actor_keys (
  key_id TEXT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  algorithm TEXT NOT NULL,
  public_key TEXT NOT NULL,
  sealed_private TEXT,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);
CREATE INDEX actor_keys_by_actor ON actor_keys (actor_id);

CREATE TABLE members (
  actor_id BIGINT PRIMARY KEY REFERENCES actors (actor_id),
  handle TEXT NOT NULL UNIQUE,
  password_hash TEXT,
  role TEXT NOT NULL,
  class TEXT NOT NULL,
  assurance TEXT NOT NULL,
  state TEXT NOT NULL,
  is_searchable SMALLINT NOT NULL,
  notice TEXT,
  created_at BIGINT NOT NULL,
  last_seen_at BIGINT,
  version BIGINT NOT NULL
);

-- A node that one of our members wrote to may look up that member.
CREATE TABLE acquaintances (
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  peer_id BIGINT NOT NULL REFERENCES peers (peer_id),
  PRIMARY KEY (actor_id, peer_id)
);

CREATE TABLE api_tokens (
  token_hash TEXT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT
);

CREATE TABLE one_time_links (
  token_hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  actor_id BIGINT,
  detail_json TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE TABLE idempotency (
  owner TEXT NOT NULL,
  request_key TEXT NOT NULL,
  result TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (owner, request_key)
);

CREATE TABLE audit (
  n BIGINT PRIMARY KEY,
  written_at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  reason TEXT,
  hash TEXT NOT NULL
);
CREATE TABLE audit_head (one BIGINT PRIMARY KEY, n BIGINT NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_head (one, n, hash) VALUES (1, 0, '');
