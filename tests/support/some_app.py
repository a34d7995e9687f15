"""An app that signs in as apps do: it introduces itself, sends a browser to the consent page, gives the code for a token.

app = await SomeApp.introduce(practice.nobody)
answer = await app.ask(await Browser(practice.lone, apps=app.addresses).enter("ben"))
reply = await app.redeem(answer["code"])
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from node.domain.apps import OUT_OF_BAND
from tests.support.browser_form import Browser
from tests.support.phone import Phone, Reply

BACK = "elephant://back"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-1"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@dataclass(frozen=True, slots=True)
class SomeApp:
    """An app. phone: what it asks with, without a token. registered: what it was told when it introduced itself."""

    phone: Phone
    registered: dict[str, Any]
    redirect_uri: str = BACK

    @classmethod
    async def introduce(
        cls, phone: Phone, *, redirect_uri: str = BACK, scopes: str = "read write follow push", name: str = "Elephant"
    ) -> SomeApp:
        """Return an app that has introduced itself."""
        form = {"client_name": name, "redirect_uris": redirect_uri, "scopes": scopes}
        reply = await phone.post("/api/v1/apps", form)
        assert reply.status == 200, reply.body
        return cls(phone, reply.json, redirect_uri)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where a browser leaves the node for this app."""
        return () if self.redirect_uri == OUT_OF_BAND else (self.redirect_uri,)

    @property
    def proof(self) -> dict[str, str]:
        """What the app proves itself with."""
        return {name: self.registered[name] for name in ("client_id", "client_secret")}

    def wish(self, **more: str | None) -> str:
        """Return where the app sends a browser; None leaves a parameter out."""
        asked: dict[str, str | None] = {
            "client_id": self.registered["client_id"],
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": "read write follow push",
        }
        given = {name: value for name, value in (asked | more).items() if value is not None}
        return f"/oauth/authorize?{urlencode(given)}"

    async def ask(self, browser: Browser, *, decision: str = "allow", **more: str | None) -> dict[str, str]:
        """Let somebody decide on the consent page, and return what the app gets back."""
        await browser.get(self.wish(**more))
        await browser.submit("authorize", decision=decision)
        if not browser.left_for:
            return {}
        return dict(parse_qsl(urlsplit(browser.left_for).query))

    async def redeem(self, code: str, **more: str | None) -> Reply:
        """Give a code for a token; None leaves a field out."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            **self.proof,
        }
        return await self.phone.post(
            "/oauth/token", {name: value for name, value in (form | more).items() if value is not None}
        )

    async def sign_in(self, browser: Browser, *, scope: str = "read write follow push") -> str:
        """Return the token that a member gives the app."""
        reply = await self.redeem((await self.ask(browser, scope=scope))["code"])
        assert reply.status == 200, reply.body
        token: str = reply.json["access_token"]
        return token

    async def revoke(self, token: str, **more: str | None) -> Reply:
        """Give a token back."""
        form = {"token": token, **self.proof} | more
        return await self.phone.post("/oauth/revoke", {name: each for name, each in form.items() if each is not None})
