"""Where a post is, asked on both sides: the host counts nodes, elsewhere it waits for the host or the host has it."""

from __future__ import annotations

import pytest

from tests.support.commands import CommandRefused
from tests.support.village import Village


async def test_a_post_is_here_then_at_the_host_then_on_every_node(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))
    a.proxy.cut()
    d.proxy.cut()

    theirs = await b.post(ward, "From Ben", as_="ben")
    waiting = await b.run("post", "reach", theirs["uri"], "--as", "ben")
    a.proxy.mend()
    await village.pass_time(60)
    ours = await a.post(ward, "From Ana", as_="ana")
    await village.rest()
    at_host = await b.run("post", "reach", theirs["uri"], "--as", "ben")
    on_some = await a.run("post", "reach", ours["uri"], "--as", "ana")
    d.proxy.mend()
    await village.pass_time(3600)
    on_all = await a.run("post", "reach", ours["uri"], "--as", "ana")

    assert (waiting["state"], "host" in waiting) == ("waiting_for_host", False)
    assert (at_host["state"], at_host["host"], "nodes" in at_host) == ("live", a.host, False)
    assert (on_some["have"], on_some["nodes"]) == (2, 3)
    assert [(each["host"], each["code"]) for each in on_some["missing"]] == [(d.host, "unreachable")]
    assert (on_all["have"], on_all["nodes"], on_all["missing"]) == (3, 3, [])


async def test_the_staff_of_the_host_may_ask_and_other_members_may_not(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.member("cem")
    await village.let_in(a, ward, (a, "cem"))

    posted = await b.post(ward, "From Ben", as_="ben")
    await village.rest()

    assert (await a.run("post", "reach", posted["uri"], "--as", "ana"))["have"] == 2
    with pytest.raises(CommandRefused, match="no such post"):
        await a.run("post", "reach", posted["uri"], "--as", "cem")
