"""The members desk: accounts are added, verified, suspended and restored; a link is shown once, to the operator alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from node.community.members.service import make_reset_link, require_member
from node.store.audit import list_audit
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node whose operator is ola and whose member is mia."""
    async with a_lone_house(databases, clock) as made:
        await made.member("ola", role="operator")
        await made.member("mia")
        yield made


@pytest.fixture
async def ola(lone: LoneHouse) -> Browser:
    """Give the operator at a browser."""
    return await Browser(lone).enter("ola")


@pytest.fixture
async def mia(lone: LoneHouse) -> Browser:
    """Give a member at a browser."""
    return await Browser(lone).enter("mia")


async def find_records(lone: LoneHouse) -> list[tuple[str, str, str, str | None]]:
    """Return (actor, action, target, reason) of the audit log."""
    return [(row.actor, row.action, row.target, row.reason) for row in await lone.core.store.read(list_audit)]


async def test_a_member_is_added_and_the_link_is_shown_once(lone: LoneHouse, ola: Browser) -> None:
    await ola.get("/node/members")
    fields = {"handle": "Nora", "name": "Nora Vik", "class": "resident", "assurance": "A2", "role": "member"}

    await ola.submit("member-add", **fields)

    [link] = re.findall(r'value="(https://home\.example/invitations/[^"]+)"', ola.text)
    made = await require_member(lone.core, "nora")
    assert (made.name, made.member_class, made.assurance, made.state) == ("Nora Vik", "resident", "A2", "invited")
    assert ("ola@home.example", "member.add", "nora", None) in await find_records(lone)
    for path in ("/node/members", "/node/members/nora", "/node/audit"):
        await ola.get(path)
        assert link not in ola.text
    guest = Browser(lone)
    await guest.get(link.removeprefix("https://home.example"))
    assert guest.find_form("invitation")


@pytest.mark.parametrize(
    "wrong",
    [{"handle": "n"}, {"name": " "}, {"class": "king"}, {"assurance": "A9"}, {"role": "king"}, {"handle": "mia"}],
)
async def test_a_member_that_cannot_be_added_is_said_with_the_text_kept(ola: Browser, wrong: dict[str, str]) -> None:
    await ola.get("/node/members")
    fields = {"handle": "nora", "name": "Nora Vik", "class": "guest", "assurance": "A0", "role": "member"} | wrong

    await ola.submit("member-add", **fields)

    assert (ola.status, len(ola.page.alerts)) == (422, 1)
    assert dict(ola.find_form("member-add").pairs)["name"] == fields["name"]
    assert "/invitations/" not in ola.text


async def test_a_member_gets_a_new_link_which_ends_the_one_before(lone: LoneHouse, ola: Browser) -> None:
    older = await make_reset_link(lone.core, "mia", by="operator")
    await ola.get("/node/members/mia")

    await ola.submit("member-reset")

    [link] = re.findall(r'value="https://home\.example(/invitations/[^"]+)"', ola.text)
    guest = Browser(lone)
    await guest.get(link)
    assert guest.status == 200
    await guest.get(older.removeprefix("https://home.example"))
    assert guest.status == 404


async def test_an_assurance_is_recorded_with_its_method_and_reason(lone: LoneHouse, ola: Browser) -> None:
    await ola.get("/node/members/mia")

    ways = {"method-register": "1", "method-office": "1"}
    await ola.submit("member-verify", assurance="A4", reason="confirmed by the chair", **ways)

    assert ola.steps == [303, 200]
    wanted = ("ola@home.example", "member.verify", "mia", "A4 register office: confirmed by the chair")
    assert (await find_records(lone))[-1] == wanted
    assert (await require_member(lone.core, "mia")).assurance == "A4"


@pytest.mark.parametrize(
    "wrong", [{"method-register": None}, {"reason": " "}, {"assurance": "A9"}, {"assurance": "A3"}, {"assurance": "A4"}]
)
async def test_an_assurance_that_nothing_justifies_or_without_a_reason_is_not_recorded(
    lone: LoneHouse, ola: Browser, wrong: dict[str, str | None]
) -> None:
    before = await find_records(lone)
    await ola.get("/node/members/mia")

    await ola.submit("member-verify", **({"assurance": "A2", "method-register": "1", "reason": "badge"} | wrong))

    assert (ola.status, len(ola.page.alerts)) == (422, 1)
    assert await find_records(lone) == before


async def test_a_suspended_member_is_out_at_once_and_comes_back(lone: LoneHouse, ola: Browser, mia: Browser) -> None:
    await ola.get("/node/members/mia")
    await ola.submit("member-suspend", reason="lost phone")
    assert (ola.steps, "Suspended" in ola.words) == ([303, 200], True)
    await mia.get("/groups")
    assert mia.path == "/sign-in"

    await ola.submit("member-restore", reason="phone found")

    assert "Active" in ola.words
    records = await find_records(lone)
    assert ("ola@home.example", "member.suspend", "mia", "lost phone") in records
    assert ("ola@home.example", "member.restore", "mia", "phone found") in records


async def test_the_last_operator_is_not_suspended(lone: LoneHouse, ola: Browser) -> None:
    await ola.get("/node/members/ola")

    await ola.submit("member-suspend", reason="tired")

    assert (ola.status, "last operator" in ola.page.alerts[0]) == (422, True)
    assert (await require_member(lone.core, "ola")).state == "active"
