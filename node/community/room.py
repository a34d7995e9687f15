"""A room: what it takes from the wire, and what it gives when a member leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from node.inbox.dispatch import EntryHandler, Handler, Tables
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Room:
    """One room as `app` registers it.

    handlers: per verb, what acts on an activity sent to us. entries: per (kind, verb), what a log entry does to our copy.
    export_member: what the room holds of a member, as JSON. erase_member: what it forgets.
    """

    name: str
    handlers: dict[str, Handler] = field(default_factory=dict)
    entries: dict[tuple[str, str], EntryHandler] = field(default_factory=dict)
    export_member: Callable[[Tx, int], Awaitable[Any]] | None = None
    erase_member: Callable[[Tx, int], Awaitable[None]] | None = None


def build_tables(rooms: tuple[Room, ...]) -> Tables:
    """Return the tables of dispatch: rooms are asked in their order; a kind and verb belong to one room."""
    handlers: dict[str, tuple[Handler, ...]] = {}
    entries: dict[tuple[str, str], EntryHandler] = {}
    for room in rooms:
        for verb, handler in room.handlers.items():
            handlers[verb] = (*handlers.get(verb, ()), handler)
        entries.update(room.entries)
    return Tables(handlers, entries)
