"""The journal: every act once, in the file and in the database, whatever a crash cut off and whoever wrote it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from node.foundation.errors import StoreError
from node.store.engine import Store, Tx
from node.store.journal import Journal, bring_up_to_date, note, open_journal, read_told, take_in, was_put_back

WARD = "https://a.example/groups/ward"
BEN = "https://b.example/people/ben"


async def _note(tx: Tx, what: str, **told: object) -> None:
    await note(tx, what, **told)


async def _put_out(store: Store, actor: str = BEN) -> None:
    await store.write(_note, "out", group=WARD, actor=actor, state="removed", seq=4)


async def _let_in(store: Store, actor: str = BEN) -> None:
    await store.write(_note, "in", group=WARD, actor=actor, role="member", joined_seq=2, visible_after=2)


def _numbers(path: Path) -> list[int]:
    return [json.loads(line)["n"] for line in path.read_text().splitlines()]


def _text(path: Path) -> str:
    return path.read_text("utf-8")


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


@pytest.fixture
async def path(store: Store, tmp_path: Path) -> Path:
    """Give the place of the store's journal, opened."""
    await open_journal(store, tmp_path / "journal.log")
    return tmp_path / "journal.log"


async def test_an_act_is_in_the_file_before_it_is_acknowledged(store: Store, path: Path) -> None:
    await _put_out(store)

    lines, told = store.journal.read()
    assert _numbers(path) == [0, 1]
    assert told.is_whole
    assert told.list_out(WARD) == {BEN}
    assert [n for n, _ in lines] == [0, 1]


async def test_an_act_whose_line_a_crash_kept_from_the_file_is_written_by_the_next_start(
    store: Store, path: Path
) -> None:
    await _let_in(store)
    store.journal = Journal()  # the process died between the commit and the file
    await _put_out(store)

    await open_journal(store, path)

    assert store.journal.read()[1].list_out(WARD) == {BEN}
    assert not await was_put_back(store, store.journal)


async def test_an_older_line_that_is_written_late_does_not_undo_a_newer_one(store: Store, path: Path) -> None:
    store.journal = Journal()
    await _let_in(store)
    store.journal = Journal(path)
    await _put_out(store)
    assert _numbers(path) == [0, 2]

    await open_journal(store, path)

    assert _numbers(path) == [0, 2, 1]
    assert store.journal.read()[1].list_out(WARD) == {BEN}


async def test_a_line_that_power_cut_off_is_written_whole(store: Store, path: Path) -> None:
    await _put_out(store)
    _write(path, _text(path)[:-9])

    await open_journal(store, path)
    await _put_out(store, "https://b.example/people/bea")

    assert _numbers(path) == [0, 1, 2]
    assert len(store.journal.read()[1].list_out(WARD)) == 2


async def test_a_file_that_burned_is_written_anew_from_the_database(store: Store, path: Path) -> None:
    await _put_out(store)
    await asyncio.to_thread(path.unlink)

    await open_journal(store, path)

    assert store.journal.is_new
    assert _numbers(path) == [0, 1]


async def test_a_disk_that_is_full_is_told_and_the_line_written_once_there_is_room(store: Store, path: Path) -> None:
    folder = path.with_name("gone")
    store.journal = Journal(folder / "journal.log")

    await _put_out(store)
    was_failing = store.journal.is_failing
    folder.mkdir()
    await bring_up_to_date(store, store.journal)

    assert was_failing
    assert not store.journal.is_failing
    assert store.journal.read()[1].list_out(WARD) == {BEN}


async def test_a_file_with_an_act_that_the_database_lacks_shows_that_it_was_put_back(store: Store, path: Path) -> None:
    await _put_out(store)
    lines, _ = store.journal.read()
    _write(path, _text(path) + '{"at":"2026-11-22T06:10:00Z","what":"epoch","group":"G","epoch":2,"n":2}\n')
    store.journal = Journal(path)

    shown = await was_put_back(store, store.journal)
    await store.write(take_in, store.journal.read()[0])
    await _put_out(store, "https://b.example/people/bea")

    assert shown
    assert len(lines) == 2
    assert not await was_put_back(store, store.journal)
    assert _numbers(path)[:3] == [0, 1, 2]
    assert _numbers(path)[3] > 1000, "another process of the node may have given the numbers in between"


async def test_what_is_told_of_a_group_is_told_of_it_alone(store: Store, path: Path) -> None:
    await _put_out(store)
    await store.write(_note, "epoch", group="https://a.example/groups/other", epoch=7)

    told = await store.read(read_told, group_uri=WARD)

    assert told.list_out(WARD) == {BEN}
    assert told.epochs == {}
    assert told.is_whole


async def test_a_file_of_a_release_without_numbers_is_read_in_once(store: Store, path: Path) -> None:
    _write(
        path,
        '{"at":"2026-11-20T06:10:00Z","what":"out","group":"G","actor":"A","state":"removed","seq":1,"line":"a"}\n'
        '{"at":"2026-11-20T06:11:00Z","what":"epoch","group":"G","epoch":2,"line":"b"}\n',
    )
    await store.write(_be_of_an_earlier_release)

    await open_journal(store, path)  # the line that says when it began is added

    assert not await was_put_back(store, store.journal)
    assert (await store.read(read_told, group_uri="G")).epochs == {"G": {2}}
    await _put_out(store)
    assert _text(path).count('"n":3') == 1


async def _be_of_an_earlier_release(tx: Tx) -> None:
    await tx.run("UPDATE journal_state SET lines = 2, is_read_in = 0")


async def test_a_damaged_line_stops_the_start(store: Store, path: Path) -> None:
    _write(path, '{"n":0}\nnot a line\n{"n":1}\n')
    store.journal = Journal(path)

    with pytest.raises(StoreError, match="is damaged"):
        store.journal.read()
