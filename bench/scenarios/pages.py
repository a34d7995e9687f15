"""What members read in a browser: catch-up, a group, a thread of forty posts; on a small node and on a large one."""

from __future__ import annotations

import http.client
import re
import statistics
import urllib.parse

from bench.load import send_all
from bench.nodes import PASSWORD, Node
from bench.peers import make_actor, make_peer
from bench.report import Line, line_of
from bench.run import Run
from bench.scenarios.reading import FLAT_LIMIT, SMALL, Subject, fill_node, serve_each
from bench.world import a_world
from tests.support.postgres import PostgresMissing

CATCH_UP_LIMIT = THREAD_LIMIT = 5.0
THREAD_HOPE = 3.0
_CONNECTIONS = 4
_VIEWERS = ("ordinary", "seldom", "everywhere")
_LONG = "/groups/ward2/threads/"


def measure(run: Run) -> list[Line]:
    """Measure on SQLite, then on PostgreSQL where it is installed; in turn on both nodes."""
    large = 10_000 if run.is_quick else 100_000
    peer = make_peer(run.keys)
    friend = make_actor(peer, "/actor", "Application", run.keys)
    folder = run.folder / "pages"
    folder.mkdir()
    folders = {posts: fill_node(folder, posts, friend) for posts in (SMALL, large)}
    lines: list[Line] = []
    with a_world([peer]):
        try:
            for database, subjects in serve_each(folders):
                lines += _lines(_measure(run, subjects), run, f"{large:,} posts, {database}")
        except PostgresMissing as error:
            lines.append(Line("the same on PostgreSQL", None, "CPU-ms", note=str(error)))
    return lines


def _measure(run: Run, subjects: list[Subject]) -> dict[tuple[str, str, int], list[float]]:
    """Return {(page, viewer, small node or large): CPU-ms of each round}."""
    spent: dict[tuple[str, str, int], list[float]] = {}
    requests = [_list_requests(subject) for subject in subjects]
    for _ in range(run.rounds):
        for place, subject in enumerate(subjects):
            for (what, viewer), request in requests[place].items():
                spent.setdefault((what, viewer, place), []).append(_cost(subject, request, run))
    return spent


def _lines(spent: dict[tuple[str, str, int], list[float]], run: Run, size: str) -> list[Line]:
    is_judged = size.endswith("SQLite")  # the aims are for one process; the other database spends some of it elsewhere
    aims = {"catch-up": (CATCH_UP_LIMIT, None), "thread of 40": (THREAD_LIMIT, THREAD_HOPE), "group": (None, None)}
    lines = []
    for what, (limit, hope) in aims.items():
        lines.append(
            line_of(
                f"{what}, {size}", spent[what, "ordinary", 1], "CPU-ms",
                limit=limit if is_judged else None, hope=hope if is_judged else None, floor=run.limits.post,
            )
        )  # fmt: skip
        for viewer, named in (
            ("ordinary", ""),
            ("seldom", ", who may see 1 %"),
            ("everywhere", ", who is in 200 groups"),
        ):
            if (what, viewer, 1) not in spent:
                continue
            against = "ordinary" if viewer == "seldom" else viewer
            after, before = (statistics.median(spent[key]) for key in ((what, viewer, 1), (what, against, 0)))
            lines.append(
                Line(
                    f"  {what}{named}: {size} against {SMALL:,}", after / before, "×", limit=FLAT_LIMIT,
                    note=f"{after:.2f} against {before:.2f} CPU-ms",
                )
            )  # fmt: skip
    return lines


def _list_requests(subject: Subject) -> dict[tuple[str, str], bytes]:
    """Return {(page, viewer): request}: catch-up for all, a group and its long thread for one who is in it."""
    cookies = {viewer: sign_in(subject.node, viewer) for viewer in _VIEWERS}
    made = {("catch-up", viewer): get_page(subject.node, "/", cookie) for viewer, cookie in cookies.items()}
    cookie = cookies["ordinary"]
    page = (
        send_all(subject.node.port, [[get_page(subject.node, "/groups/ward2", cookie)]]).require(200).last_body.decode()
    )
    made["group", "ordinary"] = get_page(subject.node, "/groups/ward2", cookie)
    found = re.findall(rf'href="({_LONG}[a-z2-7]+)"', page)
    longest = next(path for path in found if _count_posts(subject.node, path, cookie) >= 40)
    made["thread of 40", "ordinary"] = get_page(subject.node, f"{longest}?after=0", cookie)
    return made


def _count_posts(node: Node, path: str, cookie: str) -> int:
    body = send_all(node.port, [[get_page(node, f"{path}?after=0", cookie)]]).require(200).last_body
    return body.count(b'class="post"')


def _cost(subject: Subject, request: bytes, run: Run) -> float:
    count = 40 if run.is_quick else 100
    cpu = subject.cpu()
    send_all(subject.node.port, [[request] * (count // _CONNECTIONS) for _ in range(_CONNECTIONS)]).require(200)
    return (subject.cpu() - cpu) * 1000 / count


def sign_in(node: Node, handle: str) -> str:
    """Sign a viewer in and return the cookie."""
    connection = http.client.HTTPConnection("127.0.0.1", node.port)
    form = urllib.parse.urlencode({"handle": handle, "password": PASSWORD})
    headers = {"Host": node.host, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/sign-in", form, headers)
    answer = connection.getresponse()
    cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
    connection.close()
    if not cookie:
        raise ValueError(f"{handle} cannot sign in: {answer.status}")
    return cookie


def get_page(node: Node, path: str, cookie: str) -> bytes:
    """Return the request for a page."""
    return f"GET {path} HTTP/1.1\r\nhost: {node.host}\r\naccept: text/html\r\ncookie: {cookie}\r\n\r\n".encode()
