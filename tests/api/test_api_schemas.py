"""Every entity that apps get is met here, and no field of it can be left out unnoticed.

The schemas say what apps cannot do without; they are written by hand and know nothing of our serialisers. `api_watch` holds
every answer of the whole suite against them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from node.community.operating.announcing import announce
from tests.api.test_api_media import a_png
from tests.support.api_watch import Seen, find_operation, find_schema_faults, judge, read_reference
from tests.support.phone import Phone, Reply, as_upload
from tests.support.practice import Practice
from tests.support.some_app import SomeApp

# What is sent only sometimes. (A notification has what its type is about, and cannot be without it.)
MAY_BE_ABSENT = {
    "Error": {"error_description"},
    "Markers": {"home", "notifications"},
    "Configuration": {"limited_federation"},
}
_MAY_BE_ABSENT_SOMEWHERE = frozenset().union(*MAY_BE_ABSENT.values())
# What is never sent: there are no emojis of this node's own.
NEVER_SENT = {"Emoji"}
_JSON = "application/json"
_Samples = dict[str, list[dict[str, Any]]]


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _walk(value: Any, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (entity, object) for everything in a value that the schema names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if isinstance(value, dict):
            yield name, value
        schema = read_reference()["components"]["schemas"][name]
    for choice in (*schema.get("anyOf", ()), *schema.get("allOf", ())):
        if value is not None:
            yield from _walk(value, choice)
    if isinstance(value, dict):
        for key, inner in schema.get("properties", {}).items():
            if key in value:
                yield from _walk(value[key], inner)
    if isinstance(value, list) and "items" in schema:
        for each in value:
            yield from _walk(each, schema["items"])


def _leave_out(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (where, the value without what stands there) for every field, however deep it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (key,), {name: each for name, each in value.items() if name != key}
            for path, without in _leave_out(inner):
                yield (key, *path), {**value, key: without}
    if isinstance(value, list) and value:  # the others are like the first
        for path, without in _leave_out(value[0]):
            yield path, [without, *value[1:]]


class _Collector:
    """Asks, and keeps the entities of each answer by their names."""

    def __init__(self) -> None:
        self.samples: _Samples = defaultdict(list)

    async def ask(self, phone: Phone, method: str, target: str, wish: Any = None, **more: Any) -> Any:
        """Ask, and return the answer, which must be a good one."""
        if wish is not None:
            more = {"body": json.dumps(wish).encode(), "content_type": _JSON}
        reply = await phone.send(method, target, **more)
        assert reply.status == 200, (target, reply.body)
        return self.keep(method, target.partition("?")[0], reply)

    def keep(self, method: str, path: str, reply: Reply) -> Any:
        """Keep what is in an answer."""
        operation = find_operation(method, path)
        assert operation is not None, path
        said = operation["responses"][str(reply.status)]
        said = _resolved(said) if "$ref" in said else said
        for name, entity in _walk(reply.json, said["content"][_JSON]["schema"]):
            self.samples[name].append(entity)
        return reply.json


def _resolved(said: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = read_reference()["components"]["responses"][said["$ref"].rpartition("/")[2]]
    return found


async def _meet_apps(practice: Practice, found: _Collector) -> None:
    app = SomeApp(
        practice.nobody,
        await found.ask(
            practice.nobody, "POST", "/api/v1/apps", {"client_name": "Elephant", "redirect_uris": ["elephant://back"]}
        ),
    )
    grant = {"grant_type": "client_credentials", **app.proof}
    token = await found.ask(practice.nobody, "POST", "/oauth/token", grant)
    await found.ask(
        practice.nobody, "GET", "/api/v1/apps/verify_credentials", authorization=f"Bearer {token['access_token']}"
    )
    for path in (
        "/.well-known/oauth-authorization-server", "/api/v1/instance", "/api/v2/instance", "/api/v1/instance/rules",
        "/api/v1/instance/extended_description",
    ):  # fmt: skip
        await found.ask(practice.nobody, "GET", path)
    found.keep("GET", "/api/v1/lists", await practice.nobody.get("/api/v1/lists"))


async def _meet_posts(practice: Practice, found: _Collector) -> None:
    ana, ben = practice.ana, practice.ben
    words = {"title": "Nights", "context": ["home"], "keywords_attributes": [{"keyword": "look", "whole_word": True}]}
    made = await found.ask(ben, "POST", "/api/v2/filters", words)
    picture = await found.ask(ana, "POST", "/api/v2/media", **as_upload(a_png(), description="A square"))
    wish = {"status": "@ward Look, @ben #night", "media_ids": [picture["id"]]}
    topic = await found.ask(ana, "POST", "/api/v1/statuses", wish)
    path = f"/api/v1/statuses/{topic['id']}"
    poll = {"options": ["Early", "Late"], "expires_in": 3600}
    asked = await found.ask(ana, "POST", "/api/v1/statuses", {"status": "@ward When?", "poll": poll})
    await found.ask(ben, "POST", f"/api/v1/polls/{asked['id']}/votes", {"choices": [0]})
    await found.ask(ana, "PUT", path, {"status": "@ward Look again #night"})
    await found.ask(ben, "POST", "/api/v1/statuses", {"status": "Yes", "in_reply_to_id": topic["id"]})
    await found.ask(ben, "POST", f"{path}/favourite")
    await found.ask(ben, "POST", f"/api/v2/filters/{made['id']}/statuses", {"status_id": topic["id"]})
    for asking in (
        f"{path}/context", f"{path}/history", "/api/v1/timelines/home", "/api/v2/search?q=night", "/api/v1/tags/night",
        f"/api/v2/filters/{made['id']}", f"/api/v2/filters/{made['id']}/keywords",
    ):  # fmt: skip
        await found.ask(ben, "GET", asking)
    await found.ask(ana, "GET", f"{path}/source")
    ward = str(practice.ward.group_id)
    report = {"account_id": str(ana.member.actor_id), "status_ids": [topic["id"]], "comment": "Too loud"}
    await found.ask(ben, "POST", "/api/v1/reports", report)
    await found.ask(practice.cy, "POST", f"/api/v1/accounts/{ward}/follow", {"comment": "nights"})
    await found.ask(ana, "GET", f"/api/v1/accounts/familiar_followers?id[]={ward}")
    await found.ask(ana, "DELETE", path)


async def _meet_the_rest(practice: Practice, found: _Collector) -> None:
    ana, ben = practice.ana, practice.ben
    await found.ask(ben, "POST", "/api/v1/statuses", {"status": "@ana a word", "visibility": "direct"})
    await found.ask(ana, "POST", "/api/v1/markers", {"home": {"last_read_id": "5"}})
    await announce(practice.lone.core, "Tea at four.", by="a test")
    for path in (
        "/api/v1/conversations", "/api/v1/notifications", "/api/v1/notifications/unread_count", "/api/v1/announcements",
        "/api/v1/preferences", "/api/v1/accounts/verify_credentials", "/api/v1/lists", "/api/v1/markers?timeline[]=home",
    ):  # fmt: skip
        await found.ask(ana, "GET", path)
    await found.ask(ben, "POST", f"/api/v1/accounts/{ana.member.actor_id}/mute", {"duration": 3600})
    await found.ask(ben, "GET", "/api/v1/mutes")


async def _meet_everything(practice: Practice) -> _Samples:
    found = _Collector()
    await _meet_apps(practice, found)
    await _meet_posts(practice, found)
    await _meet_the_rest(practice, found)
    return found.samples


@pytest.mark.only_on("sqlite", reason="it is about the shapes of answers, which do not depend on the database")
async def test_every_entity_is_met_and_whoever_leaves_a_field_out_is_found(practice: Practice) -> None:
    samples = await _meet_everything(practice)

    tried = {
        (name, path, str(entity.get("type"))): without
        for name, entities in samples.items()
        for entity in entities
        for path, without in _leave_out(entity)
        if path[-1] not in (_MAY_BE_ABSENT_SOMEWHERE if len(path) > 1 else MAY_BE_ABSENT.get(name, ()))
    }
    unnoticed = {
        f"{name}.{'.'.join(path)}"
        for (name, path, _), without in tried.items()
        if not find_schema_faults(without, _ref(name))
    }

    entities = {path for path in read_reference()["components"]["schemas"] if path[0].isupper()}
    assert entities - set(samples) - {"Empty"} == NEVER_SENT
    assert unnoticed == set()


@pytest.mark.only_on("sqlite", reason="it is about the shapes of answers, which do not depend on the database")
async def test_a_field_that_is_null_or_of_another_type_is_found_where_apps_fail_at_it(practice: Practice) -> None:
    samples = await _meet_everything(practice)
    status = next(each for each in samples["Status"] if each["poll"] is None and each["media_attachments"])
    wrong = {
        "id": 5, "account": None, "emojis": None, "spoiler_text": None, "visibility": "group", "created_at": "2026-11-21",
        "url": "/relative", "content": None, "filtered": None, "replies_count": "0", "mentions": [{"id": "1"}],
        "media_attachments": [{**status["media_attachments"][0], "url": None}],
        "poll": {"id": "1"},
    }  # fmt: skip

    passed = [name for name, value in wrong.items() if not find_schema_faults({**status, name: value}, _ref("Status"))]

    assert find_schema_faults(status, _ref("Status")) == []
    assert passed == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (Seen("GET", "/api/v1/lists", 200, {"content-type": _JSON}, b'[{"id": "g1"}]'), "title"),
        (Seen("GET", "/api/v1/lists/", 200, {"content-type": _JSON}, b"{}"), "array"),
        (Seen("GET", "/api/v1/lists", 200, {"content-type": "text/html"}, b"[]"), "text/html"),
        (Seen("GET", "/api/v1/lists", 200, {"content-type": _JSON}, b"["), "no JSON"),
        (Seen("GET", "/api/v1/lists", 500, {"content-type": _JSON}, b'{"error": "x"}'), "no such answer"),
        (Seen("GET", "/api/v1/lists", 401, {"content-type": _JSON}, b"{}"), "error"),
        (Seen("GET", "/api/v1/nothing", 404, {}, b""), "of no type"),
        (Seen("GET", "/api/v1/mutes", 200, {"content-type": _JSON}, b"[{}]"), "no Link"),
    ],
)
def test_the_watch_over_all_answers_finds_what_is_wrong(seen: Seen, fault: str) -> None:
    assert any(fault in found for found in judge(seen)), judge(seen)


def test_the_watch_over_all_answers_lets_whole_ones_pass() -> None:
    whole = [
        Seen("GET", "/api/v1/lists", 200, {"content-type": "application/json; charset=utf-8"}, b"[]"),
        Seen("GET", "/api/v1/nothing", 404, {"content-type": _JSON}, b'{"error": "Record not found"}'),
        Seen("HEAD", "/api/v1/lists", 200, {}, b""),
        Seen("OPTIONS", "/api/v1/lists", 204, {}, b""),
    ]

    assert [judge(each) for each in whole] == [[], [], [], []]
