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
