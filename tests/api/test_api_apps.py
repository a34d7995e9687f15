"""Apps introduce themselves, in whatever form they send it, and are told who they are (T54)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from node.community.apps import service
from node.domain.apps import OUT_OF_BAND
from node.store.engine import Tx
from tests.support.browser_form import Browser
from tests.support.clock import FrozenClock
from tests.support.lone_house import HOST
from tests.support.phone import Phone, as_multipart
from tests.support.practice import Practice
from tests.support.some_app import BACK, SomeApp

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_TOLD = {
    "client_name": "Elephant",
    "redirect_uris": BACK,
    "scopes": "read write",
    "website": "https://elephant.example",
}


async def _all(tx: Tx) -> list[Any]:
    return [row.name for row in await tx.all("SELECT name FROM apps ORDER BY app_id")]


async def _names(practice: Practice) -> list[Any]:
    return await practice.lone.core.store.read(_all)


async def test_an_app_introduces_itself_as_form_json_or_multipart(practice: Practice) -> None:
    multipart, multipart_type = as_multipart(_TOLD)
    bodies = [
        (urlencode(_TOLD).encode(), _FORM),
        (msgspec.json.encode(_TOLD), _JSON),
        (msgspec.json.encode(_TOLD | {"redirect_uris": [BACK]}), _JSON),
        (urlencode([*_TOLD.items(), ("redirect_uris[]", BACK)]).encode(), _FORM),
        (multipart, multipart_type),
    ]

    replies = [
        await practice.nobody.send("POST", "/api/v1/apps", body=body, content_type=kind) for body, kind in bodies
    ]

    for reply in replies:
        assert reply.status == 200, reply.body
        told = reply.json
        assert (told["name"], told["website"], told["scopes"]) == (
            "Elephant",
            "https://elephant.example",
            ["read", "write"],
        )
        assert (told["redirect_uri"], told["redirect_uris"]) == (BACK, [BACK])
        assert (told["client_secret_expires_at"], told["vapid_key"]) == (0, "")
        assert isinstance(told["id"], str)
    assert (
        len({reply.json["client_id"] for reply in replies} | {reply.json["client_secret"] for reply in replies}) == 10
    )


async def test_scopes_come_as_words_or_as_a_list(practice: Practice) -> None:
    told = {"client_name": "Elephant", "redirect_uris": [BACK]}
    as_list = msgspec.json.encode(told | {"scopes": ["read", "write:media"]})
    as_form = urlencode(
        [("client_name", "x"), ("redirect_uris", BACK), ("scopes[]", "read"), ("scopes[]", "write:media")]
    )

    for body, kind in ((as_list, _JSON), (as_form.encode(), _FORM)):
        reply = await practice.nobody.send("POST", "/api/v1/apps", body=body, content_type=kind)
        assert reply.json["scopes"] == ["read", "write:media"]


async def test_several_addresses_come_back_as_lines_and_as_a_list(practice: Practice) -> None:
    addresses = [OUT_OF_BAND, "https://elk.example/back?x=1"]

    told = (await practice.nobody.post("/api/v1/apps", _TOLD | {"redirect_uris": "\n".join(addresses)})).json

    assert told["redirect_uris"] == addresses
    assert told["redirect_uri"] == "\n".join(addresses)


async def test_an_app_that_says_little_reads_and_has_no_website(practice: Practice) -> None:
    reply = await practice.nobody.post("/api/v1/apps", {"client_name": "Elephant", "redirect_uris": BACK})

    assert (reply.json["scopes"], reply.json["website"]) == (["read"], None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_name": ""},
        {"client_name": " \u200b\u202e "},
        {"redirect_uris": ""},
        {"redirect_uris": "javascript:alert(1)"},
        {"redirect_uris": "http://elephant.example/"},
        {"redirect_uris": f"{BACK} https://a@b.example/"},
        {"scopes": "read everything"},
        {"scopes": "admin"},
        {"website": "javascript:alert(1)"},
        {"website": "elephant"},
    ],
    ids=str,
)
async def test_t54_what_cannot_be_used_is_refused_with_a_sentence(practice: Practice, wrong: dict[str, str]) -> None:
    reply = await practice.nobody.post("/api/v1/apps", _TOLD | wrong)

    assert reply.status == 422
    assert reply.json["error"].endswith(".")
    assert await _names(practice) == []


async def test_the_name_of_an_app_is_a_short_line(practice: Practice) -> None:
    reply = await practice.nobody.post("/api/v1/apps", _TOLD | {"client_name": "Ele\nphant\x00\u202e " + "x" * 500})

    assert reply.json["name"].startswith("Ele phant")
    assert len(reply.json["name"]) <= 61


async def test_t54_of_a_secret_nothing_is_kept_that_could_be_used(practice: Practice) -> None:
    app = await SomeApp.introduce(practice.nobody)

    rows = await practice.lone.core.store.read(_rows)

    assert app.registered["client_id"] in str(rows)
    assert app.registered["client_secret"] not in str(rows)


async def _rows(tx: Tx) -> list[Any]:
    return await tx.all("SELECT * FROM apps")


async def test_an_app_is_told_who_it_is_by_a_members_token_and_by_its_own(practice: Practice) -> None:
    app = await SomeApp.introduce(practice.nobody)
    bens = await app.sign_in(await Browser(practice.lone, apps=app.addresses).enter("ben"))
    own = (await practice.nobody.post("/oauth/token", {"grant_type": "client_credentials", **app.proof})).json

    replies = [
        await Phone(practice.lone.app, HOST, token).get("/api/v1/apps/verify_credentials")
        for token in (bens, own["access_token"])
    ]

    for reply in replies:
        assert (reply.status, reply.json["id"], reply.json["name"]) == (200, app.registered["id"], "Elephant")
        assert "client_secret" not in reply.json


async def test_t54_a_token_of_nobody_tells_no_app_who_it_is(practice: Practice) -> None:
    stranger = Phone(practice.lone.app, HOST, "0" * 43)

    assert (await practice.nobody.get("/api/v1/apps/verify_credentials")).status == 401
    assert (await stranger.get("/api/v1/apps/verify_credentials")).status == 401
    assert (await practice.ben.get("/api/v1/apps/verify_credentials")).status == 404  # the operator made it


async def test_apps_that_nobody_lets_in_are_forgotten_after_a_week(practice: Practice, clock: FrozenClock) -> None:
    kept = await SomeApp.introduce(practice.nobody, name="Kept")
    await kept.ask(await Browser(practice.lone, apps=kept.addresses).enter("ben"))
    idle = await SomeApp.introduce(practice.nobody, name="Idle")
    await practice.nobody.post("/oauth/token", {"grant_type": "client_credentials", **idle.proof})

    clock.advance(timedelta(days=7).total_seconds() + 1)
    await SomeApp.introduce(practice.nobody, name="New")

    assert await _names(practice) == ["Kept", "New"]


async def test_a_flood_of_apps_pushes_out_the_oldest_that_nobody_let_in(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_IDLE_MOST", 3)
    kept = await SomeApp.introduce(practice.nobody, name="Kept")
    await kept.ask(await Browser(practice.lone, apps=kept.addresses).enter("ben"))

    for number in range(6):
        await SomeApp.introduce(practice.nobody, name=f"Flood {number}")

    assert await _names(practice) == ["Kept", "Flood 3", "Flood 4", "Flood 5"]


async def test_an_app_that_was_forgotten_meanwhile_gets_nothing_for_itself(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await SomeApp.introduce(practice.nobody)
    monkeypatch.setattr(service, "_IDLE_MOST", 1)
    write = practice.lone.core.store.write

    async def forget_first(body: Any, *args: Any) -> Any:
        monkeypatch.setattr(practice.lone.core.store, "write", write)
        await SomeApp.introduce(practice.nobody, name="Mammoth")
        return await write(body, *args)

    monkeypatch.setattr(practice.lone.core.store, "write", forget_first)
    reply = await practice.nobody.post("/oauth/token", {"grant_type": "client_credentials", **app.proof})

    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
