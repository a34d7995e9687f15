-- What staff make of a thread: the part of another that became a topic of its own, and the post that sums it up.
-- a title that staff gave; the first post keeps its author's words
ALTER TABLE threads ADD COLUMN title TEXT;
-- the thread it was part of, and who made it one of its own
ALTER TABLE threads ADD COLUMN from_root_id BIGINT;
ALTER TABLE threads ADD COLUMN split_by_id BIGINT;
ALTER TABLE threads ADD COLUMN summary_id BIGINT;
CREATE INDEX threads_by_origin ON threads (from_root_id, root_id);

-- The number a post had while it waited for its group's host, where it got another with its place: apps may know it by that.
ALTER TABLE posts ADD COLUMN earlier_id BIGINT;
CREATE INDEX posts_by_earlier ON posts (earlier_id) WHERE earlier_id IS NOT NULL;
