"""A picture is on one post: of two that take it at the same moment, one is posted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from node.community.posts.service import create_post
from node.domain.posts import Draft
from node.foundation.errors import Invalid
from node.store.media import MediaRow, insert_media
from tests.support.corridor import Corridor

_ROW = MediaRow(
    token="picture",
    post_id=None,
    group_id=None,
    owner_id=None,
    sha256="a" * 64,
    media_type="image/png",
    size_bytes=1,
    width=1,
    height=1,
    alt="",
    source_uri=None,
    state="ready",
)


async def test_two_posts_with_one_picture_at_once_are_one_post_and_a_sentence(corridor: Corridor) -> None:
    core, tables, mia = corridor.lone.core, corridor.lone.house.tables, corridor.mia
    row = replace(_ROW, owner_id=mia.actor_id)
    await core.store.write(lambda tx: insert_media(tx, row=row))
    drafts = [Draft(text, images=("picture",)) for text in ("One", "Two")]

    posted = await asyncio.gather(
        *(create_post(core, tables, author=mia, group_id=corridor.ward.group_id, draft=draft) for draft in drafts),
        return_exceptions=True,
    )

    assert sorted(type(each).__name__ for each in posted) == ["Invalid", "Posted"]
    assert [str(each) for each in posted if isinstance(each, Invalid)] != []
    assert len(await corridor.texts()) == 1
