-- How sure a node is of its members, what it says of that to others, and what others say of theirs.
CREATE TABLE verifications (
  actor_id BIGINT PRIMARY KEY REFERENCES members (actor_id),
  level TEXT NOT NULL,
  -- current, ended, suspended or revoked
  state TEXT NOT NULL,
  -- names with spaces between
  methods TEXT NOT NULL,
  jurisdiction TEXT NOT NULL,
  -- the register and the last two characters of the number; never the number
  register TEXT NOT NULL,
  number_end TEXT NOT NULL,
  -- a keyed hash of register and number, by which the same number given twice is found; needs keys/node.key
  number_mark TEXT NOT NULL,
  since_at BIGINT NOT NULL,
  checked_at BIGINT NOT NULL,
  lapses_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  decided_by TEXT NOT NULL
);
CREATE INDEX verifications_by_lapse ON verifications (lapses_at);
CREATE INDEX verifications_by_mark ON verifications (number_mark) WHERE number_mark <> '';

-- Whoever was let in with a level before there were verifications: the operator's own word.
INSERT INTO verifications (actor_id, level, state, methods, jurisdiction, register, number_end, number_mark, since_at,
   checked_at, lapses_at, changed_at, decided_by)
  SELECT actor_id, assurance, 'current', 'operator', '', '', '', '', created_at, created_at,
   created_at + CASE WHEN assurance = 'A2' THEN 2592000000000 ELSE 31536000000000 END, created_at, 'operator'
  FROM members WHERE assurance <> 'A0';

CREATE TABLE applications (
  application_id BIGINT PRIMARY KEY,
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- waiting, asked, verified, declined or withdrawn
  state TEXT NOT NULL,
  member_class TEXT NOT NULL,
  jurisdiction TEXT NOT NULL,
  register TEXT NOT NULL,
  number_end TEXT NOT NULL,
  number_mark TEXT NOT NULL,
  possession TEXT NOT NULL,
  -- the number and the applicant's words, sealed with keys/node.key; NULL once forgotten
  sealed_evidence TEXT,
  -- the verifiers' own words, sealed likewise
  sealed_note TEXT,
  -- what the applicant is told: what more is asked for, or why it was declined
  answer TEXT NOT NULL,
  is_appeal SMALLINT NOT NULL,
  decided_by TEXT,
  applied_at BIGINT NOT NULL,
  decided_at BIGINT,
  -- when evidence and note are forgotten
  forget_at BIGINT
);
CREATE INDEX applications_by_actor ON applications (actor_id, application_id);
CREATE UNIQUE INDEX applications_open ON applications (actor_id) WHERE state IN ('waiting', 'asked');
CREATE INDEX applications_by_mark ON applications (number_mark) WHERE number_mark <> '';
CREATE INDEX applications_to_forget ON applications (forget_at) WHERE forget_at IS NOT NULL;

-- What is said of somebody's verification: by their own node ('' in through_host), or as the host of a group passes it on.
CREATE TABLE attestations (
  actor_id BIGINT NOT NULL REFERENCES actors (actor_id),
  through_host TEXT NOT NULL,
  -- current, ended, suspended, revoked; refused when it cannot be believed, and why
  state TEXT NOT NULL,
  problem TEXT NOT NULL,
  level TEXT NOT NULL,
  stage TEXT NOT NULL,
  methods TEXT NOT NULL,
  jurisdictions TEXT NOT NULL,
  -- months, such as 2026-12
  since TEXT NOT NULL,
  checked TEXT NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (actor_id, through_host)
);

-- The keys by which this node attests; apart from those of its actors, which sign what it sends.
CREATE TABLE attestation_keys (
  key_id TEXT PRIMARY KEY,
  public_key TEXT NOT NULL,
  sealed_private TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- The least assurance that members of a group need.
ALTER TABLE groups ADD COLUMN required_assurance TEXT;
UPDATE groups SET required_assurance = 'A0';
