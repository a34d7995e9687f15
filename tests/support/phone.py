"""An app signed in as a member: what it sends, and what it gets back.

reply = await ben.post("/api/v1/statuses", {"status": "@ward Hello"})
assert reply.status == 200 and reply.json["visibility"] == "private"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec

from node.app import Application
from node.domain.actors import Member
from node.federation.message import Request
from tests.support.requesters import ask

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an app got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def links(self) -> dict[str, str]:
        """Where the `Link` header leads: {"next": "/api/…?max_id=…"}."""
        found = {}
        for link in filter(None, self.headers.get("link", "").split(", ")):
            address, relation = link.split("; ")
            found[relation.removeprefix('rel="').removesuffix('"')] = "/" + address.strip("<>").split("/", 3)[3]
        return found


class Phone:
    """An app with a token, or without one.

    Args:
        app: The node it talks to.
        host: The node's authority.
        token: Its bearer token; None for none.
        member: Whose it is.
    """

    def __init__(self, app: Application, host: str, token: str | None = None, member: Member | None = None) -> None:
        self._app = app
        self._host = host
        self.token = token
        self._member = member

    @property
    def member(self) -> Member:
        """Whose app this is."""
        assert self._member is not None, "nobody is signed in"
        return self._member

    async def get(self, target: str, **headers: str) -> Reply:
        """Read."""
        return await self.send("GET", target, **headers)

    async def post(self, target: str, form: dict[str, Any] | None = None, **headers: str) -> Reply:
        """Send a form; lists are sent as `name[]`."""
        return await self.send("POST", target, body=_as_form(form or {}), content_type=_FORM, **headers)

    async def put(self, target: str, form: dict[str, Any] | None = None) -> Reply:
        """Change with a form."""
        return await self.send("PUT", target, body=_as_form(form or {}), content_type=_FORM)

    async def delete(self, target: str) -> Reply:
        """Delete."""
        return await self.send("DELETE", target)

    async def send(
        self, method: str, target: str, *, body: bytes = b"", content_type: str = "", **headers: str
    ) -> Reply:
        """Send anything; further headers with `_` for `-`."""
        lines = [("host", self._host), *((name.replace("_", "-"), value) for name, value in headers.items())]
        if self.token is not None and "authorization" not in headers:
            lines.append(("authorization", f"Bearer {self.token}"))
        if body:
            lines += [("content-type", content_type), ("content-length", str(len(body)))]
        answer = await ask(self._app, Request(method, target, tuple(lines), body))
        return Reply(answer.status, dict(answer.headers), answer.body)


def as_upload(data: bytes, **fields: str) -> dict[str, Any]:
    """Return what an app sends to add a picture, as the `body` and `content_type` of `Phone.send`."""
    form, content_type = as_multipart(fields)
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="p.png"\r\nContent-Type: image/png\r\n\r\n'
    return {"body": head + data + b"\r\n" + form, "content_type": content_type}


def as_multipart(fields: dict[str, str]) -> tuple[bytes, str]:
    """Return a form as (body, content type) of multipart."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return ("".join(parts) + "--edge--\r\n").encode(), "multipart/form-data; boundary=edge"


def _as_form(form: dict[str, Any]) -> bytes:
    pairs: list[tuple[str, str]] = []
    for name, value in form.items():
        pairs += [(f"{name}[]", each) for each in value] if isinstance(value, list) else [(name, value)]
    return urlencode(pairs).encode()
