-- What operators tell everybody on this node. A maintenance also says that the node is away; text may then be empty.
CREATE TABLE announcements (
  announcement_id BIGINT PRIMARY KEY,
  text TEXT NOT NULL,
  from_at BIGINT NOT NULL,
  -- when it ends by itself; NULL until somebody ends it
  until_at BIGINT,
  is_maintenance SMALLINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- When the certificate ends that the peer showed last; NULL where none was seen.
ALTER TABLE peers ADD COLUMN certificate_ends_at BIGINT;

-- When somebody last looked at a picture, to the day; state 'let_go': its file went to make room, and is fetched again.
ALTER TABLE media ADD COLUMN used_at BIGINT;
