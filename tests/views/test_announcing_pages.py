"""Announcements: what an operator tells everybody, who sees it and how it ends; and a node that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.requesters import a_get, ask

TEXT = "The canteen of the north wing is closed on Monday."


@pytest.fixture
async def corridor(databases: Databases, clock: FrozenClock) -> AsyncIterator[Corridor]:
    async with a_corridor(databases, clock) as made:
        await made.lone.member("ola", role="operator")
        yield made


async def _announce(corridor: Corridor, **fields: str) -> Browser:
    ola = await Browser(corridor.lone).enter("ola")
    await ola.get("/node/announcements")
    await ola.submit("announce", **({"text": TEXT} | fields))
    return ola


async def test_an_announcement_stands_on_every_page_of_whoever_is_signed_in(corridor: Corridor) -> None:
    ola = await _announce(corridor)
    mia, nobody = await Browser(corridor.lone).enter("mia"), Browser(corridor.lone)

    seen = [TEXT in (await mia.get(path)).body.decode() for path in ("/", "/groups/ward", "/me", "/search")]
    await nobody.get("/sign-in")

    assert TEXT in ola.text
    assert seen == [True] * 4
    assert TEXT not in nobody.text


async def test_an_announcement_is_put_away_in_one_browser_and_the_page_is_the_same(corridor: Corridor) -> None:
    await _announce(corridor)
    mia, elsewhere = await Browser(corridor.lone).enter("mia"), await Browser(corridor.lone).enter("mia")
    await mia.get("/groups/ward")
    [number] = [each.announcement_id for each in corridor.lone.core.pressure.announcements]

    await mia.post(
        f"/announcements/{number}/dismiss", {"csrf": mia.csrf}, referer=f"{corridor.lone.core.origin}/groups/ward"
    )
    path = mia.path
    await elsewhere.get("/groups/ward")

    assert path == "/groups/ward"
    assert TEXT not in mia.text
    assert TEXT in elsewhere.text


@pytest.mark.parametrize("referer", ["https://evil.example/groups", "https://home.example//evil.example", ""])
async def test_putting_an_announcement_away_leads_nowhere_else(corridor: Corridor, referer: str) -> None:
    await _announce(corridor)
    mia = await Browser(corridor.lone).enter("mia")
    await mia.get("/groups")
    [number] = [each.announcement_id for each in corridor.lone.core.pressure.announcements]

    await mia.post(f"/announcements/{number}/dismiss", {"csrf": mia.csrf}, referer=referer)

    assert mia.path == "/"


async def test_an_announcement_begins_and_ends_by_itself_in_the_operators_own_time(
    corridor: Corridor, clock: FrozenClock
) -> None:
    ola = await Browser(corridor.lone).enter("ola")
    await ola.get("/me/settings")
    await ola.submit("settings", time_zone="Europe/Berlin")
    await ola.get("/node/announcements")
    await ola.submit("announce", text=TEXT, **{"from": "2026-11-21T14:00", "until": "2026-11-21T15:00"})
    mia, seen = await Browser(corridor.lone).enter("mia"), []

    for _ in range(4):  # 12:00, 13:00, 14:00, 15:00 UTC; Berlin is an hour ahead
        await mia.get("/groups")
        seen.append(TEXT in mia.text)
        clock.advance(3600)

    assert seen == [False, True, False, False]


@pytest.mark.parametrize(
    "fields",
    [
        {"text": " "},
        {"until": "2026-11-20T14:00"},
        {"from": "never"},
        {"from": "2026-11-23T14:00", "until": "2026-11-22T14:00"},
    ],
)
async def test_what_cannot_be_announced_gives_the_text_back(corridor: Corridor, fields: dict[str, str]) -> None:
    ola = await _announce(corridor, **fields)

    assert ola.status == 422
    assert 'role="alert"' in ola.text
    assert corridor.lone.core.pressure.announcements == ()


async def test_while_the_node_is_away_everybody_is_told_to_come_back_later(corridor: Corridor) -> None:
    lone = corridor.lone
    mia = await Browser(lone).enter("mia")
    ola = await _announce(corridor, maintenance="1", until="2026-11-21T13:00")

    await mia.get("/groups/ward")
    page = (mia.status, mia.answer.one("retry-after"), TEXT in mia.text, "away for a while" in mia.text)
    nobody = Browser(lone)
    await nobody.get("/groups/ward")
    arrival = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, "Hello"))
    document = await ask(lone.app, corridor.fay.sign(a_get("/groups/ward"), corridor.now))
    app = await ask(lone.app, a_get("/api/v1/timelines/home"))
    alive = await ask(lone.app, a_get("/health", accept="text/html"))
    await ola.get("/node/announcements")

    assert page == (503, "3600", True, True)
    assert (nobody.status, TEXT in nobody.text) == (503, False)
    assert [each.status for each in (arrival, document, app)] == [503, 503, 503]
    assert arrival.one("retry-after") == "3600"
    assert (alive.status, ola.status) == (200, 200)
    assert (await nobody.get("/support")).status == 200

    [number] = [each.announcement_id for each in lone.core.pressure.announcements]
    await ola.submit(f"/node/announcements/{number}/end")
    await mia.get("/groups/ward")

    assert mia.status == 200


async def test_a_maintenance_is_told_of_before_it_begins_and_ends_by_itself(
    corridor: Corridor, clock: FrozenClock
) -> None:
    await _announce(corridor, maintenance="1", **{"from": "2026-11-21T20:00", "until": "2026-11-21T21:00"})
    mia, seen = await Browser(corridor.lone).enter("mia"), []

    for _ in range(3):  # 12:00, 20:30, 21:30
        await mia.get("/groups")
        seen.append((mia.status, "The node will be away from" in mia.text))
        clock.advance(timedelta(hours=8.5).total_seconds() if not seen[1:] else 3600)

    assert seen == [(200, True), (503, True), (200, False)]


async def test_announcements_are_said_in_german(corridor: Corridor) -> None:
    await _announce(corridor, maintenance="1", **{"from": "2026-11-21T20:00"})
    mia = await Browser(corridor.lone).enter("mia")
    await mia.get("/me/settings")
    await mia.submit("settings", language="de")

    await mia.get("/groups")

    assert "ist der Knoten nicht erreichbar" in mia.text
    assert "Ausblenden" in mia.text
