"""A node's copies of groups that live elsewhere: taken in order, looked after when nothing comes, handed back when asked.

What an entry is to a copy decides `position`, how a copy finds back to its host `align`; this keeps rows and asks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from node.domain.journal import Told
from node.federation.grouplog.align import choose_told, proves_fork
from node.federation.grouplog.checkpoint import checkpoint_method, read_checkpoint, verify_checkpoint
from node.federation.grouplog.entry import ReceivedEntry, read_announce
from node.federation.grouplog.handed import choose_handing
from node.federation.grouplog.position import Position, Verdict, format_position, status_of
from node.foundation.errors import NodeError

from .disk import Transaction
from .erasing import erase_texts
from .finding import Finding
from .lanes import DIRECT
from .network import Answer, Request
from .papers import Document, Group, author_of, load_public, node_of, post_of
from .shelf import Shelf

if TYPE_CHECKING:
    from .node import Node


@dataclass(frozen=True)
class Submission:
    """An activity of one of our people on its way to a host. state: waiting, in log, or refused."""

    activity: Document
    sent_at: float
    state: str = "waiting"


_LOOK_SECONDS = 10.0


class Copies:
    """The groups that one node's people are in, and that live elsewhere."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._finding = Finding(node, self)
        self._resend_at = 0.0
        self._handed: dict[str, tuple[str, frozenset[str]]] = {}

    def wake_up(self) -> None:
        """Forget what only the process knew."""
        self._finding.wake_up()
        self._handed.clear()

    def get_group(self, uri: str) -> Group:
        """Return a group that we know."""
        return self._node.world.groups[uri]

    def list_groups(self) -> list[str]:
        """Return the groups that people of ours are in."""
        return [key[1] for key, people in self._node.disk.rows.items() if key[0] == "people" and people]

    def get_told(self, uri: str) -> str | None:
        """Return the header of a request to a group's host."""
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        if copy is None:
            return None
        kept = self._node.disk.get(("kept", uri), {})
        return format_position(uri, choose_told(copy.head, [each.entry for each in kept.values()]))

    # What arrives

    def take_delivery(self, source: str, request: Request) -> Answer:
        """Take one Announce: believed only whole, in order, and by the group's key."""
        uri = request.group
        try:
            claimed = read_announce(request.documents[0]).entry.group
            if self.get_group(uri).host != source or claimed != uri:
                return Answer(403)
            received = self._node.world.papers.believe(request.documents[0], uri)
        except NodeError:
            self._node.world.counts["refused: delivery that nobody believes"] += 1
            return Answer(400)
        with self._node.write() as tx:
            verdict = self.judge_arrival(tx, uri, received)
            if verdict is None:
                return Answer(404)
            head = tx.get(("copy", uri)).head
        self._node.world.counts[f"verdict: {verdict.value}"] += 1
        self._finding.note_verdict(uri, verdict)
        return Answer(status_of(verdict), header=format_position(uri, head))

    def judge_arrival(self, tx: Transaction, uri: str, received: ReceivedEntry) -> Verdict | None:
        """Judge an entry, and keep it if it is next. None when we hold no copy."""
        copy: Shelf | None = tx.get(("copy", uri))
        if copy is None:
            return None
        entry = received.entry
        held = copy.get(entry.seq)
        chain = held.entry.chain if held else None
        verdict = self._node.world.rules.judge(entry, copy.head, base_seq=copy.base.seq, held_chain=chain)
        if verdict is Verdict.NEXT:
            self._append(tx, uri, copy, received)
        elif verdict is Verdict.DIVERGED and proves_fork(entry, copy.head, held=held.entry if held else None):
            self._node.world.counts["align: fork proved"] += 1
            self._node.world.truth.note_fork_reported(uri, self._node.name)
        return verdict

    def _append(self, tx: Transaction, uri: str, copy: Shelf, received: ReceivedEntry) -> None:
        activity = received.entry.activity
        copy = erase_texts(tx, uri, copy.append(received), received)
        tx.put(("copy", uri), copy)
        kept = tx.get(("kept", uri), {})
        if any(each.entry.activity == activity for each in kept.values()):
            tx.put(("kept", uri), {key: each for key, each in kept.items() if each.entry.activity != activity})
            self._node.world.counts["repair: kept entry was shown again"] += 1
        self._set_state(tx, uri, activity, "in log")
        if received.entry.kind in ("delete", "remove"):
            self._withdraw(tx, uri, post_of(received.object))
        tx.after_commit(partial(self._node.world.truth.note_taken, uri, self._node.name, received.entry))

    def _set_state(self, tx: Transaction, uri: str, activity: str, state: str) -> None:
        mine = tx.get(("mine", uri), {})
        if activity in mine and mine[activity].state != state:
            changed = replace(mine[activity], state=state, sent_at=self._node.now)
            tx.put(("mine", uri), {**mine, activity: changed})

    def _withdraw(self, tx: Transaction, uri: str, post: str | None) -> None:
        """What was taken back is not submitted any more."""
        for key, submission in tx.get(("mine", uri), {}).items():
            if submission.state == "waiting" and post_of(submission.activity) == post:
                self._set_state(tx, uri, key, "refused")

    def reopen(self, tx: Transaction, uri: str, removed: tuple[ReceivedEntry, ...]) -> None:
        """Words of our people that stood in the log and do not any more are on their way again."""
        for received in removed:
            if node_of(author_of(received)) == self._node.name:
                self._set_state(tx, uri, received.entry.activity, "waiting")

    # What our people do

    def post(self, activity: Document) -> None:
        """Take an activity of one of our people; it is on disk when this returns."""
        uri = activity["audience"]
        with self._node.write() as tx:
            mine = tx.get(("mine", uri), {})
            tx.put(("mine", uri), {**mine, activity["id"]: Submission(activity, self._node.now)})
            self._node.lanes.put(tx, self.get_group(uri).host, DIRECT, activity)

    def request(self, uri: str, actor: str, activity: Document) -> None:
        """Ask to join a group."""
        with self._node.write() as tx:
            tx.put(("asked", uri), {**tx.get(("asked", uri), {}), actor: activity["id"]})
            self._node.lanes.put(tx, self.get_group(uri).host, DIRECT, activity)

    def leave(self, uri: str, actor: str, activity: Document) -> None:
        """Somebody leaves: at once here, soon at the host."""
        with self._node.write() as tx:
            tx.note("out", group=uri, actor=actor, state="left", seq=0)
            self._end(tx, uri, actor)
            self._node.lanes.put(tx, self.get_group(uri).host, DIRECT, activity)

    def _end(self, tx: Transaction, uri: str, actor: str) -> None:
        """End somebody's place; with the last one goes our copy of the group."""
        people = tx.get(("people", uri), frozenset()) - {actor}
        tx.put(("people", uri), people)
        asked = tx.get(("asked", uri), {})
        tx.put(("asked", uri), {each: asked[each] for each in asked if each != actor})
        if not people:
            tx.put(("copy", uri), None)
            tx.put(("kept", uri), {})
            tx.put(("mine", uri), {})

    def hear_decision(self, tx: Transaction, source: str, activity: Document) -> None:
        """Hear what a host decided about somebody, or about what they submitted."""
        uri, actor = activity["actor"], activity["of"]
        if self.get_group(uri).host != source:
            return
        asked = tx.get(("asked", uri), {})
        is_answer = asked.get(actor) == activity["object"]
        if activity["type"] == "Remove" and actor in tx.get(("people", uri), frozenset()):
            tx.note("out", group=uri, actor=actor, state="removed", seq=0)
            self._end(tx, uri, actor)
        elif activity["type"] == "Reject" and not is_answer:
            self._set_state(tx, uri, activity["object"], "refused")
        elif is_answer:
            tx.put(("asked", uri), {each: asked[each] for each in asked if each != actor})
            if activity["type"] == "Accept":
                self._begin(tx, uri, actor, activity["result"])

    def _begin(self, tx: Transaction, uri: str, actor: str, checkpoint: Document) -> None:
        base = self.read_base(uri, checkpoint)
        if base is None:
            return
        tx.put(("people", uri), tx.get(("people", uri), frozenset()) | {actor})
        copy: Shelf | None = tx.get(("copy", uri))
        self.note_in(tx, uri, actor, base.seq if copy is None else copy.base.seq)
        if copy is None:
            tx.put(("copy", uri), Shelf(base))
            tx.after_commit(partial(self._node.world.truth.note_begun, uri, self._node.name, base))
        self._finding.look_soon(uri)

    def note_in(self, tx: Transaction, uri: str, actor: str, base_seq: int) -> None:
        """Note that somebody is in, and where our copy starts."""
        told = {"role": "member", "joined_seq": base_seq, "visible_after": base_seq, "base_seq": base_seq}
        tx.note("in", group=uri, actor=actor, **told)

    def read_base(self, uri: str, checkpoint: Document) -> Position | None:
        """Return the place of a checkpoint that the group has signed; None when it is not one."""
        try:
            checkpoint_method(checkpoint, uri)
            verify_checkpoint(checkpoint, load_public(uri))
            return read_checkpoint(checkpoint, uri)
        except NodeError:
            self._node.world.counts["refused: checkpoint"] += 1
            return None

    # What is due

    def look(self) -> None:
        """Send again what did not come back, and ask hosts that were not heard for long."""
        is_due = self._node.now >= self._resend_at
        if is_due:
            self._resend_at = self._node.now + _LOOK_SECONDS
        for uri in self.list_groups():
            if is_due:
                self._resend(uri)
            self._finding.look(uri)

    def _resend(self, uri: str) -> None:
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        host, rules = self.get_group(uri).host, self._node.world.rules
        for key, submission in self._node.disk.get(("mine", uri), {}).items():
            since = self._node.now - submission.sent_at
            if submission.state != "waiting" or copy is None or not rules.is_resend_due(
                is_in_log=key in copy.numbers,
                is_on_its_way=self._node.lanes.is_on_its_way(host, key),
                since_sent_seconds=since,
            ):  # fmt: skip
                continue
            with self._node.write() as tx:
                sent = replace(submission, sent_at=self._node.now)
                tx.put(("mine", uri), {**tx.get(("mine", uri)), key: sent})
                self._node.lanes.put(tx, host, DIRECT, submission.activity)
            self._node.world.counts["repair: submission sent again"] += 1

    # What a host asks for

    def hand_over(self, source: str, request: Request) -> Answer:
        """Give a group's host what we hold behind the last place that its log and our copy share, and what we keep."""
        uri = request.group
        copy: Shelf | None = self._node.disk.get(("copy", uri))
        if copy is None or self.get_group(uri).host != source:
            return Answer(404)
        after = choose_handing(request.told, base_seq=copy.base.seq, chain_at=copy.chain_at)
        kept = self._node.disk.get(("kept", uri), {})
        entries = (*copy.list_after(after), *kept.values())
        documents = tuple(self._node.world.papers.write(entry) for entry in entries)
        told = choose_told(copy.head, [each.entry for each in kept.values()])
        self._handed[uri] = (told.chain, frozenset(kept))
        return Answer(200, documents, header=format_position(uri, told))

    def let_go(self, uri: str, chain: str) -> None:
        """The host is done with what we gave it when we told this chain: we need not keep it."""
        told, handed = self._handed.get(uri, ("", frozenset()))
        kept = self._node.disk.get(("kept", uri), {})
        gone = ({chain} | (handed if told == chain else frozenset())) & set(kept)
        if gone:
            with self._node.write() as tx:
                tx.put(("kept", uri), {key: each for key, each in kept.items() if key not in gone})
            self._node.world.counts["repair: kept entry let go"] += len(gone)

    def take_up(self, tx: Transaction, told: Told) -> None:
        """After a restore: who left is out, who came is in, and no word of what was erased."""
        for (uri, actor), place in told.places.items():
            if node_of(actor) != self._node.name or self.get_group(uri).host == self._node.name:
                continue
            people = tx.get(("people", uri), frozenset())
            if place.is_out and actor in people:
                self._end(tx, uri, actor)
                self._node.world.counts["repair: left again by the journal"] += 1
                if place.state == "left":
                    number = f"{self._node.world.chance.getrandbits(64):016x}"
                    undo = {"type": "Undo", "id": f"{actor}/{number}", "actor": actor, "audience": uri}
                    self._node.lanes.put(tx, self.get_group(uri).host, DIRECT, undo)
            elif not place.is_out and actor not in people:
                tx.put(("people", uri), people | {actor})
                self._node.world.counts["repair: came in again by the journal"] += 1
        for uri in self.list_groups():
            self._drop_earlier_stay(tx, uri, told)
        for uri, activities in told.erased.items():
            copy = tx.get(("copy", uri))
            for activity in sorted(activities) if copy else ():
                copy = copy.erase(activity)
            tx.put(("copy", uri), copy)
            kept = tx.get(("kept", uri), {})
            tx.put(("kept", uri), {key: each for key, each in kept.items() if each.entry.activity not in activities})

    def _drop_earlier_stay(self, tx: Transaction, uri: str, told: Told) -> None:
        """A copy with another base than the journal tells is one of an earlier stay: begun anew at the host's word."""
        copy, people = tx.get(("copy", uri)), tx.get(("people", uri), frozenset())
        base = told.find_base(uri, people)
        if copy is not None and base is not None and base != copy.base.seq:
            tx.put(("copy", uri), None)
            tx.put(("kept", uri), {})
            self._node.world.counts["repair: copy of an earlier stay dropped"] += 1
