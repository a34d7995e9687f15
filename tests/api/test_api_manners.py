"""Errors are JSON whatever happens, bad input is never our mistake, and apps in a browser may read."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.phone import Phone, Reply, as_multipart
from tests.support.practice import Practice

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_BAD_BODIES = (
    (_JSON, b"{"),
    (_JSON, b"[]"),
    (_JSON, b'"x"'),
    (_JSON, b"\xff"),
    (_JSON, b"[" * 100_000),
    (_JSON, b'{"status": {"a": 1}}'),
    (_JSON, b'{"status": null}'),
    (_JSON, b'{"status": ["@ward", {"x": 1}]}'),
    (_JSON, b'{"status": "\\ud800 @ward"}'),
    (_FORM, b"status=%ff%00"),
    (_FORM, b"%%%=&&&==;"),
    (_FORM, b""),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=edge", b"--edge\r\nbroken"),
    ("text/plain", b"status=@ward"),
    ("application/xml", b"<status/>"),
)


def _is_error(reply: Reply) -> bool:
    return isinstance(reply.json, dict) and isinstance(reply.json["error"], str) and bool(reply.json["error"])


async def test_an_unknown_path_is_absent_with_a_token_and_closed_without(practice: Practice) -> None:
    for path in ("/api/", "/api/v1", "/api/v1/nothing/", "/api/v9/x", "/api/v1/statuses/1/nothing/x"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            known, stranger = await practice.ben.send(method, path), await practice.nobody.send(method, path)

            assert (known.status, stranger.status) == (404, 401), (method, path)
            assert _is_error(known) and _is_error(stranger)
            assert known.headers["content-type"].startswith("application/json")


async def test_a_slash_at_the_end_changes_nothing(practice: Practice) -> None:
    posted = await practice.say(practice.ben, "@ward Hello")
    paths = (
        "/api/v1/instance",
        "/api/v2/instance",
        "/api/v1/lists",
        "/api/v1/timelines/home",
        "/api/v1/accounts/lookup?acct=ward",
        f"/api/v1/statuses/{posted['id']}",
        f"/api/v1/statuses/{posted['id']}/context",
        f"/api/v1/accounts/{practice.ward.group_id}",
    )

    for path in paths:
        bare, _, query = path.partition("?")
        with_slash = await practice.ben.get(f"{bare}/?{query}" if query else f"{bare}/")
        assert (with_slash.status, with_slash.body) == (200, (await practice.ben.get(path)).body), path


async def test_a_path_with_a_slash_too_many_or_too_few_is_no_redirect_to_another_scheme(practice: Practice) -> None:
    for path in ("/api", "/oauth", "/api//v1/lists", "//api/v1/lists", "/api/v1//timelines/home", "/oauth//token"):
        for phone in (practice.ben, practice.nobody):
            reply = await phone.get(path)

            assert "location" not in reply.headers or path.startswith("//"), (path, reply.headers)
            assert path.startswith("//") or (reply.status in (401, 404) and _is_error(reply)), (path, reply.body)


async def test_a_browser_may_ask_beforehand_wherever_apps_read(practice: Practice) -> None:
    for path in (
        "/api/v1/lists", "/oauth/token", "/oauth/revoke", "/nodeinfo/2.0", "/.well-known/nodeinfo", "/.well-known/host-meta",
        "/.well-known/oauth-authorization-server", "/media/x", "/static/person.png",
    ):  # fmt: skip
        reply = await practice.nobody.send("OPTIONS", path, origin="https://app.example")

        assert reply.status in (200, 204), path
        assert reply.headers["access-control-allow-origin"] == "*", path
        assert "Authorization" in reply.headers["access-control-allow-headers"], path


async def test_a_known_path_with_another_method_is_absent(practice: Practice) -> None:
    assert (await practice.ben.delete("/api/v1/timelines/home")).json == {"error": "Record not found"}
    assert (await practice.nobody.send("POST", "/api/v2/instance")).status == 401


async def test_a_method_that_nothing_has_is_answered_as_json_too(practice: Practice) -> None:
    for path in ("/api/v1/timelines/home", "/api/v1/nothing", "/api/v2/instance"):
        known, stranger = await practice.ben.send("PROPFIND", path), await practice.nobody.send("PROPFIND", path)

        assert (known.status, known.json) == (404, {"error": "Record not found"})
        assert (stranger.status, stranger.json) == (401, {"error": "The access token is invalid"})
        assert known.headers["access-control-allow-origin"] == "*"
    for path in ("/oauth/token", "/oauth/authorize", "/oauth/nothing"):
        assert (await practice.nobody.send("PROPFIND", path)).json == {"error": "Record not found"}


async def test_a_body_that_cannot_be_used_is_answered_with_a_sentence(practice: Practice) -> None:
    for content_type, body in _BAD_BODIES:
        reply = await practice.ben.send("POST", "/api/v1/statuses", body=body, content_type=content_type)

        assert 400 <= reply.status < 500 or reply.status == 200, (content_type, body[:50], reply.body)
        assert reply.status == 200 or _is_error(reply)


async def test_a_body_larger_than_we_read_is_refused(practice: Practice) -> None:
    body = b"status=" + b"x" * 12_000_000

    reply = await practice.ben.send("POST", "/api/v1/statuses", body=body, content_type=_FORM)

    assert reply.status in (413, 422)
    assert _is_error(reply)


_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30), st.sampled_from(["direct", "public", "@ward", "@ben", "2", "true", "\x00"]),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
_NAMES = st.sampled_from(
    ["status", "in_reply_to_id", "visibility", "spoiler_text", "sensitive", "media_ids", "poll", "language", "comment",
     "scheduled_at", "id", "limit"]
)  # fmt: skip


@given(
    fields=st.dictionaries(_NAMES, _VALUES, max_size=5),
    key=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_values_of_known_parameters_are_our_mistake(
    practice: Practice, fields: dict[str, Any], key: str
) -> None:
    body = msgspec.json.encode(fields)

    for target in ("/api/v1/statuses", f"/api/v1/accounts/{practice.ward.group_id}/follow"):
        reply = await practice.ben.send("POST", target, body=body, content_type=_JSON, idempotency_key=key.strip())
        assert reply.status < 500, reply.body


@given(text=st.text(max_size=30) | st.from_regex(r"[@!]?[a-z.]{1,5}@[a-z.:0-9]{1,9}", fullmatch=True))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_in_an_address_is_our_mistake(practice: Practice, text: str) -> None:
    quoted = quote(text.encode("utf-8", "surrogatepass"), safe="")
    targets = (
        f"/api/v1/accounts/lookup?acct={quoted}",
        f"/api/v1/accounts/relationships?id[]={quoted}",
        f"/api/v1/accounts/{quoted}",
        f"/api/v1/statuses/{quoted}",
        f"/api/v1/timelines/list/{quoted}",
        f"/api/v1/timelines/home?max_id={quoted}&limit={quoted}",
        f"/media/{quoted}?t={quoted}",
    )

    for target in targets:
        assert (await practice.ben.get(target)).status < 500, target


async def test_a_status_may_come_as_form_json_or_multipart(practice: Practice) -> None:
    multipart, multipart_type = as_multipart({"status": "@ward Hello", "sensitive": "false"})
    bodies = [
        (b"status=%40ward+Hello&media_ids[]=&sensitive=0", _FORM),
        (msgspec.json.encode({"status": "@ward Hello", "poll": None, "media_ids": [], "sensitive": False}), _JSON),
        (multipart, multipart_type),
    ]

    replies = [
        await practice.ben.send("POST", "/api/v1/statuses", body=body, content_type=kind) for body, kind in bodies
    ]

    assert [reply.status for reply in replies] == [200, 200, 200]
    assert {reply.json["content"] for reply in replies} == {"<p>@ward Hello</p>\n"}


async def test_parameters_in_the_address_count_like_those_in_the_body(practice: Practice) -> None:
    reply = await practice.ben.send("POST", "/api/v1/statuses?status=%40ward%20Hello")

    assert reply.json["content"] == "<p>@ward Hello</p>\n"


async def test_browsers_are_told_that_apps_may_ask_without_a_token(practice: Practice) -> None:
    for path in ("/api/v1/statuses", "/api/v1/nothing", "/oauth/token", "/api/v1/apps", "/api/v1/statuses/1"):
        reply = await practice.nobody.send(
            "OPTIONS", path, origin="https://app.example", access_control_request_method="POST"
        )

        assert (reply.status, reply.body) == (204, b""), path
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "Authorization" in reply.headers["access-control-allow-headers"]
        assert "Idempotency-Key" in reply.headers["access-control-allow-headers"]
        assert {"PUT", "DELETE"} <= set(reply.headers["access-control-allow-methods"].split(", "))


async def test_pages_elsewhere_may_read_every_answer_and_its_links(practice: Practice) -> None:
    asked: list[tuple[Phone, str]] = [
        (practice.ben, "/api/v1/timelines/home"),
        (practice.nobody, "/api/v1/timelines/home"),
        (practice.ben, "/api/v1/nothing"),
        (practice.nobody, "/api/v2/instance"),
        (practice.nobody, "/oauth/token"),
        (practice.nobody, "/.well-known/oauth-authorization-server"),
        (practice.nobody, "/.well-known/nodeinfo"),
        (practice.nobody, "/nodeinfo/2.0"),
        (practice.nobody, "/.well-known/host-meta"),
        (practice.nobody, "/static/person.png"),
    ]

    for phone, path in asked:
        headers = (await phone.get(path, origin="https://app.example")).headers
        assert headers["access-control-allow-origin"] == "*", path
        assert {"Link", "X-RateLimit-Limit"} <= set(headers["access-control-expose-headers"].split(", "))
        assert "access-control-allow-credentials" not in headers


async def test_pages_for_people_are_not_for_pages_elsewhere(practice: Practice) -> None:
    for path in ("/", "/sign-in", "/groups/ward", "/oauth/authorize", "/oauth/authorize/"):
        assert "access-control-allow-origin" not in (await practice.nobody.get(path)).headers


async def test_nothing_that_a_token_opened_is_kept_by_anybody_between(practice: Practice) -> None:
    for path in ("/api/v1/timelines/home", "/api/v1/accounts/verify_credentials"):
        headers = (await practice.ben.get(path)).headers
        assert "no-store" in headers["cache-control"]
        assert "Authorization" in headers["vary"]
