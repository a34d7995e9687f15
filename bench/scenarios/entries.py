"""Log entries of groups hosted elsewhere: chained, sealed by the group, proved by their authors, pushed in order."""

from __future__ import annotations

from bench.documents import LogWriter, build_accept, encode
from bench.hosted import add_owner
from bench.load import send_all
from bench.nodes import Node, a_node
from bench.peers import Actor, Peer, make_actor, make_peer, sign_post, sign_post_ed25519
from bench.report import Line, line_of
from bench.run import Run, Spent, describe_work, send_until_rest
from bench.scenarios.ingest import HOPE, LEAST_RATE, LIMIT
from bench.world import World, a_world

GROUPS = 8
_AUTHORS = 4


def measure(run: Run) -> list[Line]:
    """Measure several groups side by side, one alone, and side by side with our own nodes' signatures."""
    host = make_peer(run.keys, speaks_rounds=True)
    elsewhere = make_peer(run.keys)
    groups = [make_actor(host, f"/groups/ward{n}", "Group", run.keys) for n in range(GROUPS)]
    for group in groups:
        page = {"type": "OrderedCollectionPage", "id": f"{group.uri}/log?after=0&limit=50", "orderedItems": []}
        host.publish(f"{group.uri.removeprefix(host.origin)}/log", page)
    authors = _make_authors(run, host, elsewhere)
    # Whoever writes from elsewhere is known through the host alone: that node is no peer and is never asked.
    with a_world([host, elsewhere]) as world, a_node(run.folder, "entries") as node:
        node.run("peer", "add", host.origin, "--unpinned", "--yes")
        member = add_owner(node)
        writers = [_join(node, world, group, member) for group in groups]
        cards = [[_push(node, writer, writer.write_card(author)) for author in authors[2:]] for writer in writers]
        send_all(node.port, cards).require(202)
        send_until_rest(node, _entries(node, writers, authors, GROUPS * 10))
        before = node.status()["stored"]["posts"]
        many, alone, ours = [], [], []
        for _ in range(run.rounds):
            many.append(send_until_rest(node, _entries(node, writers, authors, run.items)))
            alone.append(send_until_rest(node, _entries(node, writers[:1], authors, run.items // 8)))
            ours.append(send_until_rest(node, _entries(node, writers, authors, run.items // 2, is_ours=True)))
        sent = run.rounds * (run.items + run.items // 8 + run.items // 2)
        if node.status()["stored"]["posts"] - before != sent:
            raise ValueError("not every entry became a post")
    return _lines(run, many, alone, ours)


def _lines(run: Run, many: list[Spent], alone: list[Spent], ours: list[Spent]) -> list[Line]:
    limits = run.limits
    floor = limits.post + limits.rsa_verify + 2 * limits.ed25519_verify + 2 * limits.row
    aims = {"limit": LIMIT, "hope": HOPE}
    return [
        line_of(
            f"log entry, {GROUPS} groups side by side",
            [each.each for each in many],
            "CPU-ms",
            rate=[each.rate for each in many],
            least_rate=LEAST_RATE,
            floor=floor,
            note=describe_work(many),
            **aims,
        ),
        line_of(
            "log entry, one group alone, one in flight",
            [each.each for each in alone],
            "CPU-ms",
            rate=[each.rate for each in alone],
            floor=floor,
            note=describe_work(alone),
            **aims,
        ),
        line_of(
            "log entry, side by side, requests signed by Ed25519",
            [each.each for each in ours],
            "CPU-ms",
            rate=[each.rate for each in ours],
            floor=floor - limits.rsa_verify + limits.ed25519_verify,
        ),
    ]


def _make_authors(run: Run, host: Peer, elsewhere: Peer) -> list[Actor]:
    """Return two authors of the host's node and two of a node that we know nothing of."""
    places = (host, host, elsewhere, elsewhere)
    return [make_actor(peer, f"/people/p{n}", "Person", run.keys) for n, peer in enumerate(places)]


def _join(node: Node, world: World, group: Actor, member: str) -> LogWriter:
    """Have our member ask to join and the group let them in."""
    world.reset()
    node.run("group", "join", group.uri, "--as", "ana")
    follow = world.follows(group.uri)[0]
    accept = encode(build_accept(group, follow, member))
    send_all(node.port, [[sign_post(group, node.origin, accept)]]).require(202)
    node.wait_at_rest()
    return LogWriter(group)


def _entries(
    node: Node, writers: list[LogWriter], authors: list[Actor], count: int, *, is_ours: bool = False
) -> list[list[bytes]]:
    """Return the next entries of each group, for one connection each."""
    each = count // len(writers)
    return [
        [_push(node, writer, writer.write(authors[n % _AUTHORS]), is_ours=is_ours) for n in range(each)]
        for writer in writers
    ]


def _push(node: Node, writer: LogWriter, announce: bytes, *, is_ours: bool = False) -> bytes:
    sign = sign_post_ed25519 if is_ours else sign_post
    return sign(writer.group, node.origin, announce, headers=(writer.head,))
