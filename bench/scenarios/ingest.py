"""Private messages that come in: verified and durable before the 202, and acted on. Also: does Quart in front cost?"""

from __future__ import annotations

import statistics

from bench.documents import build_message
from bench.limits import a_bare_server, cost_of_posts
from bench.load import spread
from bench.nodes import PASSWORD, Node, a_node
from bench.peers import Actor, Peer, make_actor, make_peer, sign_post
from bench.report import Line, line_of
from bench.run import Run, Spent, describe_work, send_until_rest
from bench.world import a_world

PEERS = 4
SENDERS = 16
LIMIT, HOPE, LEAST_RATE = 1.5, 1.0, 500.0


def measure(run: Run) -> list[Line]:
    """Measure messages at a node as it is, and at one whose inbox lies inside Quart, round by round in turn."""
    peers, senders = make_senders(run)
    with (
        a_world(peers) as world,
        a_node(run.folder, "ingest") as node,
        a_node(run.folder, "ingest-quart", program=("-m", "bench.quart_inbox")) as other,
        a_bare_server() as (bare_pid, bare_port),
    ):
        nodes = (node, other)
        for each in nodes:
            world.befriend(each)
            each.run("member", "add", "ana", "--name", "Ana", "--password-stdin", text=PASSWORD)
            send_until_rest(each, _messages(each, senders, SENDERS * 4))
        spent: dict[int, list[Spent]] = {0: [], 1: []}
        floors = []
        for _ in range(run.rounds):
            for place, each in enumerate(nodes):
                queues = _messages(each, senders, run.items)
                spent[place].append(send_until_rest(each, queues))
            floors.append(cost_of_posts(bare_pid, bare_port, queues)[0])
    floor = statistics.median(floors) + run.limits.rsa_verify + 2 * run.limits.row
    return [
        line_of(
            "private message, RSA, 16 senders known",
            [each.each for each in spent[0]],
            "CPU-ms",
            rate=[each.rate for each in spent[0]],
            limit=LIMIT,
            hope=HOPE,
            least_rate=LEAST_RATE,
            floor=floor,
            note=describe_work(spent[0]),
        ),
        line_of(
            "the same with the inbox inside Quart",
            [each.each for each in spent[1]],
            "CPU-ms",
            rate=[each.rate for each in spent[1]],
            floor=floor,
        ),
    ]


def make_senders(run: Run, *, speaks_rounds: bool = False) -> tuple[list[Peer], list[Actor]]:
    """Return a few peers and the people on them who send."""
    peers = [make_peer(run.keys, speaks_rounds=speaks_rounds) for _ in range(PEERS)]
    return peers, [make_actor(peers[n % PEERS], f"/people/p{n}", "Person", run.keys) for n in range(SENDERS)]


def _messages(node: Node, senders: list[Actor], count: int) -> list[list[bytes]]:
    to = f"{node.origin}/people/ana"
    made = [
        sign_post(sender, node.origin, build_message(sender, to))
        for sender in (senders[n % len(senders)] for n in range(count))
    ]
    return spread(made, len(senders))
