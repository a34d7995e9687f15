"""The checker that all tests of failures share is not blind: each thing that may never be is put into a database, and found."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.databases import Databases
from tests.support.holdings import Place
from tests.support.invariants import Truth, check_places
from tests.support.pools import KeyPool
from tests.support.village import Village, open_village

pytestmark = pytest.mark.only_on("sqlite", reason="what is changed here are the rows, which are the same on both")


@dataclass
class Scene:
    """Three stopped nodes: a host with its group, a member's node, a stranger; and what was acknowledged."""

    host: Place
    member: Place
    stranger: Place
    truth: Truth
    ward: str

    async def check(self) -> list[str]:
        """Return what the checker says."""
        return await check_places([self.host, self.member, self.stranger], self.truth)

    def change(self, place: Place, *statements: str) -> None:
        """Change what a node's database says."""
        connection = sqlite3.connect(place.data / "rounds.sqlite")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


async def _say(village: Village) -> tuple[Truth, list[Place], str]:
    a, b, ward = await village.shared_ward()
    c = await village.node("elsewhere")
    truth = Truth()
    first = await a.post(ward, "canary-one", as_="ana")
    await village.rest()
    answer = await b.post(ward, "canary-two", as_="ben", reply_to=first["uri"])
    gone = await b.post(ward, "canary-three", as_="ben")
    await village.rest()
    for uri, word in ((first["uri"], "canary-one"), (answer["uri"], "canary-two"), (gone["uri"], "canary-three")):
        truth.add(ward, uri, word)
    await b.run("post", "withdraw", gone["uri"], "--as", "ben")
    truth.take_back(gone["uri"])
    await village.rest()
    return truth, [Place(node.host, "sqlite:", node.data) for node in (a, b, c)], ward


_MADE: dict[str, tuple[Truth, list[Place], str]] = {}


@pytest.fixture
async def scene(databases: Databases, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> AsyncIterator[Scene]:
    """Give copies of databases that real nodes have written; the nodes live once for all tests of this file."""
    if not _MADE:
        folder = tmp_path_factory.mktemp("scene")
        patch = pytest.MonkeyPatch()
        async with open_village(databases, folder, KeyPool(), patch) as village:
            truth, places, ward = await _say(village)
        patch.undo()
        kept = [Place(each.host, each.address, folder / f"kept{n}") for n, each in enumerate(places)]
        for old, new in zip(places, kept, strict=True):
            shutil.copytree(old.data, new.data, ignore=shutil.ignore_patterns("*.sock"))
        _MADE["scene"] = truth, kept, ward
    truth, places, ward = _MADE["scene"]
    copies = [Place(each.host, each.address, tmp_path / each.data.name) for each in places]
    for old, new in zip(places, copies, strict=True):
        shutil.copytree(old.data, new.data)
    yield Scene(*copies, Truth(list(truth.acknowledged)), ward)


async def test_nothing_is_said_of_nodes_that_are_well(scene: Scene) -> None:
    assert await scene.check() == []


_GROUP = "(SELECT actor_id FROM actors WHERE uri LIKE '%/groups/ward')"
_ANSWER = "(SELECT post_id FROM posts WHERE source = 'canary-two')"
_HOLE = f"DELETE FROM log_entries WHERE group_id = {_GROUP} AND seq = 5"
_TAIL = f"""DELETE FROM log_entries WHERE group_id = {_GROUP} AND seq =
  (SELECT MAX(seq) FROM log_entries WHERE group_id = {_GROUP})"""
_TWICE = """INSERT INTO log_entries SELECT group_id, 99, kind, 'http://x/twice', actor_uri, prev, chain, commit_hash, epoch,
   proof, salt, document, media_json, appended_at FROM log_entries WHERE document LIKE '%canary-two%' AND kind = 'create'"""
_MEMBERS_FAULTS = {
    "a hole": ([_HOLE], "2: {member} has a hole before 6"),
    "a post that stands twice": ([_TWICE], "stands 2 times in the log of {member}"),
    "a lost end": ([_TAIL], "2: {member} says"),
    "a lost end that nobody remembers": (
        [_TAIL, """UPDATE groups SET head_seq = head_seq - 1, applied_seq = applied_seq - 1, head_chain =
          (SELECT chain FROM log_entries l WHERE l.group_id = groups.group_id ORDER BY seq DESC LIMIT 1)"""],
        "2: {member} stands at",
    ),
    "another chain": (["UPDATE log_entries SET chain = '00' || substr(chain, 3) WHERE seq = 5"], "2: the chain of {member}"),
    "other words": (["UPDATE log_entries SET document = replace(document, 'canary-two', 'other') WHERE kind = 'create'"],
                    "2: {member} has other words at"),
    "a post that is not there": (["DELETE FROM posts WHERE source = 'canary-two'"], "1: {member} has"),
    "a post without its place": (["UPDATE posts SET seq = NULL WHERE source = 'canary-two'"], "1: {member} has"),
    "a post that nobody is shown": (["UPDATE posts SET state = 'placeholder' WHERE source = 'canary-two'"], "as placeholder"),
    "a post with another number": (["UPDATE posts SET seq = seq + 40 WHERE source = 'canary-two'"], "at its host"),
    "entries that became nothing": (["UPDATE groups SET applied_seq = applied_seq - 1"], "2: {member} has applied"),
    "an answer before its parent": (["UPDATE posts SET seq = 9 WHERE source = 'canary-one'"], "3: "),
    "an answer to nothing": (["UPDATE posts SET in_reply_to = 'http://localhost/posts/none' WHERE source = 'canary-two'"],
                             "answers nothing"),
    "an orphan": (["""INSERT INTO orphans (group_id, chain, activity_uri, seq, epoch, document, asks, kept_at)
                    SELECT group_id, chain, 'http://x/orphan', seq, 1, '', 0, 0 FROM log_entries WHERE seq = 4"""],
                  "in orphans of {member}"),
    "a dead letter": (["""INSERT INTO dead_letters VALUES (1, 1, 'direct', 1, 'http://x/dead', '', '', 'why', 3, 0)"""],
                      "in dead_letters of {member}"),
    "an arrival that waits": (["""INSERT INTO activities VALUES (1, 'http://x/waiting', 1, '', 'Create', '', '', 'waiting',
                               0, 0, NULL, 0)"""], "is waiting in activities of {member}"),
    "a submission that was given up": (["UPDATE submissions SET state = 'rejected'"], "is rejected in submissions"),
    "a withdrawn post that is back": (["UPDATE posts SET state = 'live' WHERE state = 'withdrawn'"], "taken back"),
    "the words of a withdrawn post in a draft": (
        ["INSERT INTO drafts SELECT actor_id, 1, 0, '', '', 'canary-three', 0, NULL FROM members LIMIT 1"],
        "“canary-three” lies in"),
    "a search that finds what is gone": (["DELETE FROM search_words", "INSERT INTO search_words (rowid, words) VALUES (7, 'x')"],
                                         "which is not there"),
    "a search that does not find": (["DELETE FROM search_words"], "6: search of {member} does not know"),
}  # fmt: skip


@pytest.mark.parametrize("fault", _MEMBERS_FAULTS)
async def test_a_fault_of_a_members_node_is_found(scene: Scene, fault: str) -> None:
    statements, sentence = _MEMBERS_FAULTS[fault]

    scene.change(scene.member, *statements)

    assert sentence.format(member=scene.member.host) in "\n".join(await scene.check())


async def test_a_post_that_the_host_has_lost_and_one_that_stands_twice_are_found(scene: Scene) -> None:
    scene.truth.add(scene.ward, f"{scene.ward}/posts/lost", "canary-lost")

    said = "\n".join(await scene.check())

    assert f"1: {scene.host.host} has {scene.ward}/posts/lost 0 times" in said
    assert f"1: {scene.member.host} has {scene.ward}/posts/lost 0 times" in said


async def test_a_node_that_was_let_in_and_has_nothing_is_found(scene: Scene) -> None:
    scene.change(scene.member, "DELETE FROM groups", "DELETE FROM log_entries", "DELETE FROM posts")

    assert f"1: {scene.member.host} was let in and does not know {scene.ward}" in await scene.check()


async def test_words_of_a_group_at_a_stranger_are_found_in_rows_and_in_files(scene: Scene) -> None:
    scene.change(scene.stranger, "INSERT INTO settings VALUES ('note', 'they said canary-one')")
    (scene.stranger.data / "cache.bin").write_bytes(b"...canary-two...")

    said = "\n".join(await scene.check())

    assert f"4: “canary-one” lies in table settings of {scene.stranger.host}" in said
    assert f"4: “canary-two” lies in cache.bin of {scene.stranger.host}" in said


async def test_what_a_removed_node_got_later_is_found_and_what_it_had_is_not(scene: Scene) -> None:
    scene.change(scene.host, "DELETE FROM admissions")
    scene.truth.removed[scene.member.host, scene.ward] = 5

    said = "\n".join(await scene.check())

    assert f"4: {scene.member.host} is not in {scene.ward} and has entry 6" in said
    assert "has entry 5" not in said


async def test_a_picture_that_nobody_names_is_found(scene: Scene) -> None:
    folder = scene.member.data / "media" / "ab"
    folder.mkdir(parents=True)
    name = hashlib.sha256(b"picture").hexdigest()
    (folder / name).write_bytes(b"picture")

    assert f"4: {scene.member.host} keeps the picture {name}, which no row names" in await scene.check()


async def test_what_is_explained_is_not_said(scene: Scene) -> None:
    fault, _ = _MEMBERS_FAULTS["a dead letter"]
    scene.change(scene.member, *fault)
    scene.truth.explained.add("http://x/dead")

    assert await scene.check() == []
