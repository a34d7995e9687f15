"""Two colleagues at a meeting vouch for an applicant, and what somebody practises: by pages, on both databases."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.community.members.service import require_member, suspend_member
from node.community.verification import vouching
from node.community.verification.recording import change_state, verify_member
from node.community.verification.vouching import Guesses
from node.store.audit import list_audit
from node.store.engine import Tx
from node.store.invitations import insert_invitation, use_invitation
from node.views.visitor import csrf_of
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.square import read_square
from tests.support.traces import find_in_folder, find_in_rows, read_rows

NPI = "1234567893"
FILLED = {"class": "physician", "jurisdiction": "us-vt", "register": "npi", "number": NPI, "offer-vouch2": "1"}
VERIFY = {"decision": "verify", "assurance": "A3", "method-register": "1", "reason": "found, and vouched for"}
_DAY = 86_400


@pytest.fixture
def settings() -> dict[str, Any]:
    """Give the settings of verification that differ from the usual ones."""
    return {}


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock, settings: dict[str, Any]) -> AsyncIterator[LoneHouse]:
    """Give a node with the verifier vera, the verified dee, mo and kim, ned whom nobody verified, and the applicant ana."""
    async with a_lone_house(databases, clock, verification=settings) as made:
        await made.member("vera", role="verifier")
        for handle in ("dee", "mo", "kim"):
            await made.member(handle)
            await verify_member(made.core, handle, "A3", methods=("register", "video"), by="a test", reason="")
        await made.member("ned")
        await made.member("ana")
        yield made


@pytest.fixture
async def ana(lone: LoneHouse) -> Browser:
    """Give an applicant at a browser, whose application waits."""
    ana = await Browser(lone).enter("ana")
    await ana.get("/me/verification")
    await ana.submit("apply", **FILLED)
    return ana


async def show_code(ana: Browser) -> tuple[str, str]:
    """Let the applicant show a code; return what its square says, as a path, and its words."""
    await ana.get("/me/verification")
    await ana.submit("vouch-code")
    assert (ana.status, '<svg class="qr"' in ana.text) == (200, True)
    found = re.search(r'<ol class="words">(.*?)</ol>', ana.text)
    assert found is not None
    return read_square(ana.text).removeprefix(ana.origin), " ".join(re.findall(r"<li>(\w+)</li>", found[1]))


async def make_link(lone: LoneHouse) -> str:
    """Return the path that the square of a new code of Ana's says."""
    code = await vouching.show_code(lone.core, await require_member(lone.core, "ana"))
    return code.address.removeprefix(lone.core.origin)


async def vouch_as(lone: LoneHouse, handle: str, **fields: str | None) -> Browser:
    """Let a colleague open a new code of Ana's and confirm."""
    who = await Browser(lone).enter(handle)
    await who.get(await make_link(lone))
    await who.submit("vouch", **({"known": "1"} | fields))
    return who


async def find_records(lone: LoneHouse, beginning: str = "verification.vouch") -> list[tuple[str, str, str]]:
    """Return (actor, action, target) of the audit log."""
    rows = await lone.core.store.read(list_audit)
    return [(row.actor, row.action, row.target) for row in rows if row.action.startswith(beginning)]


async def test_j01_two_vouches_at_a_meeting_are_what_the_desk_needs(lone: LoneHouse, ana: Browser) -> None:
    dee, mo = await vouch_as(lone, "dee"), await vouch_as(lone, "mo")

    assert (dee.path, mo.status) == ("/vouch", 200)
    await ana.get("/me/verification")
    assert ("Dee" in ana.words, "Mo" in ana.words, "That is enough" in ana.words) == (True, True, True)
    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    assert "2 of 2" in vera.words
    assert ("method-vouch2", "1") in vera.find_form("decide-verification").pairs
    assert "1 vouch of at most 5 in 30 days" in vera.words
    await vera.submit("decide-verification", **VERIFY)
    assert vera.steps == [303, 200]
    await ana.get("/people/ana")
    assert "Two verified colleagues vouch, in person or by video" in ana.words
    [decided] = [row for row in await lone.core.store.read(list_audit) if row.action == "verification.verified"]
    assert decided.reason == "A3 register vouch2 (vouched for by dee, mo): found, and vouched for"
    assert await find_records(lone) == [("dee", "verification.vouched", "ana"), ("mo", "verification.vouched", "ana")]


async def test_the_words_do_what_the_square_does(lone: LoneHouse, ana: Browser) -> None:
    link, words = await show_code(ana)
    dee = await Browser(lone).enter("dee")
    await dee.get(link)
    assert (words in dee.words, "Ana" in dee.words) == (True, True)
    await dee.get("/vouch")

    await dee.submit("vouch-words", words=f" {words.upper().replace(' ', ', ')} ")

    assert (words in dee.words, "Ana" in dee.words) == (True, True)
    await dee.submit("vouch", known="1")
    assert (dee.steps, await find_records(lone)) == ([303, 200], [("dee", "verification.vouched", "ana")])


async def test_a_code_is_good_once_and_the_next_ends_it(lone: LoneHouse, ana: Browser) -> None:
    first = await make_link(lone)
    second = await make_link(lone)
    dee, mo = await Browser(lone).enter("dee"), await Browser(lone).enter("mo")
    await dee.get(first)
    assert (dee.status, "Ana" in dee.text) == (404, False)
    await mo.get(second)
    await dee.get(second)
    await dee.submit("vouch", known="1")

    await mo.submit("vouch", known="1")

    assert (mo.status, "cannot be used" in mo.page.alerts[0]) == (422, True)
    assert len(await find_records(lone)) == 1


async def test_two_who_use_one_code_at_once_are_one(lone: LoneHouse, ana: Browser) -> None:
    link, guesses = (await make_link(lone)).rpartition("/")[2], Guesses(lone.clock)
    members = [await require_member(lone.core, handle) for handle in ("dee", "mo", "kim")]

    done = await asyncio.gather(
        *(vouching.vouch(lone.core, guesses, member, link, is_known=True) for member in members), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in done) == ["NoneType", "NotFound", "NotFound"]
    assert len(await find_records(lone)) == 1


async def test_a_code_is_good_for_a_quarter_of_an_hour(lone: LoneHouse, clock: FrozenClock, ana: Browser) -> None:
    link, dee = await make_link(lone), await Browser(lone).enter("dee")
    clock.advance(15 * 60 - 1)
    await dee.get(link)
    assert dee.status == 200
    clock.advance(1)

    await dee.submit("vouch", known="1")

    assert (dee.status, await find_records(lone)) == (422, [])
    await dee.get(link)
    assert dee.status == 404


async def test_nobody_vouches_twice_and_one_vouch_is_not_enough(lone: LoneHouse, ana: Browser) -> None:
    await vouch_as(lone, "dee")
    dee = await Browser(lone).enter("dee")

    await dee.get(await make_link(lone))

    assert "You have vouched for this colleague already" in dee.words
    await dee.post(
        "/vouch/confirm", {"csrf": csrf_of(dee.cookie or ""), "code": dee.path.rpartition("/")[2], "known": "1"}
    )
    assert (dee.status, len(await find_records(lone))) == (422, 1)
    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    assert "1 of 2" in vera.words
    assert ("method-vouch2", "1") not in vera.find_form("decide-verification").pairs


async def test_nobody_vouches_for_themselves(lone: LoneHouse, ana: Browser) -> None:
    await verify_member(lone.core, "ana", "A3", methods=("register", "video"), by="a test", reason="")
    ana = await Browser(lone).enter("ana")

    await ana.get(await make_link(lone))

    assert "Nobody vouches for themselves" in ana.words
    await ana.post(
        "/vouch/confirm", {"csrf": csrf_of(ana.cookie or ""), "code": ana.path.rpartition("/")[2], "known": "1"}
    )
    assert (ana.status, await find_records(lone)) == (422, [])


@pytest.mark.parametrize("why", ["unverified", "too low", "a student", "revoked", "lapsed"])
async def test_who_may_not_vouch_learns_nothing_of_a_code(
    lone: LoneHouse, clock: FrozenClock, ana: Browser, why: str
) -> None:
    handle = "ned" if why == "unverified" else "dee"
    if why == "too low":
        await verify_member(lone.core, "dee", "A1", methods=("institution",), by="a test", reason="")
    elif why == "a student":
        await lone.core.store.write(_make_student, "dee")
    elif why == "revoked":
        await change_state(lone.core, "dee", "revoked", by="a test", reason="a letter came")
    elif why == "lapsed":
        await verify_member(lone.core, "dee", "A2", methods=("register",), by="a test", reason="")
        clock.advance(30 * _DAY)
    who = await Browser(lone).enter(handle)
    found = []

    for path in (await make_link(lone), "/vouch/" + "a" * 26):
        await who.get(path)
        found.append((who.steps, who.path, "Ana" in who.text, who.words))

    assert found[0] == found[1]
    assert found[0][:3] == ([303, 200], "/vouch", False)
    assert "You cannot vouch at present" in who.words
    await who.get("/me")
    for path in ("/vouch", "/vouch/confirm"):
        code = (await make_link(lone)).rpartition("/")[2]
        await who.post(path, {"csrf": who.csrf, "code": code, "words": code, "known": "1"})
        assert (who.status, "Ana" in who.text) == (422, False)
        await who.get("/me")
    assert await find_records(lone) == []


async def _make_student(tx: Tx, handle: str) -> None:
    await tx.run("UPDATE members SET class = 'student' WHERE handle = :handle", handle=handle)


async def test_without_the_word_that_they_met_nothing_is_said(lone: LoneHouse, ana: Browser) -> None:
    dee = await vouch_as(lone, "dee", known=None)

    assert (dee.status, "Please confirm" in dee.page.alerts[0], await find_records(lone)) == (422, True, [])
    await dee.submit("vouch", known="1")
    assert dee.steps == [303, 200]


async def test_a_vouch_is_taken_back_until_the_desk_decides_and_not_after(lone: LoneHouse, ana: Browser) -> None:
    dee, mo = await vouch_as(lone, "dee"), await vouch_as(lone, "mo")
    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    await dee.submit("/vouch/withdraw")
    assert "Taken back" in dee.words

    await vera.submit("decide-verification", **VERIFY)  # what she saw is not so any more

    assert (vera.status, "Something else was said" in vera.page.alerts[0], "1 of 2" in vera.words) == (422, True, True)
    await vera.submit("decide-verification", **VERIFY, **{"method-video": "1"})
    assert vera.steps == [303, 200]
    await mo.submit("/vouch/withdraw")
    assert (mo.status, "cannot be taken back" in mo.page.alerts[0]) == (422, True)
    assert ("dee", "verification.vouch_withdrawn", "ana") in await find_records(lone)


async def test_nobody_takes_anothers_vouch_back(lone: LoneHouse, ana: Browser) -> None:
    dee = await vouch_as(lone, "dee")
    number = dict(dee.find_form("/vouch/withdraw").pairs)["vouch"]
    mo = await Browser(lone).enter("mo")
    await mo.get("/vouch")

    await mo.post("/vouch/withdraw", {"csrf": mo.csrf, "vouch": number})

    assert mo.status == 422
    await ana.get("/me/verification")
    assert "Dee" in ana.words


async def test_a_member_gives_five_vouches_in_thirty_days(lone: LoneHouse, clock: FrozenClock, ana: Browser) -> None:
    for _ in range(5):  # those taken back count
        dee = await vouch_as(lone, "dee")
        await dee.submit("/vouch/withdraw")
    dee = await Browser(lone).enter("dee")
    await dee.get(await make_link(lone))
    assert "You vouched 5 times within 30 days" in dee.words

    clock.advance(30 * _DAY + 1)
    dee = await vouch_as(lone, "dee")

    assert dee.steps == [303, 200]


async def test_the_vouch_of_who_is_verified_no_more_counts_for_nothing(lone: LoneHouse, ana: Browser) -> None:
    await vouch_as(lone, "dee")
    await vouch_as(lone, "mo")

    await suspend_member(lone.core, "dee", by="a test", reason="")

    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    assert ("1 of 2" in vera.words, "Not verified any more" in vera.words) == (True, True)


@pytest.mark.parametrize("settings", [{"vouch_level": "A2"}])
async def test_the_desk_sees_that_a_voucher_invited_the_applicant_or_is_known_by_a_number_alone(
    lone: LoneHouse, ana: Browser
) -> None:
    await verify_member(lone.core, "mo", "A2", methods=("register",), by="a test", reason="")
    await lone.core.store.write(_let_invite, (await require_member(lone.core, "dee")).actor_id, "ana")
    await vouch_as(lone, "dee")
    await vouch_as(lone, "mo")

    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")

    assert "Invited this person too" in vera.words
    assert "Known by their number alone" in vera.words


async def _let_invite(tx: Tx, inviter_id: int, handle: str) -> None:
    await insert_invitation(
        tx, invitation_id=1, inviter_id=inviter_id, token_hash="a test's", note="", expires_at=tx.now.replace(year=2030)
    )
    used_by = await tx.value("SELECT actor_id FROM members WHERE handle = :handle", handle=handle)
    await use_invitation(tx, token_hash="a test's", used_by=used_by)


@pytest.mark.parametrize(("settings", "is_shut_out"), [({}, True), ({"vouch_level": "A2"}, False)])
async def test_who_was_never_met_vouches_only_where_the_operator_lets_them(lone: LoneHouse, is_shut_out: bool) -> None:
    await verify_member(lone.core, "dee", "A2", methods=("register",), by="a test", reason="")
    dee = await Browser(lone).enter("dee")

    await dee.get("/vouch")

    assert ("at level A3 or better" in dee.words) is is_shut_out


async def test_a_verifier_who_vouched_lets_somebody_else_decide(lone: LoneHouse, ana: Browser) -> None:
    await verify_member(lone.core, "vera", "A3", methods=("register", "video"), by="a test", reason="")
    await vouch_as(lone, "vera")
    vera = await Browser(lone).enter("vera")
    await vera.get("/node/verification/next")
    assert "decide-verification" in vera.text  # there is nobody else

    await lone.member("vik", role="verifier")
    await vera.get("/node/verification/next")

    assert ("You vouched for this colleague" in vera.words, "decide-verification" in vera.text) == (True, False)
    await vera.get("/me")
    own = (await vouching.list_own_vouches(lone.core, await require_member(lone.core, "vera")))[0]
    assert own.may_withdraw


async def test_codes_that_do_not_fit_are_counted(lone: LoneHouse, ana: Browser) -> None:
    _, words = await show_code(ana)
    dee = await Browser(lone).enter("dee")
    await dee.get("/vouch")
    for _ in range(20):
        await dee.submit("vouch-words", words="able able able able")
        assert dee.status == 422

    await dee.submit("vouch-words", words=words)

    assert (dee.status, "Too many codes" in dee.page.alerts[0], "Ana" in dee.text) == (422, True, False)


async def test_who_has_no_application_shows_no_code(lone: LoneHouse) -> None:
    ned = await Browser(lone).enter("ned")
    await ned.get("/me/verification")
    assert "vouch-code" not in ned.text

    await ned.post("/me/verification/code", {"csrf": ned.csrf})

    assert (ned.steps, ned.path) == ([303, 200], "/me/verification")


async def test_t61_a_code_is_kept_nowhere(lone: LoneHouse, ana: Browser, capfd: pytest.CaptureFixture[str]) -> None:
    link = await make_link(lone)
    token = link.rpartition("/")[2]
    dee = await Browser(lone).enter("dee")
    await dee.get(link)

    rows = await read_rows(lone.core.config.database, lone.core.data)

    assert find_in_rows(token, rows) + find_in_folder(token, lone.core.data) == []
    out = capfd.readouterr()
    assert token not in out.out + out.err
