"""A node that was away for seven days: it catches up page by page, at its own pace, and nobody else notices."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from node.community.members.repository import get_member
from node.community.posts.service import create_post
from node.domain.posts import Draft
from node.inbox.pull import PAGE_ENTRIES
from node.outbox.lane import FAR_BEHIND
from tests.support.village import Node, Village
from tests.support.waiting import until_true

_DAY_SECONDS, _DAYS = 86_400, 7
_AT_ONCE = 50
_GROWTH_BYTES = 48_000_000
_PAGE = re.compile(rb"GET /groups/ward/log\?after=(\d+)&limit=(\d+) HTTP/1.1")
_PUSH = re.compile(rb"POST /\S* HTTP/1.1")
# Not the staff's room, whose log the host has for itself.
_LOG = """SELECT e.seq, e.activity_uri, e.chain FROM log_entries e JOIN actors a ON a.actor_id = e.group_id
  WHERE a.handle = 'ward' ORDER BY e.seq"""
_HEAD = "SELECT g.head_seq FROM groups g JOIN actors a ON a.actor_id = g.group_id WHERE a.handle = 'ward'"
_POSTS = "SELECT activity_uri, html FROM posts ORDER BY seq"


@dataclass(frozen=True, slots=True)
class _Away:
    """Three nodes of one group: its host, one that goes away, one that stays."""

    village: Village
    host: Node
    gone: Node
    near: Node
    ward: str

    async def post(self, count: int, named: str) -> None:
        """Have the host's member post so often, many at once."""
        core = self.host.core
        ana = await core.store.read(get_member, handle="ana")
        assert ana is not None
        [group] = await self.host.select("SELECT actor_id FROM actors WHERE uri = :uri", uri=self.ward)
        for first in range(0, count, _AT_ONCE):
            drafts = [Draft(f"{named} {number}") for number in range(first, min(first + _AT_ONCE, count))]
            await asyncio.gather(
                *(
                    create_post(core, self.host.house.tables, author=ana, group_id=group.actor_id, draft=draft)
                    for draft in drafts
                )
            )
            await self.village.rest()
            self.forget_talks()

    def forget_talks(self) -> None:
        """Forget what was said between the nodes so far; the proxies would keep all of it."""
        for node in (self.host, self.gone, self.near):
            for talk in node.proxy.conversations:
                talk.sent.clear()
                talk.answered.clear()


@pytest.fixture
async def away(village: Village) -> _Away:
    """Give a host with two member nodes."""
    host, gone, ward = await village.shared_ward()
    near = await village.node("clinic")
    await village.befriend(host, near)
    await near.member("cleo")
    await village.let_in(host, ward, (near, "cleo"))
    return _Away(village, host, gone, near, ward)


@pytest.mark.long_on("postgresql")
@pytest.mark.parametrize("entries", [350, pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
async def test_a_node_that_was_away_for_seven_days_catches_up_in_pages_of_its_own_choosing(
    away: _Away, entries: int
) -> None:
    village, host, gone, near = away.village, away.host, away.gone, away.near
    each_day = entries // _DAYS
    known = await _log(gone)
    await gone.stop()
    for day in range(_DAYS):
        await away.post(each_day, f"day {day}")
        assert await _log(near) == await _log(host)  # who is there has everything before any time passes
        await village.pass_time(_DAY_SECONDS)
    missed = len(await _log(host)) - len(known)
    lane = (await host.lanes(gone))[away.ward]
    away.forget_talks()
    memory = _memory_bytes()

    await gone.start()
    began = time.monotonic()
    village.clock.advance(3600)  # whatever it waits for, contact or its time
    host.ring()
    await until_true(lambda: _has_all(gone, missed + len(known)), seconds=1200)
    print(f"{missed / (time.monotonic() - began):.0f} entries a second")
    await village.rest()
    grown = _memory_bytes() - memory - sum(node.proxy.bytes_passed for node in (host, gone, near))

    assert missed == lane["queued"] >= each_day * _DAYS
    assert await _log(gone) == await _log(near) == await _log(host)
    assert await _posts(gone) == await _posts(near) == await _posts(host)
    assert set(Counter(uri for uri, _ in await _posts(gone)).values()) == {1}
    asked = [_PAGE.findall(bytes(talk.sent)) for talk in host.proxy.conversations if talk.client == gone.host]
    pages = [int(after) for found in asked for after, _ in found]
    assert len(pages) == len(set(pages))  # none twice
    assert missed // PAGE_ENTRIES <= len(pages) <= missed // PAGE_ENTRIES + 2
    print(f"{missed} missed, {len(pages)} pages, {grown:,} bytes more")
    pushed = sum(len(_PUSH.findall(bytes(talk.sent))) for talk in gone.proxy.conversations)
    print(f"{pushed} pushed")
    assert pushed <= 2 * FAR_BEHIND + len(pages)  # it is not flooded: it sets the pace, and is only told of the end
    assert not any(bytes(talk.sent) for talk in near.proxy.conversations)
    assert grown < _GROWTH_BYTES


async def _log(node: Node) -> list[Any]:
    return [tuple(row) for row in await node.select(_LOG)]


async def _posts(node: Node) -> list[Any]:
    return [tuple(row) for row in await node.select(_POSTS)]


async def _has_all(node: Node, count: int) -> bool:
    [row] = await node.select(_HEAD)
    return int(row.head_seq) == count


def _memory_bytes() -> int:
    """Return how much memory this process, and with it every node of the village, holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
