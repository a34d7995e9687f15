"""What members are told: a row for each, made in the transaction in which the thing happens.

A row permits nothing: whoever reads it is asked for again what they may read now, by the fragments of `visibility`, and
what they want to hear of, by those of `following` and their like. So a row may outlive its reason and is not seen then.

The functions without a viewer make rows and feed no page.
"""

from __future__ import annotations

from datetime import datetime

from node.domain.notifications import Notification

from .engine import Tx
from .following import NOT_MUTED, NOT_QUIET
from .visibility import READABLE_BY_MEMBERS, READABLE_POST, VIEWER_IS_ACTIVE

_COLUMNS = "(actor_id, notification_id, kind, from_id, post_id, root_id, group_id, activity_uri, created_at)"
_TELL = f"""INSERT INTO notifications {_COLUMNS}
  SELECT m.actor_id, CAST(:notification_id AS BIGINT), CAST(:kind AS TEXT), CAST(:from_id AS BIGINT),
   CAST(:post_id AS BIGINT), (SELECT t.root_id FROM posts t WHERE t.post_id = :post_id), CAST(:group_id AS BIGINT), NULL,
   CAST(:created_at AS BIGINT)
  FROM members m WHERE m.actor_id IN :actor_ids AND m.state = 'active'
  ON CONFLICT (actor_id, notification_id) DO NOTHING"""
_UNTELL = "DELETE FROM notifications WHERE post_id = :post_id AND kind = :kind AND from_id = :from_id"
# Who hears of a post: the strongest reason counts. From the few who may be concerned to what they may read; joined freely,
# SQLite would walk the whole group.
_TELL_OF_POST = f"""INSERT INTO notifications {_COLUMNS}
  SELECT c.actor_id, CAST(:notification_id AS BIGINT),
   CASE MIN(c.reason) WHEN 1 THEN 'named' WHEN 2 THEN 'answer' WHEN 3 THEN 'followed' ELSE 'new' END,
   p.author_id, p.post_id, p.root_id, p.group_id, NULL, CAST(:created_at AS BIGINT)
  FROM (SELECT a.actor_id, 1 AS reason FROM mentions n JOIN actors a ON a.uri = n.actor_uri WHERE n.post_id = :post_id
    UNION ALL SELECT o.author_id, 2 FROM posts i JOIN posts o ON o.post_id = i.parent_id WHERE i.post_id = :post_id
    UNION ALL SELECT f.actor_id, 3 FROM posts i JOIN followed_threads f ON f.root_id = i.root_id AND f.is_muted = 0
     WHERE i.post_id = :post_id
    UNION ALL SELECT l.actor_id, 4 FROM posts i JOIN group_levels l ON l.group_id = i.group_id AND l.level = 'all'
     WHERE i.post_id = :post_id) c
   CROSS JOIN posts p CROSS JOIN memberships vm
  WHERE p.post_id = :post_id AND vm.group_id = p.group_id AND vm.actor_id = c.actor_id AND c.actor_id <> p.author_id
   AND {READABLE_BY_MEMBERS} AND p.seq > COALESCE(vm.joined_seq, 0)
   AND NOT EXISTS (SELECT 1 FROM notifications told WHERE told.actor_id = c.actor_id AND told.post_id = p.post_id
    AND told.kind IN ('named', 'answer', 'followed', 'new'))
  GROUP BY c.actor_id, p.author_id, p.post_id, p.root_id, p.group_id
  ON CONFLICT (actor_id, notification_id) DO NOTHING"""
_REPLACED = "DELETE FROM notifications WHERE root_id = :root_id AND kind IN ('followed', 'new')"
_FORGET_CHANGE = "DELETE FROM notifications WHERE post_id = :post_id AND kind = 'update'"
_TELL_OF_CHANGE = f"""INSERT INTO notifications {_COLUMNS}
  SELECT DISTINCT i.author_id, CAST(:notification_id AS BIGINT), 'update', p.author_id, p.post_id, p.root_id, p.group_id,
   NULL, CAST(:created_at AS BIGINT)
  FROM posts p JOIN posts i ON i.parent_id = p.post_id AND i.state = 'live'
   JOIN memberships vm ON vm.group_id = p.group_id AND vm.actor_id = i.author_id
  WHERE p.post_id = :post_id AND i.author_id <> p.author_id AND {READABLE_BY_MEMBERS}
   AND COALESCE(vm.joined_seq, 0) < :seq
  ON CONFLICT (actor_id, notification_id) DO NOTHING"""
_TELL_STAFF = f"""INSERT INTO notifications {_COLUMNS}
  SELECT vm.actor_id, CAST(:notification_id AS BIGINT), CAST(:kind AS TEXT), CAST(:from_id AS BIGINT),
   CAST(:post_id AS BIGINT), NULL, vm.group_id, CAST(:activity_uri AS TEXT), CAST(:created_at AS BIGINT)
  FROM memberships vm JOIN members m ON m.actor_id = vm.actor_id AND m.state = 'active'
  WHERE vm.group_id = :group_id AND vm.state = 'member' AND vm.role <> 'member' AND vm.actor_id <> :from_id
   AND NOT EXISTS (SELECT 1 FROM notifications told WHERE told.actor_id = vm.actor_id AND told.group_id = vm.group_id
    AND told.activity_uri = :activity_uri)
  ON CONFLICT (actor_id, notification_id) DO NOTHING"""

_ROW = "n.notification_id, n.kind, n.from_id, n.post_id, n.root_id, n.group_id, n.activity_uri, n.created_at"
# Whoever is at a distance makes no notices; staff hear of requests and reports all the same, which are their office.
_NOT_HUSHED = """n.from_id NOT IN (SELECT b.target_id FROM blocks b WHERE b.actor_id = :viewer_id
  UNION ALL SELECT b.actor_id FROM blocks b WHERE b.target_id = :viewer_id
  UNION ALL SELECT h.target_id FROM mutes h WHERE h.actor_id = :viewer_id AND h.is_for_notices = 1)"""
_FOLLOWS = """EXISTS (SELECT 1 FROM followed_threads f WHERE f.actor_id = :viewer_id AND f.root_id = p.root_id
  AND f.is_muted = 0 AND p.post_id > f.since_id)"""
_WANTS_ALL = """EXISTS (SELECT 1 FROM group_levels l WHERE l.actor_id = :viewer_id AND l.group_id = p.group_id
  AND l.level = 'all' AND p.post_id > l.since_id)"""
_IS_STAFF = """EXISTS (SELECT 1 FROM memberships sm WHERE sm.group_id = n.group_id AND sm.actor_id = :viewer_id
  AND sm.state = 'member' AND sm.role <> 'member')"""
_IS_OPEN = """EXISTS (SELECT 1 FROM memberships am WHERE am.group_id = n.group_id AND am.actor_id = n.from_id
  AND am.state = 'requested')"""
# What of a viewer's rows is shown: `n` is the row, `p` its post, if any.
_SHOWN = f"""n.actor_id = :viewer_id AND {VIEWER_IS_ACTIVE} AND (
  (n.kind = 'report' AND {_IS_STAFF}) OR (n.kind = 'request' AND {_IS_STAFF} AND {_IS_OPEN})
  OR (p.state = 'live' AND {READABLE_POST} AND {_NOT_HUSHED} AND (
    n.kind IN ('named', 'thanks')
    OR (n.kind IN ('message', 'poll', 'update') AND {NOT_MUTED})
    OR (n.kind = 'answer' AND {NOT_MUTED} AND {NOT_QUIET})
    OR (n.kind = 'followed' AND {_FOLLOWS} AND {NOT_QUIET})
    OR (n.kind = 'new' AND {_WANTS_ALL} AND {NOT_MUTED}))))"""
_FROM = "FROM notifications n LEFT JOIN posts p ON p.post_id = n.post_id"
_SPAN = "n.notification_id < :before_id AND n.notification_id > :after_id AND n.kind IN :kinds"
_BY_ANYBODY = "(CAST(:from_id AS BIGINT) = 0 OR n.from_id = :from_id)"
_LIST = f"""SELECT {_ROW} {_FROM} WHERE {_SPAN} AND {_BY_ANYBODY} AND {_SHOWN}
  ORDER BY n.notification_id DESC LIMIT 40"""
_OLDEST = f"""SELECT {_ROW} {_FROM} WHERE {_SPAN} AND {_BY_ANYBODY} AND {_SHOWN} ORDER BY n.notification_id LIMIT 40"""
_ONE = f"SELECT {_ROW} {_FROM} WHERE n.notification_id = :notification_id AND {_SHOWN}"
_UNREAD = f"""SELECT COUNT(*) AS n FROM (SELECT n.notification_id {_FROM} WHERE {_SPAN} AND {_BY_ANYBODY} AND {_SHOWN}
  ORDER BY n.notification_id DESC LIMIT 1000) counted"""
_DISMISS = "DELETE FROM notifications WHERE actor_id = :viewer_id AND notification_id = :notification_id"
_CLEAR = "DELETE FROM notifications WHERE actor_id = :viewer_id"
_PURGE = "DELETE FROM notifications WHERE group_id = :group_id"
_SWEEP = "DELETE FROM notifications WHERE created_at < :before_at"

_END = 2**63 - 1


async def tell(
    tx: Tx,
    *,
    notification_id: int,
    kind: str,
    actor_ids: list[int],
    from_id: int,
    post_id: int | None = None,
    group_id: int | None = None,
) -> None:
    """Tell those of some people who are active members of ours.

    Args:
        tx: The transaction in which it happens.
        notification_id: A new number; all are told under the same one.
        kind: One of `domain.notifications.KINDS`.
        actor_ids: Whom; people of other nodes are left out.
        from_id: Whose doing it is.
        post_id: The post concerned.
        group_id: The group concerned.
    """
    if actor_ids:
        what = {"notification_id": notification_id, "kind": kind, "from_id": from_id}
        where = {"post_id": post_id, "group_id": group_id}
        await tx.run(_TELL, **what, **where, actor_ids=actor_ids, created_at=tx.now)


async def untell(tx: Tx, *, kind: str, post_id: int, from_id: int) -> None:
    """Take back that somebody did something about a post."""
    await tx.run(_UNTELL, kind=kind, post_id=post_id, from_id=from_id)


async def tell_of_post(tx: Tx, *, notification_id: int, post_id: int, root_id: int) -> None:
    """Tell our members of a post that took its place in a group: whoever it names or answers, or who wants to hear of it.

    Of its thread it is the newest from now on. Nobody is told of what was written before they came. Cost: two statements.
    """
    await tx.run(_REPLACED, root_id=root_id)
    await tx.run(_TELL_OF_POST, notification_id=notification_id, post_id=post_id, created_at=tx.now)


async def tell_of_change(tx: Tx, *, notification_id: int, post_id: int, seq: int) -> None:
    """Tell those of our members who answered a post that its author changed it; not of a change before they came, again.

    Args:
        tx: The transaction in which it is changed.
        notification_id: A new number.
        post_id: The post.
        seq: The entry that changes it.
    """
    await tx.run(_FORGET_CHANGE, post_id=post_id)
    await tx.run(_TELL_OF_CHANGE, notification_id=notification_id, post_id=post_id, seq=seq, created_at=tx.now)


async def tell_staff(
    tx: Tx, *, notification_id: int, kind: str, group_id: int, from_id: int, activity_uri: str, post_id: int | None
) -> None:
    """Tell those of a group's staff who are our members of what was laid before it; once, however often it comes."""
    what = {"notification_id": notification_id, "kind": kind, "from_id": from_id, "activity_uri": activity_uri}
    await tx.run(_TELL_STAFF, **what, group_id=group_id, post_id=post_id, created_at=tx.now)


async def list_notifications(
    tx: Tx,
    *,
    viewer_id: int,
    kinds: list[str],
    from_id: int = 0,
    before_id: int = _END,
    after_id: int = 0,
    oldest_first: bool = False,
) -> list[Notification]:
    """Return at most 40 of a member's notifications, the newest first unless told otherwise. from_id: 0 for anybody's."""
    if not kinds:
        return []
    span = {"before_id": before_id, "after_id": after_id, "kinds": kinds, "from_id": from_id}
    return [Notification(*row) for row in await tx.all(_OLDEST if oldest_first else _LIST, viewer_id=viewer_id, **span)]


async def get_notification(tx: Tx, *, viewer_id: int, notification_id: int) -> Notification | None:
    """Return one of a member's notifications."""
    row = await tx.one(_ONE, viewer_id=viewer_id, notification_id=notification_id)
    return Notification(*row) if row else None


async def count_notifications(tx: Tx, *, viewer_id: int, kinds: list[str], after_id: int, from_id: int = 0) -> int:
    """Return how many of a member's notifications came after one; a thousand are not counted further."""
    if not kinds:
        return 0
    span = {"before_id": _END, "after_id": after_id, "kinds": kinds, "from_id": from_id}
    return int(await tx.value(_UNREAD, viewer_id=viewer_id, **span))


async def dismiss_notification(tx: Tx, *, viewer_id: int, notification_id: int) -> bool:
    """Delete one of a member's notifications; return False when it is not there."""
    return await tx.run(_DISMISS, viewer_id=viewer_id, notification_id=notification_id) == 1


async def clear_notifications(tx: Tx, *, viewer_id: int) -> None:
    """Delete all of a member's notifications."""
    await tx.run(_CLEAR, viewer_id=viewer_id)


async def purge_notifications(tx: Tx, *, group_id: int) -> None:
    """Delete what anybody was told of a group."""
    await tx.run(_PURGE, group_id=group_id)


async def sweep_notifications(tx: Tx, *, before_at: datetime) -> int:
    """Delete what everybody was told before an instant; return how much."""
    return await tx.run(_SWEEP, before_at=before_at)
