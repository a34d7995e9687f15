"""One post to a hundred other nodes; then the same while some of them hang and some say that they are busy."""

from __future__ import annotations

import statistics
import time

from bench.hosted import add_owner, host_group
from bench.nodes import Node, a_node
from bench.peers import make_actor, make_peer
from bench.report import Line, line_of
from bench.run import Run
from bench.world import World, a_world

HOSTS = 100
HANGING, BUSY = 5, 5
RSA_LIMIT, RSA_HOPE, ED25519_LIMIT = 1.9, 1.2, 1.0
WAIT_LIMIT = 1.15
_ONE_BY_ONE, _BURST = 4, 5
_CLOSED_AFTER_SECONDS = 5.0
_TITLE, _TEXT = "Who can swap on Friday?", "The ward is quiet then, and I would take Thursday."


def measure(run: Run) -> list[Line]:
    """Measure deliveries by RSA, then by Ed25519, then with ten bad hosts among the hundred."""
    limits = run.limits
    lines = []
    for speaks_rounds in (False, True):
        peers = [make_peer(run.keys, speaks_rounds=speaks_rounds) for _ in range(HOSTS)]
        members = [make_actor(peer, "/people/p0", "Person", run.keys) for peer in peers]
        name = "delivery-ed25519" if speaks_rounds else "delivery-rsa"
        with a_world(peers) as world, a_node(run.folder, name) as node:
            world.befriend(node)
            add_owner(node)
            host_group(node, "ward", members)
            _post(node, world)
            node.wait_at_rest()
            warm, cold, burst = _measure_costs(run, node, world)
            if not speaks_rounds:
                alone, troubled = _measure_waits(run, node, world)
        label = "Ed25519" if speaks_rounds else "RSA"
        # What a POST costs a server is what it costs a client at the very least.
        floor = limits.post + (limits.ed25519_sign if speaks_rounds else limits.rsa_sign)
        limit, hope = (ED25519_LIMIT, None) if speaks_rounds else (RSA_LIMIT, RSA_HOPE)
        lines += [
            line_of(
                f"delivery by {label}, one post to {HOSTS} hosts",
                [each for each, _ in warm],
                "CPU-ms",
                rate=[rate for _, rate in warm],
                limit=limit,
                hope=hope,
                floor=floor,
            ),
            line_of(f"  {_BURST} posts at once", [each for each, _ in burst], "CPU-ms",
                    rate=[rate for _, rate in burst], floor=floor),
            line_of("  one post, every connection new", [each for each, _ in cold], "CPU-ms",
                    rate=[rate for _, rate in cold], floor=floor),
        ]  # fmt: skip
    return [*lines, _wait_line(alone, troubled)]


def _wait_line(alone: list[float], troubled: list[float]) -> Line:
    before, after = statistics.median(alone), statistics.median(troubled)
    return Line(
        f"the last healthy host, with {HANGING} hanging and {BUSY} busy",
        after / before,
        "×",
        limit=WAIT_LIMIT,
        note=f"{after * 1000:.0f} against {before * 1000:.0f} ms",
    )


def _measure_costs(run: Run, node: Node, world: World) -> tuple[list[tuple[float, float]], ...]:
    """Return (CPU-ms each, deliveries a second) of posts one by one, over new connections, and several at once."""
    warm, cold, burst = [], [], []
    for _ in range(run.rounds):
        warm.append(_cost(node, world, times=_ONE_BY_ONE))
        burst.append(_cost(node, world, posts=_BURST))
        time.sleep(_CLOSED_AFTER_SECONDS)
        cold.append(_cost(node, world))
    return warm, cold, burst


def _cost(node: Node, world: World, *, times: int = 1, posts: int = 1) -> tuple[float, float]:
    """Return what one delivery cost when so many posts were made at once, so many times one after the other."""
    cpu, seconds = node.cpu, 0.0
    for _ in range(times):
        world.reset()
        began = time.monotonic()
        for _ in range(posts):
            node.run("post", "add", "ward", "--as", "ana", "--title", _TITLE, text=_TEXT)
        seconds += world.wait_for_posts(posts) - began
        node.wait_at_rest()
        if any(host["posts"] != posts for host in world.state()):
            raise ValueError("not every host was sent every post once")
    count = HOSTS * posts * times
    return (node.cpu - cpu) * 1000 / count, count / seconds


def _measure_waits(run: Run, node: Node, world: World) -> tuple[list[float], list[float]]:
    """Return how long the last of the ninety healthy hosts waited for a post, without and with the ten bad ones."""
    rounds = 6 if run.is_quick else 20
    alone = [_post(node, world) for _ in range(rounds)]
    for place in range(HANGING + BUSY):
        world.set_mode(HOSTS - 1 - place, "hang" if place < HANGING else "busy")
    troubled = [_post(node, world) for _ in range(rounds)]
    return alone, troubled


def _post(node: Node, world: World) -> float:
    """Post, and return the seconds until the last of the hosts that are healthy in either case has it."""
    world.reset()
    began = time.monotonic()
    node.run("post", "add", "ward", "--as", "ana", "--title", _TITLE, text=_TEXT)
    return world.wait_for_posts(1, first=HOSTS - HANGING - BUSY) - began
