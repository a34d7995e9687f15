"""Erased words leave the index of search, and with it the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node.domain.searching import Query, parse_sought
from node.store.engine import Store, Tx
from node.store.objects import empty_post, purge_group_posts
from node.store.search import find_posts
from node.store.sqlite import SqliteStore
from tests.support.builders import a_group, a_member, a_membership, a_post

# So that what was erased stays in segments of its own, as on a node on which little is written.
_KEEP_MERGING_AWAY = "INSERT INTO search_words (search_words, rank) VALUES ('automerge', 0)"


async def _a_ward(store: Store) -> tuple[Any, Any]:
    ana = await store.write(a_member, "ana")
    ward = await store.write(a_group, "ward")
    await store.write(a_membership, group=ward, member=ana)
    return ana, ward


async def _find(tx: Tx, viewer_id: int, word: str) -> list[int]:
    sought = parse_sought(word)
    assert not isinstance(sought, str)
    found = await find_posts(tx, viewer_id=viewer_id, query=Query(sought), count=1000)
    return [post.post_id for post in found.posts]


@pytest.mark.only_on("sqlite", reason="PostgreSQL's files are its own; it reuses the space at its next vacuum")
@pytest.mark.parametrize("count", [40, 300])
async def test_t30_erased_words_are_in_no_file_after_tidying(store: Store, count: int) -> None:
    assert isinstance(store, SqliteStore)
    ana, ward = await _a_ward(store)
    await store._writer.connection.execute(_KEEP_MERGING_AWAY)
    words = [f"zitterkanarie{number}vogel" for number in range(count)]
    numbers = [
        await store.write(a_post, "", author=ana, group=ward, seq=number, html=f"<p>{word.title()} sings</p>")
        for number, word in enumerate(words, 1)
    ]
    assert _files_with(store.path.parent, words[1]) != []

    for number in numbers[::2]:
        await store.write(empty_post, post_id=number, state="withdrawn", reason=None)
    await store.tidy()

    assert [word for word in words[::2] if _files_with(store.path.parent, word)] == []
    assert await store.read(_find, ana.actor_id, "sings") == numbers[1::2][::-1]

    await store.write(purge_group_posts, group_id=ward.group_id)
    await store.tidy()

    assert _files_with(store.path.parent, "zitterkanarie") == []


@pytest.mark.only_on("sqlite", reason="PostgreSQL tidies by vacuum")
async def test_words_erased_while_others_tidy_are_erased_the_next_time(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    ana, ward = await _a_ward(store)
    first, second = [
        await store.write(a_post, word, author=ana, group=ward, seq=seq)
        for seq, word in enumerate(("amsel", "drossel"), 1)
    ]
    await store.write(empty_post, post_id=first, state="withdrawn", reason=None)

    await store.tidy()
    await store.tidy()  # nothing to do
    await store.write(empty_post, post_id=second, state="withdrawn", reason=None)
    await store.close()

    assert _files_with(store.path.parent, "amsel") == _files_with(store.path.parent, "drossel") == []


def _files_with(folder: Path, word: str) -> list[str]:
    return [file.name for file in sorted(folder.rglob("*")) if file.is_file() and word.encode() in file.read_bytes()]
