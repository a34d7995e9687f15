"""`/oauth/token`, `/oauth/revoke`, and where all of it is found. The page on which a member decides stands in `views`.

Errors have a code of OAuth's in `error` and a sentence in `error_description`. Apps prove themselves in the body or by Basic.

Spec: RFC 6749 §3.2, §4.4; RFC 7009; RFC 8414; Mastodon API, methods/oauth.
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote_plus

from quart import Blueprint, Response, request

from node.community.apps.service import Given, check_app, give_back, give_for_code, give_to_app
from node.community.house import House
from node.domain.apps import App, NotGranted
from node.domain.scopes import KNOWN
from node.foundation.errors import Invalid, NotFound
from node.store.core import Core

from .auth import open_to_all, send
from .entities import Entity
from .parameters import Parameters, read_parameters

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
GRANT_TYPES = ("authorization_code", "client_credentials")


def add_oauth(routes: Blueprint, house: House) -> None:
    """Add the routes by which apps get tokens and give them back; they are open to everybody."""
    core = house.core

    @routes.get("/.well-known/oauth-authorization-server")
    @open_to_all
    async def metadata() -> Entity:
        return build_metadata(core.origin)

    @routes.post("/oauth/token")
    @open_to_all
    async def token() -> Response:
        parameters = await _read()
        app = await _require_app(core, parameters)
        response = send(_build_token(await _give(core, app, parameters)))
        response.headers["Pragma"] = "no-cache"
        return response

    @routes.post("/oauth/revoke")
    @open_to_all
    async def revoke() -> Entity:
        parameters = await _read()
        client_id, secret = _read_client(parameters)
        try:
            app = await check_app(core, client_id, secret) if client_id else None
        except NotGranted as error:
            raise NotGranted("unauthorized_client", error.safe, status=403) from None
        given = _text(parameters, "token")
        if not given:
            raise NotGranted("invalid_request", "The token is missing.")
        await give_back(core, app, given)
        return {}

    @routes.route("/oauth/", methods=_METHODS)
    @routes.route("/oauth/<rest:rest>", methods=_METHODS)
    @open_to_all
    async def unknown(rest: str = "") -> Response:
        raise NotFound


def build_metadata(origin: str) -> Entity:
    """Return what an app needs to know to sign a member in. Spec: RFC 8414 §2; RFC 9207 §3."""
    return {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/oauth/authorize",
        "token_endpoint": f"{origin}/oauth/token",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "app_registration_endpoint": f"{origin}/api/v1/apps",
        "scopes_supported": list(KNOWN),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


async def _give(core: Core, app: App, parameters: Parameters) -> Given:
    """Return the token that an app asks for.

    Raises:
        NotGranted: There is none for it.
    """
    grant_type = _text(parameters, "grant_type")
    if grant_type == "client_credentials":
        return await give_to_app(core, app, _text(parameters, "scope") or None)
    if grant_type != "authorization_code":
        raise NotGranted("unsupported_grant_type", f"Tokens are given for {' and '.join(GRANT_TYPES)} here.")
    code, redirect_uri = _text(parameters, "code"), _text(parameters, "redirect_uri")
    if not code or not redirect_uri:
        raise NotGranted("invalid_request", "The code or the redirect address is missing.")
    verifier = _text(parameters, "code_verifier") or None
    return await give_for_code(core, app, code=code, redirect_uri=redirect_uri, verifier=verifier)


async def _read() -> Parameters:
    """Return what an app sends.

    Raises:
        NotGranted: It cannot be read.
    """
    try:
        return await read_parameters(request)
    except Invalid as error:
        raise NotGranted("invalid_request", error.safe) from None


async def _require_app(core: Core, parameters: Parameters) -> App:
    client_id, secret = _read_client(parameters)
    return await check_app(core, client_id, secret)


def _read_client(parameters: Parameters) -> tuple[str, str]:
    """Return (client id, secret), from the Authorization header or the body; empty for none. Spec: RFC 6749 §2.3.1."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return "", ""
        return unquote_plus(client_id), unquote_plus(secret)
    return _text(parameters, "client_id"), _text(parameters, "client_secret")


def _text(parameters: Parameters, name: str) -> str:
    try:
        return parameters.text(name) or ""
    except Invalid as error:
        raise NotGranted("invalid_request", error.safe) from None


def _build_token(given: Given) -> Entity:
    return {
        "access_token": given.token,
        "token_type": "Bearer",
        "scope": given.scopes,
        "created_at": int(given.created_at.timestamp()),
    }
