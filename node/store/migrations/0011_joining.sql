-- Joining: what somebody practises, members who invite colleagues, and colleagues who vouch for somebody they met.
-- What an applicant says they practise: a name of `domain/specialties.py`, or their own words; empty where they say nothing.
ALTER TABLE applications ADD COLUMN specialty TEXT;
UPDATE applications SET specialty = '';
-- Whether they want it on their profile.
ALTER TABLE applications ADD COLUMN is_shown SMALLINT;
UPDATE applications SET is_shown = 0;

-- The same of members, since their application was decided.
CREATE TABLE specialties (
  actor_id BIGINT PRIMARY KEY REFERENCES members (actor_id),
  specialty TEXT NOT NULL,
  is_shown SMALLINT NOT NULL
);

-- Invitations of members to this node. That one has lapsed follows from expires_at.
CREATE TABLE invitations (
  invitation_id BIGINT PRIMARY KEY,
  inviter_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- of the link; the link itself is not kept
  token_hash TEXT NOT NULL UNIQUE,
  -- open, used or withdrawn
  state TEXT NOT NULL,
  -- for whom it is, for the inviter's eyes alone; empty once it is used, withdrawn or lapsed
  note TEXT NOT NULL,
  used_by BIGINT REFERENCES members (actor_id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE INDEX invitations_by_inviter ON invitations (inviter_id, invitation_id);
CREATE INDEX invitations_by_user ON invitations (used_by) WHERE used_by IS NOT NULL;

-- The code that an applicant shows to one colleague, for a quarter of an hour; the next takes its place.
CREATE TABLE vouch_codes (
  application_id BIGINT PRIMARY KEY REFERENCES applications (application_id),
  token_hash TEXT NOT NULL UNIQUE,
  -- of the four words, which are typed where there is no camera
  words_hash TEXT NOT NULL UNIQUE,
  expires_at BIGINT NOT NULL
);

-- I know this person as a physician, I met them today.
CREATE TABLE vouches (
  vouch_id BIGINT PRIMARY KEY,
  application_id BIGINT NOT NULL REFERENCES applications (application_id),
  voucher_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- the voucher's own level at that moment
  level TEXT NOT NULL,
  given_at BIGINT NOT NULL,
  withdrawn_at BIGINT
);
CREATE UNIQUE INDEX vouches_once ON vouches (application_id, voucher_id) WHERE withdrawn_at IS NULL;
CREATE INDEX vouches_by_voucher ON vouches (voucher_id, given_at);
