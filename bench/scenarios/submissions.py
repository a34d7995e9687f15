"""Posts that come in for groups hosted here, and go back in the host's order to the one other node: the sender's."""

from __future__ import annotations

from pathlib import Path

from bench.documents import build_submission, encode
from bench.hosted import add_owner, host_group
from bench.load import spread
from bench.nodes import Node, a_node
from bench.peers import Actor, sign_post
from bench.report import Line, line_of
from bench.run import Run, Spent, describe_work, send_until_rest
from bench.scenarios.ingest import HOPE, LEAST_RATE, LIMIT, PEERS, make_senders
from bench.world import a_world

GROUPS = 8


def measure(run: Run) -> list[Line]:
    """Measure with peers that run this software, then with others, to whom RSA signatures go back."""
    rounds = _measure(run, speaks_rounds=True)
    others = _measure(run, speaks_rounds=False)
    limits = run.limits
    floor = 2 * limits.post + limits.rsa_verify + limits.ed25519_sign + 3 * limits.row
    return [
        line_of(
            "submission, sent back in a log entry (Ed25519)",
            [each.each for each in rounds],
            "CPU-ms",
            rate=[each.rate for each in rounds],
            limit=LIMIT,
            hope=HOPE,
            least_rate=LEAST_RATE,
            floor=floor + limits.ed25519_sign,
            note=describe_work(rounds),
        ),
        line_of(
            "the same, sent back to other software (RSA)",
            [each.each for each in others],
            "CPU-ms",
            rate=[each.rate for each in others],
            floor=floor + limits.rsa_sign,
        ),
    ]


def _measure(run: Run, *, speaks_rounds: bool) -> list[Spent]:
    peers, senders = make_senders(run, speaks_rounds=speaks_rounds)
    name = "submissions" if speaks_rounds else "submissions-rsa"
    with a_world(peers) as world, a_node(Path(run.folder), name) as node:
        world.befriend(node)
        add_owner(node)
        # Sender n lives on peer n modulo PEERS; so do sender n and n + GROUPS, and they share a group.
        assert GROUPS % PEERS == 0
        groups = [host_group(node, f"ward{n}", senders[n::GROUPS]) for n in range(GROUPS)]
        send_until_rest(node, _submissions(node, senders, groups, len(senders) * 4))
        before = node.status()["stored"]["posts"]
        spent = [send_until_rest(node, _submissions(node, senders, groups, run.items)) for _ in range(run.rounds)]
        if node.status()["stored"]["posts"] - before != run.rounds * run.items:
            raise ValueError("not every submission became a post")
    return spent


def _submissions(node: Node, senders: list[Actor], groups: list[str], count: int) -> list[list[bytes]]:
    made = []
    for n in range(count):
        place = n % len(senders)
        body = encode(build_submission(senders[place], groups[place % GROUPS]))
        made.append(sign_post(senders[place], node.origin, body))
    return spread(made, len(senders))
