-- Operators who confirmed a peer's key, where two of them are asked for. A yes-word for one key is none for another.
CREATE TABLE peer_assents (
  peer_id BIGINT NOT NULL REFERENCES peers (peer_id),
  fingerprint TEXT NOT NULL,
  officer_id BIGINT NOT NULL REFERENCES members (actor_id),
  given_at BIGINT NOT NULL,
  PRIMARY KEY (peer_id, fingerprint, officer_id)
);

-- The last test object that a peer laid here to see whether we erase it: one row a peer, however often it tests.
CREATE TABLE probes (
  peer_id BIGINT PRIMARY KEY REFERENCES peers (peer_id),
  uri TEXT NOT NULL,
  -- NULL once it was erased
  text TEXT
);

-- The list of nodes that several operators share, as it was imported last. Being on it makes nobody a peer.
CREATE TABLE shared_list (
  host TEXT PRIMARY KEY,
  -- hex or words as the list gives them; empty where it gives none
  fingerprint TEXT NOT NULL,
  listed_at BIGINT NOT NULL,
  -- when a later list did not name it any more; NULL while it does
  left_at BIGINT
);
