"""Search finds what its viewer may read and nothing else, the same on both databases, and follows every change at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.domain.access import Readable
from node.domain.actors import Member
from node.domain.groups import Group
from node.domain.searching import Filters, Query, Sought, parse_sought
from node.foundation.folding import fold_words
from node.foundation.text import strip_marks
from node.store import search
from node.store.engine import Store, Tx
from node.store.migrate import list_migrations, migrate
from node.store.objects import confirm_post, empty_post, purge_group_posts, update_post_state, update_post_text
from node.store.profiles import find_by_name
from node.store.search import find_posts
from node.store.search_index import SHARD_POSTS, drop_group, index_post
from tests.support.builders import a_group, a_member, a_membership, a_post
from tests.support.clock import NOON, FrozenClock
from tests.support.communities import COMMUNITIES, GROUPS, NOBODY, PEOPLE, Community, may_see, settle
from tests.support.databases import Databases

_SAY = "UPDATE posts SET html = '<p>The canary sings</p>' WHERE post_id = :post_id"
_TEXTS = {
    1: "Müller asks about the night-shift",
    2: "NIGHT falls on shifts &amp; wards",
    3: "Ein Fall für die Straße, ÆTNA and Øresund",
    4: "夜勤明けは眠い",
    5: "<em>Night</em>mare &lt;b&gt; 50% C++ snake_case don't",
    6: "हिन्दी में रात, 한국어 밤, Ночь, ليلة",
    7: "The shift at night is long",
}
_FOUND = {
    "muller": {1},
    "MÜLLER": {1},
    "mull": {1},
    "night": {1, 2, 5, 7},
    "night ": {1, 2, 5, 7},
    "night shift": {1, 2, 7},
    "shift night": {1, 7},
    '"night shift"': {1},
    '"night shift': {1},
    "night-shift": {1},
    "„night shift“": {1},
    "nightmare": {5},
    "ni": set(),
    "strasse": {3},
    "STRAßE": {3},
    "aetna oresund": {3},
    "夜": {4},
    "夜勤": {4},
    "勤夜": set(),
    "夜 勤": {4},
    "b": {5},
    "50": {5},
    "snake case": {5},
    "dont": set(),
    "don't": {5},
    "रात": {6},
    "밤": {6},
    "ночь": {6},
    "ليلة": {6},
    "the": {1, 7},
    "night*": {1, 2, 5, 7},
    "NEAR(night, shift)": set(),
    "night OR shift": set(),
    "night AND shift": set(),
    "-night": {1, 2, 5, 7},
    "words:night": set(),
    "^night": {1, 2, 5, 7},
    "night' | 'x": set(),
    "amp": set(),
    "·a1": set(),
}


def _query(text: str, **filters: Any) -> Query:
    sought = parse_sought(text) if text else Sought()
    assert isinstance(sought, Sought), sought
    return Query(sought, Filters(**filters))


async def _find(store: Store, viewer_id: int, text: str, **filters: Any) -> list[int]:
    """Return the numbers of everything found, asked for page by page as the page of search does."""
    query, before_id, numbers = _query(text, **filters), 2**62, []
    while True:
        found = await store.read(find_posts, viewer_id=viewer_id, query=query, count=3, before_id=before_id)
        fitting = [post for post in found.posts if query.sought.fits(_words(post.html))]
        numbers += [post.post_id for post in fitting]
        if found.before_id is None:
            return numbers
        before_id = found.before_id


def _words(html: str) -> list[str]:
    return fold_words(strip_marks(html))


async def _a_ward(store: Store, handle: str = "ward", member: str = "ana") -> tuple[Member, Group]:
    ana = await store.write(a_member, member)
    ward = await store.write(a_group, handle)
    await store.write(a_membership, group=ward, member=ana)
    return ana, ward


@pytest.mark.timeout(400)  # finding the smallest example of a fault takes its time
@given(community=COMMUNITIES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_t27_search_finds_exactly_what_may_be_read(store: Store, community: Community) -> None:
    await store.write(_settle_and_say, community)

    for viewer_id in (NOBODY, *PEOPLE):
        may = {
            post_id
            for post_id, (post, named) in enumerate(community.posts, 1)
            if (post.audience, post.state) == ("group", "live")
            and post.seq is not None
            and may_see(community, viewer_id, post, viewer_id in named)
        }
        assert set(await _find(store, viewer_id, "canary")) == may
        assert set(await _find(store, viewer_id, "", with_sources=True)) == set()


async def _settle_and_say(tx: Tx, community: Community) -> None:
    for group_id in GROUPS:
        await drop_group(tx, group_id=group_id)
    await settle(tx, community)
    for post_id in range(1, len(community.posts) + 1):
        await tx.run(_SAY, post_id=post_id)
        await index_post(tx, post_id=post_id)


@pytest.mark.parametrize("text", _FOUND)
async def test_both_databases_find_the_same(store: Store, text: str) -> None:
    ana, ward = await _a_ward(store)
    for number, said in _TEXTS.items():
        assert await store.write(a_post, said, author=ana, group=ward, seq=number) == number

    assert set(await _find(store, ana.actor_id, text)) == _FOUND[text]


@given(text=st.text(max_size=200))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_makes_search_stumble(store: Store, text: str) -> None:
    ana = 1
    sought = parse_sought(text)

    if isinstance(sought, Sought):
        found = await store.read(_find_in_some_shard, ana, Query(sought))
        assert found == []


async def _find_in_some_shard(tx: Tx, viewer_id: int, query: Query) -> list[int]:
    merge = search._Merge([search.Shard(1, 0, 1), search.Shard(2, 5, 1)], query, 2**62)
    return await merge.take(tx, 20)


async def test_posts_come_newest_first_whatever_group_and_shard_they_stand_in(store: Store) -> None:
    ana, ward = await _a_ward(store)
    clinic = await store.write(a_group, "clinic")
    await store.write(a_membership, group=clinic, member=ana)
    numbers = [
        await store.write(
            a_post, "A canary", author=ana, group=(ward, clinic)[number % 3 == 0], seq=1 + number * SHARD_POSTS // 3
        )
        for number in range(25)
    ]

    assert await _find(store, ana.actor_id, "canary") == numbers[::-1]


async def test_a_post_that_waited_long_stands_where_its_number_says(store: Store) -> None:
    ana, ward = await _a_ward(store)
    waiting = await store.write(a_post, "A canary that waits", author=ana, group=ward)
    others = [
        await store.write(a_post, "A canary", author=ana, group=ward, seq=seq)
        for seq in (1, SHARD_POSTS, 3 * SHARD_POSTS)
    ]
    assert await _find(store, ana.actor_id, "canary") == others[::-1]

    await store.write(confirm_post, post_id=waiting, group_id=ward.group_id, seq=3 * SHARD_POSTS + 1)

    assert await _find(store, ana.actor_id, "canary") == [*others[::-1], waiting]


async def test_a_search_that_stops_to_be_quick_goes_on_where_it_stopped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ward = await _a_ward(store)
    numbers = [
        await store.write(a_post, f"Bird {number}", author=ana, group=ward, seq=1 + number * SHARD_POSTS)
        for number in range(12)
    ]
    monkeypatch.setattr(search, "ASKS_LIMIT", 1)

    first = await store.read(find_posts, viewer_id=ana.actor_id, query=_query("bird"), count=5)

    assert len(first.posts) < 5
    assert first.before_id is not None
    assert await _find(store, ana.actor_id, "bird") == numbers[::-1]


async def test_posts_outside_the_days_asked_for_are_not_read_without_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana, ward = await _a_ward(store)
    days = [NOON - timedelta(days=30), *[NOON] * 30, NOON - timedelta(days=40)]
    numbers = [
        await store.write(a_post, "canary", author=ana, group=ward, seq=seq, published_at=day)
        for seq, day in enumerate(days, 1)
    ]
    monkeypatch.setattr(search, "READ_LIMIT", 5)
    query = _query("canary", to_at=NOON)

    first = await store.read(find_posts, viewer_id=ana.actor_id, query=query, count=20)

    assert [post.post_id for post in first.posts] == numbers[-1:]
    assert first.before_id is not None
    assert await _find(store, ana.actor_id, "canary", to_at=NOON) == [numbers[-1], numbers[0]]


async def test_more_matches_than_one_answer_holds_are_all_found(store: Store) -> None:
    ana, ward = await _a_ward(store)
    numbers = [await store.write(a_post, "canary", author=ana, group=ward, seq=seq) for seq in range(1, 250)]

    assert await _find(store, ana.actor_id, "canary") == numbers[::-1]


async def test_who_came_late_finds_what_was_said_since(store: Store) -> None:
    ana, ward = await _a_ward(store)
    ben = await store.write(a_member, "ben")
    await store.write(a_membership, group=ward, member=ben, visible_after=SHARD_POSTS + 1)
    seqs = (1, SHARD_POSTS - 1, SHARD_POSTS, SHARD_POSTS + 1, SHARD_POSTS + 2, 2 * SHARD_POSTS)
    numbers = [await store.write(a_post, "canary", author=ana, group=ward, seq=seq) for seq in seqs]

    assert await _find(store, ben.actor_id, "canary") == numbers[:3:-1]
    assert await _find(store, ana.actor_id, "canary") == numbers[::-1]


async def test_filters_narrow_a_search(store: Store, clock: FrozenClock) -> None:
    ana, ward = await _a_ward(store)
    ben = await store.write(a_member, "ben")
    clinic = await store.write(a_group, "clinic")
    for member, group in ((ana, clinic), (ben, ward)):
        await store.write(a_membership, group=group, member=member)

    async def say(html: str, author: Member, group: Group, seq: int, at: datetime) -> int:
        return await store.write(a_post, "canary", author=author, group=group, seq=seq, html=html, published_at=at)

    old = await say("<p>canary</p>", ana, ward, 1, NOON - timedelta(days=400))
    linked = await say('<p>canary <a href="https://a.example/x">here</a></p>', ben, ward, 2, NOON)
    mailed = await say('<p>canary <a href="mailto:b@a.example">me</a></p>', ana, clinic, 1, NOON)

    async def find(text: str = "canary", **filters: Any) -> list[int]:
        return await _find(store, ana.actor_id, text, **filters)

    assert await find() == [mailed, linked, old]
    assert await find(group_id=clinic.group_id) == [mailed]
    assert await find(author_id=ben.actor_id) == [linked]
    assert await find("", author_id=ben.actor_id) == [linked]
    assert await find(with_sources=True) == [linked]
    assert await find("", with_sources=True, author_id=ana.actor_id) == []
    assert await find(from_at=NOON) == [mailed, linked]
    assert await find(to_at=NOON) == [old]
    assert await find(from_at=NOON - timedelta(days=401), to_at=NOON - timedelta(days=399)) == [old]


async def test_staff_rooms_are_not_searched(store: Store) -> None:
    ana, ward = await _a_ward(store)
    await store.write(a_post, "A canary", author=ana, group=ward, seq=1)
    staff_room = "UPDATE groups SET staff_of = 77 WHERE group_id = :group_id"
    await store.write(lambda tx: tx.run(staff_room, group_id=ward.group_id))

    assert await _find(store, ana.actor_id, "canary") == []


async def test_an_edit_is_found_by_its_new_words_alone(store: Store) -> None:
    ana, ward = await _a_ward(store)
    post_id = await store.write(a_post, "The sparrow", author=ana, group=ward, seq=1)

    await store.write(
        update_post_text, post_id=post_id, title="Birds", warning="", source="", html="<p>A canary</p>", document="",
        activity_uri="", edited_at=NOON,
    )  # fmt: skip

    assert await _find(store, ana.actor_id, "sparrow") == []
    assert await _find(store, ana.actor_id, "birds canary") == [post_id]


@pytest.mark.parametrize("state", ["withdrawn", "removed"])
async def test_t27_what_was_taken_away_is_not_found(store: Store, state: str) -> None:
    ana, ward = await _a_ward(store)
    post_id = await store.write(a_post, "canary", author=ana, group=ward, seq=1)

    await store.write(empty_post, post_id=post_id, state=state, reason="a rule about canaries")

    assert await _find(store, ana.actor_id, "canary") == []
    assert await store.read(_list_words) == []


async def test_what_the_host_refused_is_not_found(store: Store) -> None:
    ana, ward = await _a_ward(store)
    post_id = await store.write(a_post, "canary", author=ana, group=ward, seq=1)

    await store.write(update_post_state, post_id=post_id, state="draft", reason="No birds.")

    assert await _find(store, ana.actor_id, "canary") == []


async def test_t27_a_purged_group_leaves_no_word_in_the_index(store: Store) -> None:
    ana, ward = await _a_ward(store)
    clinic = await store.write(a_group, "clinic")
    await store.write(a_membership, group=clinic, member=ana)
    await store.write(a_post, "canary", author=ana, group=ward, seq=1)
    kept = await store.write(a_post, "canary", author=ana, group=clinic, seq=1)

    await store.write(purge_group_posts, group_id=ward.group_id)

    assert await _find(store, ana.actor_id, "canary") == [kept]
    assert [row.rowid for row in await store.read(_list_words)] == [kept]


async def test_posts_from_before_there_was_an_index_are_found(
    databases: Databases, tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await databases.open(await databases.new_empty_address(), tmp_path, clock)
    with monkeypatch.context() as earlier:
        earlier.setattr("node.store.migrate.list_migrations", lambda: list_migrations()[:5])
        await migrate(store, now=NOON)
    community = Community(
        {1: "active"},
        {(11, 1): ("member", 0)},
        tuple((_readable(seq), frozenset()) for seq in range(1, 451)),
    )
    await store.write(settle, community)
    await store.write(_say_everywhere)

    await migrate(store, now=NOON)

    assert len(await _find(store, 1, "canary")) == 450
    assert await store.read(_count_marks) == 0
    assert [known.actor_id for known in await store.read(_find_names)] == [1]


async def _find_names(tx: Tx) -> list[Any]:
    return await find_by_name(tx, viewer_id=1, beginning="uri")


async def _say_everywhere(tx: Tx) -> None:
    await tx.run("UPDATE posts SET html = '<p>The canary sings</p>'")


async def _count_marks(tx: Tx) -> int:
    return int(await tx.value("SELECT COUNT(*) AS n FROM settings WHERE name LIKE 'search%'"))


def _readable(seq: int) -> Readable:
    return Readable("group", 1, 11, seq, "live")


async def _list_words(tx: Tx) -> list[Any]:
    return await tx.all("SELECT rowid FROM search_words")
