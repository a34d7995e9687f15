"""A group's history as a signed, hash-chained log. Pure: no clock, no network, no store.

Stored and published format (wire.md 4.10): what may never change is the set of members of `logEntry`, their meaning, and
how `commit` and `chain` are computed. New facts go into new kinds or beside `logEntry` in the Announce.
"""
