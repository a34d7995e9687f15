"""Backups: one sealed file out of a data directory and its database, and back; the same rows on either database.

`sealing` locks bytes to the recovery code, `archive` says which files they are, `snapshot` and `tables` make the copy of
the database that is in them, `folders` writes files that are there whole or not at all. Format:
docs/reference/backup-format.md.
"""
