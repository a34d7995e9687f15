-- A poll is a post with answers to choose from. Its words go with the post's.
CREATE TABLE polls (
  post_id BIGINT PRIMARY KEY,
  group_id BIGINT NOT NULL,
  is_multiple SMALLINT NOT NULL,
  -- the result is told at the end only
  is_hidden SMALLINT NOT NULL,
  ends_at BIGINT NOT NULL,
  -- when the last count took its place, and the entry that says it
  closed_at BIGINT,
  closed_seq BIGINT,
  voters BIGINT NOT NULL,
  -- The rest is for the group's host: not before when the last count is made, how many counts were told and when last, in
  -- which epoch of the log, whether votes came since, and when it looks again; never for a poll that is counted elsewhere.
  final_at BIGINT NOT NULL,
  counts BIGINT NOT NULL,
  counted_at BIGINT NOT NULL,
  count_epoch BIGINT NOT NULL,
  is_stale SMALLINT NOT NULL,
  due_at BIGINT
);
CREATE INDEX polls_by_group ON polls (group_id);
CREATE INDEX polls_due ON polls (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE poll_answers (
  post_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  name TEXT NOT NULL,
  votes BIGINT NOT NULL,
  PRIMARY KEY (post_id, place)
);

-- At the host: every vote, until the last count; at a member's node: their own.
-- state: waiting for the host, counted, refused (why: reason), unknown where the host knows another one.
-- epoch: of the log, when the host counted it; one that the host may have lost is sent again in the next.
CREATE TABLE poll_votes (
  post_id BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT,
  vote_uri TEXT NOT NULL,
  activity_uri TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  voted_at BIGINT NOT NULL,
  PRIMARY KEY (post_id, actor_id, place)
);
CREATE INDEX poll_votes_by_activity ON poll_votes (activity_uri);

-- What a member has begun to ask, beside what they have begun to write.
ALTER TABLE drafts ADD COLUMN poll_json TEXT;
