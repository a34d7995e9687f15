-- What members are told, their private messages as conversations, and how far their apps have read.
CREATE TABLE notifications (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- one number for all who are told of the same thing
  notification_id BIGINT NOT NULL,
  -- named, answer, followed, new, message, thanks, poll, update, request or report
  kind TEXT NOT NULL,
  -- whose doing it is
  from_id BIGINT NOT NULL,
  post_id BIGINT,
  root_id BIGINT,
  group_id BIGINT,
  -- what was laid before the staff: a request, a report
  activity_uri TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (actor_id, notification_id)
);
CREATE INDEX notifications_by_post ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX notifications_by_thread ON notifications (root_id) WHERE root_id IS NOT NULL;
CREATE INDEX notifications_by_group ON notifications (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX notifications_by_time ON notifications (created_at);

CREATE TABLE conversations (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  conversation_id BIGINT NOT NULL,
  -- the thread of messages
  root_id BIGINT NOT NULL,
  -- the numbers of all its people in their order, with blanks between: an answer to fewer or to more begins another one
  people TEXT NOT NULL,
  newest_id BIGINT NOT NULL,
  is_unread SMALLINT NOT NULL,
  PRIMARY KEY (actor_id, conversation_id)
);
CREATE UNIQUE INDEX conversations_once ON conversations (actor_id, root_id, people);
CREATE INDEX conversations_by_newest ON conversations (actor_id, newest_id);
CREATE INDEX conversations_by_thread ON conversations (root_id);

CREATE TABLE markers (
  actor_id BIGINT NOT NULL REFERENCES members (actor_id),
  -- home or notifications
  timeline TEXT NOT NULL,
  last_read_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (actor_id, timeline)
);

-- Which post an entry changed: only posts that were changed stand in it.
CREATE INDEX posts_by_change ON posts (activity_uri) WHERE edited_at IS NOT NULL;
CREATE INDEX taken_back_by_seq ON taken_back (group_id, seq);

-- What concerned members so far was read from the posts each time.
INSERT INTO notifications (actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)
  SELECT m.actor_id, p.post_id, 'named', p.author_id, p.post_id, p.root_id, p.group_id, NULL, p.published_at
  FROM mentions n JOIN actors a ON a.uri = n.actor_uri JOIN members m ON m.actor_id = a.actor_id
   JOIN posts p ON p.post_id = n.post_id
  WHERE p.audience = 'group' AND p.state = 'live' AND p.seq IS NOT NULL AND p.author_id <> m.actor_id;
INSERT INTO notifications (actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)
  SELECT m.actor_id, p.post_id, 'answer', p.author_id, p.post_id, p.root_id, p.group_id, NULL, p.published_at
  FROM posts p JOIN posts o ON o.post_id = p.parent_id JOIN members m ON m.actor_id = o.author_id
  WHERE p.audience = 'group' AND p.state = 'live' AND p.seq IS NOT NULL AND p.author_id <> m.actor_id
  ON CONFLICT (actor_id, notification_id) DO NOTHING;
INSERT INTO notifications (actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)
  SELECT f.actor_id, p.post_id, 'followed', p.author_id, p.post_id, p.root_id, p.group_id, NULL, p.published_at
  FROM followed_threads f JOIN threads t ON t.root_id = f.root_id JOIN posts p ON p.post_id = t.newest_id
  WHERE f.is_muted = 0 AND t.newest_id > f.since_id AND p.state = 'live' AND p.author_id <> f.actor_id
  ON CONFLICT (actor_id, notification_id) DO NOTHING;
INSERT INTO notifications (actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)
  SELECT l.actor_id, p.post_id, 'new', p.author_id, p.post_id, p.root_id, p.group_id, NULL, p.published_at
  FROM group_levels l JOIN threads t ON t.group_id = l.group_id JOIN posts p ON p.post_id = t.newest_id
  WHERE l.level = 'all' AND t.newest_id > l.since_id AND p.state = 'live' AND p.author_id <> l.actor_id
  ON CONFLICT (actor_id, notification_id) DO NOTHING;
INSERT INTO notifications (actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)
  SELECT m.actor_id, p.post_id, 'message', p.author_id, p.post_id, p.root_id, NULL, NULL, p.published_at
  FROM post_people pp JOIN members m ON m.actor_id = pp.actor_id JOIN posts p ON p.post_id = pp.post_id
  WHERE p.audience = 'people' AND p.state = 'live' AND p.author_id <> m.actor_id;

-- Messages of an earlier release stand among the conversations by their threads; what was said before is read.
