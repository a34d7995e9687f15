"""What apps and peers read: home, a list, notifications, a thread of two hundred, single objects; on nodes of three sizes.

The nodes run side by side and are asked in turn, so that the machine's moods strike all of them. On PostgreSQL the server's
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
from typing import Any

import asyncpg

from bench.filling import Filled, copy_to_postgres, fill
from bench.load import send_all, spread
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
_CONTEXT = 200
_CONNECTIONS = 4
_VIEWERS = ("ordinary", "seldom", "everywhere")
# In which group each viewer's list is read; "seldom" sees only the end of theirs.
_LISTED = {"ordinary": "Ward 2", "seldom": "Ward 1", "everywhere": "Ward 1"}
_SEEN_BY = {"ordinary": "", "seldom": ", who may see 1 %", "everywhere": ", who is in 200 groups"}


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
    sizes = (SMALL, 10_000) if run.is_quick else (SMALL, 10_000, 100_000)
    peer = make_peer(run.keys)
    friend = make_actor(peer, "/actor", "Application", run.keys)
    folders = {posts: fill_node(run.folder, posts, friend) for posts in sizes}
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
    """Return the lines of one database; subjects are the nodes, the smallest first."""
    count = 100 if run.is_quick else 300
    asked = [_list_requests(subject, friend, count) for subject in subjects]
    spent: dict[tuple[str, str, int], list[float]] = {}
    for _ in range(run.rounds):
        for place, subject in enumerate(subjects):
            for (what, viewer), requests in asked[place].items():
                spent.setdefault((what, viewer, place), []).append(_cost(subject, requests))
    return [*_costs(spent, run, subjects, database), *_flatness(spent, subjects, database)]


def _list_requests(subject: Subject, friend: Actor, count: int) -> dict[tuple[str, str], list[bytes]]:
    """Return {(what, viewer): requests}; the thread is asked for less often, as there is ten times as much in it."""
    origin, made = subject.node.origin, {}
    for viewer in _VIEWERS:
        token = subject.tokens[viewer]
        lists = _ask(subject.node, "/api/v1/lists", token)
        listed = next(each["id"] for each in lists if each["title"] == _LISTED[viewer])
        made["home", viewer] = [plain_get(origin, HOME, token=token)] * count
        made["list", viewer] = [plain_get(origin, f"/api/v1/timelines/list/{listed}", token=token)] * count
        told = f"/api/v1/notifications?limit={_STATUSES}"
        made["notifications", viewer] = [plain_get(origin, told, token=token)] * count
    thread, token = f"/api/v1/statuses/{subject.filled.root_id << 1}/context", subject.tokens["ordinary"]
    found = len(_ask(subject.node, thread, token)["descendants"])
    if found != _CONTEXT:
        raise ValueError(f"a thread of {found} answers")
    made["context", "ordinary"] = [plain_get(origin, thread, token=token)] * (count // 10)
    made["object", "friend"] = [sign_get(friend, origin, path) for path in subject.filled.paths[:count]]
    return made


def _costs(
    spent: dict[tuple[str, str, int], list[float]], run: Run, subjects: list[Subject], database: str
) -> list[Line]:
    """Return what each costs on the largest node."""
    last, limits, is_judged = len(subjects) - 1, run.limits, database == "SQLite"
    size = f"{subjects[-1].filled.posts:,} posts, {database}"
    limit = (
        HOME_LIMIT if is_judged else None
    )  # the aims are for one process; the other database spends some of it elsewhere
    lines = [
        line_of(
            f"{what} of {_STATUSES}, {size}", spent[what, "ordinary", last], "CPU-ms", limit=limit, floor=limits.post
        )
        for what in ("home", "list", "notifications")
    ]
    parts = _CONTEXT / _STATUSES
    lines.append(
        line_of(
            f"a thread of {_CONTEXT}, for each {_STATUSES}, {size}",
            [each / parts for each in spent["context", "ordinary", last]],
            "CPU-ms",
            limit=limit,
            floor=limits.post / parts,
        )
    )
    lines.append(
        line_of(
            f"signed GET of a post, {size}", spent["object", "friend", last], "CPU-ms",
            limit=OBJECT_LIMIT if is_judged else None, hope=OBJECT_HOPE if is_judged else None,
            floor=limits.post + limits.rsa_verify,
        )
    )  # fmt: skip
    return lines


def _flatness(spent: dict[tuple[str, str, int], list[float]], subjects: list[Subject], database: str) -> list[Line]:
    """Return how many times dearer reading is on each larger node than on the smallest."""
    lines = []
    for place in range(1, len(subjects)):
        for what, viewer in sorted({key[:2] for key in spent}):
            # Who sees a hundredth sees too little of the small node for a whole page: their measure is the ordinary member.
            against = "ordinary" if viewer == "seldom" else viewer
            after, before = (statistics.median(spent[key]) for key in ((what, viewer, place), (what, against, 0)))
            size = f"{subjects[place].filled.posts:,} posts against {subjects[0].filled.posts:,}, {database}"
            lines.append(
                Line(
                    f"{what}{_SEEN_BY.get(viewer, '')}: {size}", after / before, "×", limit=FLAT_LIMIT,
                    note=f"{after:.2f} against {before:.2f} CPU-ms",
                )
            )  # fmt: skip
    return lines


def _ask(node: Node, path: str, token: str) -> Any:
    return json.loads(send_all(node.port, [[plain_get(node.origin, path, token=token)]]).require(200).last_body)


def _cost(subject: Subject, requests: list[bytes]) -> float:
    cpu = subject.cpu()
    send_all(subject.node.port, spread(requests, _CONNECTIONS)).require(200)
    return (subject.cpu() - cpu) * 1000 / len(requests)


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
            tokens = {viewer: node.run("member", "token", viewer, "--scopes", "read").strip() for viewer in _VIEWERS}
            for viewer, token in tokens.items():
                _check_page(node, token, is_full=filled.posts > SMALL or viewer != "seldom")
            subjects.append(Subject(node, filled, tokens, server))
        yield subjects


def _check_page(node: Node, token: str, *, is_full: bool) -> None:
    statuses = _ask(node, HOME, token)
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
