"""A hosted group's way back after a restore, and what waits for something: what is handed over, and submissions.

Each thing is put before a core: `judge_handed` for entries that nodes gave back, `judge_parent` for what lacks its parent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from node.domain.journal import Place, Told
from node.federation.grouplog.entry import ReceivedEntry
from node.federation.grouplog.handed import Handed, Ours, Use, choose_path
from node.federation.grouplog.waiting import Parent

from .accepting import Accepting
from .disk import Transaction
from .papers import node_of, place_of, post_of, read_handed
from .shelf import Shelf

if TYPE_CHECKING:
    from .hosting import Hosting
    from .node import Node


class Returning:
    """The part of hosting that a restore needs."""

    def __init__(self, node: Node, hosting: Hosting) -> None:
        self._node = node
        self._hosting = hosting
        self._accepting = Accepting(node, hosting)

    def take_up(self, tx: Transaction, uri: str, told: Told) -> None:
        """Do again what the journal says, and begin to ask."""
        for (group, actor), place in sorted(told.places.items(), key=lambda each: each[1].is_out):
            if group != uri or tx.get(("places", uri), {}).get(actor) == place:
                continue
            if place.is_out:
                self._hosting.end_place(tx, uri, actor, place)
                self._hosting.tell_removed(tx, uri, actor)
                self._node.world.counts["repair: put out again by the journal"] += 1
            else:
                self._bring_back(tx, uri, actor, node_of(actor), place)
        self._set_bases(tx, uri, told)
        log: Shelf = tx.get(("log", uri))
        for activity in sorted(told.erased.get(uri, ())):
            log = log.erase(activity)
        tx.put(("log", uri), log)
        self.begin(tx, uri, told)

    def _bring_back(self, tx: Transaction, uri: str, actor: str, peer: str, place: Place) -> None:
        tx.put(("places", uri), {**tx.get(("places", uri), {}), actor: place})
        admitted = tx.get(("admitted", uri), {})
        if peer != self._node.name and peer not in admitted:
            tx.put(("admitted", uri), {**admitted, peer: place.base_seq})
            tx.put(("lane", peer, uri), None)
            self._node.world.counts["repair: let in again by the journal"] += 1

    def _set_bases(self, tx: Transaction, uri: str, told: Told) -> None:
        """Give every node the base that the journal tells: its people may have left and come back since the backup."""
        admitted = tx.get(("admitted", uri), {})
        people = {peer: [actor for actor in tx.get(("places", uri)) if node_of(actor) == peer] for peer in admitted}
        found = {peer: told.find_base(uri, actors) for peer, actors in people.items()}
        bases = {peer: admitted[peer] if base is None else base for peer, base in found.items()}
        self._node.world.counts["repair: base set by the journal"] += bases != admitted
        tx.put(("admitted", uri), bases)

    def begin(self, tx: Transaction, uri: str, told: Told) -> None:
        """Begin to ask every node of a group; its next entry begins a new epoch."""
        log: Shelf = tx.get(("log", uri))
        epochs = {log.head.epoch, tx.get(("recovery", uri)).epoch, *told.epochs.get(uri, ())}
        nodes = set(tx.get(("admitted", uri), {}))
        tx.put(("recovery", uri), self._node.world.rules.begin_recovery(epochs=epochs, nodes=nodes, now=self._node.now))
        tx.put(("restored", uri), True)
        tx.put(("unsettled", uri), True)
        tx.put(("moved", uri), (0, 0, self._node.life))
        self._node.world.counts["repair: recovery begun"] += 1

    def hear(self, tx: Transaction, uri: str, peer: str, chain: str, believed: list[ReceivedEntry]) -> None:
        """Take what a node gave: look at each, keep what may be of use, and note that the node was heard."""
        told, world = self._node.read_journal(), self._node.world
        moved, news = len(believed), 0
        for received in believed:
            handed, log = read_handed(received), tx.get(("log", uri))
            chain_here = log.chain_at(received.entry.seq)
            if not tx.get(("restored", uri)) and world.rules.proves_loss(handed, log.head, chain_here=chain_here):
                self.begin(tx, uri, told)
                world.counts["repair: restore shown by a peer"] += 1
            use = world.rules.judge_handed(handed, self._describe(tx, uri, received, told))
            world.counts[f"handed: {use.value}"] += 1
            held = tx.get(("held", uri), {})
            is_held = received.entry.chain in held
            news += chain_here != received.entry.chain and not is_held
            if use not in (Use.REFUSE, Use.KNOWN) and not is_held:
                tx.put(("held", uri), {**held, received.entry.chain: (received, self._node.now, 0)})
                tx.put(("recovery", uri), tx.get(("recovery", uri)).learn(received.entry.epoch))
        before = tx.get(("moved", uri), (0, 0, 0))
        tx.put(("moved", uri), (before[0] + moved, before[1] + news, before[2]))
        world.counts["handed over"] += moved
        tx.put(("recovery", uri), tx.get(("recovery", uri)).hear(peer, chain))
        held = {chain: (each, since, asks + 1) for chain, (each, since, asks) in tx.get(("held", uri), {}).items()}
        tx.put(("held", uri), held)
        self.settle(tx, uri)

    def _describe(
        self, tx: Transaction, uri: str, received: ReceivedEntry, told: Told, *, waited: bool = False
    ) -> Ours:
        """Return our side of an entry that was handed over."""
        log, places, activity = tx.get(("log", uri)), tx.get(("places", uri), {}), received.entry.activity
        epochs = {*told.epochs.get(uri, ()), *(each.entry.epoch for each in log.entries[-1:])}
        needs = read_handed(received).needs
        return Ours(
            head=log.head,
            epochs=epochs if told.is_whole else None,
            is_recovering=bool(tx.get(("restored", uri))),
            has_activity=activity in log.numbers,
            has_needed=waited or not self._node.world.rules.needs_parents or all(post in log.texts for post in needs),
            out={actor for actor, place in places.items() if place.is_out} | told.list_out(uri),
            is_asking=not tx.get(("recovery", uri)).is_over(self._node.now),
            is_erased=activity in told.erased.get(uri, ()) or self._is_taken_back(log, received),
        )

    @staticmethod
    def _is_taken_back(log: Shelf, received: ReceivedEntry) -> bool:
        return received.entry.kind in ("create", "update") and post_of(received.object) in log.taken_back

    def settle(self, tx: Transaction, uri: str) -> None:
        """Go on with what waits, once the log may go on: the lost end first, then what is said anew, then what is new."""
        if not tx.get(("recovery", uri)).is_over(self._node.now):
            return
        if tx.get(("unsettled", uri)):
            tx.put(("unsettled", uri), False)
            self._note_over(tx, uri)
        told = self._node.read_journal()
        if tx.get(("restored", uri)):
            self._adopt(tx, uri, told)
            self._take_back_again(tx, uri)
        while self._say_one_anew(tx, uri, told):
            pass
        while self._accepting.take_one(tx, uri):
            pass

    def _note_over(self, tx: Transaction, uri: str) -> None:
        """Nobody may hold a recovery up for longer than it has patience, or have much more moved than is missing."""
        recovery, (moved, news, life) = tx.get(("recovery", uri)), tx.get(("moved", uri), (0, 0, 0))
        seconds = self._node.now - recovery.began
        if life == self._node.life and seconds < 1e9:
            nodes = len(recovery.heard) + 1
            self._node.world.truth.note_recovered(uri, seconds=seconds, moved=moved, news=news, nodes=nodes)

    def _adopt(self, tx: Transaction, uri: str, told: Told) -> None:
        """Put the lost end back where it stood."""
        held = {chain: each for chain, (each, _, _) in tx.get(("held", uri), {}).items()}
        path: list[Handed] = choose_path(tx.get(("log", uri)).head, [read_handed(each) for each in held.values()])
        for handed in path:
            received = held[handed.entry.chain]
            use = self._node.world.rules.judge_handed(handed, self._describe(tx, uri, received, told))
            if use not in (Use.ADOPT, Use.ADOPT_ERASED):
                break
            self._node.world.counts[f"handed: {use.value}"] += 1
            self._hosting.put_entry(tx, uri, received)
            if use is Use.ADOPT_ERASED:
                tx.put(("log", uri), tx.get(("log", uri)).erase(received.entry.activity))
            tx.after_commit(partial(self._node.world.truth.note_adopted, received.entry))
            self._let_go(tx, uri, handed.entry.chain)

    def _let_go(self, tx: Transaction, uri: str, chain: str) -> None:
        tx.put(("held", uri), {each: kept for each, kept in tx.get(("held", uri), {}).items() if each != chain})

    def _say_one_anew(self, tx: Transaction, uri: str, told: Told) -> bool:
        """Judge what was handed over, oldest first, until one is done with; return whether one was."""
        held = tx.get(("held", uri), {})
        for received, since, asks in sorted(held.values(), key=lambda each: place_of(each[0].entry)):
            waited = self._node.now - since
            given_up = self._node.world.rules.judge_parent(asks=asks, waited_seconds=waited) is Parent.GIVE_UP
            ours = self._describe(tx, uri, received, told, waited=given_up)
            use = self._node.world.rules.judge_handed(read_handed(received), ours)
            if use is Use.LATER:
                continue
            self._node.world.counts[f"handed: {use.value}"] += 1
            self._let_go(tx, uri, received.entry.chain)
            post = post_of(received.object)
            if use is Use.SAY_ANEW:
                if given_up:
                    self._accepting.keep_places_free(tx, uri, received.object)
                tx.after_commit(partial(self._node.world.truth.note_said_anew, received.entry))
                self._hosting.record(tx, uri, received.object, received.entry.kind)
            elif use is Use.TAKE_BACK and post is not None and post not in tx.get(("log", uri)).taken_back:
                self._take_away(tx, uri, post)
            return True
        return False

    def _take_back_again(self, tx: Transaction, uri: str) -> None:
        """Say once more that a text was erased, if the log lost who said so: member nodes still show it."""
        told = self._node.read_journal()
        for activity in sorted(told.erased.get(uri, ())):
            log, post = tx.get(("log", uri)), told.posts.get(activity)
            if activity in log.numbers and post is not None and post not in log.taken_back:
                self._take_away(tx, uri, post)

    def _take_away(self, tx: Transaction, uri: str, post: str) -> None:
        self._node.world.counts["repair: erased again"] += 1
        number = f"{self._node.world.chance.getrandbits(64):016x}"
        activity = {"type": "Delete", "id": f"{uri}/acts/{number}", "actor": uri, "object": post}
        self._hosting.record(tx, uri, activity, "remove")
