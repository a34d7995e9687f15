"""Logs and error pages hold no word of members, no token, no key and no signature, even when something breaks (T28)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from node.community.members.service import make_token
from node.federation.message import Request
from node.foundation.logs import configure_logs
from tests.support.corridor import Corridor
from tests.support.group_life import say
from tests.support.lone_house import HOST
from tests.support.requesters import a_get, a_post, ask, with_header

CANARY = "canary-51c7"
_BREAK = {
    "sqlite": (
        "CREATE TRIGGER breaks BEFORE INSERT ON posts BEGIN SELECT RAISE(ABORT, 'breaks'); END",
        "DROP TRIGGER breaks",
    ),
    "postgresql": (
        "ALTER TABLE posts ADD CONSTRAINT breaks CHECK (html = '') NOT VALID",
        "ALTER TABLE posts DROP CONSTRAINT breaks",
    ),
}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Give everything that the node logs."""
    stream = io.StringIO()
    configure_logs(level="debug", stream=stream)
    yield stream


async def test_t28_what_is_said_leaves_no_word_in_the_log(corridor: Corridor, log: io.StringIO) -> None:
    await say(corridor.lone, corridor.ward, corridor.mia, f"Said {CANARY}", title=f"Title {CANARY}")
    post = corridor.fay.post_in(corridor.ward.uri, CANARY, summary=CANARY, name=CANARY)
    request = corridor.fay.deliver(post, corridor.now)
    await corridor.post(request)
    await corridor.post(with_header(request, "digest", f"SHA-256={CANARY}"))
    await corridor.send(corridor.finn, corridor.finn.post_in(corridor.ward.uri, CANARY))
    await corridor.send(corridor.fay, corridor.fay.activity("Follow", corridor.ward.uri, number=3, content=CANARY))
    await corridor.send(corridor.fay, b'{"content": "' + CANARY.encode() + b'"')
    await corridor.lone.deliver()

    text = log.getvalue()
    assert "request_refused" in text
    assert CANARY not in text
    assert (request.one("signature") or "").partition('signature="')[2][:40] not in text


async def test_t28_a_handler_that_breaks_tells_what_broke_and_not_what_was_said(
    corridor: Corridor, log: io.StringIO
) -> None:
    store = corridor.lone.core.store
    broken, mended = _BREAK[store.dialect]
    await store.script([broken])
    try:
        answer = await corridor.send(corridor.fay, corridor.fay.post_in(corridor.ward.uri, CANARY))
    finally:
        await store.script([mended])

    text = log.getvalue()
    assert answer.status == 202
    assert "handler_failed" in text
    assert CANARY not in text


async def test_t28_a_page_that_breaks_says_nothing_of_why(
    corridor: Corridor, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(actor_id: int) -> None:
        raise LookupError("an inner matter")

    monkeypatch.setattr(corridor.lone.core.keyring, "own", breaks)

    answer = await ask(corridor.lone.app, a_get("/actor"))

    assert answer.status == 500
    assert "page_failed" in log.getvalue()
    assert b"inner matter" not in answer.body
    assert b"Traceback" not in answer.body


async def test_t28_a_request_that_breaks_in_the_corridor_says_nothing_of_why(
    corridor: Corridor, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(key_id: str) -> None:
        raise LookupError("an inner matter")

    monkeypatch.setattr(corridor.lone.core.keyring, "known", breaks)

    answer = await ask(corridor.lone.app, corridor.fay.deliver(corridor.fay.activity("View", "x"), corridor.now))

    assert (answer.status, answer.body) == (500, b"")
    assert "request_failed" in log.getvalue()


async def test_t28_no_token_and_no_query_is_logged(corridor: Corridor, log: io.StringIO) -> None:
    token = await make_token(corridor.lone.core, "mia", "read", by="a test")
    headers = (("host", HOST), ("accept", "application/json"), ("authorization", f"Bearer {token}"))

    for target in (
        "/api/v1/accounts/verify_credentials",
        f"/api/v1/nothing?q={CANARY}",
        f"/media/{'a' * 26}?t={CANARY}",
    ):
        await ask(corridor.lone.app, Request("GET", target, headers))
    await corridor.post(a_post({"q": CANARY}, target=f"/inbox?q={CANARY}"))

    text = log.getvalue()
    assert token not in text
    assert CANARY not in text


async def test_t28_neither_keys_nor_words_are_shown_by_whatever_prints_them(corridor: Corridor) -> None:
    keys = await corridor.lone.core.keyring.own(corridor.mia.actor_id)
    post = corridor.fay.post_in(corridor.ward.uri, CANARY)

    shown = f"{keys!r} {keys.rsa} {keys.documents!r}"

    assert "PRIVATE" not in shown
    assert "BEGIN" not in shown
    assert post["object"]["content"] not in repr(corridor.fay.deliver(post, corridor.now).headers)
