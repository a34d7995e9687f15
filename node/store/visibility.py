"""The audience check as SQL: fragments that every statement over members' content contains.

They are the twins of `domain.access.may_read`; a property test proves them equal on random communities. A post is `p`,
the viewer is `:viewer_id`, and a viewer who is not an active member of this node sees nothing.
"""

from __future__ import annotations

VIEWER_IS_ACTIVE = "EXISTS (SELECT 1 FROM members me WHERE me.actor_id = :viewer_id AND me.state = 'active')"

READABLE_POST = f"""(
  (p.audience = 'article' AND p.state = 'live')
  OR ({VIEWER_IS_ACTIVE} AND (
    (p.audience = 'group' AND EXISTS (SELECT 1 FROM memberships vm
      WHERE vm.group_id = p.group_id AND vm.actor_id = :viewer_id AND vm.state = 'member'
       AND (p.seq > vm.visible_after OR (p.seq IS NULL AND p.author_id = :viewer_id))))
    OR (p.audience = 'people' AND EXISTS (SELECT 1 FROM post_people vp
      WHERE vp.post_id = p.post_id AND vp.actor_id = :viewer_id))
    OR (p.audience = 'draft' AND p.author_id = :viewer_id))))"""

# The same for one group, as a range that an index can walk: a viewer outside the group compares with NULL.
READABLE_IN_GROUP = f"""(p.group_id = :group_id AND p.audience = 'group' AND {VIEWER_IS_ACTIVE}
  AND p.seq > (SELECT vm.visible_after FROM memberships vm
    WHERE vm.group_id = :group_id AND vm.actor_id = :viewer_id AND vm.state = 'member'))"""

# Where walking a group from its newest post back may stop: at `:after_id`, or at the last post from before the viewer
# came, as numbers follow the group's order. It permits nothing and stands beside the above; as one value, an index can
# use it.
START_IN_GROUP = """(SELECT MAX(start.post_id) FROM (
  SELECT CAST(:after_id AS BIGINT) AS post_id UNION ALL SELECT (SELECT before.post_id FROM posts before
    WHERE before.group_id = :group_id AND before.seq <= (SELECT bm.visible_after FROM memberships bm
      WHERE bm.group_id = :group_id AND bm.actor_id = :viewer_id AND bm.state = 'member')
    ORDER BY before.seq DESC LIMIT 1)) start)"""

# Own posts on their way to a group's host, shown to their author below the others.
WAITING_IN_GROUP = f"""(p.group_id = :group_id AND p.audience = 'group' AND p.seq IS NULL AND p.author_id = :viewer_id
  AND {VIEWER_IS_ACTIVE} AND EXISTS (SELECT 1 FROM memberships vm
    WHERE vm.group_id = :group_id AND vm.actor_id = :viewer_id AND vm.state = 'member'))"""

# A private message to one of its named people.
READABLE_MESSAGE = f"""(p.audience = 'people' AND {VIEWER_IS_ACTIVE} AND EXISTS (SELECT 1 FROM post_people vp
  WHERE vp.post_id = p.post_id AND vp.actor_id = :viewer_id))"""

# Posts for many viewers at once: `vm` is the membership of one of them. For announcements, which carry numbers alone.
READABLE_BY_MEMBERS = """(p.audience = 'group' AND p.group_id = vm.group_id AND vm.state = 'member' AND p.seq > vm.visible_after
  AND EXISTS (SELECT 1 FROM members me WHERE me.actor_id = vm.actor_id AND me.state = 'active'))"""
