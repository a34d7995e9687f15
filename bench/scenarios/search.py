"""What members search: a word of every post, one of a post in twenty, one of a post in two thousand, and a beginning.

Asked by a member of 200 groups and by one who may see a hundredth of the posts, on a small node and on a large one, side by
side, on SQLite and on PostgreSQL. A page costs the page itself, too: beside it stands one that finds nothing to look for.
"""

from __future__ import annotations

import statistics

from bench.load import send_all
from bench.peers import make_actor, make_peer
from bench.report import Line
from bench.run import Run
from bench.scenarios.pages import get_page, sign_in
from bench.scenarios.reading import SMALL, Subject, fill_node, serve_each
from bench.world import a_world
from tests.support.postgres import PostgresMissing

_VIEWERS = {"everywhere": "in 200 groups", "seldom": "may see 1 %"}
_ASKED = {
    "nothing": "/search",
    "a word of every post": "/search?q=friday+night",
    "a word of 1 in 20": "/search?q=shared7+",
    "a word of 1 in 2,000": "/search?q=case77+night+",
    "a phrase": "/search?q=%22night+shift%22",
    "a beginning": "/search?q=thurs",
}
_CONNECTIONS = 4


def measure(run: Run) -> list[Line]:
    """Measure on SQLite, then on PostgreSQL where it is installed."""
    large = 10_000 if run.is_quick else 100_000
    peer = make_peer(run.keys)
    friend = make_actor(peer, "/actor", "Application", run.keys)
    folder = run.folder / "search"
    folder.mkdir()
    folders = {posts: fill_node(folder, posts, friend) for posts in (SMALL, large)}
    lines: list[Line] = []
    with a_world([peer]):
        try:
            for database, subjects in serve_each(folders):
                lines += _measure(run, subjects, large, database)
        except PostgresMissing as error:
            lines.append(Line("the same on PostgreSQL", None, "CPU-ms", note=str(error)))
    return lines


def _measure(run: Run, subjects: list[Subject], large: int, database: str) -> list[Line]:
    requests = []
    for subject in subjects:
        cookies = {viewer: sign_in(subject.node, viewer) for viewer in _VIEWERS}
        requests.append(
            {
                (what, viewer): get_page(subject.node, path, cookie)
                for what, path in _ASKED.items()
                for viewer, cookie in cookies.items()
            }
        )
    spent: dict[tuple[str, str, int], list[float]] = {}
    for _ in range(run.rounds):
        for place, subject in enumerate(subjects):
            for (what, viewer), request in requests[place].items():
                spent.setdefault((what, viewer, place), []).append(_cost(subject, request, run))
    lines = []
    for what in _ASKED:
        for viewer, named in _VIEWERS.items():
            before, after = (statistics.median(spent[what, viewer, place]) for place in (0, 1))
            note = f"{after / before:.2f} times what {SMALL:,} posts cost ({before:.2f})"
            lines.append(Line(f"{what}, {named}, {large:,} posts, {database}", after, "CPU-ms", note=note))
    return lines


def _cost(subject: Subject, request: bytes, run: Run) -> float:
    count = 20 if run.is_quick else 40
    cpu = subject.cpu()
    send_all(subject.node.port, [[request] * (count // _CONNECTIONS) for _ in range(_CONNECTIONS)]).require(200)
    return (subject.cpu() - cpu) * 1000 / count
