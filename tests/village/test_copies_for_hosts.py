"""A host gets its own group back from its members' nodes, and nobody else gets anything; nobody can make it history."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from node.foundation.errors import Refusing
from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


async def _ask(asker: Node, holder: Node, group: str) -> Any:
    core = asker.core
    keys = await core.keyring.own(core.instance_id)
    url = f"{holder.origin}/copies?group={quote(group, safe='')}"
    return await core.client.get_document(url, signer=core.sign_for(keys, holder.origin))


async def test_t17_only_its_host_is_given_a_copy_back(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("practice")
    await village.befriend(b, d)
    await village.befriend(a, d)
    await a.post(ward, "For the ward", as_="ana")
    await village.rest()

    _, given = await _ask(a, b, ward)

    assert b"For the ward" in given
    for asker, holder in ((d, b), (b, a), (a, d)):
        with pytest.raises(Refusing) as refused:
            await _ask(asker, holder, ward)
        assert refused.value.remote_status == 404
    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()
    with pytest.raises(Refusing):
        await _ask(a, b, ward)


async def test_t18_a_node_cannot_write_history_for_a_host_that_lost_its_own(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "before", as_="ana")
    await village.rest()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    await a.post(ward, "true words", as_="ana")
    await village.rest()
    await a.stop()
    lies = await _forge(b)

    await go_back(a, kept)
    await a.start()
    for _ in range(6):
        await village.pass_time(30)

    assert await a.texts(ward, as_="ana") == ["before"]
    assert lies == 1
    assert "copies_forged" in village.log_path.read_text("utf-8")


async def _forge(node: Node) -> int:
    """Have a node keep other words than it was brought, in its own database; return how many entries it changed."""

    async def forge(tx: Any) -> int:
        changed: int = await tx.run(
            "UPDATE log_entries SET document = :document WHERE seq = (SELECT MAX(seq) FROM log_entries)",
            document=copy.copy('{"id":"https://x.example/1","type":"Create","actor":"https://x.example/eve"}'),
        )
        return changed

    return int(await node.core.store.write(forge))


async def test_a_node_that_never_ends_giving_back_is_heard_once_round(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    peer = await village.foreign_friend(a)
    await village.let_foreign_in(a, ward, peer, peer.person("dora"))
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    await a.post(ward, "true words", as_="ana")
    await village.rest()
    asked: list[str] = []
    brought = [each.document for each in peer.received("Announce")]

    def give(request: Any) -> web.Response:
        asked.append(request.path)
        return web.json_response(
            {
                "type": "OrderedCollectionPage",
                "orderedItems": brought,
                "next": f"{peer.origin}/copies?group={quote(ward, safe='')}&after={len(asked)}",
            },
            content_type="application/activity+json",
        )

    peer.answers["/copies"] = give
    await a.stop()
    await b.stop()
    await go_back(a, kept)
    await a.start()
    await village.pass_time(30)

    assert len(asked) <= 4, "each page must bring something that was not brought before"
    assert await a.texts(ward, as_="ana") == []
    await b.start()
    for _ in range(6):
        await village.pass_time(30)
    assert await a.texts(ward, as_="ana") == ["true words"]


async def test_what_a_copy_keeps_comes_in_pages(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    for number in range(3):
        await a.post(ward, f"word {number}", as_="ana")
    await village.rest()
    await b.core.store.write(_keep_many)

    _, given = await _ask(a, b, ward)
    pages, url = 1, json.loads(given)["next"]
    kept: list[str] = []
    while url:
        _, given = await _ask_url(a, b, url)
        page = json.loads(given)
        kept += [item["id"] for item in page["orderedItems"]]
        pages, url = pages + 1, page.get("next", "")

    assert len(kept) == 120
    assert pages == 4


async def _ask_url(asker: Node, holder: Node, url: str) -> Any:
    core = asker.core
    keys = await core.keyring.own(core.instance_id)
    return await core.client.get_document(url, signer=core.sign_for(keys, holder.origin))


async def _keep_many(tx: Any) -> None:
    """Keep the newest entry 120 times outside the log."""
    for number in range(120):
        await tx.run(
            "INSERT INTO orphans (group_id, chain, activity_uri, seq, epoch, document, asks, kept_at)"
            " SELECT group_id, :chain, activity_uri, seq, epoch, document, 0, 0 FROM log_entries ORDER BY seq DESC LIMIT 1",
            chain=f"{number:064x}",
        )
