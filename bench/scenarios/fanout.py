"""One post to ten, a hundred and a thousand other nodes: what each one more costs; and on a node that has long been used.

Posts that follow one another find the connections open; minutes later each is made anew. A thousand are never all open.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from bench.filling import fill
from bench.hosted import add_owner
from bench.nodes import PASSWORD, Node, a_running_node, init_node
from bench.peers import Peer, make_actor, make_peer
from bench.report import Line, line_of
from bench.run import Run
from bench.seating import seat
from bench.world import World, a_world

SIZES = (10, 100, 1000)
RSA_LIMIT, ED25519_LIMIT = 1.2, 0.6
FLAT_LIMIT = LINEAR_LIMIT = 1.3
_FLAT_HOSTS = 100
_CLOSED_AFTER_SECONDS = 5.0
_SENT_SECONDS, _LOOK_SECONDS = 120.0, 0.05


def measure(run: Run) -> list[Line]:
    """Measure by RSA and by Ed25519."""
    lines: list[Line] = []
    for speaks_rounds in (False, True):
        warm, cold = {}, {}
        for count in SIZES:
            peers = [make_peer(run.keys, speaks_rounds=speaks_rounds) for _ in range(count)]
            name = f"fanout-{count}-{'ed25519' if speaks_rounds else 'rsa'}"
            with a_world(peers) as world:
                data, origin = _new_node(run.folder / name, peers)
                with a_running_node(data, origin) as node:
                    warm[count] = _cost_of_posts(run, node, world, "ward", "ana")
                    cold[count] = _cost_of_posts(run, node, world, "ward", "ana", is_cold=True)
        lines += _slopes(run, warm, cold, speaks_rounds=speaks_rounds)
    return lines


def measure_stored(run: Run) -> list[Line]:
    """Measure a post to a hundred nodes with one, ten and a hundred times as many posts stored."""
    small = 300 if run.is_quick else 1_000
    folder = run.folder / "stored"
    folder.mkdir()
    spent = {}
    for posts in (small, small * 10, small * 100):
        peers = [make_peer(run.keys, speaks_rounds=True) for _ in range(_FLAT_HOSTS)]
        friend = make_actor(make_peer(run.keys), "/actor", "Application", run.keys)
        data = folder / f"stored-{posts}"
        origin = init_node(data)
        fill(data, posts=posts, friend=friend)
        with a_world(peers) as world:
            with a_running_node(data, origin) as node:
                node.run(
                    "member", "add", "ana", "--name", "Ana", "--assurance", "A3", "--password-stdin", text=PASSWORD
                )
                node.run("group", "create", "night", "--title", "Night", "--policy", "open", "--owner", "ana")
            seat(data, [f"{origin}/groups/night"], peers)
            with a_running_node(data, origin) as node:
                spent[posts] = statistics.median(_cost_of_posts(run, node, world, "night", "ana"))
    return [
        Line(
            f"post to {_FLAT_HOSTS} hosts, {posts:,} posts stored against {small:,}", spent[posts] / spent[small], "×",
            limit=FLAT_LIMIT, note=f"{spent[posts]:.0f} against {spent[small]:.0f} CPU-ms",
        )
        for posts in (small * 10, small * 100)
    ]  # fmt: skip


def _new_node(data: Path, peers: list[Peer]) -> tuple[Path, str]:
    """Make a node with a group that has a member on each of these peers."""
    origin = init_node(data)
    with a_running_node(data, origin) as node:
        add_owner(node)
        node.run("group", "create", "ward", "--title", "Ward", "--policy", "open", "--owner", "ana")
    seat(data, [f"{origin}/groups/ward"], peers)
    return data, origin


def _cost_of_posts(
    run: Run, node: Node, world: World, group: str, author: str, *, is_cold: bool = False
) -> list[float]:
    """Return the CPU-ms of one post each, its deliveries included; is_cold: after all connections were let go."""
    spent = []
    for _ in range(run.rounds + 1):
        world.reset()
        if is_cold:
            time.sleep(_CLOSED_AFTER_SECONDS)
        cpu = node.cpu
        node.run("post", "add", group, "--as", author, text="Who covers the night shift on Friday?")
        _wait_for_all(world)  # a node that is asked whether it rests counts its posts, which is no part of sending one
        node.wait_at_rest()
        spent.append((node.cpu - cpu) * 1000)
    return spent[1:]  # the very first one brings the author's card


def _wait_for_all(world: World) -> None:
    """Wait until every host was sent a post."""
    deadline = time.monotonic() + _SENT_SECONDS
    while any(host["posts"] < 1 for host in world.state()):
        if time.monotonic() > deadline:
            raise ValueError("not every host was sent the post")
        time.sleep(_LOOK_SECONDS)


def _slopes(run: Run, warm: dict[int, list[float]], cold: dict[int, list[float]], *, speaks_rounds: bool) -> list[Line]:
    label, limit = ("Ed25519", ED25519_LIMIT) if speaks_rounds else ("RSA", RSA_LIMIT)
    limits = run.limits
    floor = limits.post + (limits.ed25519_sign if speaks_rounds else limits.rsa_sign)
    few, many, most = SIZES
    new, newest = _slope(cold, few, many), _slope(cold, many, most)
    steeper = statistics.median(newest) / statistics.median(new)
    named = f"  each more host, {many} to {most:,}, connections new"
    return [
        line_of(f"post to {few} hosts, {label}, all of it", warm[few], "CPU-ms"),
        line_of(f"  each more host, {few} to {many}", _slope(warm, few, many), "CPU-ms", limit=limit, floor=floor),
        line_of(f"  each more host, {few} to {many}, connections new", new, "CPU-ms", floor=floor),
        line_of(named, newest, "CPU-ms", floor=floor),
        Line("  is it linear: the last against the one before", steeper, "×", limit=LINEAR_LIMIT),
    ]


def _slope(spent: dict[int, list[float]], fewer: int, more: int) -> list[float]:
    """Return what each more host costs."""
    before = statistics.median(spent[fewer])
    return [(value - before) / (more - fewer) for value in spent[more]]
