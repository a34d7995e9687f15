"""Watches what applications answer to apps, in every test of the suite, and holds it against `docs/reference/openapi.json`.

*How it works.* Once a test opens a node, every application is watched from then on: what goes out below `/api` and `/oauth` is
judged at once, and the test that met a fault fails when it is over. So a serialiser that forgets a field cannot pass unseen.
The schemas are written from what apps cannot do without (`tests/api/schemas`), not from what our serialisers do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema_rs

from node.app import Application
from tools.openapi import REFERENCE

_FOLDERS = ("/api/", "/oauth/", "/.well-known/oauth-authorization-server")
_ERROR = {"$ref": "#/components/schemas/Error"}
_SHOWN_FAULTS = 5

Scope = MutableMapping[str, Any]
Asgi = Callable[[Any, Scope, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer. headers: by their names in small letters."""

    method: str
    path: str
    status: int
    headers: dict[str, str]
    body: bytes


class Watch:
    """What was found since somebody last asked."""

    def __init__(self) -> None:
        self._faults: dict[str, None] = {}

    def note(self, seen: Seen) -> None:
        """Judge an answer."""
        if len(self._faults) < _SHOWN_FAULTS:
            for fault in judge(seen):
                self._faults[f"{seen.method} {seen.path} answers {seen.status}: {fault}"] = None

    def take(self) -> list[str]:
        """Return what was found, and forget it."""
        taken, self._faults = list(self._faults), {}
        return taken


@cache
def watch_applications() -> Watch:
    """Watch every application from now on, and return who watches; it is the same for all who ask."""
    watch = Watch()
    original: Asgi = Application.__call__

    async def watched(self: Application, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_FOLDERS):
            await original(self, scope, receive, send)
            return
        sent: list[MutableMapping[str, Any]] = []

        async def note(message: MutableMapping[str, Any]) -> None:
            if not sent or (b"content-type", b"text/event-stream") not in sent[0]["headers"]:
                sent.append(message)
            await send(message)

        await original(self, scope, receive, note)
        if sent:
            watch.note(_read(scope, sent))

    Application.__call__ = watched  # type: ignore[method-assign]
    return watch


def judge(seen: Seen) -> list[str]:
    """Return what is wrong with one answer."""
    if seen.method in ("HEAD", "OPTIONS"):
        return []
    operation = find_operation(seen.method, seen.path)
    if operation is None:
        return [] if seen.status < 400 else _judge_body(seen, _ERROR)
    said = operation["responses"].get(str(seen.status))
    if said is None:
        return ["the reference knows no such answer"]
    content = _resolve(said).get("content", {})
    if "application/json" not in content:
        return []
    faults = _judge_body(seen, content["application/json"]["schema"])
    if "headers" in said and seen.body != b"[]" and "link" not in seen.headers:
        faults.append("the list has no Link")
    return faults


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """Return what the reference says of a request, or None when it says nothing."""
    plain = path.rstrip("/") or path
    for pattern, operations in _patterns():
        if pattern.fullmatch(plain):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


def find_schema_faults(value: Any, schema: dict[str, Any]) -> list[str]:
    """Return where a value differs from a schema of the reference, such as `{"$ref": "#/components/schemas/Status"}`."""
    return [
        f"{error.instance_path}: {error.message}"[:300] for error in _validator(json.dumps(schema)).iter_errors(value)
    ]


def find_entity_faults(value: Any, entity: str) -> list[str]:
    """Return where a value differs from an entity, such as `Status`, or from a list of such, `[Status]`."""
    schema = {"$ref": f"#/components/schemas/{entity.strip('[]')}"}
    return find_schema_faults(value, {"type": "array", "items": schema} if entity.startswith("[") else schema)


@cache
def read_reference() -> dict[str, Any]:
    """Return the reference."""
    document: dict[str, Any] = json.loads(REFERENCE.read_text("utf-8"))
    return document


def _judge_body(seen: Seen, schema: dict[str, Any]) -> list[str]:
    kind = seen.headers.get("content-type", "")
    if not kind.startswith("application/json"):
        return [f"the body is {kind or 'of no type'}"]
    try:
        value = json.loads(seen.body)
    except ValueError:
        return ["the body is no JSON"]
    return find_schema_faults(value, schema)


@cache
def _patterns() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    """Return the paths of the reference, those with more fixed parts first."""
    paths = sorted(read_reference()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), operations) for path, operations in paths]


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**json.loads(schema), "components": read_reference()["components"]})


def _resolve(said: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in said:
        return said
    found: dict[str, Any] = read_reference()["components"]["responses"][said["$ref"].rpartition("/")[2]]
    return found


def _read(scope: Scope, sent: list[MutableMapping[str, Any]]) -> Seen:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in sent[0].get("headers", ())}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Seen(scope["method"], scope["path"], sent[0]["status"], headers, body)
