"""A node's own groups: it gives numbers, shows the log to member nodes, and finds back after a restore.

What is decided here is decided by `handed`, `recovery`, `waiting` and `journal`; this keeps rows and asks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from node.domain.journal import Place, Told
from node.federation.grouplog.checkpoint import build_checkpoint
from node.federation.grouplog.entry import LogEntry, ReceivedEntry, chain_zero, commit_of, seal_entry
from node.federation.grouplog.handed import build_locator, holds_more, list_branches
from node.federation.grouplog.position import Position, format_position, parse_position
from node.federation.grouplog.recovery import Recovery, be_calm, choose_base, is_done_with
from node.foundation.errors import NodeError

from .accepting import Waiting
from .disk import Transaction
from .erasing import erase_texts
from .lanes import CONTROL
from .network import Answer, Request
from .papers import Document, Group, decide, name_kind, node_of, read_handed
from .returning import Returning
from .shelf import Shelf

if TYPE_CHECKING:
    from .node import Node

_PAGE = 50


class Hosting:
    """The groups that live on one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.groups: dict[str, Group] = {}
        self.asking: set[str] = set()
        self.returning = Returning(node, self)

    # What is there

    def found(self, group: Group) -> None:
        """Begin a group with an empty log."""
        self.groups[group.uri] = group
        with self._node.write(is_steady=True) as tx:
            tx.put(("log", group.uri), Shelf(Position(1, 0, chain_zero(group.uri))))
            tx.put(("recovery", group.uri), be_calm(1))
            tx.note("epoch", group=group.uri, epoch=1)

    def wake_up(self) -> None:
        """Forget what only the process knew."""
        self.asking.clear()

    @property
    def is_busy(self) -> bool:
        """Whether something waits for time to pass."""
        get = self._node.disk.get
        return any(
            get(("recovery", uri)).waiting or get(("held", uri)) or get(("submitted", uri)) for uri in self.groups
        )

    def may_speak(self, group: str) -> bool:
        """Say whether a log may go on: not while nodes are asked for what a restore has lost."""
        recovery: Recovery = self._node.disk.get(("recovery", group))
        return recovery.is_over(self._node.now)

    def list_readers(self) -> list[tuple[str, str]]:
        """Return (group, node) of everybody who is to have a log that may go out now."""
        get = self._node.disk.get
        return [
            (uri, peer) for uri in self.groups if self.may_speak(uri) for peer in sorted(get(("admitted", uri), {}))
        ]

    def get_base(self, group: str, peer: str) -> int:
        """Return the number behind which a member node's copy starts."""
        return int(self._node.disk.get(("admitted", group))[peer])

    # What peers may see

    def show_log(self, source: str, request: Request) -> Answer:
        """Show a page of a log."""
        return self._show(source, request, lambda log, base: log.list_after(max(request.told, base), _PAGE))

    def show_entry(self, source: str, request: Request) -> Answer:
        """Show one entry."""

        def find(log: Shelf, base: int) -> tuple[ReceivedEntry, ...]:
            found = log.get(request.told) if request.told > base else None
            return (found,) if found else ()

        return self._show(source, request, find)

    def show_base(self, source: str, request: Request) -> Answer:
        """Give a member node the checkpoint behind which its copy starts."""
        answer = self._show(source, request, lambda log, base: ())
        if answer.status != 200:
            return answer
        log, base = self._node.disk.get(("log", request.group)), self.get_base(request.group, source)
        document = self.build_base(log, self.groups[request.group], min(base, log.head.seq))
        return replace(answer, documents=(document,))

    def _show(self, source: str, request: Request, choose: Any) -> Answer:
        get, uri = self._node.disk.get, request.group
        if uri not in self.groups or source not in get(("admitted", uri), {}):
            return Answer(404)
        if not self.may_speak(uri):
            return Answer(503, retry_after_seconds=15.0)
        log: Shelf = get(("log", uri))
        entries = choose(log, self.get_base(uri, source))
        self._node.world.truth.note_shown(uri, self._node.name, source, entries)
        documents = tuple(self._node.world.papers.write(entry) for entry in entries)
        header = format_position(uri, log.head)
        return Answer(200, documents, header=header, told=self._find_done_with(source, request))

    def _find_done_with(self, source: str, request: Request) -> str | None:
        """Return the chain that a node tells if we are done with all that it gave us when it told it."""
        get, told = self._node.disk.get, parse_position(request.header)
        if told is None or get(("held", request.group)):
            return None
        recovery, log = get(("recovery", request.group)), get(("log", request.group))
        heard_chain = dict(recovery.heard).get(source)
        is_done = is_done_with(told[1], heard_chain=heard_chain, chain_here=log.chain_at(told[1].seq))
        return told[1].chain if is_done else None

    def build_base(self, log: Shelf, group: Group, seq: int) -> Document:
        """Return the signed checkpoint of a place of a log."""
        entry = log.get(seq)
        epoch = entry.entry.epoch if entry else log.base.epoch
        return build_checkpoint(group.uri, Position(epoch, seq, log.chain_at(seq) or ""), group.key)

    # What members do

    def post(self, activity: Document) -> None:
        """Take an activity of one of our own people; it is on disk when this returns."""
        with self._node.write() as tx:
            self.take_submission(tx, self._node.name, activity)

    def take_submission(self, tx: Transaction, source: str, activity: Document) -> None:
        """Store what was submitted, and act on it as far as it can be."""
        uri = activity["audience"]
        if uri not in self.groups:
            return
        if activity["type"] == "Follow":
            self._let_in(tx, self.groups[uri], source, activity)
            return
        if activity["type"] == "Undo":
            self._put_out(tx, uri, activity["actor"], "left")
            return
        submitted = tx.get(("submitted", uri), {})
        if activity["id"] not in submitted:
            waiting = Waiting(activity, source, self._node.now)
            tx.put(("submitted", uri), {**submitted, activity["id"]: waiting})
        self.returning.settle(tx, uri)

    def _let_in(self, tx: Transaction, group: Group, source: str, activity: Document) -> None:
        """Let somebody in, behind a checkpoint; who asks again is told again."""
        uri, actor, log = group.uri, activity["actor"], tx.get(("log", group.uri))
        places, admitted = tx.get(("places", uri), {}), tx.get(("admitted", uri), {})
        place: Place | None = places.get(actor)
        if not self.may_speak(uri) or (place is not None and place.state == "removed"):
            self._node.lanes.put(tx, source, CONTROL, decide("Reject", group, activity["id"], actor))
            return
        if place is None or place.is_out:
            after = log.head.seq if group.is_since_join else 0
            base = admitted.get(source, after)
            self._note_place(tx, uri, actor, Place("member", 0, "member", log.head.seq, after, base))
            if source != self._node.name and source not in admitted:
                tx.put(("admitted", uri), {**admitted, source: base})
                tx.put(("lane", source, uri), None)
                tx.after_commit(partial(self._node.world.truth.let_in, uri, source, base))
        if source == self._node.name:
            return
        base = min(tx.get(("admitted", uri))[source], log.head.seq)
        accept = decide("Accept", group, activity["id"], actor) | {"result": self.build_base(log, group, base)}
        self._node.lanes.put(tx, source, CONTROL, accept)

    def _note_place(self, tx: Transaction, uri: str, actor: str, place: Place) -> None:
        told = {name: getattr(place, name) for name in ("role", "joined_seq", "visible_after", "base_seq")}
        tx.put(("places", uri), {**tx.get(("places", uri), {}), actor: place})
        tx.note("in", group=uri, actor=actor, **told)

    def remove(self, uri: str, actor: str) -> None:
        """Staff put somebody out: from this commit on their node gets nothing more, if it has no other member."""
        with self._node.write() as tx:
            self._put_out(tx, uri, actor, "removed")

    def _put_out(self, tx: Transaction, uri: str, actor: str, state: str) -> None:
        places = tx.get(("places", uri), {})
        if actor not in places or places[actor].is_out:
            return
        seq = tx.get(("log", uri)).head.seq
        tx.note("out", group=uri, actor=actor, state=state, seq=seq)
        self.end_place(tx, uri, actor, Place(state, seq))
        self.tell_removed(tx, uri, actor)

    def tell_removed(self, tx: Transaction, uri: str, actor: str) -> None:
        """Tell somebody's node that they are out; after a restore once more, as the first word may be lost."""
        if node_of(actor) != self._node.name:
            self._node.lanes.put(tx, node_of(actor), CONTROL, decide("Remove", self.groups[uri], "", actor))

    def end_place(self, tx: Transaction, uri: str, actor: str, place: Place) -> None:
        """End somebody's place, and with the last of a node its admission."""
        places, peer = {**tx.get(("places", uri), {}), actor: place}, node_of(actor)
        tx.put(("places", uri), places)
        if any(node_of(each) == peer and not known.is_out for each, known in places.items()):
            return
        tx.put(("admitted", uri), {each: base for each, base in tx.get(("admitted", uri), {}).items() if each != peer})
        tx.put(("recovery", uri), tx.get(("recovery", uri)).drop(peer))
        tx.after_commit(partial(self._node.world.truth.put_out, uri, peer))

    # The log

    def record(self, tx: Transaction, uri: str, activity: Document, kind: str | None = None) -> None:
        """Give an accepted activity its number, its author's card first where that is news."""
        log: Shelf = tx.get(("log", uri))
        if tx.get(("restored", uri)):
            self._begin_epoch(tx, uri, log)
        author = activity["actor"]
        if author != uri and author not in log.authors:
            card = {"type": "Add", "id": f"{uri}/acts/{self._number()}", "actor": uri, "object": {"id": author}}
            self._append(tx, uri, "author", card)
        self._append(tx, uri, kind or name_kind(activity), activity)

    def _begin_epoch(self, tx: Transaction, uri: str, log: Shelf) -> None:
        """The first entry since a restore: from here on what was lost comes back under new numbers only."""
        admitted, places = tx.get(("admitted", uri), {}), tx.get(("places", uri), {})
        bases = {peer: choose_base(base, head_seq=log.head.seq) for peer, base in admitted.items()}
        for actor, place in places.items():
            base = bases.get(node_of(actor))
            if base is not None and base != admitted[node_of(actor)] and not place.is_out:
                self._note_place(tx, uri, actor, replace(place, base_seq=base))
        tx.put(("admitted", uri), bases)
        tx.put(("restored", uri), False)
        tx.note("epoch", group=uri, epoch=tx.get(("recovery", uri)).epoch)
        tx.after_commit(partial(self._node.world.truth.rebase, uri, bases))

    def _number(self) -> str:
        return f"{self._node.world.chance.getrandbits(64):016x}"

    def _append(self, tx: Transaction, uri: str, kind: str, activity: Document) -> None:
        head, group = tx.get(("log", uri)).head, self.groups[uri]
        salt = self._node.world.chance.randbytes(32)
        epoch = tx.get(("recovery", uri)).epoch
        entry = LogEntry(uri, epoch, head.seq + 1, head.chain, activity["id"], kind, commit_of(salt, activity))
        wire = {**entry.to_wire(), "proof": seal_entry(entry, group.key)}
        self.put_entry(tx, uri, ReceivedEntry(entry, wire, activity, salt, ()))
        tx.after_commit(partial(self._node.world.truth.note_numbered, entry))

    def put_entry(self, tx: Transaction, uri: str, received: ReceivedEntry) -> None:
        """Put an entry at the end of a log, and do what it says."""
        log = tx.get(("log", uri)).append(received)
        tx.put(("log", uri), erase_texts(tx, uri, log, received))
        self._node.wake(0.01)

    # Recovery

    def take_up(self, tx: Transaction, told: Told) -> None:
        """After a restore: places as the journal has them, no word of what was erased, and everybody is asked."""
        for uri in self.groups:
            self.returning.take_up(tx, uri, told)

    def hear_position(self, peer: str, uri: str, theirs: Position) -> None:
        """A member node that may hold more than we do is asked."""
        get = self._node.disk.get
        if uri not in self.groups or peer not in get(("admitted", uri), {}):
            return
        log: Shelf = get(("log", uri))
        if holds_more(theirs, log.head, chain_here=log.chain_at(theirs.seq)):
            recovery: Recovery = get(("recovery", uri))
            after = recovery.suspect(peer, theirs.chain, self._node.now)
            if after is not recovery:
                with self._node.write(is_steady=True) as tx:
                    tx.put(("recovery", uri), after)

    def look(self) -> None:
        """Ask who is due, and go on with what waited."""
        get = self._node.disk.get
        for uri in self.groups:
            recovery: Recovery = get(("recovery", uri))
            may_ask = recovery.waiting and uri not in self.asking
            due = recovery.list_due(self._node.now, get(("admitted", uri), {})) if may_ask else []
            if due:
                self._ask(uri, due[0])
            if (get(("held", uri)) or get(("submitted", uri)) or get(("unsettled", uri))) and self.may_speak(uri):
                with self._node.write() as tx:
                    self.returning.settle(tx, uri)

    def _ask(self, uri: str, peer: str) -> None:
        """Ask a node for what it holds behind the end of our log, and behind what others have given us already."""
        node, get = self._node, self._node.disk.get
        self.asking.add(uri)
        log, recovery = get(("log", uri)), get(("recovery", uri)).ask(peer, node.now)
        with node.write(is_steady=True) as tx:
            tx.put(("recovery", uri), recovery)
        held = [read_handed(each) for each, _, _ in get(("held", uri), {}).values()]
        first = min(get(("admitted", uri), {}).get(peer, 0), log.head.seq)
        lane = get(("lane", peer, uri))
        cursor = lane.cursor if lane else None
        places = build_locator(first, log.head.seq, lambda seq: log.chain_at(seq) or "", cursor=cursor)
        places += list_branches(held, log.chain_at)
        node.world.counts["repair: node asked for its copy"] += 1

        def then(answer: Answer | None) -> None:
            self.asking.discard(uri)
            if answer is not None and answer.status in (200, 404):
                self._hear(uri, peer, answer)
            node.wake()

        node.ask(peer, Request("copies", uri, told=tuple(places)), then)

    def _hear(self, uri: str, peer: str, answer: Answer) -> None:
        believed, told = [], parse_position(answer.header)
        for document in answer.documents:
            try:
                believed.append(self._node.world.papers.believe(document, uri))
            except NodeError:
                self._node.world.counts["refused: handed over without proof"] += 1
        with self._node.write() as tx:
            if peer in tx.get(("admitted", uri), {}):
                self.returning.hear(tx, uri, peer, told[1].chain if told else "", believed)
