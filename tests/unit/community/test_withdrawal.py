"""What was taken back is gone from every place that showed it, and from the files; its place in the order stays (T30)."""

from __future__ import annotations

from typing import Any

import pytest

from node.community.posts.service import edit_post, withdraw_post
from node.domain.posts import Draft
from node.federation.message import Answer
from tests.support.corridor import Corridor
from tests.support.group_life import say
from tests.support.requesters import a_get, ask
from tests.support.traces import find_in_folder, find_in_rows, read_rows

WORDS = "unmistakable-8c41"
LATER = "replaced-2d07"


async def everything_served(corridor: Corridor) -> list[Answer]:
    """Return what a member's node is given of ward: log, each entry, outbox, posts, activities, pins."""
    rows = await corridor.lone.core.store.read(_places)
    targets = ["/groups/ward/log", "/groups/ward/outbox", "/groups/ward/featured"]
    targets += [f"/groups/ward/log/{row.seq}" for row in rows["entries"]]
    uris = [row.uri for row in rows["posts"]] + [row.activity_uri for row in rows["entries"]]
    targets += [
        uri.removeprefix(corridor.lone.core.origin) for uri in uris if uri.startswith(corridor.lone.core.origin)
    ]
    return [await ask(corridor.lone.app, corridor.fay.sign(a_get(target), corridor.now)) for target in targets]


async def traces(corridor: Corridor, word: str) -> list[str]:
    """Return where a word still stands: in rows, in files, in what is served, in what waits to be sent."""
    core = corridor.lone.core
    await core.store.tidy()
    found = find_in_rows(word, await read_rows(core.config.database, core.data))
    if core.store.dialect == "sqlite":
        found += find_in_folder(word, core.data)
    return found + [str(answer.status) for answer in await everything_served(corridor) if word.encode() in answer.body]


@pytest.fixture
async def post_id(corridor: Corridor) -> int:
    return await say(corridor.lone, corridor.ward, corridor.mia, WORDS, title=f"Title {WORDS}")


async def test_before_it_is_taken_back_a_post_is_served_to_its_members_nodes(corridor: Corridor, post_id: int) -> None:
    served = [answer for answer in await everything_served(corridor) if WORDS.encode() in answer.body]

    assert {answer.status for answer in served} == {200}
    assert len(served) >= 5


async def test_t30_what_its_author_takes_back_is_gone_everywhere(corridor: Corridor, post_id: int) -> None:
    await withdraw_post(corridor.lone.core, corridor.lone.house.tables, author=corridor.mia, post_id=post_id)

    statuses = sorted(answer.status for answer in await everything_served(corridor))
    assert await traces(corridor, WORDS) == []
    assert statuses.count(410) == 2  # the post, and the activity that brought it
    assert set(statuses) == {200, 410}


async def test_t30_an_edited_post_goes_with_all_its_earlier_texts(corridor: Corridor, post_id: int) -> None:
    core, tables = corridor.lone.core, corridor.lone.house.tables
    await edit_post(core, tables, author=corridor.mia, post_id=post_id, draft=Draft(LATER), forget_earlier=False)
    assert await traces(corridor, WORDS) != []

    await withdraw_post(core, tables, author=corridor.mia, post_id=post_id)

    assert await traces(corridor, WORDS) == []
    assert await traces(corridor, LATER) == []


async def test_t30_an_earlier_text_that_is_to_be_forgotten_is_gone_and_the_later_one_stays(
    corridor: Corridor, post_id: int
) -> None:
    core, tables = corridor.lone.core, corridor.lone.house.tables

    await edit_post(core, tables, author=corridor.mia, post_id=post_id, draft=Draft(LATER), forget_earlier=True)

    assert await traces(corridor, WORDS) == []
    assert await traces(corridor, LATER) != []


@pytest.mark.parametrize("form", ["id", "tombstone"])
async def test_t30_a_deletion_from_another_node_is_carried_out_and_stands_in_the_log(
    corridor: Corridor, form: str
) -> None:
    to = [corridor.ward.uri, f"{corridor.ward.uri}/followers"]
    post = corridor.fay.post_in(corridor.ward.uri, WORDS)
    await corridor.send(corridor.fay, post)
    uri = post["object"]["id"]
    thing = uri if form == "id" else {"type": "Tombstone", "id": uri}

    await corridor.send(
        corridor.fay, corridor.fay.activity("Delete", thing, number="delete", to=to, audience=corridor.ward.uri)
    )

    kinds = [row.kind for row in (await corridor.lone.core.store.read(_places))["entries"]]
    assert await corridor.texts() == [""]
    assert await traces(corridor, WORDS) == []
    assert kinds[-1] == "delete"


async def test_t30_a_private_message_is_taken_back_by_its_author_alone(corridor: Corridor) -> None:
    to = [corridor.mia.uri]
    note = corridor.abe.note(WORDS, to=to)
    await corridor.send(corridor.abe, corridor.abe.activity("Create", note, number=1, to=to))

    await corridor.send(corridor.fay, corridor.fay.activity("Delete", note["id"], number=2, to=to))
    after_another = await corridor.texts()
    await corridor.send(corridor.abe, corridor.abe.activity("Delete", note["id"], number=3, to=to))

    assert WORDS in after_another[0]
    assert await traces(corridor, WORDS) == []


async def test_t30_the_chain_of_the_log_fits_after_an_erasure(corridor: Corridor, post_id: int) -> None:
    before = [row.chain for row in (await corridor.lone.core.store.read(_places))["entries"]]

    await withdraw_post(corridor.lone.core, corridor.lone.house.tables, author=corridor.mia, post_id=post_id)

    entries = (await corridor.lone.core.store.read(_places))["entries"]
    assert [row.chain for row in entries][: len(before)] == before
    assert [row.prev for row in entries[1:]] == [row.chain for row in entries[:-1]]


async def _places(tx: Any) -> dict[str, Any]:
    return {
        "entries": await tx.all("SELECT seq, kind, activity_uri, chain, prev FROM log_entries ORDER BY group_id, seq"),
        "posts": await tx.all("SELECT uri FROM posts"),
    }
