-- Yes-words of a host's staff that cannot take effect yet: to a node where two people must agree, to a person whose node
-- is not admitted yet.
CREATE TABLE assents (
  group_id BIGINT NOT NULL REFERENCES groups (group_id),
  -- the host of a node, or the id of a person
  subject TEXT NOT NULL,
  voter TEXT NOT NULL,
  given_at BIGINT NOT NULL,
  PRIMARY KEY (group_id, subject, voter)
);

-- What a group that we host tells those who may ask to join it.
CREATE TABLE group_papers (
  group_id BIGINT PRIMARY KEY REFERENCES groups (group_id),
  rules TEXT NOT NULL,
  -- asked of those who want to come in, one a line
  questions TEXT NOT NULL
);
