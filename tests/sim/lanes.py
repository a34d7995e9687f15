"""A node's deliveries: one request in flight per lane; what an answer means for a lane is `node.outbox.lane`'s matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from node.federation.grouplog.position import format_position, parse_position
from node.outbox.lane import Lane, Outcome, Reply, contact

from .disk import Transaction
from .network import Answer, Request
from .papers import Document
from .shelf import Shelf

if TYPE_CHECKING:
    from .node import Node

CONTROL, DIRECT = "control", "direct"


class Lanes:
    """Brings a node's streams to its peers."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._in_flight: set[tuple[str, str]] = set()
        self._troubled: set[tuple[str, str]] = set()

    def wake_up(self) -> None:
        """Forget what only the process knew."""
        self._in_flight.clear()
        self._troubled.clear()

    def put(self, tx: Transaction, peer: str, stream: str, activity: Document) -> None:
        """Put an activity at the end of a peer's stream."""
        number, items = tx.get(("stream", peer, stream), (0, ()))
        tx.put(("stream", peer, stream), (number + 1, (*items, (number + 1, activity))))
        streams = tx.get(("streams",), ())
        if (peer, stream) not in streams:
            tx.put(("streams",), (*streams, (peer, stream)))
        self._node.wake()

    def is_on_its_way(self, peer: str, activity: str) -> bool:
        """Say whether an activity still waits in the direct stream to a peer."""
        _, items = self._node.disk.get(("stream", peer, DIRECT), (0, ()))
        return any(item["id"] == activity for _, item in items)

    def hear_from(self, peer: str) -> None:
        """A valid signed request came from a peer: what waits for it to come back is due soon."""
        for key in [key for key in self._troubled if key[0] == peer]:
            self._troubled.discard(key)
            lane = contact(self._get(key), now=self._node.world.clock.instant, delay_seconds=3.0)
            with self._node.write(is_steady=True) as tx:
                tx.put(("lane", *key), lane)
            self._node.world.counts["repair: contact clears a lane"] += 1
            self._node.wake(3.0)

    def look(self) -> bool:
        """Send what is due; return whether anything waits."""
        is_waiting = False
        for key in self._node.disk.get(("streams",), ()):
            items = self._node.disk.get(("stream", *key))[1]
            if items:
                is_waiting = True
                self._send_item(key, items)
        for group, peer in self._node.hosting.list_readers():
            is_waiting = self._send_entry(group, peer) or is_waiting
        return is_waiting

    def _get(self, key: tuple[str, str]) -> Lane:
        found = self._node.disk.get(("lane", *key))
        return found or Lane(0, "idle", 0, 0, self._node.world.clock.instant)

    def _is_due(self, key: tuple[str, str], lane: Lane) -> bool:
        return key not in self._in_flight and lane.due_at <= self._node.world.clock.instant

    def _send_item(self, key: tuple[str, str], items: tuple[tuple[int, Document], ...]) -> None:
        lane = self._get(key)
        if self._is_due(key, lane):
            position, activity = items[0]
            request = Request("item", "", (activity,))
            self._send(key, request, position=position, head=items[-1][0], base=0)

    def _send_entry(self, group: str, peer: str) -> bool:
        """Send the next entry of a group's log to a member node, if it lacks one and may have it."""
        node, key = self._node, (peer, group)
        base = node.hosting.get_base(group, peer)
        log: Shelf = node.disk.get(("log", group))
        lane = self._get(key)
        after = max(lane.cursor, base)
        if after >= log.head.seq:
            return False
        if self._is_due(key, lane):
            entry = log.get(after + 1)
            assert entry is not None
            documents = (node.world.papers.write(entry),)
            request = Request("deliver", group, documents, header=format_position(group, log.head))
            node.world.truth.note_shown(group, node.name, peer, (entry,))
            self._send(key, request, position=after + 1, head=log.head.seq, base=base)
        return True

    def _send(self, key: tuple[str, str], request: Request, *, position: int, head: int, base: int) -> None:
        self._in_flight.add(key)

        def then(answer: Answer | None) -> None:
            self._in_flight.discard(key)
            self._note_answer(key, answer, position=position, head=head, base=base)
            self._node.wake(0.01)

        self._node.ask(key[0], request, then)

    def _note_answer(self, key: tuple[str, str], answer: Answer | None, *, position: int, head: int, base: int) -> None:
        node, is_log = self._node, key[1] not in (CONTROL, DIRECT)
        reply = Reply(0)
        if answer is not None:
            found = parse_position(answer.header)
            held = max(found[1].seq, base) if found is not None and found[0] == key[1] else None
            reply = Reply(answer.status, held, answer.retry_after_seconds)
        lane, outcome = node.world.rules.advance(
            self._get(key), reply, position=position, head=head, may_skip=not is_log,
            now=node.world.clock.instant, chance=node.world.chance.random(),
        )  # fmt: skip
        node.world.counts[f"lane: {outcome.value}"] += 1
        if lane.error_code:
            node.world.counts[f"lane: {lane.error_code}"] += 1
            self._troubled.add(key)
        with node.write() as tx:
            tx.put(("lane", *key), lane)
            if outcome in (Outcome.ADVANCE, Outcome.DEAD) and not is_log:
                number, items = tx.get(("stream", *key))
                tx.put(("stream", *key), (number, tuple(item for item in items if item[0] > lane.cursor)))
