"""Whatever is asked of the routes that the reference names is answered: never with a mistake of ours.

Requests are made from `docs/reference/openapi.json`, half of them as it says and half of them not, with ids of what is there
and of what is not. Each answer is held against the reference too (`api_watch`). In between valid requests go on to work.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation

from tests.api.test_api_media import a_png
from tests.support.api_watch import read_reference
from tests.support.phone import Phone, as_upload
from tests.support.practice import Practice

_EXAMPLES, _LONG_EXAMPLES = 60, 1500
# Pages, pictures, and what never ends: other tests look at these.
_LEFT_OUT = ("/oauth/authorize", "/media/", "/api/v1/streaming")
_PAUSE_SECONDS = 2.0  # between two requests, so that nobody asks too often
_QUIET = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
]
_HEADERS = ("content-type", "content-length", "cookie", "idempotency-key")


def _list_operations() -> list[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_dict(read_reference())
    found = [each.ok() for each in schema.get_all_operations()]
    return [each for each in found if not each.path.startswith(_LEFT_OUT)]


_OPERATIONS = _list_operations()


@st.composite
def _cases(draw: st.DrawFn) -> Any:
    operation = draw(st.sampled_from(_OPERATIONS))
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    takes = operation.query or operation.body or operation.path_parameters
    return draw(operation.as_strategy(generation_mode=mode if takes else GenerationMode.POSITIVE))


class _Fuzzing:
    """A node with one of everything, and the ids of it. ids: {"status_id": …} as the reference names them."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.ids: dict[str, str] = {}

    async def furnish(self) -> None:
        """Put something there that can be asked for; the earlier things may be gone."""
        practice, ben = self.practice, self.practice.ben
        for path in ("/api/v2/filters/{filter_id}", "/api/v1/media/{media_id}") if self.ids else ():
            await ben.delete(path.format(**self.ids))  # there may only be so many
        for each in (await ben.get("/api/v2/filters")).json[10:]:
            await ben.delete(f"/api/v2/filters/{each['id']}")
        topic = await practice.say(ben, "@ward Look #night")
        asked = await practice.say(ben, "@ward When?", **{"poll[options]": ["a", "b"], "poll[expires_in]": "3600"})
        message = await practice.say(practice.ana, "@ben a word", visibility="direct")
        picture = await ben.send("POST", "/api/v2/media", **as_upload(a_png()))
        words = {"title": "x", "context": ["home"], "keywords_attributes[][keyword]": "look"}
        made = (await ben.post("/api/v2/filters", words)).json
        mark = (await ben.post(f"/api/v2/filters/{made['id']}/statuses", {"status_id": topic["id"]})).json
        talks, told = (await ben.get("/api/v1/conversations")).json, (await ben.get("/api/v1/notifications")).json
        self.ids = {
            "account_id": str(practice.ward.group_id), "status_id": topic["id"], "poll_id": asked["id"],
            "list_id": f"g{practice.ward.group_id}", "media_id": picture.json["id"], "tag": "night",
            "filter_id": made["id"], "keyword_id": made["keywords"][0]["id"], "mark_id": mark["id"],
            "conversation_id": talks[0]["id"], "notification_id": told[0]["id"] if told else message["id"],
            "announcement_id": "5",
        }  # fmt: skip

    async def ask(self, phone: Phone, case: Any, *, is_real: bool) -> int:
        """Send a case and return the status; is_real: about something that is there."""
        self.practice.lone.clock.advance(_PAUSE_SECONDS)
        if is_real and case.path_parameters:
            case.path_parameters = {name: self.ids.get(name, "1") for name in case.path_parameters}
        prepared = requests.Request(**_plain(case.as_transport_kwargs(base_url="https://home.example"))).prepare()
        body = prepared.body or b""
        more = {name: value for name, value in _headers(prepared).items() if name in _HEADERS[2:]}
        reply = await phone.send(
            prepared.method or "GET",
            prepared.path_url,
            body=body.encode() if isinstance(body, str) else body,
            content_type=_headers(prepared).get("content-type", ""),
            **{name.replace("-", "_"): value for name, value in more.items()},
        )
        return reply.status

    async def still_works(self) -> None:
        """Fail unless somebody who asks for nothing strange is answered as ever."""
        ana, text = self.practice.ana, "@ward All is well"
        said = await self.practice.say(ana, text)
        home = await ana.get("/api/v1/timelines/home")
        assert home.status == 200
        assert said["uri"] in [each["reblog"]["uri"] for each in home.json if each["reblog"]]


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    known = ("method", "url", "params", "headers", "cookies", "json", "data", "files")
    return {name: value for name, value in given.items() if name in known}


def _headers(prepared: requests.PreparedRequest) -> dict[str, str]:
    found = {}
    for name, value in prepared.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        found[name.lower()] = text
    return found


@pytest.fixture
async def fuzzing(practice: Practice) -> _Fuzzing:
    """Give a node that can be asked."""
    made = _Fuzzing(practice)
    await made.furnish()
    return made


@pytest.mark.timeout(900)
@given(case=_cases(), is_real=st.booleans(), is_signed_in=st.integers(0, 9))
@settings(max_examples=_EXAMPLES, deadline=None, database=None, suppress_health_check=_QUIET)
async def test_no_request_is_our_mistake(fuzzing: _Fuzzing, case: Any, is_real: bool, is_signed_in: int) -> None:
    phone = fuzzing.practice.ben if is_signed_in else fuzzing.practice.nobody

    status = await fuzzing.ask(phone, case, is_real=is_real)

    assert status < 500, (case.method, case.path, case.query, case.body)
    if is_signed_in == 1:
        await fuzzing.still_works()


@pytest.mark.long
@pytest.mark.timeout(3600)
@given(case=_cases(), is_real=st.booleans(), is_signed_in=st.integers(0, 30))
@settings(max_examples=_LONG_EXAMPLES, deadline=None, database=None, suppress_health_check=_QUIET)
async def test_no_request_of_many_is_our_mistake(
    fuzzing: _Fuzzing, case: Any, is_real: bool, is_signed_in: int
) -> None:
    phone = fuzzing.practice.ben if is_signed_in else fuzzing.practice.nobody

    status = await fuzzing.ask(phone, case, is_real=is_real)

    assert status < 500, (case.method, case.path, case.query, case.body)
    if is_signed_in == 1:
        await fuzzing.furnish()
        await fuzzing.still_works()


def test_the_fuzz_asks_nearly_every_route_of_the_reference() -> None:
    routes = {(path, method) for path, each in read_reference()["paths"].items() for method in each}

    asked = {(each.path, each.method.lower()) for each in _OPERATIONS}

    assert {path for path, _ in routes - asked} <= {path for path, _ in routes if path.startswith(_LEFT_OUT)}
    assert len(asked) > 120
