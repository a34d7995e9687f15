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
from bench.scenarios.reading import FLAT_LIMIT, SMALL, Subject, fill_node, serve
from bench.world import a_world

CATCH_UP_LIMIT = THREAD_LIMIT = 5.0
THREAD_HOPE = 3.0
_CONNECTIONS = 4
_VIEWERS = ("ordinary", "seldom", "everywhere")
_LONG = "/groups/ward2/threads/"


def measure(run: Run) -> list[Line]:
    """Measure on SQLite, in turn on both nodes."""
    large = 10_000 if run.is_quick else 100_000
    peer = make_peer(run.keys)
    friend = make_actor(peer, "/actor", "Application", run.keys)
    folder = run.folder / "pages"
    folder.mkdir()
    folders = {posts: fill_node(folder, posts, friend) for posts in (SMALL, large)}
    spent: dict[tuple[str, str, int], list[float]] = {}
    with a_world([peer]), serve(folders, None) as subjects:
        requests = [_list_requests(subject) for subject in subjects]
        for _ in range(run.rounds):
            for place, subject in enumerate(subjects):
                for (what, viewer), request in requests[place].items():
                    spent.setdefault((what, viewer, place), []).append(_cost(subject, request, run))
    return _lines(spent, run, large)


def _lines(spent: dict[tuple[str, str, int], list[float]], run: Run, large: int) -> list[Line]:
    aims = {"catch-up": (CATCH_UP_LIMIT, None), "thread of 40": (THREAD_LIMIT, THREAD_HOPE), "group": (None, None)}
    lines = []
    for what, (limit, hope) in aims.items():
        lines.append(
            line_of(
                f"{what}, {large:,} posts", spent[what, "ordinary", 1], "CPU-ms",
                limit=limit, hope=hope, floor=run.limits.post,
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
                    f"  {what}{named}: against {SMALL:,} posts", after / before, "×", limit=FLAT_LIMIT,
                    note=f"{after:.2f} against {before:.2f} CPU-ms",
                )
            )  # fmt: skip
    return lines


def _list_requests(subject: Subject) -> dict[tuple[str, str], bytes]:
    """Return {(page, viewer): request}: catch-up for all, a group and its long thread for one who is in it."""
    cookies = {viewer: _sign_in(subject.node, viewer) for viewer in _VIEWERS}
    made = {("catch-up", viewer): _get(subject.node, "/", cookie) for viewer, cookie in cookies.items()}
    cookie = cookies["ordinary"]
    page = send_all(subject.node.port, [[_get(subject.node, "/groups/ward2", cookie)]]).require(200).last_body.decode()
    made["group", "ordinary"] = _get(subject.node, "/groups/ward2", cookie)
    found = re.findall(rf'href="({_LONG}[a-z2-7]+)"', page)
    longest = next(path for path in found if _count_posts(subject.node, path, cookie) >= 40)
    made["thread of 40", "ordinary"] = _get(subject.node, f"{longest}?after=0", cookie)
    return made


def _count_posts(node: Node, path: str, cookie: str) -> int:
    body = send_all(node.port, [[_get(node, f"{path}?after=0", cookie)]]).require(200).last_body
    return body.count(b'class="post"')


def _cost(subject: Subject, request: bytes, run: Run) -> float:
    count = 40 if run.is_quick else 100
    cpu = subject.cpu()
    send_all(subject.node.port, [[request] * (count // _CONNECTIONS) for _ in range(_CONNECTIONS)]).require(200)
    return (subject.cpu() - cpu) * 1000 / count


def _sign_in(node: Node, handle: str) -> str:
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


def _get(node: Node, path: str, cookie: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {node.host}\r\naccept: text/html\r\ncookie: {cookie}\r\n\r\n".encode()
