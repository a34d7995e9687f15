"""Dispatch: which handler acts on what arrived. The tables are handed in by `app`; nothing here knows a room.

A handler runs inside one transaction and ends in `Done`, `Later`, `Dropped`, `Need(uri)` or `NeedPicture`; it returns
None when the activity is not its room's. It never fetches, parses or renders: `Arrival` carries all that. Before it
writes it has decided; anything but `Done` after a write is a mistake.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from node.domain.groups import Group
from node.federation.vocabulary import ActivityView
from node.store.core import Core
from node.store.engine import Tx


@dataclass(frozen=True, slots=True)
class Done:
    """The effect is written."""


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: something else must happen first."""

    reason: str
    wait_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """It has no effect, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Need:
    """An actor must be known first; `process` fetches it outside the transaction, a bounded number of times."""

    uri: str


@dataclass(frozen=True, slots=True)
class NeedPicture:
    """A picture of a submission must be here first; `process` fetches it from its author's node."""

    url: str
    sha256: str
    group_id: int
    alt: str


Outcome = Done | Later | Dropped | Need | NeedPicture


@dataclass(frozen=True, slots=True)
class Arrival:
    """A received activity with everything that can be computed before a transaction.

    document: the JSON value as received; it is what is stored and forwarded. text: the same, as text.
    view: what it says. html: the inner object's content, made harmless.
    peer_id: who brought it; None for activities of our own members.
    is_proved: whether it carries its author's own proof, checked; asked for what goes to a group hosted here.
    tries: how often it had to wait already.
    """

    uri: str
    type: str
    actor_uri: str
    peer_id: int | None
    document: dict[str, Any]
    text: str
    view: ActivityView
    html: str
    is_proved: bool = False
    tries: int = 0


Handler = Callable[[Tx, Core, Arrival], Awaitable[Outcome | None]]
EntryHandler = Callable[[Tx, Core, Group, int, Arrival], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tables:
    """Who acts on what.

    handlers: per verb, the rooms' handlers in the order they are asked.
    entries: per kind of log entry and verb, what it does to our copy of a group.
    """

    handlers: dict[str, tuple[Handler, ...]]
    entries: dict[tuple[str, str], EntryHandler]


async def dispatch(tx: Tx, core: Core, tables: Tables, arrival: Arrival) -> Outcome:
    """Ask the handlers of a verb in turn until one takes the activity."""
    for handler in tables.handlers.get(arrival.type, ()):
        outcome = await handler(tx, core, arrival)
        if outcome is not None:
            return outcome
    return Dropped(f"Nothing here takes this {arrival.type}.")
