"""What breaks, and when: lines between nodes, machines, and machines that come back older than they were."""

from __future__ import annotations

from .checker import list_alive
from .node import Node, World


class Faults:
    """One run's misfortunes."""

    def __init__(self, world: World, nodes: dict[str, Node]) -> None:
        self._world = world
        self._nodes = nodes
        self._declared: set[str] = set()

    def strike(self) -> None:
        """Let one thing break, or a backup be made."""
        chance = self._world.chance
        roll, node = chance.random(), self._nodes[chance.choice(sorted(self._nodes))]
        if roll < 0.30:
            self.part(
                *chance.sample(sorted(self._nodes), 2), seconds=chance.uniform(20, 1200), both=chance.random() < 0.7
            )
        elif roll < 0.50:
            self.crash(node, chance.uniform(3, 120))
        elif roll < 0.80:
            if node.is_up:
                node.disk.back_up(self._world.clock.now)
                self._world.counts["fault: backup"] += 1
        else:
            seconds = chance.uniform(10, 900)
            self.restore(node, seconds, is_declared=chance.random() < 0.75, burns_journal=chance.random() < 0.04)

    def part(self, one: str, other: str, *, seconds: float, both: bool) -> None:
        """Cut the line between two nodes, or one direction of it."""
        lines = {(one, other), (other, one)} if both else {(one, other)}
        self._world.network.cut |= lines
        self._world.counts["fault: partition" if both else "fault: one-way partition"] += 1
        self._world.clock.after(seconds, lambda: self._heal(lines))

    def _heal(self, lines: set[tuple[str, str]]) -> None:
        self._world.network.cut -= lines

    def crash(self, node: Node, seconds: float) -> None:
        """Kill a node; it starts again from its disk."""
        if node.is_up:
            node.die()
            self._world.counts["fault: crash"] += 1
            life = node.life
            self._world.clock.after(seconds, lambda: self._start(node, life))

    def _start(self, node: Node, life: int) -> None:
        if not node.is_up and node.life == life:
            self._start_now(node)

    def _start_now(self, node: Node) -> None:
        if node.name in self._declared:
            self._declared.discard(node.name)
            node.disk.bring_journal_up_to_date()
            node.take_up()
        node.start()

    def restore(self, node: Node, seconds: float, *, is_declared: bool, burns_journal: bool = False) -> None:
        """Lose a machine and put its last backup on another; the operator says so, or does not know."""
        if not node.is_up:
            return
        node.die()
        node.disk.bring_journal_up_to_date()
        node.disk.restore()
        self._world.counts["fault: restore" if is_declared else "fault: silent restore"] += 1
        if burns_journal:
            self._world.counts["fault: journal burned"] += 1
            node.disk.burn_journal()
            self._world.truth.burned.add(node.name)
            for uri in node.hosting.groups:
                self._world.truth.promises[uri].burned_at = self._world.clock.now
        for uri in node.hosting.groups:
            self._world.truth.promises[uri].silent |= not is_declared
        self.account()
        if is_declared:
            self._declared.add(node.name)
        life = node.life
        self._world.clock.after(seconds, lambda: self._start(node, life))

    def account(self) -> None:
        """Note what was acknowledged and is on no disk any more: no protocol brings it back."""
        alive = list_alive(self._nodes.values())
        for uri, promises in self._world.truth.promises.items():
            promises.gone |= {each for each in promises.acked if each not in alive.get(uri, ())}

    def heal(self) -> None:
        """Let everything work again."""
        self._world.network.cut.clear()
        self._world.crash_in_commit = 0.0
        for node in self._nodes.values():
            if not node.is_up:
                self._start_now(node)
