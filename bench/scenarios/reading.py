"""What members' apps and peers read: the home timeline and single objects, on a small node and on a large one.

Both nodes run side by side and are asked in turn, so that the machine's moods strike both. On PostgreSQL the server's
own CPU counts, too: that is where a bad plan would show.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.filling import Filled, copy_to_postgres, fill
from bench.load import Outcome, send_all, spread
from bench.nodes import Node, a_running_node, init_node
from bench.peers import Actor, make_actor, make_peer, plain_get, sign_get
from bench.processes import cpu_seconds
from bench.report import Line, line_of
from bench.run import Run
from bench.world import a_world
from tests.support.postgres import PostgresMissing, a_cluster

SMALL = 1_000
HOME_LIMIT, OBJECT_LIMIT, OBJECT_HOPE = 3.0, 1.35, 1.0
FLAT_LIMIT = 1.25
HOME = "/api/v1/timelines/home"
_STATUSES = 20
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """A filled node that runs, with the tokens of its viewers. server: the database server's process, if there is one."""

    node: Node
    filled: Filled
    tokens: dict[str, str]
    server: int | None

    def cpu(self) -> float:
        return self.node.cpu + (cpu_seconds(self.server) if self.server else 0.0)


def measure(run: Run) -> list[Line]:
    """Measure on SQLite, then on PostgreSQL where it is installed."""
    large = 10_000 if run.is_quick else 100_000
    peer = make_peer(run.keys)
    friend = make_actor(peer, "/actor", "Application", run.keys)
    folders = {posts: fill_node(run.folder, posts, friend) for posts in (SMALL, large)}
    lines: list[Line] = []
    with a_world([peer]):
        try:
            for database, subjects in serve_each(folders):
                lines += _measure(run, subjects, friend, database)
        except PostgresMissing as error:
            lines.append(Line("the same on PostgreSQL", None, "CPU-ms", note=str(error)))
    return lines


def serve_each(folders: dict[int, tuple[Path, str, Filled]]) -> Iterator[tuple[str, list[Subject]]]:
    """Serve the nodes of some folders on SQLite, then copies of them on PostgreSQL; give the database's name with them.

    Raises:
        PostgresMissing: After SQLite had its turn.
    """
    with serve(folders, None) as subjects:
        yield "SQLite", subjects
    with a_cluster(is_durable=True) as cluster:
        copies = {}
        for posts, (data, origin, filled) in folders.items():
            address = create_database(cluster.address, f"bench{posts}")
            target = data.with_name(f"{data.name}-postgres")
            copy_to_postgres(data, target, address)
            copies[posts] = (target, origin, filled)
        with serve(copies, cluster.process.pid) as subjects:
            yield "PostgreSQL", subjects


def _measure(run: Run, subjects: list[Subject], friend: Actor, database: str) -> list[Line]:
    """Return the lines of one database; subjects are the small node and the large one."""
    small, large = subjects
    count = 100 if run.is_quick else 300
    spent: dict[tuple[str, int], list[float]] = {}
    for _ in range(run.rounds):
        for place, subject in enumerate(subjects):
            for viewer, token in subject.tokens.items():
                each, _ = _cost_of_homes(subject, token, count)
                spent.setdefault((viewer, place), []).append(each)
            each, _ = _cost_of_objects(subject, friend, count)
            spent.setdefault(("object", place), []).append(each)
    size = f"{large.filled.posts:,} posts, {database}"
    is_judged = database == "SQLite"
    limits = run.limits
    lines = [
        line_of(
            f"home of {_STATUSES}, {size}", spent["ordinary", 1], "CPU-ms",
            limit=HOME_LIMIT if is_judged else None, floor=limits.post,
        ),
        line_of(
            f"signed GET of a post, {size}", spent["object", 1], "CPU-ms",
            limit=OBJECT_LIMIT if is_judged else None, hope=OBJECT_HOPE if is_judged else None,
            floor=limits.post + limits.rsa_verify,
        ),
    ]  # fmt: skip
    return [*lines, *_flatness(spent, small.filled.posts, database)]


def _flatness(spent: dict[tuple[str, int], list[float]], small: int, database: str) -> list[Line]:
    """Return how many times dearer reading is on the large node."""
    # Who sees a hundredth sees too little of the small node for a whole page: their measure is the ordinary member.
    pairs = {
        "home": ("ordinary", "ordinary"),
        "home, who may see 1 %": ("seldom", "ordinary"),
        "home, who is in 200 groups": ("everywhere", "everywhere"),
        "signed GET of a post": ("object", "object"),
    }
    lines = []
    for what, (viewer, against) in pairs.items():
        after, before = statistics.median(spent[viewer, 1]), statistics.median(spent[against, 0])
        lines.append(
            Line(
                f"{what}: against {small:,} posts, {database}",
                after / before,
                "×",
                limit=FLAT_LIMIT,
                note=f"{after:.2f} against {before:.2f} CPU-ms",
            )
        )
    return lines


def _cost_of_homes(subject: Subject, token: str, count: int) -> tuple[float, float]:
    request = plain_get(subject.node.origin, HOME, token=token)
    return _cost(subject, [[request] * (count // _CONNECTIONS) for _ in range(_CONNECTIONS)])


def _cost_of_objects(subject: Subject, friend: Actor, count: int) -> tuple[float, float]:
    requests = [sign_get(friend, subject.node.origin, path) for path in subject.filled.paths[:count]]
    return _cost(subject, spread(requests, _CONNECTIONS))


def _cost(subject: Subject, queues: list[list[bytes]]) -> tuple[float, float]:
    cpu = subject.cpu()
    outcome: Outcome = send_all(subject.node.port, queues).require(200)
    count = sum(map(len, queues))
    return (subject.cpu() - cpu) * 1000 / count, count / outcome.seconds


def fill_node(folder: Path, posts: int, friend: Actor) -> tuple[Path, str, Filled]:
    data = folder / f"reading-{posts}"
    origin = init_node(data)
    return data, origin, fill(data, posts=posts, friend=friend)


@contextmanager
def serve(folders: dict[int, tuple[Path, str, Filled]], server: int | None) -> Iterator[list[Subject]]:
    """Serve filled nodes side by side; give them with tokens for their viewers, each tried once."""
    with ExitStack() as stack:
        subjects = []
        for data, origin, filled in folders.values():
            node = stack.enter_context(a_running_node(data, origin))
            tokens = {
                viewer: node.run("member", "token", viewer, "--scopes", "read").strip()
                for viewer in ("ordinary", "seldom", "everywhere")
            }
            for viewer, token in tokens.items():
                _check_page(node, token, is_full=filled.posts > SMALL or viewer != "seldom")
            subjects.append(Subject(node, filled, tokens, server))
        yield subjects


def _check_page(node: Node, token: str, *, is_full: bool) -> None:
    outcome = send_all(node.port, [[plain_get(node.origin, HOME, token=token)]]).require(200)
    statuses = json.loads(outcome.last_body)
    if is_full and len(statuses) != _STATUSES:
        raise ValueError(f"a home of {len(statuses)} statuses")


def create_database(address: Callable[[str], str], name: str) -> str:
    """Create a database in the cluster and return its address."""
    asyncio.run(_execute(address("postgres"), f"CREATE DATABASE {name}"))
    return address(name)


async def _execute(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
