"""Things every floor may use: configuration, errors, clock, ids, text, logs. Imports nothing of ours."""
