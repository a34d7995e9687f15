"""The six rules of reliability.md §7 that hold after every fault, once everything has come to rest. One checker for all.

1. What was acknowledged stands in the host's log, and on every member node exactly once.
2. Each copy is a run of the host's log from its base without a hole; at rest all are equal, chains too.
3. A parent stands before its answers, a post before its changes.
4. Nothing is on a node that was never let in, nothing newer than its removal on one that was: no row, no picture, no word
   in the search, no file.
5. Nothing is left over that nobody can explain: waiting, dead, orphaned.
6. Pages and apps show what the database has (`check_doors`, which asks a running node).

The simulator holds its model to the same rules in its own words (`tests/sim/checker.py`): there over memory, here over
what real processes left on real disks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace

from .holdings import Holding, Place, chain_of, commit_of, object_of, read_holding
from .reader import Reader
from .traces import find_in_folder, find_in_rows, read_rows

_SHOWN = ("live",)
_GONE = ("withdrawn", "removed", "placeholder")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A post whose author was told that it is kept.

    word: stands in this post and nowhere else. is_gone: taken back or removed since, acknowledged as well.
    """

    group: str
    post: str
    word: str
    is_gone: bool = False


@dataclass(slots=True)
class Truth:
    """What a test knows of the world, beyond what any database says.

    removed: {(host of a node, group): the host's newest number when its last member was removed}.
    explained: ids of activities that may be left over, because the test made it so.
    swept_after_seconds: a picture's file that a crash left behind may lie there for so long.
    """

    acknowledged: list[Acknowledged] = field(default_factory=list)
    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    explained: set[str] = field(default_factory=set)
    swept_after_seconds: float = 0.0

    def add(self, group: str, post: str, word: str) -> None:
        """Note a post that was acknowledged."""
        self.acknowledged.append(Acknowledged(group, post, word))

    def take_back(self, post: str) -> None:
        """Note that a post was taken back, and that this was acknowledged."""
        self.acknowledged = [
            Acknowledged(each.group, each.post, each.word, is_gone=True) if each.post == post else each
            for each in self.acknowledged
        ]


async def check_places(places: Iterable[Place], truth: Truth) -> list[str]:
    """Return a sentence for each thing that does not hold; every node of the test, strangers too, is among the places."""
    holdings = [await read_holding(place) for place in places]
    broken = check(holdings, truth)
    for holding in holdings:
        broken += await _check_words(holding, holdings, truth)
    return broken


def check(holdings: list[Holding], truth: Truth) -> list[str]:
    """Return a sentence for each thing that does not hold of the rows: everything but the words of strangers."""
    broken: list[str] = []
    for host in holdings:
        for group, row in host.groups.items():
            if row.peer_id is None:
                broken += _check_group(group, host, holdings, truth)
    for holding in holdings:
        broken += _check_left_over(holding, truth)
        broken += _check_shelves(holding, truth.swept_after_seconds)
    known = {group for host in holdings for group, row in host.groups.items() if row.peer_id is None}
    broken += [f"1: {each.post} is of no group here" for each in truth.acknowledged if each.group not in known]
    return broken


def _check_group(group: str, host: Holding, holdings: list[Holding], truth: Truth) -> list[str]:
    admitted = host.admitted(group)
    broken = _check_run(host, group) + _check_order(host, group) + _check_acknowledged(host, group, truth)
    for other in holdings:
        if other is host:
            continue
        if other.host in admitted:
            broken += _check_run(other, group) + _check_order(other, group)
            broken += _check_copy(host, other, group) + _check_acknowledged(other, group, truth)
        else:
            last = truth.removed.get((other.host, group), 0)
            broken += _check_outsider(other, group, last)
    return broken


def _check_acknowledged(holding: Holding, group: str, truth: Truth) -> list[str]:
    """Rule 1, of one node."""
    if group not in holding.groups:
        return [f"1: {holding.host} was let in and does not know {group}"]
    broken = []
    base = holding.groups[group].base_seq
    stands = Counter(object_of(entry) for entry in holding.entries(group) if entry.kind == "create")
    rows: dict[str, list[SimpleNamespace]] = {}
    for row in holding.posts(group):
        rows.setdefault(row.uri, []).append(row)
    for each in truth.acknowledged:
        if each.group != group:
            continue
        found = rows.get(each.post, [])
        if not found and base:  # from before this node came
            continue
        if len(found) != 1 or found[0].seq is None:
            broken.append(f"1: {holding.host} has {each.post} {len([row for row in found if row.seq])} times")
        elif each.is_gone and (found[0].state not in _GONE or stands[each.post]):
            broken.append(f"1: {holding.host} still has {each.post}, which was taken back")
        elif not each.is_gone and (found[0].state not in _SHOWN or stands[each.post] != 1):
            broken.append(
                f"1: {each.post} stands {stands[each.post]} times in the log of {holding.host}, as {found[0].state}"
            )
    return broken


def _check_run(holding: Holding, group: str) -> list[str]:
    """Rule 2, of one node: no hole, chain by chain, and posts where their entries are."""
    if group not in holding.groups:
        return []  # rule 1 says it where it matters
    row, entries, broken = holding.groups[group], holding.entries(group), []
    expected, prev = row.base_seq + 1, row.base_chain
    for entry in entries:
        if entry.seq != expected:
            broken.append(f"2: {holding.host} has a hole before {entry.seq} of {group}")
        if entry.prev != prev or chain_of(entry, group) != entry.chain:
            broken.append(f"2: the chain of {holding.host} breaks at {entry.seq} of {group}")
        if entry.salt is not None and commit_of(entry) != entry.commit_hash:
            broken.append(f"2: {holding.host} has other words at {entry.seq} of {group} than were committed to")
        expected, prev = entry.seq + 1, entry.chain
    if (row.head_seq, row.head_chain) != (expected - 1, prev):
        broken.append(f"2: {holding.host} says {row.head_seq} of {group} and has {expected - 1}")
    if row.applied_seq != row.head_seq:
        broken.append(f"2: {holding.host} has applied {row.applied_seq} of {row.head_seq} of {group}")
    twice = [uri for uri, times in Counter(entry.activity_uri for entry in entries).items() if times > 1]
    return broken + [f"2: {uri} stands twice in {group} at {holding.host}" for uri in twice]


def _check_copy(host: Holding, other: Holding, group: str) -> list[str]:
    """Rule 2, of two nodes: equal from the copy's base on."""
    if group not in other.groups:
        return []
    ours = {entry.seq: entry for entry in host.entries(group)}
    broken = []
    for entry in other.entries(group):
        mine = ours.get(entry.seq)
        if mine is None or mine.chain != entry.chain:
            broken.append(f"2: {other.host} has another {entry.seq} of {group} than its host")
        elif (mine.salt is None) != (entry.salt is None):
            broken.append(f"2: {entry.seq} of {group} was erased at one of {host.host}, {other.host}")
    if other.groups[group].head_chain != host.groups[group].head_chain:
        broken.append(f"2: {other.host} stands at {other.groups[group].head_seq} of {group}, its host at {len(ours)}")
    numbers = {row.uri: row.seq for row in host.posts(group)}
    for row in other.posts(group):
        if row.seq is not None and row.uri in numbers and numbers[row.uri] != row.seq:
            broken.append(f"2: {row.uri} is {row.seq} at {other.host} and {numbers[row.uri]} at its host")
    return broken


def _check_order(holding: Holding, group: str) -> list[str]:
    """Rule 3, of one node."""
    numbers = {row.uri: row.seq for row in holding.posts(group)}
    broken = []
    for row in holding.posts(group):
        parent = numbers.get(row.in_reply_to)
        if row.in_reply_to and row.seq is not None and (parent is not None and parent >= row.seq):
            broken.append(f"3: {row.uri} stands before what it answers, at {holding.host}")
        if row.in_reply_to and row.seq is not None and row.in_reply_to not in numbers:
            broken.append(f"3: {row.uri} answers nothing, at {holding.host}")
    for entry in holding.entries(group):
        about = object_of(entry) if entry.kind in ("update", "delete", "remove") else None
        if about in numbers and (numbers[about] is None or numbers[about] > entry.seq):
            broken.append(f"3: {entry.kind} {entry.seq} of {group} stands before {about}, at {holding.host}")
    return broken


def _check_outsider(holding: Holding, group: str, last: int) -> list[str]:
    """Rule 4, of a node that is not let in: nothing behind `last`, the host's newest number when it was removed."""
    broken = [
        f"4: {holding.host} is not in {group} and has entry {entry.seq}"
        for entry in holding.entries(group)
        if entry.seq > last
    ]
    newer = {row.post_id: row.uri for row in holding.posts(group) if row.seq is None or row.seq > last}
    broken += [f"4: {holding.host} is not in {group} and has {uri}" for uri in newer.values()]
    kept = [row for row in holding.rows["media"] if row.post_id in newer and row.state == "ready"]
    return broken + [f"4: {holding.host} is not in {group} and has the picture {row.sha256}" for row in kept]


def _check_left_over(holding: Holding, truth: Truth) -> list[str]:
    """Rule 5, of one node."""
    broken = []
    for table in ("orphans", "activities", "dead_letters", "submissions"):
        for row in holding.rows[table]:
            uri = getattr(row, "activity_uri", None) or row.uri
            if uri not in truth.explained:
                state = getattr(row, "state", "kept")
                broken.append(f"5: {uri} is {state} in {table} of {holding.host}: {getattr(row, 'reason', None)}")
    return broken


def _check_shelves(holding: Holding, swept_after_seconds: float) -> list[str]:
    """Rule 4, beside the rows: search finds posts that are there, pictures belong to posts that are there."""
    posts = {row.post_id: row for row in holding.rows["posts"]}
    states = {
        row.post_id: posts[row.post_id].state if row.post_id in posts else "not there" for row in holding.rows["found"]
    }
    broken = [
        f"4: search of {holding.host} finds {post_id}, which is {state}"
        for post_id, state in states.items()
        if state not in _SHOWN
    ]
    found = {row.post_id for row in holding.rows["found"]}
    broken += [
        f"6: search of {holding.host} does not know {row.uri}"
        for row in posts.values()
        if row.state == "live" and row.seq is not None and row.post_id not in found
    ]
    named = {row.sha256 for row in holding.rows["media"]}
    return broken + [
        f"4: {holding.host} keeps the picture {name}, which no row names"
        for name, seconds in holding.files.items()
        if name not in named and seconds >= swept_after_seconds
    ]


async def _check_words(holding: Holding, holdings: list[Holding], truth: Truth) -> list[str]:
    """Rules 1 and 4, word by word: what was taken back is nowhere, what is a group's is nowhere outside it."""
    rows = await read_rows(holding.place.address, holding.place.data)
    hosts = {group: host for host in holdings for group, row in host.groups.items() if row.peer_id is None}
    broken = []
    for each in truth.acknowledged:
        host = hosts.get(each.group)
        if host is None:
            continue
        is_in = holding is host or holding.host in host.admitted(each.group)
        was_in = (holding.host, each.group) in truth.removed
        if each.is_gone and (is_in or not was_in):  # a node that was removed is told nothing any more
            places = find_in_rows(each.word, rows)
        elif is_in or was_in:
            continue
        else:
            places = find_in_rows(each.word, rows) + find_in_folder(each.word, holding.place.data)
        broken += [f"4: “{each.word}” lies in {where} of {holding.host}" for where in places]
    return broken


async def check_doors(place: Place, reader: Reader, truth: Truth, *, group: str, title: str, address: str) -> list[str]:
    """Rule 6: what a member reads of a group at a running node, by app and by browser, against its rows.

    Args:
        place: The node's.
        reader: A member of it, and of the group.
        truth: Whose words are looked for on the pages.
        group: The group's id.
        title: The group's title, which is the name of its list in apps.
        address: The group as it stands in paths of this node.
    """
    holding = await read_holding(place)
    states = {row.uri: row.state for row in holding.posts(group)}
    topics = {row.uri: row.in_reply_to for row in holding.posts(group)}
    rows = {uri for uri, state in states.items() if state == "live"}
    in_app, pages = await reader.list_in_app(title), await reader.read_pages(address)
    # A topic that was taken back stands in no list, so an app does not come to its answers; pages do.
    hidden = {uri for uri in rows if states.get(_topic_of(uri, topics)) != "live"}
    broken = [f"6: apps at {place.host} do not show {uri}" for uri in sorted(rows - in_app - hidden)]
    broken += [f"6: apps at {place.host} show {uri}" for uri in sorted(in_app - rows) if _is_live(holding, uri)]
    for each in truth.acknowledged:
        if each.group == group and (each.word in pages) != (each.post in rows and not each.is_gone):
            broken.append(f"6: the pages of {place.host} {'show' if each.is_gone else 'do not show'} {each.post}")
    return broken


def _topic_of(uri: str, parents: dict[str, str | None]) -> str:
    """Return the post that a thread begins with."""
    while (parent := parents.get(uri)) is not None:
        uri = parent
    return uri


def _is_live(holding: Holding, uri: str) -> bool:
    """Return whether something that is shown is no tombstone: those are shown as such."""
    states = [row.state for row in holding.rows["posts"] if row.uri == uri]
    return states != ["withdrawn"] and states != ["removed"] and states != ["placeholder"]
