"""Pictures' files that a crash has left without a row go after an hour; those that are named, and young ones, stay."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.store.files import media_path, save_file
from node.store.media import MediaRow, insert_media
from node.store.stray_files import sweep_files
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house

_OLD_SECONDS = 7200


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node without a network."""
    async with a_lone_house(databases, clock) as made:
        yield made


def _save(lone: LoneHouse, content: bytes, *, is_old: bool) -> Path:
    path = media_path(lone.core, save_file(lone.core, content))
    if is_old:
        then = time.time() - _OLD_SECONDS
        os.utime(path, (then, then))
    return path


async def test_t30_a_file_that_no_row_names_goes_after_an_hour(lone: LoneHouse) -> None:
    core = lone.core
    stray, young, named = (
        _save(lone, content, is_old=is_old) for content, is_old in ((b"a", True), (b"b", False), (b"c", True))
    )
    part = stray.with_suffix(".123.part")
    part.write_bytes(b"cut off")
    os.utime(part, (0, 0))
    row = MediaRow(
        token="t", post_id=None, group_id=None, owner_id=None, sha256=named.name, media_type="image/png", size_bytes=1,
        width=1, height=1, alt="", source_uri=None, state="ready",
    )  # fmt: skip
    await core.store.write(insert_media, row=row)

    count = await sweep_files(core)

    assert count == 2
    assert [path.exists() for path in (stray, part, young, named)] == [False, False, True, True]


async def test_a_file_that_is_wanted_again_is_young_again(lone: LoneHouse) -> None:
    path = _save(lone, b"again", is_old=True)

    save_file(lone.core, b"again")
    count = await sweep_files(lone.core)

    assert count == 0
    assert path.exists()
