"""How a copy finds back to its host: it asks for what it lacks, and when the two differ, for where they last agreed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from node.federation.grouplog.align import Search, Way, begin_search, is_worth_keeping, may_begin_anew
from node.federation.grouplog.entry import LogEntry, ReceivedEntry
from node.federation.grouplog.position import Position, Verdict, parse_position
from node.foundation.errors import NodeError

from .network import Answer, Request
from .papers import author_of
from .shelf import Shelf

if TYPE_CHECKING:
    from .copies import Copies
    from .node import Node

_AGAIN_SECONDS = 15.0


class Finding:
    """The searching of one node: at most one question per group is on its way."""

    def __init__(self, node: Node, copies: Copies) -> None:
        self._node = node
        self._copies = copies
        self._asking: set[str] = set()
        self._heard_at: dict[str, float] = {}
        self._due_at: dict[str, float] = {}

    def wake_up(self) -> None:
        """Forget what only the process knew: every copy is looked after anew."""
        self._asking.clear()
        self._heard_at.clear()
        self._due_at.clear()

    def look_soon(self, uri: str, seconds: float = 0.0) -> None:
        """Ask a group's host soon."""
        self._due_at[uri] = min(self._due_at.get(uri, float("inf")), self._node.now + seconds)
        self._node.wake(seconds + 0.01)

    def note_verdict(self, uri: str, verdict: Verdict) -> None:
        """An entry arrived: what does not follow makes us ask."""
        if verdict in (Verdict.NEXT, Verdict.HELD):
            return
        self.look_soon(uri, 1.0)

    def look(self, uri: str) -> None:
        """Ask, if it is due."""
        since = self._node.now - self._heard_at.get(uri, 0.0)
        is_due = self._due_at.get(uri, float("inf")) <= self._node.now
        if uri in self._asking or not (is_due or self._node.world.rules.is_look_due(since)):
            return
        self._due_at.pop(uri, None)
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        if copy is None:
            self._ask(uri, Request("base", uri), lambda answer: self._begin(uri, answer))
        else:
            request = Request("log", uri, header=self._copies.get_told(uri), told=copy.head.seq)
            self._ask(uri, request, lambda answer: self._read_page(uri, answer))

    def _ask(self, uri: str, request: Request, then: Callable[[Answer], None]) -> None:
        self._asking.add(uri)

        def hear(answer: Answer | None) -> None:
            self._asking.discard(uri)
            self._heard_at[uri] = self._node.now
            if answer is None or answer.status != 200:
                is_over = answer is not None and answer.status in (403, 404)
                if not is_over:
                    self.look_soon(uri, _AGAIN_SECONDS)
                return
            then(answer)

        self._node.ask(self._copies.get_group(uri).host, request, hear)

    def _begin(self, uri: str, answer: Answer) -> None:
        """Begin the copy that a restore has lost."""
        base = self._copies.read_base(uri, answer.documents[0])
        with self._node.write() as tx:
            if base is not None and tx.get(("copy", uri)) is None and tx.get(("people", uri)):
                tx.put(("copy", uri), Shelf(base))
                tx.after_commit(partial(self._node.world.truth.note_begun, uri, self._node.name, base))
                self._node.world.counts["repair: lost copy begun again"] += 1
        self.look_soon(uri)

    def _read_page(self, uri: str, answer: Answer) -> None:
        """Keep what follows; when something does not, find out how the two histories stand to each other."""
        trouble: LogEntry | None = None
        if answer.told is not None:
            self._copies.let_go(uri, answer.told)
            if self._node.disk.get(("kept", uri)):
                self.look_soon(uri, 1.0)  # what stood next: one place is told at a time
        with self._node.write() as tx:
            if tx.get(("copy", uri)) is None:
                return
            for document in answer.documents:
                try:
                    received = self._node.world.papers.believe(document, uri)
                except NodeError:
                    self.look_soon(uri, _AGAIN_SECONDS)
                    break
                verdict = self._copies.judge_arrival(tx, uri, received)
                if verdict not in (Verdict.NEXT, Verdict.HELD):
                    trouble = received.entry
                    break
                self._node.world.counts["repair: entry pulled"] += verdict is Verdict.NEXT
            ours = tx.get(("copy", uri)).head
        found = parse_position(answer.header)
        head = found[1] if found is not None and found[0] == uri else ours
        if trouble is not None and trouble.epoch > head.epoch:
            head = Position(trouble.epoch, trouble.seq, trouble.chain)
        if trouble is None and head.seq > ours.seq:
            self.look_soon(uri)  # another page
        elif trouble is not None or head != ours:
            self._weigh(uri, ours, head, trouble)

    def _weigh(self, uri: str, ours: Position, head: Position, trouble: LogEntry | None) -> None:
        """Look at what the host says of itself; what would change our copy must be proved by an entry first."""
        chain = head.chain if head.seq == ours.seq else None
        if trouble is not None and trouble.seq == ours.seq + 1:
            chain = trouble.prev
        way = self._node.world.rules.choose_way(ours, head, host_chain=chain)
        if way in (Way.WAIT, Way.PULL):
            self._node.world.counts[f"align: {way.value}"] += 1
        elif trouble is not None and trouble.epoch >= head.epoch:
            self._choose_way(uri, ours, trouble)
        else:
            self._see(uri, head.seq, lambda received: self._choose_way(uri, ours, received.entry))

    def _see(self, uri: str, seq: int, then: Callable[[ReceivedEntry], None]) -> None:
        """Ask for one entry, and go on if the host's signature proves it."""

        def hear(answer: Answer) -> None:
            for document in answer.documents:
                try:
                    received = self._node.world.papers.believe(document, uri)
                except NodeError:
                    break
                if received.entry.seq == seq:
                    then(received)
                    return
            self.look_soon(uri, _AGAIN_SECONDS)

        request = Request("entry", uri, header=self._copies.get_told(uri), told=seq)
        self._ask(uri, request, hear)

    def _choose_way(self, uri: str, ours: Position, proved: LogEntry) -> None:
        """Decide by an entry that the host has signed."""
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        if copy is None or copy.head != ours:
            self.look_soon(uri)
            return
        host = Position(proved.epoch, proved.seq, proved.chain)
        theirs = {proved.seq: proved.chain, proved.seq - 1: proved.prev}
        way = self._node.world.rules.choose_way(ours, host, host_chain=theirs.get(ours.seq))
        self._node.world.counts[f"align: {way.value}"] += 1
        if way is Way.FORKED:
            self._node.world.truth.note_fork_reported(uri, self._node.name)
        elif way is Way.SEARCH:
            self._go_on(uri, begin_search(ours, host, base_seq=copy.base.seq), ours, host)
        elif way is Way.PULL:
            self.look_soon(uri, 1.0)

    def _go_on(self, uri: str, search: Search, ours: Position, host: Position) -> None:
        """Compare at one number more, until the last common entry is found."""
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        if copy is None or copy.head != ours:
            self.look_soon(uri)
            return
        question = search.question
        if question is None:
            self._end(uri, search.find_common(copy.base.seq), ours, host)
            return
        chain = copy.chain_at(question)

        def compare(theirs: str | None) -> None:
            self._go_on(uri, search.learn(question, is_same=theirs == chain), ours, host)

        if question == copy.base.seq:
            self._ask(uri, Request("base", uri), lambda answer: compare(self._read_chain(uri, answer, question)))
        else:
            self._see_chain(uri, question, compare)

    def _see_chain(self, uri: str, seq: int, then: Callable[[str | None], None]) -> None:
        def hear(answer: Answer) -> None:
            if not answer.documents:
                then(None)  # the host does not reach so far, or does not show it to us
                return
            try:
                received = self._node.world.papers.believe(answer.documents[0], uri)
            except NodeError:
                self.look_soon(uri, _AGAIN_SECONDS)
                return
            then(received.entry.chain if received.entry.seq == seq else None)

        self._ask(uri, Request("entry", uri, header=self._copies.get_told(uri), told=seq), hear)

    def _read_chain(self, uri: str, answer: Answer, seq: int) -> str | None:
        base = self._copies.read_base(uri, answer.documents[0])
        return base.chain if base is not None and base.seq == seq else None

    def _end(self, uri: str, common: int | None, ours: Position, host: Position) -> None:
        """Take back what the host has otherwise; keep it until the host has shown it again."""
        if common is not None:
            self._cut(uri, common, ours, host)
            return

        def hear(answer: Answer) -> None:
            base = self._copies.read_base(uri, answer.documents[0])
            if base is not None and may_begin_anew(host, ours):
                self._node.world.counts["repair: copy begun anew"] += 1
                self._cut(uri, None, ours, host, base)

        self._ask(uri, Request("base", uri), hear)

    def _cut(self, uri: str, common: int | None, ours: Position, host: Position, base: Position | None = None) -> None:
        with self._node.write() as tx:
            copy: Shelf | None = tx.get(("copy", uri))
            if copy is None or copy.head != ours:
                return
            shorter, removed = copy.cut(copy.base.seq if common is None else common)
            tx.put(("copy", uri), shorter if base is None else Shelf(base))
            kept = {
                each.entry.chain: each
                for each in removed
                if is_worth_keeping(author=author_of(each), group=uri, has_content=each.salt is not None)
            }
            tx.put(("kept", uri), {**tx.get(("kept", uri), {}), **kept})
            self._copies.reopen(tx, uri, removed)
            people = sorted(tx.get(("people", uri), ())) if base is not None else []
            for actor in people:
                self._copies.note_in(tx, uri, actor, tx.get(("copy", uri)).base.seq)
        if removed:
            self._node.world.counts["repair: end of a copy taken back"] += 1
        self._node.world.truth.note_cut(uri, self._node.name, ours, host, base)
        self.look_soon(uri)
