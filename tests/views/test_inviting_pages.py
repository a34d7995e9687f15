"""A member invites a colleague to the node: the link, what becomes of it, who may, and who sees what. On both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from node.community.members import invitations
from node.community.members.service import NewMember, require_member, suspend_member
from node.community.verification.recording import change_state, verify_member
from node.foundation.errors import NotFound
from node.store.audit import list_audit
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.traces import find_in_folder, find_in_rows, read_rows

ENTER = {"name": "Ana Moreau", "handle": "ana", "password": "long enough for this", "again": "long enough for this"}
_DAY = 86_400


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node with an operator ola, a verifier vera, a verified member dee and a member ned whom nobody verified."""
    async with a_lone_house(databases, clock) as made:
        await furnish(made)
        yield made


async def furnish(lone: LoneHouse) -> None:
    await lone.member("ola", role="operator")
    await lone.member("vera", role="verifier")
    await lone.member("dee")
    await lone.member("ned")
    await verify_member(lone.core, "dee", "A3", methods=("register", "video"), by="a test", reason="")


@pytest.fixture
async def dee(lone: LoneHouse) -> Browser:
    """Give a verified member at a browser."""
    return await Browser(lone).enter("dee")


async def invite(who: Browser, note: str = "") -> str:
    """Make an invitation by the form and return the path of its link."""
    await who.get("/me/invitations")
    await who.submit("invitation-create", note=note)
    assert who.status == 200, who.words
    [secret] = re.findall(r'value="[^"]+/invitations/([^"/]+)"', who.text)
    return f"/invitations/{secret}"


async def find_records(lone: LoneHouse) -> list[tuple[str, str, str, str | None]]:
    """Return (actor, action, target, reason) of what members did about invitations."""
    rows = await lone.core.store.read(list_audit)
    return [(row.actor, row.action, row.target, row.reason) for row in rows if "invit" in row.action]


async def test_j01_a_colleague_comes_in_by_a_members_invitation_and_the_desk_sees_who_invited(
    lone: LoneHouse, dee: Browser
) -> None:
    link, ana = await invite(dee, "Ana from the spring meeting"), Browser(lone)
    await ana.get(link)
    assert "Dee invites you to Home" in ana.words

    await ana.submit("enter", **ENTER)

    assert (ana.path, ana.status) == ("/me/verification", 200)
    member = await require_member(lone.core, "ana")
    assert (member.name, member.member_class, member.assurance, member.state) == ("Ana Moreau", "guest", "A0", "active")
    await ana.submit("apply", jurisdiction="US", register="npi", number="1234567893", **{"offer-vouch2": "1"})
    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    assert "Invited by Dee" in vera.words
    await dee.get("/me/invitations")
    assert ("Ana Moreau" in dee.words, "Used" in dee.words, "spring meeting" in dee.text) == (True, True, False)
    assert await find_records(lone) == [
        ("dee", "member.invitation", "dee", None),
        ("dee", "member.invited", "ana", None),
    ]


async def test_an_invitation_cannot_be_used_twice(lone: LoneHouse, dee: Browser) -> None:
    link, ana, eve = await invite(dee), Browser(lone), Browser(lone)
    await eve.get(link)
    await ana.get(link)
    await ana.submit("enter", **ENTER)

    await eve.submit("enter", **(ENTER | {"handle": "eve"}))

    assert (eve.status, "This link cannot be used" in eve.words) == (404, True)
    await eve.get(link)
    assert (eve.status, "Dee" in eve.text) == (404, False)
    with pytest.raises(NotFound):
        await require_member(lone.core, "eve")


async def test_two_who_come_in_at_once_are_one(lone: LoneHouse, dee: Browser) -> None:
    secret = (await invite(dee)).rpartition("/")[2]
    new = [NewMember(handle, handle, password="long enough for this") for handle in ("ana", "eve", "mal")]

    done = await asyncio.gather(*(invitations.enter(lone.core, secret, each) for each in new), return_exceptions=True)

    assert sorted(type(each).__name__ for each in done) == ["Member", "NotFound", "NotFound"]


async def test_an_invitation_lapses_after_fourteen_days(lone: LoneHouse, clock: FrozenClock, dee: Browser) -> None:
    link, ana = await invite(dee, "Ana"), Browser(lone)
    clock.advance(14 * _DAY - 1)
    await ana.get(link)
    assert ana.status == 200
    clock.advance(1)

    await ana.submit("enter", **ENTER)

    assert ana.status == 404
    await lone.house.rechecker.look()
    dee = await Browser(lone).enter("dee")
    await dee.get("/me/invitations")
    assert ("Too old" in dee.words, "Ana" in dee.words) == (True, False)


async def test_an_invitation_that_was_withdrawn_opens_nothing(lone: LoneHouse, dee: Browser) -> None:
    link = await invite(dee)
    await dee.get("/me/invitations")
    await dee.submit("/me/invitations/withdraw")
    assert "Withdrawn" in dee.words

    ana = Browser(lone)
    await ana.get(link)

    assert ana.status == 404
    assert [action for _, action, _, _ in await find_records(lone)][-1] == "member.invitation_withdrawn"


async def test_nobody_withdraws_anothers_invitation_but_an_operator(lone: LoneHouse, dee: Browser) -> None:
    link = await invite(dee, "a secret note")
    number = (await invitations.list_all_invitations(lone.core))[0].invitation_id
    ned = await Browser(lone).enter("ned")
    await ned.get("/me")
    await ned.post("/me/invitations/withdraw", {"csrf": ned.csrf, "invitation": str(number)})
    assert (ned.status, "cannot be withdrawn" in ned.page.alerts[0]) == (422, True)
    ana = Browser(lone)
    await ana.get(link)
    assert ana.status == 200

    ola = await Browser(lone).enter("ola")
    await ola.get("/node/invitations")
    assert ("Dee" in ola.words, "a secret note" in ola.text) == (True, False)
    await ola.submit("/node/invitations")

    await ana.get(link)
    assert (ola.status, ana.status) == (200, 404)


async def test_three_invitations_of_a_member_may_be_open_and_no_more(lone: LoneHouse, dee: Browser) -> None:
    await dee.get("/me/invitations")
    token = dee.csrf
    for _ in range(3):
        await invite(dee)
    await dee.get("/me/invitations")
    assert "3 invitations of yours are open" in dee.words

    await dee.post("/me/invitations", {"csrf": token, "note": "one more"})

    assert (dee.status, "As many of your invitations are open" in dee.page.alerts[0]) == (422, True)
    await dee.submit("/me/invitations/withdraw")
    await invite(dee)


@pytest.mark.parametrize("handle", ["ned", "vera"])
async def test_who_is_not_verified_cannot_invite(lone: LoneHouse, handle: str) -> None:
    who = await Browser(lone).enter(handle)
    await who.get("/me/invitations")
    assert "Members who are verified invite" in who.words
    await who.get("/me")

    await who.post("/me/invitations", {"csrf": who.csrf, "note": ""})

    assert (who.status, len(who.page.alerts)) == (422, 1)
    assert await find_records(lone) == []


async def test_an_operator_invites_whether_verified_or_not(lone: LoneHouse) -> None:
    ola = await Browser(lone).enter("ola")

    assert (await invite(ola)).startswith("/invitations/")


@pytest.mark.parametrize("end", ["suspended", "unverified", "lapsed"])
async def test_the_links_of_who_may_invite_no_more_open_nothing(
    lone: LoneHouse, clock: FrozenClock, dee: Browser, end: str
) -> None:
    if end == "lapsed":
        await verify_member(lone.core, "dee", "A2", methods=("register",), by="a test", reason="")
        clock.advance(29 * _DAY)
        dee = await Browser(lone).enter("dee")
    link, ana = await invite(dee), Browser(lone)
    await ana.get(link)
    assert ana.status == 200

    if end == "suspended":
        await suspend_member(lone.core, "dee", by="a test", reason="")
    elif end == "unverified":
        await change_state(lone.core, "dee", "revoked", by="a test", reason="a letter came")
    else:
        clock.advance(_DAY)

    await ana.submit("enter", **ENTER)
    assert ana.status == 404
    await ana.get(link)
    assert ana.status == 404


async def test_an_operator_can_leave_inviting_to_operators(databases: Databases, clock: FrozenClock) -> None:
    async with a_lone_house(databases, clock, members={"invitations": "operators"}) as lone:
        await furnish(lone)
        dee, ola = await Browser(lone).enter("dee"), await Browser(lone).enter("ola")
        await dee.get("/me/invitations")
        assert "On this node operators invite" in dee.words
        await dee.get("/me")

        await dee.post("/me/invitations", {"csrf": dee.csrf})
        await invite(ola)

        assert (dee.status, "only operators invite" in dee.page.alerts[0]) == (422, True)
        await ola.get("/node/invitations")
        assert "Only operators may invite" in ola.words


@pytest.mark.parametrize(
    "wrong",
    [{"handle": "dee"}, {"handle": "A B"}, {"name": " "}, {"password": "short", "again": "short"}, {"again": "?"}],
)
async def test_a_wrong_form_keeps_what_was_typed_and_the_link_stays_good(
    lone: LoneHouse, dee: Browser, wrong: dict[str, str]
) -> None:
    link, ana = await invite(dee), Browser(lone)
    await ana.get(link)

    await ana.submit("enter", **(ENTER | wrong))

    assert (ana.status, len(ana.page.alerts)) == (422, 1)
    assert (wrong.get("name", "Ana Moreau") in ana.text, ENTER["password"] in ana.text) == (True, False)
    await ana.submit("enter", **ENTER)
    assert ana.path == "/me/verification"


async def test_t61_a_members_link_tells_the_name_of_who_invites_and_is_kept_nowhere(
    lone: LoneHouse, dee: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    link, ana = await invite(dee, "ana@clinic.example"), Browser(lone)
    secret = link.rpartition("/")[2]

    await ana.get(link)

    assert ("Dee" in ana.words, "dee" in ana.text) == (True, False)
    assert ana.answer.one("referrer-policy") == "no-referrer"
    rows = await read_rows(lone.core.config.database, lone.core.data)
    assert find_in_rows(secret, rows) + find_in_folder(secret, lone.core.data) == []
    out = capfd.readouterr()
    assert secret not in out.out + out.err
    audited = [row for row in await lone.core.store.read(list_audit)]
    assert all("clinic" not in str(row) for row in audited)
