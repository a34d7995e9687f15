"""A hundred other nodes of which five take what is brought and never answer: how long the healthy ones wait for a post."""

from __future__ import annotations

import statistics
import time

from bench.hosted import add_owner
from bench.nodes import a_running_node, init_node
from bench.peers import make_peer
from bench.report import Line
from bench.run import Run
from bench.seating import seat
from bench.world import a_world

HOSTS, HANGING, GROUPS = 100, 5, 4
P99_LIMIT_SECONDS = 3.0
_EVERY_SECONDS = 1.0


def measure(run: Run) -> list[Line]:
    """Post once a second in turn in four groups; the same without and with the five."""
    peers = [make_peer(run.keys, speaks_rounds=True) for _ in range(HOSTS)]
    data = run.folder / "hanging"
    origin = init_node(data)
    groups = [f"ward{number}" for number in range(GROUPS)]
    with a_running_node(data, origin) as node:
        add_owner(node)
        for group in groups:
            node.run("group", "create", group, "--title", group, "--policy", "open", "--owner", "ana")
    seat(data, [f"{origin}/groups/{group}" for group in groups], peers)
    posts = 12 if run.is_quick else 40
    waits = {}
    with a_world(peers) as world, a_running_node(data, origin) as node:
        for group in groups:  # the first post brings the author's card
            node.run("post", "add", group, "--as", "ana", text="Good morning.")
        node.wait_at_rest()
        for hanging in (0, HANGING):
            for place in range(hanging):
                world.set_mode(place, "hang")
            world.reset()
            sent = []
            for number in range(posts):
                sent.append(time.monotonic())
                node.run("post", "add", groups[number % GROUPS], "--as", "ana", text="Who covers Friday?")
                time.sleep(max(0.0, sent[0] + (number + 1) * _EVERY_SECONDS - time.monotonic()))
            world.wait_for_posts(posts, last=HOSTS - HANGING)
            waits[hanging] = [
                arrived - began
                for host in world.times()[HANGING:]
                for arrived, began in zip(sorted(host), sent, strict=True)
            ]
    return [_line(posts, hanging, found) for hanging, found in waits.items()]


def _line(posts: int, hanging: int, waits: list[float]) -> Line:
    p99 = statistics.quantiles(waits, n=100)[98]
    return Line(
        f"p99 of a post's way to a healthy node, {hanging} of {HOSTS} hang",
        p99,
        "s",
        limit=P99_LIMIT_SECONDS,
        note=f"median {statistics.median(waits):.2f} s; {posts} posts, one a second, {GROUPS} groups",
    )
