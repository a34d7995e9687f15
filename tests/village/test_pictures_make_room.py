"""Pictures of other nodes are a cache: they go when room is needed, the longest unused first, and come again when wanted."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec

from node.community.operating.making_room import trim_pictures
from node.domain.pressure import Room
from node.foundation.config import DiskSetting
from tests.support.browser_form import Browser
from tests.support.village import Node, Village
from tests.village.test_pictures_travel import a_picture


def _files(node: Node) -> set[str]:
    return {path.name for path in Path(node.data, "media").rglob("*") if path.is_file()}


async def _trim(node: Node, **setting: int) -> int:
    node.core.config = msgspec.structs.replace(node.core.config, disk=DiskSetting(**setting))
    return await trim_pictures(node.core)


async def _row(node: Node) -> Any:
    [row] = await node.select("SELECT token, state, sha256 FROM media")
    return row


async def test_a_picture_of_another_node_goes_and_is_fetched_again_when_somebody_looks(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    words = ["--as", "ana", "--image-data", base64.b64encode(a_picture()).decode(), "--alt", "A red field"]
    await a.run("post", "add", ward, *words, text="Look")
    await village.rest()
    ben = await Browser(b).enter("ben")
    path = f"/media/{(await _row(b)).token}"
    first = await ben.get(path)

    gone = [await _trim(node, media_bytes=1) for node in (a, b)]
    state, files = (await _row(b)).state, _files(b)
    shown = await ben.get(f"/groups/{ward.rpartition('/')[2]}@{a.host}")
    again = await ben.get(path)

    assert gone == [0, 1]  # its host keeps it
    assert (state, files) == ("let_go", set())
    assert shown.status == 200
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert _files(b) == _files(a)

    await _trim(b, media_bytes=1)
    b.core.pressure.room = Room.LOW
    refused = await ben.get(path)

    assert refused.status == 503
