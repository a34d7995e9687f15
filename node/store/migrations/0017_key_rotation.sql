-- Keys that change: until when an old one stands beside the new, and up to which entry of its log a leaked one counts.
ALTER TABLE actor_keys ADD COLUMN last_seq BIGINT;

-- Of a key that attests; NULL for the only one there was.
ALTER TABLE attestation_keys ADD COLUMN state TEXT;
ALTER TABLE attestation_keys ADD COLUMN expires_at BIGINT;

-- The word of each key of this node about the one that came after it, signed by the former.
CREATE TABLE key_successions (
  key_id TEXT PRIMARY KEY,
  document TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Where in a peer's control stream it is told of a new key.
CREATE TABLE key_tellings (
  key_id TEXT NOT NULL,
  peer_id BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (key_id, peer_id)
);
