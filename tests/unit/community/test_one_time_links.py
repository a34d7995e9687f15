"""Links by which a member sets a password: for one use, not for long, kept as a hash, and ending what was there before."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from node.cli.runner import run_command
from node.community.members import service
from node.community.members.service import (
    NewMember,
    add_member,
    check_sign_in,
    find_token,
    make_reset_link,
    make_token,
    restore_member,
    set_password_by_link,
    suspend_member,
)
from node.federation.message import Request
from node.foundation.errors import Conflict, Invalid, NodeError, NotFound
from node.foundation.logs import configure_logs
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import HOST, ORIGIN, LoneHouse, a_lone_house
from tests.support.requesters import ACTIVITY, a_get, ask
from tests.support.traces import find_in_rows, read_rows

FIRST, SECOND = "correct horse battery", "another horse battery"
_DAY = 86_400
_AT = f"{ORIGIN}/invitations/"


@pytest.fixture
async def lone(databases: Databases, clock: FrozenClock) -> AsyncIterator[LoneHouse]:
    async with a_lone_house(databases, clock) as made:
        yield made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give everything that the node logs."""
    stream = io.StringIO()
    configure_logs(level="debug", stream=stream)
    yield stream


async def _invite(lone: LoneHouse, handle: str = "ida") -> str:
    """Add somebody without a password and return the secret of their link."""
    _, link = await add_member(lone.core, NewMember(handle, handle.capitalize()), by="a test")
    assert link is not None
    return link.removeprefix(_AT)


async def _reset(lone: LoneHouse, handle: str = "ida") -> str:
    return (await make_reset_link(lone.core, handle, by="a test")).removeprefix(_AT)


async def _refusal(lone: LoneHouse, secret: str, password: str = SECOND) -> NodeError | None:
    """Return why a link is refused, or None when it was taken."""
    try:
        await set_password_by_link(lone.core, secret, password)
    except NodeError as error:
        return error
    return None


async def _opens(lone: LoneHouse, password: str, handle: str = "ida") -> bool:
    return await check_sign_in(lone.core, handle=handle, password=password) is not None


async def test_t61_an_invitation_is_for_one_person_and_one_use(lone: LoneHouse) -> None:
    secret, _ = await _invite(lone), await _invite(lone, "ivo")

    member = await set_password_by_link(lone.core, secret, FIRST)
    again = await _refusal(lone, secret)

    assert (member.handle, member.state) == ("ida", "active")
    assert isinstance(again, NotFound)
    assert await _opens(lone, FIRST)
    assert not await _opens(lone, SECOND)
    assert not await _opens(lone, FIRST, "ivo")


async def test_t61_of_two_uses_at_once_one_counts(lone: LoneHouse) -> None:
    secret = await _invite(lone)

    refusals = await asyncio.gather(*(_refusal(lone, secret, password) for password in (FIRST, SECOND)))

    assert [await _opens(lone, password) for password in (FIRST, SECOND)] == [refusal is None for refusal in refusals]
    assert refusals.count(None) == 1


@pytest.mark.parametrize(("purpose", "days"), [("invitation", 7), ("reset", 1)])
async def test_t61_a_link_works_until_its_last_second_and_no_longer(
    lone: LoneHouse, clock: FrozenClock, purpose: str, days: int
) -> None:
    secrets = {handle: await _invite(lone, handle) for handle in ("ida", "ivo")}
    if purpose == "reset":
        secrets = {handle: await _reset(lone, handle) for handle in secrets}

    clock.advance(days * _DAY - 1)
    in_time = await _refusal(lone, secrets["ida"])
    clock.advance(1)
    too_late = await _refusal(lone, secrets["ivo"])

    assert in_time is None
    assert isinstance(too_late, NotFound)
    assert not await _opens(lone, SECOND, "ivo")


async def test_t61_used_late_and_unknown_links_answer_alike(lone: LoneHouse, clock: FrozenClock) -> None:
    used, late = await _invite(lone), await _invite(lone, "ivo")
    await set_password_by_link(lone.core, used, FIRST)
    clock.advance(8 * _DAY)

    refusals = {repr(await _refusal(lone, secret)) for secret in (used, late, "a" * 43, "", "x" * 9000, "%")}

    assert len(refusals) == 1


async def test_t61_a_password_that_cannot_be_used_does_not_use_up_the_link(lone: LoneHouse) -> None:
    secret = await _invite(lone)

    refusals = [await _refusal(lone, secret, password) for password in ("", "short", "x" * 1001)]

    assert [type(refusal) for refusal in refusals] == [Invalid] * 3
    assert await _refusal(lone, secret, FIRST) is None


async def test_t61_a_newer_link_ends_the_older_and_a_new_password_ends_them_all(lone: LoneHouse) -> None:
    invitation = await _invite(lone)
    other = await _invite(lone, "ivo")
    first = await _reset(lone)
    second = await _reset(lone)

    refusals = [await _refusal(lone, secret) for secret in (invitation, first, second, invitation, first, second)]

    assert [refusal is None for refusal in refusals] == [False, False, True, False, False, False]
    assert await _refusal(lone, other) is None


async def test_t61_t55_a_link_wakes_nobody_who_is_suspended(lone: LoneHouse) -> None:
    await set_password_by_link(lone.core, await _invite(lone), FIRST)
    secret = await _reset(lone)
    await suspend_member(lone.core, "ida", by="a test", reason="")

    refusal = await _refusal(lone, secret)
    with pytest.raises(Conflict):
        await make_reset_link(lone.core, "ida", by="a test")

    assert isinstance(refusal, NotFound)
    assert not await _opens(lone, FIRST)
    await restore_member(lone.core, "ida", by="a test", reason="")
    assert (await _opens(lone, FIRST), await _opens(lone, SECOND)) == (True, False)


async def test_t61_neither_links_nor_tokens_nor_passwords_are_kept_as_they_are(lone: LoneHouse) -> None:
    secrets = [await _invite(lone), await _invite(lone, "ivo")]
    await set_password_by_link(lone.core, secrets[0], FIRST)
    secrets.append(await _reset(lone))
    secrets.append(await make_token(lone.core, "ida", "read", by="a test"))

    rows = await read_rows(lone.core.config.database, lone.core.data)

    assert {secret: find_in_rows(secret, rows) for secret in (*secrets, FIRST)} == {
        key: [] for key in (*secrets, FIRST)
    }
    assert len(rows["one_time_links"]) == 3
    assert "$argon2id$" in "".join(rows["members"])


async def test_t61_a_link_stands_in_no_log_whoever_follows_it_and_however(lone: LoneHouse, log: io.StringIO) -> None:
    secret = await _invite(lone)
    path = f"/invitations/{secret}"

    for request in (
        Request("GET", path, (("host", HOST), ("accept", "text/html"))),
        Request("POST", path, (("host", HOST),), b"password=x"),
        a_get(path),  # as servers do that look at every link in a message
        a_get(path, signature="x"),
        Request("GET", f"/?link={secret}", (("host", HOST), ("referer", f"{_AT}{secret}"))),
    ):
        await ask(lone.app, request)
    await set_password_by_link(lone.core, secret, FIRST)
    await _refusal(lone, secret)

    assert secret not in log.getvalue()
    assert FIRST not in log.getvalue()


async def test_t61_looking_at_a_link_uses_it_up_for_nobody_and_is_kept_by_no_cache(lone: LoneHouse) -> None:
    """Chat servers look at every link that somebody sends."""
    secret = await _invite(lone)
    path = f"/invitations/{secret}"

    answers = [
        await ask(lone.app, a_get(path, accept=accept, method=method))
        for accept in ("text/html", ACTIVITY, "*/*")
        for method in ("GET", "HEAD")
    ]

    assert {answer.one("cache-control") for answer in answers} == {"private, no-store"}
    assert {answer.one("referrer-policy") for answer in answers} == {"no-referrer"}
    assert await _refusal(lone, secret) is None


@pytest.mark.parametrize("command", ["member add ida --name Ida", "member reset ivo"])
async def test_t61_t57_a_link_is_shown_to_the_operator_alone_and_is_on_record_without_it(
    lone: LoneHouse, log: io.StringIO, command: str
) -> None:
    await _invite(lone, "ivo")
    said: list[str] = []

    code = await run_command(lone.house, command.split(), "", said.append, said.append)

    secret = "".join(said).partition(_AT)[2].split()[0]
    rows = await read_rows(lone.core.config.database, lone.core.data)
    assert (code, len(secret)) == (0, 43)
    assert find_in_rows(secret, rows) == []
    assert secret not in log.getvalue()
    assert f"member.{command.split()[1]}" in "".join(rows["audit"])


@pytest.mark.parametrize("way", ["a new password", "a suspension"])
async def test_t55_every_token_dies_at_once_and_stays_dead(lone: LoneHouse, way: str) -> None:
    await set_password_by_link(lone.core, await _invite(lone), FIRST)
    tokens = [await make_token(lone.core, "ida", scopes, by="a test") for scopes in ("read", "read write")]
    assert None not in [await find_token(lone.core, token) for token in tokens]

    if way == "a new password":
        await set_password_by_link(lone.core, await _reset(lone), SECOND)
    else:
        await suspend_member(lone.core, "ida", by="a test", reason="")
        await restore_member(lone.core, "ida", by="a test", reason="")

    assert [await find_token(lone.core, token) for token in tokens] == [None, None]


async def test_t57_an_unknown_handle_costs_as_much_as_a_wrong_password(
    lone: LoneHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_password_by_link(lone.core, await _invite(lone), FIRST)
    await _invite(lone, "ivo")
    checked: list[tuple[str, ...]] = []
    verify = service._verify

    def watched(hashed: str | None, password: str) -> bool:
        parameters = (hashed or service._DECOY).split("$")[1:4]
        checked.append(tuple(parameters))
        return verify(hashed, password)

    monkeypatch.setattr(service, "_verify", watched)

    found: list[Any] = [
        await check_sign_in(lone.core, handle=handle, password=SECOND) for handle in ("ida", "nobody", "ivo", "", "IDA")
    ]

    assert found == [None] * 5
    assert len(checked) == 5
    assert len(set(checked)) == 1  # the same kind of hash, with the same work in it
