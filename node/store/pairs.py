"""Statements that cannot be one text for both databases: one for SQLite and one for PostgreSQL each, side by side.

A pair is asked for like any other statement; the store takes the text of its database. Both texts return the same columns.
"""

from __future__ import annotations

from .statements import Pair

# Numbers of posts in whose words a query is found, the newest first. Two forms of one query are given: `fts` in the words of
# FTS5, `tsquery` in those of PostgreSQL. There, what matches is found first: a LIMIT would tempt the planner to walk
# the table by its key instead.
SEARCH_MATCH = Pair(
    sqlite="""SELECT rowid AS post_id FROM search_words WHERE search_words MATCH :fts AND rowid < :before_id
  ORDER BY rowid DESC LIMIT 200""",
    postgresql="""WITH found AS MATERIALIZED (SELECT s.rowid AS post_id FROM search_words s
   WHERE CAST(s.words AS TSVECTOR) @@ CAST(CAST(:tsquery AS TEXT) AS TSQUERY))
  SELECT post_id FROM found WHERE post_id < :before_id ORDER BY post_id DESC LIMIT 200""",
)

# What follows is about leases (`leases`). The clock is the database's, whatever its kind. On PostgreSQL a lease also ends
# with the session that it was given to: "number of the server's process.when that began".
_NOW_SQLITE = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
_NOW_POSTGRESQL = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
_FREE_SQLITE = f"(lease_owner IS NULL OR lease_owner = :owner OR leased_until_at < {_NOW_SQLITE})"
_FREE_POSTGRESQL = f"""(lease_owner IS NULL OR lease_owner = :owner OR leased_until_at < {_NOW_POSTGRESQL}
    OR NOT EXISTS (SELECT 1 FROM pg_stat_get_activity(CAST(split_part(lease_owner, '.', 1) AS INTEGER)) s
      WHERE CAST(CAST(EXTRACT(EPOCH FROM s.backend_start) * 1000000 AS BIGINT) AS TEXT) = split_part(lease_owner, '.', 2)))"""
_TAKEN_SQLITE = f"""lease_owner = :owner, lease_fence = COALESCE(lease_fence, 0) + 1,
   leased_until_at = {_NOW_SQLITE} + :micros"""
_TAKEN_POSTGRESQL = f"""lease_owner = :owner, lease_fence = COALESCE(t.lease_fence, 0) + 1,
   leased_until_at = {_NOW_POSTGRESQL} + CAST(:micros AS BIGINT)"""
_THESE = "peer_id IN :peer_ids AND peer_id || ' ' || stream IN :lanes"
_KEEP_SQLITE = f"leased_until_at = {_NOW_SQLITE} + :micros"
_KEEP_POSTGRESQL = f"leased_until_at = {_NOW_POSTGRESQL} + CAST(:micros AS BIGINT)"
_MAY_HAVE = """SELECT 1 AS yes FROM lanes l JOIN peers p ON p.peer_id = l.peer_id AND p.state = 'active'
  WHERE l.peer_id = :peer_id AND l.stream = :stream AND l.lease_owner = :owner AND l.lease_fence = :fence
   AND (l.group_id IS NULL
    OR EXISTS (SELECT 1 FROM admissions a WHERE a.group_id = l.group_id AND a.peer_id = l.peer_id))"""

CLAIM_LANES = Pair(
    sqlite=f"UPDATE lanes SET {_TAKEN_SQLITE} WHERE {_THESE} AND {_FREE_SQLITE} RETURNING peer_id, stream, lease_fence",
    postgresql=f"""WITH free AS (SELECT peer_id, stream FROM lanes WHERE {_THESE} AND {_FREE_POSTGRESQL}
   ORDER BY peer_id, stream FOR UPDATE SKIP LOCKED)
  UPDATE lanes AS t SET {_TAKEN_POSTGRESQL} FROM free WHERE t.peer_id = free.peer_id AND t.stream = free.stream
  RETURNING t.peer_id, t.stream, t.lease_fence""",
)
KEEP_LANES = Pair(
    sqlite=f"""UPDATE lanes SET {_KEEP_SQLITE} WHERE {_THESE} AND lease_owner = :owner AND leased_until_at > {_NOW_SQLITE}
  RETURNING peer_id, stream, lease_fence""",
    postgresql=f"""UPDATE lanes SET {_KEEP_POSTGRESQL}
  WHERE {_THESE} AND lease_owner = :owner AND leased_until_at > {_NOW_POSTGRESQL} RETURNING peer_id, stream, lease_fence""",
)
HOLDS_LANE = Pair(
    sqlite=f"{_MAY_HAVE} AND l.leased_until_at > {_NOW_SQLITE}",
    postgresql=f"{_MAY_HAVE} AND l.leased_until_at > {_NOW_POSTGRESQL}",
)
CLAIM_DUTIES = Pair(
    sqlite=f"UPDATE duties SET {_TAKEN_SQLITE} WHERE name IN :names AND {_FREE_SQLITE} RETURNING name, lease_fence",
    postgresql=f"""WITH free AS (SELECT name FROM duties WHERE name IN :names AND {_FREE_POSTGRESQL}
   ORDER BY name FOR UPDATE SKIP LOCKED)
  UPDATE duties AS t SET {_TAKEN_POSTGRESQL} FROM free WHERE t.name = free.name RETURNING t.name, t.lease_fence""",
)
KEEP_DUTIES = Pair(
    sqlite=f"""UPDATE duties SET {_KEEP_SQLITE} WHERE name IN :names AND lease_owner = :owner
  AND leased_until_at > {_NOW_SQLITE} RETURNING name, lease_fence""",
    postgresql=f"""UPDATE duties SET {_KEEP_POSTGRESQL}
  WHERE name IN :names AND lease_owner = :owner AND leased_until_at > {_NOW_POSTGRESQL} RETURNING name, lease_fence""",
)
HOLDS_DUTY = Pair(
    sqlite="SELECT 1 AS yes FROM duties WHERE name = :name AND lease_owner = :owner AND lease_fence = :fence",
    postgresql="""SELECT 1 AS yes FROM duties WHERE name = :name AND lease_owner = :owner AND lease_fence = :fence
  FOR KEY SHARE""",
)
