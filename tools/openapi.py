"""Write `docs/reference/openapi.json`, the client API for those who write apps: `make reference`.

It is made of the routes of the running application (which paths, which methods, which scope), of `api_routes.toml` (what
each is for, what it takes and gives) and of the schemas of entities in `tests/api/schemas`. A test fails when the file
differs from what this would write, when a route is not described, and when a description has no route.
"""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from quart import Quart

from node import __version__
from node.app import Application
from node.community.house import House, close_core, open_core
from node.domain.scopes import KNOWN
from node.foundation.clock import SystemClock
from node.foundation.config import build_config
from node.store.migrate import migrate
from node.store.opening import open_store

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference" / "openapi.json"
DESCRIPTIONS = ROOT / "tools" / "api_routes.toml"
SCHEMAS = ROOT / "tests" / "api" / "schemas"
_ORIGIN = "https://rounds.example.org"
_FOLDERS = ("/api/", "/oauth/", "/media/")
_PATHS = ("/.well-known/oauth-authorization-server",)
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_LINE = 118
_FORMS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "file": {"type": "string", "format": "binary"},
}
_INFORMATION = """\
The Mastodon client API of a Rounds node. Every error is an object with `error`. Without a token everything answers 401 but
what is marked as open; what is absent and what the member may not see answer 404 alike. Parameters may come in the address,
as a form, as multipart or as JSON; lists as `x[]` or as JSON; booleans as `true`, `1`, `on`. Lists carry a `Link` header."""
_REFUSALS = {
    "400": "OAuth refuses it; `error` is a code of RFC 6749.",
    "401": "There is no token, or it is not alive.",
    "403": "The token lacks the scope, or the member may not do this.",
    "404": "Absent, or not for this member.",
    "413": "Too large.",
    "422": "This cannot be done; the sentence says why.",
    "429": "Too often; `Retry-After` and `X-RateLimit-Reset` say when again.",
    "503": "Not now; `Retry-After` says when again.",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the application. key: "GET /api/v1/accounts/{account_id}". scope: None where no token is needed."""

    method: str
    path: str
    scope: str | None

    @property
    def key(self) -> str:
        """How it is named in the descriptions."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a route; see the head of `api_routes.toml`."""

    family: str
    says: str
    gives: str = "{}"
    query: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    open: bool = False
    form: bool = False
    page: bool = False
    picture: bool = False
    plain: bool = False
    stream: bool = False
    scope: str = ""
    refuses: bool = False


def list_routes(site: Quart) -> list[Route]:
    """Return the routes that apps use, by path and method; what answers for all other paths is none."""
    found = []
    for rule in site.url_map.iter_rules():
        if rule.websocket or (not rule.rule.startswith(_FOLDERS) and rule.rule.rstrip("/") not in _PATHS):
            continue
        if rule.rule.endswith("<rest:rest>") or (rule.rule.count("/") == 2 and rule.rule.endswith("/")):
            continue
        path = _PART.sub(r"{\1}", rule.rule.rstrip("/"))
        scope = getattr(site.view_functions[rule.endpoint], "scope", None)
        found += [Route(method, path, scope) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    return sorted(found, key=lambda route: (route.path, route.method))


def read_descriptions() -> tuple[dict[str, Description], dict[str, dict[str, Any]]]:
    """Return ({route's key: what is said of it}, {name: parameter})."""
    tables = tomllib.loads(DESCRIPTIONS.read_text("utf-8"))
    parameters = tables.pop("parameters")
    said = {key: Description(family, **line) for family, lines in tables.items() for key, line in lines.items()}
    return said, parameters


def read_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas of entities by their names."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(SCHEMAS.glob("*.json"))}


def build_document(site: Quart) -> dict[str, Any]:
    """Return the document for the routes of an application; a route that is not described is left out."""
    said, parameters = read_descriptions()
    paths: dict[str, dict[str, Any]] = {}
    bodies: dict[str, dict[str, Any]] = {}
    for route in list_routes(site):
        if route.key in said:
            if said[route.key].body:
                bodies[_name(route)] = _build_object(said[route.key].body, parameters)
            paths.setdefault(route.path, {})[route.method.lower()] = _build_operation(
                route, said[route.key], parameters
            )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rounds", "version": __version__, "description": _INFORMATION.replace("\n", " ")},
        "servers": [{"url": _ORIGIN}],
        "tags": [{"name": family} for family in dict.fromkeys(each.family for each in said.values())],
        "paths": paths,
        "components": {
            "schemas": {name: point_to_components(schema) for name, schema in read_schemas().items()} | bodies,
            "responses": {status: _build_refusal(sentence) for status, sentence in _REFUSALS.items()},
            "securitySchemes": {"token": _build_security()},
        },
    }


def point_to_components(schema: Any) -> Any:
    """Return a schema whose references lead to the components of the document."""
    if isinstance(schema, list):
        return [point_to_components(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: point_to_components(value) for key, value in schema.items()}
    if isinstance(schema.get("$ref"), str):
        made["$ref"] = f"#/components/schemas/{schema['$ref']}"
    return made


def format_json(value: Any, indent: int = 0) -> str:
    """Return JSON with everything that fits on a line on one line, so that a change is easy to see."""
    short = json.dumps(value, ensure_ascii=False)
    if len(short) + indent < _LINE or not isinstance(value, dict | list) or not value:
        return short
    inner = " " * (indent + 2)
    if isinstance(value, list):
        lines = [inner + format_json(each, indent + 2) for each in value]
        return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
    lines = [
        f"{inner}{json.dumps(key)}: {format_json(each, indent + 2 + len(key) + 4).lstrip()}"
        if len(json.dumps(each)) + indent + len(key) + 6 < _LINE
        else f"{inner}{json.dumps(key)}: {format_json(each, indent + 2)}"
        for key, each in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"


def render(site: Quart) -> str:
    """Return the file."""
    return format_json(build_document(site)) + "\n"


def _build_operation(route: Route, said: Description, parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _name(route),
        "tags": [said.family],
        "summary": said.says,
        "security": [] if said.open else [{"token": [scope] if (scope := route.scope or said.scope) else []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", route.path)
        ],
    }
    operation["parameters"] += [_build_query(name, parameters) for name in said.query]
    if said.body:
        schema = {"$ref": f"#/components/schemas/{_name(route)}"}
        kinds = ("multipart/form-data",) if said.form else _FORMS
        operation["requestBody"] = {
            "required": any(name.endswith("!") for name in said.body),
            "content": {kind: {"schema": schema} for kind in kinds},
        }
    operation["responses"] = _build_responses(route, said)
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/api"))
    return "_".join([route.method.lower(), *words])


def _build_query(name: str, parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    plain = name.removesuffix("!")
    schema = _build_type(parameters[plain], parameters)
    written = parameters[plain].get("name", plain) + ("[]" if schema.get("type") == "array" else "")
    return {
        "name": written,
        "in": "query",
        "required": name.endswith("!"),
        "description": parameters[plain]["says"],
        "schema": {key: value for key, value in schema.items() if key != "description"},
    }


def _build_object(names: list[str], parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    plain = [name.removesuffix("!") for name in names]
    made: dict[str, Any] = {
        "type": "object",
        "properties": {parameters[name].get("name", name): _build_type(parameters[name], parameters) for name in plain},
    }
    required = [name.removesuffix("!") for name in names if name.endswith("!")]
    return made | ({"required": [parameters[name].get("name", name) for name in required]} if required else {})


def _build_type(parameter: dict[str, Any], parameters: dict[str, dict[str, Any]]) -> dict[str, Any]:
    kind = parameter["type"]
    inner = kind.strip("[]")
    made = _build_object(parameter["fields"], parameters) if inner == "object" else _TYPES[inner]
    made = {"type": "array", "items": made} if kind.startswith("[") else made
    return {**made, "description": parameter["says"]}


def _build_responses(route: Route, said: Description) -> dict[str, Any]:
    codes = {"429", "503"}
    codes |= {"401", "403"} if route.scope or not said.open else set()
    codes |= {"401", "403"} if route.path.startswith(("/oauth/", "/api/v1/apps")) else set()
    codes |= {"400"} if route.path.startswith("/oauth/") else set()
    codes |= {"404"} if "{" in route.path or said.body or said.query or "/apps/" in route.path else set()
    # Whatever needs a token answers so to an app that has one for itself and no member.
    codes |= {"422"} if route.method != "GET" or said.query or not said.open else set()
    codes |= {"413"} if route.method != "GET" else set()
    if said.page:
        return {
            "200": {"description": "A page for the member.", "content": {"text/html": {"schema": {"type": "string"}}}},
            "303": {"description": "To sign in, or back to the app."},
            **{code: {"description": _REFUSALS[code]} for code in sorted(codes)},
        }
    refusals = {code: {"$ref": f"#/components/responses/{code}"} for code in sorted(codes)}
    if said.refuses:
        return refusals
    if said.picture:
        kinds = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
        return {
            "200": {"description": "The picture.", "content": kinds},
            "303": {"description": "To sign in."},
            **refusals,
        }
    if said.plain:
        kinds = {"text/plain": {"schema": {"type": "string"}}}
        return {"200": {"description": "Done.", "content": kinds}, **refusals}
    if said.stream:
        kinds = {"text/event-stream": {"schema": {"type": "string"}}}
        return {"200": {"description": "What happens, as it happens.", "content": kinds}, **refusals}
    answer: dict[str, Any] = {"description": "Done.", "content": {"application/json": {"schema": _build_answer(said)}}}
    if "max_id" in said.query and said.gives.startswith("["):
        answer["headers"] = {"Link": {"description": "Where the list goes on.", "schema": {"type": "string"}}}
    return {"200": answer, **refusals}


def _build_answer(said: Description) -> dict[str, Any]:
    if said.gives == "[]":
        return {"type": "array", "maxItems": 0}
    if said.gives == "{}":
        return {"$ref": "#/components/schemas/Empty"}
    entity = {"$ref": f"#/components/schemas/{said.gives.strip('[]')}"}
    return {"type": "array", "items": entity} if said.gives.startswith("[") else entity


def _build_refusal(sentence: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": sentence, "content": {"application/json": {"schema": schema}}}


def _build_security() -> dict[str, Any]:
    scopes = {scope: f"What `{scope}` means in Mastodon's API." for scope in KNOWN}
    return {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": f"{_ORIGIN}/oauth/authorize",
                "tokenUrl": f"{_ORIGIN}/oauth/token",
                "scopes": scopes,
            },
            "clientCredentials": {"tokenUrl": f"{_ORIGIN}/oauth/token", "scopes": scopes},
        },
    }


async def _render_of_new_node() -> str:
    with TemporaryDirectory() as folder:
        data, clock = Path(folder), SystemClock()
        (data / "keys").mkdir()
        (data / "keys" / "node.key").write_bytes(bytes(32))
        store = await open_store("sqlite:", data=data, clock=clock)
        await migrate(store, now=clock.now())
        await store.close()
        core = await open_core(data, config=build_config({"base_url": _ORIGIN}), clock=clock)
        try:
            return render(Application(House(core))._site)
        finally:
            await close_core(core)


def main() -> None:
    """Write the file."""
    REFERENCE.write_text(asyncio.run(_render_of_new_node()), "utf-8")


if __name__ == "__main__":
    main()
