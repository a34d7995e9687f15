"""Posts in groups: topics and replies, edits, withdrawals, removals, pins, locks, pictures. A ground room."""
