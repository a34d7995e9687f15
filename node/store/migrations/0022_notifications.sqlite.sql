-- The rest of 0022 for SQLite: the people of a message as one text, in the order of their numbers.
INSERT INTO conversations (actor_id, conversation_id, root_id, people, newest_id, is_unread)
  SELECT pp.actor_id, MAX(p.post_id), p.root_id, k.people, MAX(p.post_id), 0
  FROM posts p JOIN post_people pp ON pp.post_id = p.post_id JOIN members m ON m.actor_id = pp.actor_id
   JOIN (SELECT ordered.post_id, GROUP_CONCAT(ordered.actor_id, ' ') AS people
     FROM (SELECT post_id, actor_id FROM post_people ORDER BY post_id, actor_id) ordered GROUP BY ordered.post_id) k
    ON k.post_id = p.post_id
  WHERE p.audience = 'people' AND p.state = 'live' GROUP BY pp.actor_id, p.root_id, k.people;
