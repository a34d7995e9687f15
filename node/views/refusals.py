"""What a form is shown again for, with everything that was typed and a sentence: refusals, and what is down for a while."""

from __future__ import annotations

from node.foundation.errors import Busy, Conflict, Forbidden, Invalid, NodeError, TooLarge, TooMany, Unavailable

NOT_NOW = (Unavailable, Busy)
SHOWN_AGAIN = (Invalid, Forbidden, Conflict, TooLarge, TooMany, *NOT_NOW)


def status_of(error: NodeError) -> int:
    """Return the status of the page: 503 for what is down for a while, else 422."""
    return 503 if isinstance(error, NOT_NOW) else 422
