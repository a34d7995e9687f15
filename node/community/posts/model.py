"""What the posts room gives back to the doors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Posted:
    """A post that was taken, or a change to it: its id, and whether that has its place already.

    state: `in_log`, or `waiting_for_host`. seq: the number of the entry; None while it waits.
    """

    post_id: int
    uri: str
    state: str
    seq: int | None
