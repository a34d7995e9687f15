"""Asking to be verified, the desk that decides, and what everybody else is told: by pages, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from node.community.members.service import require_member
from node.community.verification.service import read_own
from node.store.audit import list_audit
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.traces import find_in_folder, find_in_rows, read_rows

NPI, WRONG_NPI = "1234567893", "1234567898"
FILLED = {"class": "physician", "jurisdiction": "us-vt", "register": "npi", "number": NPI, "offer-video": "1"}
VERIFY = {"decision": "verify", "assurance": "A3", "method-register": "1", "method-video": "1", "reason": "card seen"}


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    """Give a node with an operator ola, verifiers vera and vik, and a member mia."""
    async with a_lone_house(databases, clock) as made:
        await made.member("ola", role="operator")
        await made.member("vera", role="verifier")
        await made.member("vik", role="verifier")
        await made.member("mia")
        yield made


@pytest.fixture
async def mia(lone: LoneHouse) -> Browser:
    """Give a member at a browser."""
    return await Browser(lone).enter("mia")


@pytest.fixture
async def vera(lone: LoneHouse) -> Browser:
    """Give a verifier at a browser."""
    return await Browser(lone).enter("vera")


async def apply(who: Browser, **more: str | None) -> None:
    """Send the form at `/me/verification`."""
    await who.get("/me/verification")
    await who.submit("apply", **(FILLED | more))


async def decide(who: Browser, **fields: str | None) -> None:
    """Open the oldest application and decide."""
    await who.get("/node/verification/next")
    await who.submit("decide-verification", **fields)


async def find_records(lone: LoneHouse) -> list[tuple[str, str, str, str | None]]:
    """Return (actor, action, target, reason) of the audit log."""
    return [(row.actor, row.action, row.target, row.reason) for row in await lone.core.store.read(list_audit)]


async def test_j01_an_application_is_sent_decided_and_shown_on_the_profile(
    lone: LoneHouse, mia: Browser, vera: Browser
) -> None:
    await mia.get("/people/mia")
    assert "Not verified so far" in mia.words
    await apply(mia, words="Colleagues at Lakeside know me.")
    assert ("within 3 days" in mia.words, "with the desk" in mia.words) == (True, True)
    await vera.get("/node/verification")
    assert ("1 application waits" in vera.words, NPI in vera.text) == (True, False)
    await vera.get("/node/verification/next")
    assert (NPI in vera.text, "Colleagues at Lakeside know me." in vera.words) == (True, True)

    await vera.submit("decide-verification", **VERIFY)

    assert vera.steps == [303, 200]
    await mia.get("/people/mia")
    assert "Physician, level A3, by Home" in mia.words
    assert "Seen on video by a verifier, with their card" in mia.words
    assert ("vera@home.example", "verification.verified", "mia", "A3 register video: card seen") in await find_records(
        lone
    )
    await mia.get("/me/verification")
    assert "You are verified at level A3" in mia.words


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": WRONG_NPI},
        {"number": ""},
        {"jurisdiction": "somewhere"},
        {"offer-video": None},
        {"register": ""},
        {"register": "orcid", "number": "0000-0002-1825-0097"},
        {"class": "king"},
    ],
)
async def test_a_wrong_form_says_what_is_wrong_and_keeps_what_was_typed(
    lone: LoneHouse, mia: Browser, wrong: dict[str, str | None]
) -> None:
    await apply(mia, words="Evenings are best.", **wrong)

    assert (mia.status, len(mia.page.alerts)) == (422, 1)
    assert "Evenings are best." in mia.text
    assert (await read_own(lone.core, await require_member(lone.core, "mia"))).application is None


async def test_a_resident_without_a_number_may_apply(mia: Browser) -> None:
    await apply(mia, **{"class": "resident", "register": "", "number": "", "offer-institution": "1"})

    assert mia.steps == [303, 200]


async def test_a_second_application_does_not_stand_beside_the_first(mia: Browser) -> None:
    await mia.get("/me/verification")
    token = mia.csrf
    await mia.submit("apply", **FILLED)

    await mia.post("/me/verification", FILLED | {"csrf": token})

    assert (mia.status, "with the desk already" in mia.page.alerts[0]) == (422, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": None},
        {"reason": " "},
        {"method-video": None},
        {"assurance": "A4"},
        {"reason": f"found {NPI[:5]} {NPI[5:]}"},
        {"decision": "ask"},
        {"decision": "decline", "answer": " "},
    ],
)
async def test_a_decision_that_nothing_justifies_is_refused_with_the_text_kept(
    lone: LoneHouse, mia: Browser, vera: Browser, wrong: dict[str, str | None]
) -> None:
    await apply(mia)

    await decide(vera, **(VERIFY | {"note": "Rang the ward."} | wrong))

    assert (vera.status, len(vera.page.alerts)) == (422, 1)
    assert "Rang the ward." in vera.text
    own = await read_own(lone.core, await require_member(lone.core, "mia"))
    assert (own.application and own.application.state, own.verification) == ("waiting", None)


async def test_the_desk_asks_and_the_answer_keeps_its_place(lone: LoneHouse, mia: Browser, vera: Browser) -> None:
    await apply(mia, words="First words.")

    await decide(vera, decision="ask", reason="unsure", answer="Which hospital?", note="Name is common.")
    await mia.get("/me/verification")
    assert "Which hospital?" in mia.words
    await apply(mia, words="Lakeside.")

    await vera.get("/node/verification/next")
    assert all(word in vera.text for word in ("First words.", "Lakeside.", "Name is common."))


async def test_a_refusal_says_why_and_an_appeal_is_decided_by_somebody_else(
    lone: LoneHouse, mia: Browser, vera: Browser
) -> None:
    await apply(mia)
    await decide(vera, decision="decline", reason="name differs", answer="The name in the register differs.")
    await mia.get("/me/verification")
    assert ("The name in the register differs." in mia.words, "somebody else" in mia.words) == (True, True)

    await apply(mia, words="I married.")

    await vera.get("/node/verification/next")
    assert "An appeal is decided by somebody else" in vera.words
    await vera.get("/node/verification")
    vik = await Browser(lone).enter("vik")
    await decide(vik, **VERIFY)
    assert vik.steps == [303, 200]
    assert (await read_own(lone.core, await require_member(lone.core, "mia"))).is_current


async def test_nobody_sees_or_decides_their_own_application(lone: LoneHouse, vera: Browser) -> None:
    await apply(vera)
    own = await read_own(lone.core, await require_member(lone.core, "vera"))
    assert own.application is not None

    await vera.get("/node/verification")

    assert "Nothing waits." in vera.words
    path = f"/node/verification/{own.application.application_id}"
    await vera.get(path)
    assert vera.status == 404
    await vera.get("/me")
    await vera.post(path, VERIFY | {"csrf": vera.csrf})
    assert vera.status == 404


async def test_the_desk_is_absent_for_members(mia: Browser) -> None:
    for path in (
        "/node/verification",
        "/node/verification/next",
        "/node/verification/1",
        "/node/verification/people/ola",
    ):
        await mia.get(path)
        assert mia.status == 404, path


async def test_the_same_number_twice_is_told_to_the_desk_alone(lone: LoneHouse, mia: Browser, vera: Browser) -> None:
    await apply(mia)
    await decide(vera, **VERIFY)
    await lone.member("ned")
    ned = await Browser(lone).enter("ned")

    await apply(ned)

    assert (ned.steps, "mia" in ned.text) == ([303, 200], False)
    await vera.get("/node/verification/next")
    assert ("The same number was given before" in vera.words, "By mia." in vera.words) == (True, True)


async def test_suspended_ended_and_revoked_are_said_apart(lone: LoneHouse, mia: Browser, vera: Browser) -> None:
    await apply(mia)
    await decide(vera, **VERIFY)
    await vera.get("/node/verification/people/mia")
    await vera.submit("verification-state", change="revoke", reason=f"{NPI[:3]}-{NPI[3:]} is not theirs")
    assert (vera.status, "Leave the number out" in vera.page.alerts[0]) == (422, True)
    said = []
    for change in ("suspend", "resume", "revoke"):
        await vera.get("/node/verification/people/mia")
        await vera.submit("verification-state", change=change, reason="a letter came")
        await mia.get("/people/mia")
        said.append([word for word in ("Suspended in", "level A3, by Home", "Revoked in") if word in mia.words])

    assert said == [["Suspended in"], ["level A3, by Home"], ["Revoked in"]]
    actions = [action for _, action, _, _ in await find_records(lone)]
    assert actions[-3:] == ["verification.suspended", "verification.resumed", "verification.revoked"]


async def test_a_level_lapses_on_its_day_without_anybody_noting_it(
    lone: LoneHouse, clock: FrozenClock, mia: Browser, vera: Browser
) -> None:
    await apply(mia)
    await decide(vera, **(VERIFY | {"assurance": "A2", "method-video": None}))
    clock.advance(29 * 86_400)
    vera, mia = await Browser(lone).enter("vera"), await Browser(lone).enter("mia")
    await vera.get("/node/verification")
    assert "Mia" in vera.words
    await mia.get("/people/mia")
    assert "level A2, by Home" in mia.words

    clock.advance(86_400)
    mia = await Browser(lone).enter("mia")
    await mia.get("/people/mia")

    assert "No longer: ended in" in mia.words
    await lone.house.rechecker.look()
    await mia.get("/me/verification")
    assert "Your verification has lapsed" in mia.words
    assert ("node", "verification.lapsed", "mia", "A2") in await find_records(lone)


async def test_t28_a_number_is_nowhere_but_sealed_and_then_gone(
    lone: LoneHouse, clock: FrozenClock, mia: Browser, vera: Browser, capfd: pytest.CaptureFixture[str]
) -> None:
    await apply(mia, number=WRONG_NPI)
    await apply(mia, number=f"{NPI[:4]} {NPI[4:]}")
    await decide(vera, **VERIFY, note=f"looked up {NPI}")

    rows = await read_rows(lone.core.config.database, lone.core.data)
    for number in (NPI, WRONG_NPI, f"{NPI[:4]} {NPI[4:]}"):
        assert find_in_rows(number, rows) + find_in_folder(number, lone.core.data) == []
    out = capfd.readouterr()
    assert NPI not in out.out + out.err
    assert all(NPI not in str(row) for row in await find_records(lone))
    [sealed] = await _evidence(lone)
    assert sealed is not None

    clock.advance(30 * 86_400 + 1)
    await lone.house.rechecker.look()

    assert await _evidence(lone) == [None]


async def _evidence(lone: LoneHouse) -> list[str | None]:
    async def ask(tx: Tx) -> list[str | None]:
        return [row.sealed_evidence for row in await tx.all("SELECT sealed_evidence FROM applications")]

    return await lone.core.store.read(ask)


async def test_a_group_that_asks_for_a_level_says_so_and_is_read_only_for_who_lapses(
    lone: LoneHouse, mia: Browser, vera: Browser
) -> None:
    await mia.get("/groups/new")
    fields = {"handle": "ward", "title": "Ward", "policy": "open", "history": "all", "assurance": "A3"}
    await mia.submit("new-group", **fields)
    assert (mia.status, "asks for assurance A3" in mia.page.alerts[0]) == (422, True)
    await apply(mia)
    await decide(vera, **VERIFY)
    await mia.get("/groups/new")
    await mia.submit("new-group", **fields)
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="Nights", text="They are long.", action="send")
    assert "Verified physician" in mia.words
    await vera.get("/groups/ward/join")
    assert ("Level A3 or better" in vera.words, "You do not have that so far." in vera.words) == (True, True)

    await vera.get("/node/verification/people/mia")
    await vera.submit("verification-state", change="suspend", reason="a letter came")

    await mia.get("/groups/ward")
    assert "Read-only for you: this group asks for level A3" in mia.words
    await mia.get("/groups/ward/write")
    await mia.submit("write", title="More", text="My long night.", action="send")
    assert (mia.status, "My long night." in mia.text) == (422, True)
    assert "The attestation is suspended." in mia.page.alerts[0]


async def test_what_was_changed_since_the_verifier_looked_is_not_decided_about_unseen(
    lone: LoneHouse, mia: Browser, vera: Browser
) -> None:
    await apply(mia)
    vik = await Browser(lone).enter("vik")
    await vera.get("/node/verification/next")
    await decide(vik, decision="ask", reason="no jurisdiction", answer="Which state?")
    await apply(mia, number="1003000126")

    await vera.submit("decide-verification", **VERIFY)

    assert (vera.status, len(vera.page.alerts)) == (422, 1)
    assert "1003000126" in vera.text
    await mia.get("/people/mia")
    assert "Not verified so far" in mia.words
    await vera.submit("decide-verification", **VERIFY)
    await mia.get("/people/mia")
    assert "Physician, level A3, by Home" in mia.words
