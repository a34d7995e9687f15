-- Every act that no restore may undo, numbered in the order of their commits, besides the file outside the database: a file
-- with an act that is not here is younger than this database, which was put back.
CREATE TABLE journal_acts (
  n BIGINT PRIMARY KEY,
  scope TEXT NOT NULL,
  line TEXT NOT NULL
);
CREATE INDEX journal_acts_by_scope ON journal_acts (scope, n);

-- What an earlier release had on its way into the file is the newest of it. Whether the file was read in since.
INSERT INTO journal_acts (n, scope, line)
  SELECT s.lines - c.waiting + ROW_NUMBER() OVER (ORDER BY l.line), '', l.line
  FROM journal_lines l CROSS JOIN journal_state s CROSS JOIN (SELECT COUNT(*) AS waiting FROM journal_lines) c;
DROP TABLE journal_lines;
ALTER TABLE journal_state ADD COLUMN is_read_in SMALLINT;
UPDATE journal_state SET is_read_in = CASE WHEN lines = 0 THEN 1 ELSE 0 END;

-- What was deleted or removed in a group, also when that came before the post itself. seq: the entry that says so; none while
-- only the journal does, after a restore.
CREATE TABLE taken_back (
  group_id BIGINT NOT NULL,
  post_uri TEXT NOT NULL,
  seq BIGINT,
  PRIMARY KEY (group_id, post_uri)
);
INSERT INTO taken_back (group_id, post_uri, seq)
  SELECT group_id, uri, seq FROM posts WHERE group_id IS NOT NULL AND seq IS NOT NULL AND state IN ('withdrawn', 'removed');

-- Where a node stood when it had given us all it kept for us of a group hosted here.
ALTER TABLE admissions ADD COLUMN heard_chain TEXT;
