"""Private messages: to named people, through per-peer streams, readable by nobody else here."""
