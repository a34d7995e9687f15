"""A backup holds everything, opens with its code alone, and becomes the same node again, on either database."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.community.house import close_core, open_core
from node.community.operating import moving
from node.community.operating.drills import examine, sign_drill, verify_drill
from node.community.operating.restores import OpenedBackup
from node.foundation.config import build_config, load_config
from node.foundation.errors import ConfigError, Conflict, NodeError, SignatureInvalid
from node.store.backup.sealing import BackupDamaged, WrongRecoveryCode
from node.store.backups import list_logs
from node.store.engine import Tx
from node.store.files import save_file
from node.store.media import MediaRow, insert_media
from tests.routes.scene import CANARY, PNG, UPLOAD
from tests.support.backups import CODE, OTHER_CODE, Stocked, a_stocked_node, content_of
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.group_life import say
from tests.support.lone_house import LoneHouse
from tests.support.traces import find_in_folder

_SQLITE_IS_INSIDE = pytest.mark.only_on("sqlite", reason="what is in a backup is SQLite, whatever the node is on")


@pytest.fixture
async def stocked(databases: Databases, clock: FrozenClock) -> AsyncIterator[Stocked]:
    async with a_stocked_node(databases, clock) as made:
        yield made


async def test_what_is_restored_is_the_same_in_every_row_and_file(
    stocked: Stocked, tmp_path: Path, databases: Databases
) -> None:
    before, backup = await stocked.rows(), tmp_path / "one.backup"

    made = await stocked.backup(backup)
    done = await stocked.restore(backup, tmp_path / "new")

    assert await content_of("sqlite:", tmp_path / "new") == before
    assert sum(map(len, before.values())) > 150
    assert done.found.problems == done.found.losses == made.absent == []
    assert load_config(tmp_path / "new", {}).database == "sqlite:"
    assert (tmp_path / "new/keys/node.key").read_bytes() == (stocked.core.data / "keys/node.key").read_bytes()
    assert {path.read_bytes() for path in (tmp_path / "new/media").glob("*/*")} == {PNG, UPLOAD}


@pytest.mark.only_on("postgresql", reason="it restores onto PostgreSQL")
async def test_a_backup_becomes_a_node_on_an_empty_postgresql(
    stocked: Stocked, tmp_path: Path, databases: Databases
) -> None:
    before, backup, address = await stocked.rows(), tmp_path / "one.backup", await databases.new_empty_address()
    await stocked.backup(backup)

    await stocked.restore(backup, tmp_path / "new", database=address)

    assert await content_of(address, tmp_path / "new") == before
    assert load_config(tmp_path / "new", {}).database == address
    assert not list((tmp_path / "new").glob("rounds.sqlite*"))
    with pytest.raises(Conflict, match="in this PostgreSQL database already"):
        await stocked.restore(backup, tmp_path / "again", database=address)
    assert await content_of(address, tmp_path / "new") == before


@pytest.mark.only_on("postgresql", reason="it restores onto PostgreSQL")
@pytest.mark.parametrize("step", ["copy_to_postgres", "sum_postgres", "require_same"])
async def test_a_restore_that_was_broken_off_begins_again_in_the_same_database(
    stocked: Stocked, tmp_path: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    before, backup, address = await stocked.rows(), tmp_path / "one.backup", await databases.new_empty_address()
    await stocked.backup(backup)

    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(moving, step, stop)
        await stocked.restore(backup, tmp_path / "new", database=address)
    left = _names(tmp_path / "new.partial", "")
    await stocked.restore(backup, tmp_path / "new", database=address)

    assert left == ["restoring"]
    assert await content_of(address, tmp_path / "new") == before
    assert _names(tmp_path, "new") == ["new"]


async def test_what_is_restored_opens_finds_and_says_that_it_was_restored(
    stocked: Stocked, tmp_path: Path, clock: FrozenClock
) -> None:
    backup, data = tmp_path / "one.backup", tmp_path / "new"
    await stocked.backup(backup)
    clock.advance(3600)

    await stocked.restore(backup, data)

    rows = await content_of("sqlite:", data)
    config = build_config({"base_url": stocked.core.origin, "name": "Home", "database": "sqlite:"})
    core = await open_core(data, config=config, clock=clock)
    try:
        found = await core.store.read(lambda tx: tx.all("SELECT rowid FROM search_words ORDER BY rowid"))
        restored = await core.store.read(lambda tx: tx.one("SELECT taken_at, restored_at FROM recoveries"))
        groups = await core.store.read(list_logs)
    finally:
        await close_core(core)
    assert len(found) == 3  # in ward, a poll there, and in circle; neither the message nor what was taken back
    assert (restored.restored_at - restored.taken_at).total_seconds() == 3600
    assert len(groups) == len(rows["groups"])


@_SQLITE_IS_INSIDE
async def test_t28_neither_the_file_nor_any_folder_holds_a_word_of_it_afterwards(
    stocked: Stocked, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    backups.mkdir()
    before = {path.name for path in stocked.core.data.iterdir()}

    await stocked.backup(backups / "one.backup")

    assert find_in_folder(CANARY, backups) == find_in_folder(stocked.core.origin, backups) == []
    assert [path.name for path in backups.iterdir()] == ["one.backup"]
    assert stat.S_IMODE((backups / "one.backup").stat().st_mode) == 0o600
    assert {path.name for path in stocked.core.data.iterdir()} == before


@_SQLITE_IS_INSIDE
async def test_every_file_that_is_restored_is_its_owners_alone(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.backup(tmp_path / "one.backup")

    await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    paths = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"keys", "media", "rounds.sqlite", "rounds.toml"}


@_SQLITE_IS_INSIDE
async def test_the_journal_stays_where_it_is_and_is_no_part_of_a_backup(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.backup(tmp_path / "one.backup")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "journal.log").write_text("what happened\n")

    await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    assert (tmp_path / "new" / "journal.log").read_text() == "what happened\n"
    assert (stocked.core.data / "journal.log").exists()
    assert _names(tmp_path, "new.") == []


@_SQLITE_IS_INSIDE
async def test_a_restore_that_was_killed_between_its_renames_finds_the_journal_again(
    stocked: Stocked, tmp_path: Path
) -> None:
    await stocked.backup(tmp_path / "one.backup")
    for name, content in (("new.before/journal.log", "what happened\n"), ("new.partial/restoring", "restore 1")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(content)

    await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    assert (tmp_path / "new" / "journal.log").read_text() == "what happened\n"
    assert _names(tmp_path, "new") == ["new"]


@_SQLITE_IS_INSIDE
async def test_a_folder_in_the_way_that_is_no_restores_is_left_alone(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.backup(tmp_path / "one.backup")
    (tmp_path / "new.partial").mkdir()
    (tmp_path / "new.partial" / "mine").write_text("mine")

    with pytest.raises(ConfigError, match="in the way"):
        await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    assert _names(tmp_path / "new.partial", "") == ["mine"]


@_SQLITE_IS_INSIDE
@pytest.mark.parametrize("name", ["rounds.toml", "something"])
async def test_a_directory_that_holds_anything_else_is_left_alone(stocked: Stocked, tmp_path: Path, name: str) -> None:
    await stocked.backup(tmp_path / "one.backup")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / name).write_text("mine")

    with pytest.raises(ConfigError, match="is not empty"):
        await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    assert [path.read_text() for path in (tmp_path / "new").iterdir()] == ["mine"]


@_SQLITE_IS_INSIDE
async def test_another_code_opens_nothing_and_leaves_nothing(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.backup(tmp_path / "one.backup")

    with pytest.raises(WrongRecoveryCode):
        await stocked.restore(tmp_path / "one.backup", tmp_path / "new", code=OTHER_CODE)

    assert _names(tmp_path, "new") == []


@_SQLITE_IS_INSIDE
async def test_a_damaged_backup_leaves_nothing_where_a_node_would_stay(stocked: Stocked, tmp_path: Path) -> None:
    backup = tmp_path / "one.backup"
    await stocked.backup(backup)
    sealed = bytearray(backup.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    backup.write_bytes(sealed)

    with pytest.raises(BackupDamaged):
        await stocked.restore(backup, tmp_path / "new")
    backup.write_bytes(sealed[:-100])
    with pytest.raises(BackupDamaged):
        await stocked.restore(backup, tmp_path / "new")

    assert _names(tmp_path, "new") == []


async def test_posts_acknowledged_before_it_began_are_in_it_while_members_write_on(
    stocked: Stocked, tmp_path: Path
) -> None:
    lone, ward, mia = stocked.scene.lone, stocked.scene.ward, stocked.scene.members["mia"]
    early = [await say(lone, ward, mia, f"early {n}") for n in range(5)]
    writing = asyncio.create_task(_write_on(lone, ward, mia))

    made = await stocked.backup(tmp_path / "one.backup")
    late = await writing
    done = await stocked.restore(tmp_path / "one.backup", tmp_path / "new")

    posts = " ".join((await content_of("sqlite:", tmp_path / "new"))["posts"])
    assert [post_id for post_id in early if str(post_id) not in posts] == []
    assert len(late) == 20
    assert made.manifest.counts == done.found.counts


async def test_pictures_of_other_nodes_groups_can_be_left_out_and_are_fetched_again(
    stocked: Stocked, tmp_path: Path
) -> None:
    core, backup, absent = stocked.core, tmp_path / "one.backup", "ab" * 32
    own = await stocked.scene.lone.member("gil")
    theirs = save_file(core, PNG + b"theirs")
    await core.store.write(_hold_elsewhere, stocked.scene.circle.group_id, stocked.scene.peers["friend"].peer_id)
    for sha256, group_id, owner_id, source in (
        (theirs, stocked.scene.circle.group_id, None, "https://friend.example/media/x"),
        (absent, None, own.actor_id, None),
    ):
        row = MediaRow(sha256[:26], None, group_id, owner_id, sha256, "image/png", 9, 1, 1, "", source, "ready")
        await core.store.write(_insert_media, row)

    made = await stocked.backup(backup, with_mirrors=False)
    done = await stocked.restore(backup, tmp_path / "new")

    rows = "\n".join((await content_of("sqlite:", tmp_path / "new"))["media"])
    assert made.absent == [absent]
    assert done.found.losses == []
    assert {path.read_bytes() for path in (tmp_path / "new/media").glob("*/*")} == {PNG, UPLOAD}
    assert sorted(re.findall("'(ready|wanted|failed)'", rows)) == ["failed", "ready", "ready", "wanted"]
    assert re.search(f"'{theirs}'.*'wanted'", rows)


@_SQLITE_IS_INSIDE
async def test_a_drill_says_what_is_in_a_backup_and_signs_it(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.backup(tmp_path / "one.backup")
    unpacked = OpenedBackup(tmp_path / "one.backup", CODE, note=print).unpack(tmp_path / "out")

    found = await examine(tmp_path / "out", unpacked, clock=stocked.clock, note=print)

    shown = sign_drill(found, unpacked, seconds=0.51, now=stocked.clock.now())
    own = (await stocked.core.keyring.own(stocked.core.instance_id)).ed25519.public
    assert (shown["ok"], shown["problems"], shown["seconds"]) == (True, [], 0.5)
    assert shown["counts"] == unpacked.manifest.counts
    assert shown["newest_at"] == "2026-11-21T12:00:00Z"
    verify_drill(shown, own)
    with pytest.raises(SignatureInvalid):
        verify_drill({**shown, "counts": {}}, own)


_SPOILS = {
    "DELETE FROM log_entries WHERE seq = 2": "does not fit the one before",
    "UPDATE log_entries SET proof = (SELECT proof FROM log_entries WHERE seq = 1 LIMIT 1) WHERE seq = 2":
        "entry 2 is not proved",
    "UPDATE groups SET head_seq = head_seq + 1": "should end at",
    "UPDATE actor_keys SET sealed_private = (SELECT sealed_private FROM attestation_keys) WHERE actor_id = 1":
        "keys do not open",
    "UPDATE media SET sha256 = 'ee' || substr(sha256, 3)": "2 pictures are missing",
    "DELETE FROM members WHERE handle = 'gil'": "speaks of 8 members, and holds 7",
    "UPDATE audit SET reason = 'another' WHERE n = 3": "audit log does not fit together at row 3",
}  # fmt: skip


@_SQLITE_IS_INSIDE
async def test_a_drill_finds_what_does_not_fit_together(stocked: Stocked, tmp_path: Path) -> None:
    await stocked.scene.lone.member("gil")
    await stocked.backup(tmp_path / "one.backup")
    unpacked = OpenedBackup(tmp_path / "one.backup", CODE, note=print).unpack(tmp_path / "out")
    missed = {}

    for number, (spoil, said) in enumerate(_SPOILS.items()):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "out", folder)
        with contextlib.closing(sqlite3.connect(folder / "rounds.sqlite")) as connection:
            connection.execute(spoil)
            connection.commit()
        found = await examine(folder, unpacked, clock=stocked.clock, note=print)
        problems = " ".join([*found.problems, *found.losses])
        if said not in problems:
            missed[spoil] = problems

    assert missed == {}


@_SQLITE_IS_INSIDE
async def test_a_node_without_a_recovery_code_says_how_to_get_one(stocked: Stocked, tmp_path: Path) -> None:
    (stocked.core.data / "keys" / "recovery.pub").unlink()

    with pytest.raises(NodeError, match="rounds key recovery"):
        await stocked.backup(tmp_path / "one.backup")

    assert _names(tmp_path, "one.backup") == []


@_SQLITE_IS_INSIDE
async def test_two_backups_at_once_are_one_too_many(stocked: Stocked, tmp_path: Path) -> None:
    first = asyncio.create_task(stocked.backup(tmp_path / "one.backup"))
    await asyncio.sleep(0)

    with pytest.raises(Conflict, match="Another backup is under way"):
        await stocked.backup(tmp_path / "two.backup")

    await first
    assert _names(tmp_path, "one.", "two.") == ["one.backup"]


def _names(folder: Path, *beginnings: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(beginnings))


async def _write_on(lone: LoneHouse, ward: object, mia: object) -> list[int]:
    return [await say(lone, ward, mia, f"late {n}") for n in range(20)]  # type: ignore[arg-type]


async def _insert_media(tx: Tx, row: MediaRow) -> None:
    await insert_media(tx, row=row)


async def _hold_elsewhere(tx: Tx, group_id: int, peer_id: int) -> None:
    await tx.run("UPDATE groups SET peer_id = :peer_id WHERE group_id = :group_id", peer_id=peer_id, group_id=group_id)
