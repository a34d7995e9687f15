"""Submissions to a hosted group: stored, then accepted, refused, or waiting for what they need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from node.federation.grouplog.recovery import Recovery
from node.federation.grouplog.waiting import Parent, Turn

from .disk import Transaction
from .lanes import CONTROL
from .papers import Document, decide, needs_of, post_of
from .shelf import Shelf

if TYPE_CHECKING:
    from .hosting import Hosting
    from .node import Node


@dataclass(frozen=True)
class Waiting:
    """A submission that was stored and not acted on yet. asks: how often its node was asked for what it needs."""

    activity: Document
    source: str
    since: float
    asks: int = 0


class Accepting:
    """The part of hosting that takes submissions in."""

    def __init__(self, node: Node, hosting: Hosting) -> None:
        self._node = node
        self._hosting = hosting

    def take_one(self, tx: Transaction, uri: str) -> bool:
        """Act on the first submission that can be acted on; return whether there was one."""
        submitted, log = tx.get(("submitted", uri), {}), tx.get(("log", uri))
        places = tx.get(("places", uri), {})
        for key, waiting in submitted.items():
            place = places.get(waiting.activity["actor"])
            if place is None or place.is_out:
                self._refuse(tx, uri, waiting)
            else:
                turn = self._judge(log, waiting)
                if turn is Turn.WAIT:
                    self._ask_for_parent(tx, uri, waiting)
                    continue
                if turn is Turn.REFUSE:
                    self._refuse(tx, uri, waiting)
                elif turn is Turn.RECORD:
                    waited = self._node.now - waiting.since
                    if self._node.world.rules.judge_parent(asks=waiting.asks, waited_seconds=waited) is Parent.GIVE_UP:
                        self.keep_places_free(tx, uri, waiting.activity)
                    self._hosting.record(tx, uri, waiting.activity)
            left = tx.get(("submitted", uri))
            tx.put(("submitted", uri), {each: left[each] for each in left if each != key})
            return True
        return False

    def keep_places_free(self, tx: Transaction, uri: str, activity: Document) -> None:
        """Note the posts that an activity needs and does not find: readers see that something is not there."""
        log: Shelf = tx.get(("log", uri))
        for post in needs_of(activity):
            if post not in log.texts:
                self._node.world.counts["repair: place kept free"] += 1
                tx.after_commit(partial(self._node.world.truth.note_kept_free, uri, post))

    def _judge(self, log: Shelf, waiting: Waiting) -> Turn:
        rules, activity = self._node.world.rules, waiting.activity
        erased = self._node.read_journal().erased.get(activity["audience"], ())
        return rules.judge_submission(
            is_in_log=activity["id"] in log.numbers,
            is_taken_back=post_of(activity) in log.taken_back or activity["id"] in erased,
            has_needed=not rules.needs_parents or all(post in log.texts for post in needs_of(activity)),
            asks=waiting.asks,
            waited_seconds=self._node.now - waiting.since,
        )

    def _ask_for_parent(self, tx: Transaction, uri: str, waiting: Waiting) -> None:
        """Ask the submitter's node for what it holds: it has seen the parent, or it could not have been answered."""
        recovery: Recovery = tx.get(("recovery", uri))
        if waiting.source not in tx.get(("admitted", uri), {}):
            return
        after = recovery.suspect(waiting.source, f"{waiting.activity['id']} {waiting.asks}", self._node.now)
        if after is not recovery:
            tx.put(("recovery", uri), after)
            submitted, key = tx.get(("submitted", uri)), waiting.activity["id"]
            tx.put(("submitted", uri), {**submitted, key: replace(waiting, asks=waiting.asks + 1)})
            self._node.world.counts["repair: parent asked for"] += 1

    def _refuse(self, tx: Transaction, uri: str, waiting: Waiting) -> None:
        activity, group = waiting.activity, self._hosting.groups[uri]
        self._node.world.counts["submission refused"] += 1
        if waiting.source != self._node.name:
            answer = decide("Reject", group, activity["id"], activity["actor"])
            self._node.lanes.put(tx, waiting.source, CONTROL, answer)
