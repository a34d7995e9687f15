"""One seed from beginning to end: six nodes, three groups, some hours of work and misfortune, then rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from .checker import Checker
from .clock import Clock, Crashed
from .faults import Faults
from .malice import Malice
from .network import CALM, STORM, Network
from .node import Node, World
from .papers import Group, Papers
from .rules import choose_rules
from .truth import Truth
from .workload import Workload, list_people

NODES = ("a", "b", "c", "d", "e", "f")
ACTIVITIES = 200
_PAUSE_SECONDS = 25.0
_REST_SECONDS = 4200.0
_LIARS = 0.4


@dataclass
class Ending:
    """What became of a seed."""

    seed: int
    broken: list[str]
    counts: Counter[str] = field(default_factory=Counter)


def draw_groups(chance: Random) -> list[Group]:
    """Return three groups somewhere."""
    hosts = [chance.choice(NODES) for _ in range(3)]
    return [
        Group(f"https://{host}.example/groups/{number}", host, is_since_join=chance.random() < 0.5)
        for number, host in enumerate(hosts)
    ]


class Run:
    """The world of one seed, made and not yet begun."""

    def __init__(self, seed: int, switched_off: str | None = None, given: list[Group] | None = None) -> None:
        chance, counts, clock = Random(seed), Counter[str](), Clock()
        groups = {group.uri: group for group in given or draw_groups(chance)}
        network = Network(clock, chance, counts)
        truth = Truth(clock, groups, counts)
        self.world = World(clock, chance, network, Papers(counts), truth, choose_rules(switched_off), counts, groups)
        self.nodes = {name: Node(name, self.world) for name in NODES}
        network.nodes = self.nodes
        self.workload = Workload(self.world, self.nodes)
        self.faults = Faults(self.world, self.nodes)
        self.liar: Malice | None = None
        for node in self.nodes.values():
            with node.write(is_steady=True) as tx:
                tx.note("begun")
        for group in groups.values():
            self.nodes[group.host].hosting.found(group)
        for node in self.nodes.values():
            node.start()

    def fill(self) -> None:
        """Let people into the groups, in good weather."""
        self.world.network.weather = CALM
        for uri, group in self.world.groups.items():
            others = [name for name in NODES if name != group.host]
            for name in [group.host, *self.world.chance.sample(others, 3)]:
                self.workload.ask_in(uri, list_people(name)[0])
        self.rest(120.0)
        for node in self.nodes.values():
            node.disk.back_up(self.world.clock.now)
        if self.world.chance.random() < _LIARS:
            self.liar = Malice(self.nodes[self.world.chance.choice(NODES)])

    def storm(self) -> None:
        """Let people work while things break."""
        self.world.network.weather = STORM
        self.world.crash_in_commit = 0.0006
        for _ in range(ACTIVITIES):
            self.rest(self.world.chance.expovariate(1 / _PAUSE_SECONDS))
            try:
                self.workload.act()
                if self.world.chance.random() < 0.22:
                    self.faults.strike()
                if self.liar is not None and self.world.chance.random() < 0.3:
                    self.liar.act()
            except Crashed:
                continue

    def rest(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.run_until(self.world.clock.now + seconds)

    def settle(self) -> list[str]:
        """Let everything work again and come to rest; return what does not hold then."""
        self.world.network.weather = CALM
        self.faults.heal()
        self.rest(_REST_SECONDS)
        self.faults.account()
        return Checker(self.world, self.nodes).check()


def run_seed(seed: int, switched_off: str | None = None) -> Ending:
    """Run one seed."""
    run = Run(seed, switched_off)
    run.fill()
    run.storm()
    return Ending(seed, run.settle(), run.world.counts)


def try_seed(work: tuple[int, str | None]) -> Ending:
    """Run one seed; an exception is a finding like any other. For the processes of a pool."""
    try:
        return run_seed(*work)
    except Exception as error:
        return Ending(work[0], [f"exception: {type(error).__name__}: {error}"])
