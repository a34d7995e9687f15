"""Erased means gone: no byte of what was taken away stays in a file of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.store.engine import Store, Tx
from node.store.objects import empty_post, get_post, purge_group_posts
from node.store.sqlite import SqliteStore
from tests.support.builders import a_group, a_member, a_membership, a_post

_CANARY = "Kanarienvogel-{}-4711"
_CLEAR = "DELETE FROM posts WHERE post_id = :post_id"


def _files_with(folder: Path, *canaries: str) -> list[str]:
    """Return the names of files in which a canary stands."""
    contents = {file.name: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
    return [name for name, content in contents.items() if any(canary.encode() in content for canary in canaries)]


async def _write_posts(store: Store, count: int) -> tuple[list[int], list[str], int]:
    ana = await store.write(a_member, "ana")
    ward = await store.write(a_group, "ward")
    await store.write(a_membership, group=ward, member=ana)
    canaries = [_CANARY.format(number) for number in range(count)]
    sizes = (1, 30, 200)  # within a page, over a few, over many with overflow
    post_ids = [
        await store.write(
            a_post, f"{canary} " * sizes[number % 3], author=ana, group=ward, seq=number + 1, document=canary * 5
        )
        for number, canary in enumerate(canaries)
    ]
    return post_ids, canaries, ward.group_id


@pytest.mark.only_on("sqlite", reason="PostgreSQL's files are its own; it reuses the space at its next vacuum")
async def test_words_that_were_withdrawn_are_in_no_file_after_tidying(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    post_ids, canaries, _ = await _write_posts(store, 30)
    folder = store.path.parent
    assert _files_with(folder, canaries[0]) != []

    for post_id in post_ids:
        await store.write(empty_post, post_id=post_id, state="withdrawn", reason=None)
    await store.tidy()

    assert _files_with(folder, *canaries) == []


@pytest.mark.only_on("sqlite", reason="PostgreSQL's files are its own; it reuses the space at its next vacuum")
async def test_erasing_some_words_leaves_the_others_and_no_trace_between_them(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    post_ids, canaries, _ = await _write_posts(store, 60)
    gone, kept = canaries[::2], canaries[1::2]

    for post_id in post_ids[::2]:
        await store.write(empty_post, post_id=post_id, state="withdrawn", reason=None)
    await store.tidy()

    assert _files_with(store.path.parent, *(f"{canary} " for canary in gone)) == []
    assert all(_files_with(store.path.parent, canary) == ["rounds.sqlite"] for canary in kept)


@pytest.mark.only_on("sqlite", reason="PostgreSQL's files are its own; it reuses the space at its next vacuum")
async def test_a_purged_group_is_in_no_file_after_tidying(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    _, canaries, group_id = await _write_posts(store, 30)

    await store.write(purge_group_posts, group_id=group_id)
    await store.tidy()

    assert _files_with(store.path.parent, *canaries) == []


@pytest.mark.only_on("sqlite", reason="PostgreSQL keeps its own log of changes")
async def test_tidying_leaves_an_empty_log(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    await _write_posts(store, 30)

    await store.tidy()

    assert (store.path.parent / "rounds.sqlite-wal").stat().st_size == 0


async def test_words_that_were_withdrawn_are_read_by_nobody(store: Store) -> None:
    [post_id], _, _ = await _write_posts(store, 1)

    await store.write(empty_post, post_id=post_id, state="removed", reason="rule 3")
    await store.tidy()

    post = await store.read(get_post, viewer_id=1, post_id=post_id)
    assert post is not None
    assert (post.source, post.html, post.title, post.state, post.reason) == ("", "", "", "removed", "rule 3")


async def test_tidying_hurts_nobody_who_reads_or_writes_meanwhile(store: Store) -> None:
    [post_id], _, _ = await _write_posts(store, 1)

    async def count(tx: Tx) -> int:
        return await tx.run(_CLEAR, post_id=post_id)

    await store.tidy()

    assert await store.write(count) == 1
