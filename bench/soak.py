"""`python -m bench.soak [--minutes 20]`: one node under ten times the load of 500 members; does it stay as it is?

*How it works.* The load is the paper model's for a node of ten with 500 members each, at its peak, ten times. A second after
another so many members post, other nodes bring entries and submissions, and members read pages. The node begins with ten
thousand posts: what a database keeps in memory grows with the first megabytes of any node.

Every five seconds it is looked how much memory and how many descriptors the node has, what its oldest lane waits for, and
whether its log stays small; ten times a second how long the simplest question takes, which shows how long the loop is kept
from turning. The same is asked of a process that does hardly anything, which shows what the machine does to both.

Exit code 1 when one of the limits is not held.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .documents import LogWriter, build_accept, build_submission, encode
from .filling import VIEWERS, fill
from .hosted import add_owner, host_group
from .load import send_all
from .nodes import Node, a_running_node, init_node
from .paper import SHAPES, load_of
from .peers import Actor, KeyBox, make_actor, make_peer, sign_post_ed25519
from .processes import list_family
from .scenarios.pages import get_page, sign_in
from .world import World, a_world

TIMES = 10
MEMORY_LIMIT, LAG_LIMIT_MILLISECONDS, OLDEST_LIMIT_SECONDS, LOG_LIMIT_BYTES = 1.05, 50.0, 5.0, 64_000_000
# On a machine that has more to do than it can, nobody is quick.
_LAG_TIMES_BARE = 3.0
_LOOK_SECONDS, _ASK_SECONDS = 5.0, 0.1
_WARM_SECONDS = 60.0
_SPARE_DESCRIPTORS = 4
_POSTS_BEFORE = 10_000
_PAGES_OF_MEMBER_PER_DAY = 20


@dataclass(frozen=True, slots=True)
class Rates:
    """What happens each second: posts of ours, entries of groups elsewhere, submissions to ours, pages read."""

    posts: float
    entries: float
    submissions: float
    pages: float


@dataclass(frozen=True, slots=True)
class Sample:
    """How the node was at one look. at: seconds since the beginning."""

    at: float
    memory_bytes: int
    descriptors: int
    oldest_lane_seconds: float
    log_bytes: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """One limit. is_held: None for what is only told."""

    what: str
    figure: str
    is_held: bool | None


@dataclass(slots=True)
class Soak:
    """What was seen: samples, and how long the simplest question took, here and elsewhere, in milliseconds."""

    samples: list[Sample] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    bare_lags: list[float] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)


def expected_rates() -> Rates:
    """Return ten times the peak of a node with 500 members in a federation of ten."""
    shape = SHAPES[1]
    load = load_of(shape)
    own = load.out_peak_per_second / (shape.nodes_of_group - 1)  # each goes to so many others
    coming = load.in_peak_per_second - own
    pages = shape.members * 0.3 * _PAGES_OF_MEMBER_PER_DAY * 10 / 86_400
    return Rates(TIMES * own, TIMES * coming * 0.8, TIMES * coming * 0.2, TIMES * pages)


def judge(soak: Soak, warm_seconds: float) -> list[Verdict]:
    """Compare the end with what was after the first minute."""
    settled = [each for each in soak.samples if each.at >= warm_seconds]
    part = max(len(settled) // 5, 1)
    first, last = settled[:part], settled[-part:]
    before, after = (statistics.median(each.memory_bytes for each in part) for part in (first, last))
    opened, open_now = (statistics.median(each.descriptors for each in part) for part in (first, last))
    lag, bare = (statistics.quantiles(lags, n=100)[98] for lags in (soak.lags, soak.bare_lags))
    oldest = max(each.oldest_lane_seconds for each in settled)
    log = max(each.log_bytes for each in settled)
    return [
        Verdict("memory", f"{before / 1e6:.1f} -> {after / 1e6:.1f} MB, {after / before:.3f}×",
                after / before <= MEMORY_LIMIT),
        Verdict("descriptors", f"{opened:.0f} -> {open_now:.0f}", open_now <= opened + _SPARE_DESCRIPTORS),
        Verdict("lag of the loop, p99", f"{lag:.1f} ms, of an idle process {bare:.1f} ms",
                lag <= max(LAG_LIMIT_MILLISECONDS, bare * _LAG_TIMES_BARE)),
        Verdict("oldest lane", f"{oldest:.1f} s", oldest <= OLDEST_LIMIT_SECONDS),
        Verdict("the database's log", f"{log / 1e6:.1f} MB", log <= LOG_LIMIT_BYTES),
        Verdict("done", ", ".join(f"{count:,} {name}" for name, count in soak.done.items()), None),
    ]  # fmt: skip


def main(argv: list[str]) -> int:
    """Run, print and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("SOAK_MINUTES") or 20))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the samples as JSON")
    args = parser.parse_args(argv)
    rates = expected_rates()
    print(
        f"{args.minutes:g} minutes at {TIMES} times the peak of 500 members: each second {rates.posts:.2f} posts,"
        f" {rates.entries:.2f} entries, {rates.submissions:.2f} submissions, {rates.pages:.2f} pages",
        flush=True,
    )
    seconds = args.minutes * 60
    soak = run(rates, seconds)
    if args.json:
        args.json.write_text(json.dumps([asdict(each) for each in soak.samples], indent=1) + "\n")
    verdicts = judge(soak, min(_WARM_SECONDS, seconds / 4))
    for each in verdicts:
        print(f"{each.what:22} {each.figure:40} {({True: 'held', False: 'NOT HELD', None: ''})[each.is_held]}")
    return 1 if any(each.is_held is False for each in verdicts) else 0


def run(rates: Rates, seconds: float) -> Soak:
    """Put the load on a new node for so long."""
    keys = KeyBox(8)
    peers = [make_peer(keys, speaks_rounds=True) for _ in range(SHAPES[1].nodes_of_group - 1)]
    members = [make_actor(peer, "/people/p0", "Person", keys) for peer in peers]
    far = make_actor(peers[0], "/groups/far", "Group", keys)
    page = {"type": "OrderedCollectionPage", "id": f"{far.uri}/log?after=0&limit=50", "orderedItems": []}
    peers[0].publish("/groups/far/log", page)
    friend = make_actor(make_peer(keys), "/actor", "Application", keys)
    with tempfile.TemporaryDirectory(prefix="rounds-soak-") as folder:
        data = Path(folder) / "node"
        origin = init_node(data)
        fill(data, posts=_POSTS_BEFORE, friend=friend)
        with a_world(peers) as world, a_running_node(data, origin) as node:
            world.befriend(node)
            member = add_owner(node)
            ward = host_group(node, "ward", members)
            writer = _join(node, world, far, member)
            idle = int(peers[0].origin.rpartition(":")[2])
            return _soak(node, idle, _Load(node, ward, members, writer), rates, seconds)


class _Load:
    """Whoever writes to the node and reads from it."""

    def __init__(self, node: Node, ward: str, members: list[Actor], writer: LogWriter) -> None:
        self._node, self._ward, self._writer = node, ward, writer
        self._authors = itertools.cycle(members)
        self._host_author = members[0]
        own = ("ana", ("/", "/groups/ward", "/groups"))
        theirs = (VIEWERS[-1], ("/", "/groups", *(f"/groups/ward{rank}" for rank in range(1, 41))))
        pages = []
        for handle, paths in (own, theirs):
            cookie = sign_in(node, handle)
            pages += [get_page(node, path, cookie) for path in paths]
        self._pages = itertools.cycle(pages)

    def post(self) -> None:
        """Have our member post in our group."""
        self._node.run("post", "add", "ward", "--as", "ana", "--title", "Night", text="Who covers Friday?")

    def bring_entry(self) -> None:
        """Bring the next entry of the group that is hosted elsewhere."""
        body = self._writer.write(self._host_author)
        self._send(sign_post_ed25519(self._writer.group, self._node.origin, body, headers=(self._writer.head,)), 202)

    def submit(self) -> None:
        """Have somebody elsewhere post in our group."""
        author = next(self._authors)
        self._send(sign_post_ed25519(author, self._node.origin, encode(build_submission(author, self._ward))), 202)

    def read(self) -> None:
        """Read a page."""
        self._send(next(self._pages), 200)

    def _send(self, request: bytes, status: int) -> None:
        send_all(self._node.port, [[request]]).require(status)


def _soak(node: Node, idle_port: int, load: _Load, rates: Rates, seconds: float) -> Soak:
    soak, began = Soak(), time.monotonic()
    work = {"posts": load.post, "entries": load.bring_entry, "submissions": load.submit, "pages": load.read}
    soak.done = dict.fromkeys(work, 0)
    with _asking(node.port, soak.lags), _asking(idle_port, soak.bare_lags):
        next_look = 0.0
        while (passed := time.monotonic() - began) < seconds:
            for name, act in work.items():
                while soak.done[name] < passed * getattr(rates, name):
                    act()
                    soak.done[name] += 1
            if passed >= next_look:
                soak.samples.append(_look(node, passed))
                next_look += _LOOK_SECONDS
            time.sleep(0.02)
    return soak


def _look(node: Node, at: float) -> Sample:
    lanes = node.ask("lane", "list")["lanes"]
    waiting = [datetime.fromisoformat(lane["oldest_at"]) for lane in lanes if lane.get("oldest_at")]
    oldest = max(((datetime.now(UTC) - each).total_seconds() for each in waiting), default=0.0)
    log = node.data / "rounds.sqlite-wal"
    return Sample(
        at=at,
        memory_bytes=node.memory_bytes,
        descriptors=sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in list_family(node.process.pid)),
        oldest_lane_seconds=oldest,
        log_bytes=log.stat().st_size if log.exists() else 0,
    )


@contextmanager
def _asking(port: int, lags: list[float]) -> Iterator[None]:
    """Ask ten times a second whether somebody is ready, and note how long it takes, until the block ends."""
    ended = threading.Event()
    request = f"GET /ready HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n".encode()

    def ask() -> None:
        while not ended.wait(_ASK_SECONDS):
            began = time.perf_counter()
            send_all(port, [[request]])
            lags.append((time.perf_counter() - began) * 1000)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _join(node: Node, world: World, group: Actor, member: str) -> LogWriter:
    """Have our member ask to join a group elsewhere, and the group let them in."""
    world.reset()
    node.run("group", "join", group.uri, "--as", "ana")
    accept = encode(build_accept(group, world.follows(group.uri)[0], member))
    send_all(node.port, [[sign_post_ed25519(group, node.origin, accept)]]).require(202)
    node.wait_at_rest()
    return LogWriter(group)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
