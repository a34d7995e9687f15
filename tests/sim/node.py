"""A node: a process on a machine with a disk. It starts, works, dies, and is put back from a backup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from node.domain.journal import Told
from node.federation.grouplog.position import Position, parse_position
from node.foundation.clock import format_instant

from .clock import Clock, Crashed
from .copies import Copies
from .disk import Disk, Transaction
from .hosting import Hosting
from .lanes import Lanes
from .network import Answer, Network, Request
from .papers import Group, Papers
from .rules import Rules
from .truth import Truth

_SOON, _BUSY_SECONDS, _CALM_SECONDS = 0.05, 10.0, 60.0


@dataclass
class World:
    """What all nodes of a run share."""

    clock: Clock
    chance: Random
    network: Network
    papers: Papers
    truth: Truth
    rules: Rules
    counts: Counter[str]
    groups: dict[str, Group]
    crash_in_commit: float = 0.0


class Node:
    """One installation."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.disk = Disk()
        self.is_up = False
        self.is_honest = True
        self.life = 0
        self._look_at = float("inf")
        self._told: tuple[str, Told] | None = None
        self.hosting = Hosting(self)
        self.copies = Copies(self)
        self.lanes = Lanes(self)
        self._verbs: dict[str, Callable[[str, Request], Answer | None]] = {
            "deliver": self.copies.take_delivery,
            "copies": self.copies.hand_over,
            "item": self._take_item,
            "log": self.hosting.show_log,
            "entry": self.hosting.show_entry,
            "base": self.hosting.show_base,
        }

    def replace_verb(self, verb: str, answer: Callable[[str, Request], Answer | None]) -> None:
        """Have a question answered by somebody else: a liar."""
        self._verbs[verb] = answer

    @property
    def now(self) -> float:
        """The present, in seconds."""
        return self.world.clock.now

    def start(self) -> None:
        """Begin a life: bring the journal up to date, see whether the database is older than it, go to work."""
        self.life += 1
        self.is_up = True
        self.disk.bring_journal_up_to_date()
        self.hosting.wake_up()
        self.copies.wake_up()
        self.lanes.wake_up()
        self._look_at = float("inf")
        known, written = self.disk.lines_known, self.disk.lines_written
        if self.world.rules.shows_restore(lines_known=known, lines_written=written):
            self.world.counts["repair: restore shown by the journal"] += 1
            self.take_up()
        self.wake(self.world.chance.uniform(0.1, 2.0))

    def take_up(self) -> None:
        """After a restore: do again what the journal says, then let every hosted group ask its nodes."""
        told = self.read_journal()
        with self.write(is_steady=True) as tx:
            self.hosting.take_up(tx, told)
            self.copies.take_up(tx, told)
        self.disk.know_all_lines()

    def read_journal(self) -> Told:
        """Return what the journal adds up to."""
        if self._told is None or self._told[0] is not self.disk.journal:
            self._told = (self.disk.journal, self.world.rules.add_up(self.disk.read_journal_lines()))
        return self._told[1]

    def die(self) -> None:
        """End this life; whoever waits for an answer of it waits in vain."""
        self.is_up = False
        self.life += 1

    @contextmanager
    def write(self, *, is_steady: bool = False) -> Iterator[Transaction]:
        """Give a transaction and commit it; now and then the node dies before, or between commit and journal."""
        chance, world = self.world.chance, self.world
        tx = Transaction(self.disk.rows, format_instant(world.clock.instant))
        yield tx
        if not tx.changes:
            return
        is_fatal = not is_steady and world.crash_in_commit and chance.random() < world.crash_in_commit
        if is_fatal and chance.random() < 0.5:
            self._crash("fault: crash before a commit")
        self.disk.commit(tx)
        if self.disk.has_lines_left:
            if is_fatal:
                self.disk.tear_journal(chance.random())
                self._crash("fault: crash before the journal's line")
            self.disk.bring_journal_up_to_date()

    def _crash(self, name: str) -> None:
        self.world.counts[name] += 1
        self.die()
        life = self.life
        self.world.clock.after(self.world.chance.uniform(3, 30), lambda: self._start_again(life))
        raise Crashed

    def _start_again(self, life: int) -> None:
        if not self.is_up and self.life == life:
            self.start()

    def wake(self, seconds: float = _SOON) -> None:
        """Look for work soon."""
        at, life = self.now + seconds, self.life
        if at < self._look_at:
            self._look_at = at
            self.world.clock.after(seconds, lambda: self._look(life, at))

    def _look(self, life: int, at: float) -> None:
        if not self.is_up or self.life != life or at != self._look_at:
            return
        self._look_at = float("inf")
        self.wake(_BUSY_SECONDS)
        self.hosting.look()
        self.copies.look()
        is_busy = self.lanes.look() or self.hosting.is_busy
        if not is_busy:
            self._look_at = float("inf")
            self.wake(_CALM_SECONDS)

    def ask(self, target: str, request: Request, then: Callable[[Answer | None], None]) -> None:
        """Ask another node; every question is heard as contact there."""

        def hear(answer: Answer | None) -> None:
            if answer is not None:
                self._note_position(target, answer.header)
            then(answer)

        self.world.network.ask(self.name, target, request, hear)

    def answer(self, source: str, request: Request) -> Answer | None:
        """Answer another node."""
        self.lanes.hear_from(source)
        self._note_position(source, request.header)
        return self._verbs[request.verb](source, request)

    def _note_position(self, peer: str, header: str | None) -> None:
        """A node that holds a copy of a group of ours says how far it goes."""
        found: tuple[str, Position] | None = parse_position(header)
        if found is not None:
            self.hosting.hear_position(peer, *found)

    def _take_item(self, source: str, request: Request) -> Answer:
        """Take an activity of the control or direct stream: stored, then acted on."""
        activity = request.documents[0]
        with self.write() as tx:
            if activity["type"] in ("Accept", "Reject", "Remove"):
                self.copies.hear_decision(tx, source, activity)
            else:
                self.hosting.take_submission(tx, source, activity)
        return Answer(202)
