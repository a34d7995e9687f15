"""What is sent has an end, also for who has no token: bytes, fields, and pieces of which nobody said how many come (T44, T45)."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from node.federation.message import Request
from tests.support.lone_house import HOST
from tests.support.phone import Reply
from tests.support.practice import Practice
from tests.support.requesters import scope_of

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_OPEN = ("/api/v1/apps", "/oauth/token", "/oauth/revoke")
_PIECE_BYTES, _PIECES = 1_000_000, 30
_STETHOSCOPES = 20_000


def _is_too_large(reply: Reply) -> bool:
    return reply.status == 413 and reply.json == {"error": "This is too large."}


@pytest.mark.parametrize("path", _OPEN)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (_FORM, b"a&" * 1000),
        (_FORM, b"client_name=" + b"x" * 2_000_000),
        (_JSON, b'{"a":[' + b"[]," * 500_000 + b"[]]}"),
    ],
)
async def test_t44_what_is_longer_than_any_text_is_not_taken_apart(
    practice: Practice, path: str, kind: str, body: bytes
) -> None:
    assert _is_too_large(await practice.nobody.send("POST", path, body=body, content_type=kind))


async def test_t44_a_form_of_a_page_has_an_end_too(practice: Practice) -> None:
    reply = await practice.nobody.send("POST", "/sign-in", body=b"a&" * 1000, content_type=_FORM, accept="text/html")

    assert reply.status == 303, "who is not signed in is told nothing but where to sign in"
    assert reply.headers["location"] == "/sign-in"


async def test_a_long_text_in_the_longest_writing_is_read(practice: Practice) -> None:
    text = "@ward " + "\N{STETHOSCOPE}" * _STETHOSCOPES
    form = b"status=%40ward+" + b"%F0%9F%A9%BA" * _STETHOSCOPES
    json = b'{"status": "@ward ' + b"\\ud83e\\ude7a" * _STETHOSCOPES + b'"}'

    for kind, body in ((_FORM, form), (_JSON, json)):
        reply = await practice.ben.send("POST", "/api/v1/statuses", body=body, content_type=kind)
        assert reply.status == 200, reply.body[:200]
        assert (await practice.ben.get(f"/api/v1/statuses/{reply.json['id']}/source")).json["text"] == text


async def test_t45_a_file_in_pieces_of_which_nobody_said_how_many_come_has_an_end(practice: Practice) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\n\r\n'
    read = 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal read
        if read == _PIECES:
            await asyncio.Event().wait()
        read += 1
        await asyncio.sleep(0)
        body = head if read == 1 else b"x" * _PIECE_BYTES
        return {"type": "http.request", "body": body, "more_body": read < _PIECES}

    statuses = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    lines = (("host", HOST), ("content-type", "multipart/form-data; boundary=edge"))
    await practice.lone.app(scope_of(Request("POST", "/api/v1/apps", lines, b"")), receive, send)

    assert statuses == [413]
