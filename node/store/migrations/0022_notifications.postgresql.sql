-- The rest of 0022 for PostgreSQL: the people of a message as one text, in the order of their numbers.
INSERT INTO conversations (actor_id, conversation_id, root_id, people, newest_id, is_unread)
  SELECT pp.actor_id, MAX(p.post_id), p.root_id, k.people, MAX(p.post_id), 0
  FROM posts p JOIN post_people pp ON pp.post_id = p.post_id JOIN members m ON m.actor_id = pp.actor_id
   JOIN (SELECT post_id, STRING_AGG(CAST(actor_id AS TEXT), ' ' ORDER BY actor_id) AS people
     FROM post_people GROUP BY post_id) k
    ON k.post_id = p.post_id
  WHERE p.audience = 'people' AND p.state = 'live' GROUP BY pp.actor_id, p.root_id, k.people;
