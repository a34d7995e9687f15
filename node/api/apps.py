"""`/api/v1/apps`: apps introduce themselves, and ask who they are. Spec: Mastodon API, methods/apps."""

from __future__ import annotations

from quart import Blueprint, request

from node.community.apps.service import find_by_app_token, get_app, register_app
from node.community.house import House
from node.community.members.tokens import find_access
from node.foundation.errors import NotFound, Unauthenticated

from .auth import open_to_all, read_token
from .entities import Entity
from .entities.apps import build_app, build_registered_app
from .parameters import read_parameters


def add_apps(routes: Blueprint, house: House) -> None:
    """Add the routes of apps; introducing oneself is open to everybody."""
    core = house.core

    @routes.post("/api/v1/apps")
    @open_to_all
    async def register() -> Entity:
        parameters = await read_parameters(request)
        made = await register_app(
            core,
            name=parameters.text("client_name") or "",
            redirect_uris=parameters.texts("redirect_uris"),
            scopes=" ".join(parameters.texts("scopes")),
            website=parameters.text("website") or "",
        )
        return build_registered_app(made.app, made.secret)

    @routes.get("/api/v1/apps/verify_credentials")
    @open_to_all
    async def verify() -> Entity:
        token_hash = read_token(request.headers.get("Authorization"))
        app = await find_by_app_token(core, token_hash)
        if app is None:
            found = await find_access(core, token_hash)
            if found is None:
                raise Unauthenticated
            if found.app_id is None:
                raise NotFound  # the operator made this token for no app
            app = await get_app(core, found.app_id)
        return build_app(app)
