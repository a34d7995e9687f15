"""Who was never seen before: actors of peers, each worth one key fetch; and hosts that nobody put on the list."""

from __future__ import annotations

import statistics

from bench.documents import build_message
from bench.hosted import add_owner
from bench.load import send_all, spread
from bench.nodes import Node, a_node
from bench.peers import Actor, make_actor, make_peer, sign_post
from bench.report import Line, line_of
from bench.run import Run, send_until_rest
from bench.scenarios.ingest import PEERS, SENDERS, make_senders
from bench.world import a_world

ACTORS = 200
FLOOD_LIMIT = 0.3


def measure(run: Run) -> list[Line]:
    """Measure 200 new actors at once, then a flood of well-signed messages from a host that is not on the list."""
    peers, known = make_senders(run)
    strange = make_peer(run.keys)
    strangers = [make_actor(strange, f"/people/s{n}", "Person", run.keys) for n in range(SENDERS)]
    new = [make_actor(peers[n % PEERS], f"/people/new{n}", "Person", run.keys) for n in range(ACTORS)]
    with a_world(peers) as world, a_node(run.folder, "strangers") as node:
        world.befriend(node)
        to = add_owner(node)
        send_until_rest(node, _messages(node, known, to, SENDERS * 4))
        world.reset()
        cpu = node.cpu
        outcome = send_all(node.port, _messages(node, new, to, ACTORS))
        node.wait_at_rest()
        each = (node.cpu - cpu) * 1000 / ACTORS
        fetched = [host["fetches"] for host in world.state()]
        fetches = max(sum(host.get(f"/people/new{n}", 0) for host in fetched) for n in range(ACTORS))
        good, flood, stored = [], [], 0
        for _ in range(run.rounds):
            good.append(send_until_rest(node, _messages(node, known, to, run.items // 2)).each)
            cost, rows = _flood(node, _messages(node, strangers, to, run.items))
            flood.append(cost)
            stored += rows
    strange.listener.close()
    refused = ACTORS - outcome.statuses[202]
    ratios = [bad / well for bad, well in zip(flood, good, strict=True)]
    return [
        Line(f"{ACTORS} actors never seen: refused", refused, "messages", limit=0),
        Line("the most key fetches for one of them", fetches, "fetches", limit=1),
        Line("a message of an actor never seen", each, "CPU-ms", rate=ACTORS / outcome.seconds),
        line_of(
            "a message from a host not on the list, against a good one", ratios, "×", limit=FLOOD_LIMIT,
            note=f"{statistics.median(flood):.2f} against {statistics.median(good):.2f} CPU-ms",
        ),
        Line("stored of the flood", stored, "rows", limit=0),
    ]  # fmt: skip


def _flood(node: Node, queues: list[list[bytes]]) -> tuple[float, int]:
    """Return what one refused message cost, and how much was kept of all of them."""
    before = node.status()
    cpu = node.cpu
    send_all(node.port, queues).require(403)
    spent = (node.cpu - cpu) * 1000 / sum(map(len, queues))
    after = node.status()
    rows = sum(after["stored"].values()) - sum(before["stored"].values())
    return spent, rows + after["counts"]["commits"] - before["counts"]["commits"]


def _messages(node: Node, senders: list[Actor], to: str, count: int) -> list[list[bytes]]:
    made = []
    for n in range(count):
        sender = senders[n % len(senders)]
        made.append(sign_post(sender, node.origin, build_message(sender, to)))
    return spread(made, SENDERS)
