"""`/api/v1/instance`, `/api/v2/instance`: open, for apps ask before anybody has signed in."""

from __future__ import annotations

from quart import Blueprint, Response

from .auth import send
from .entities import Setting
from .entities.instance import build_instance, build_instance_v1


def add_instance(routes: Blueprint, setting: Setting) -> None:
    """Add the routes of the instance."""

    @routes.get("/api/v1/instance")
    async def instance_v1() -> Response:
        return send(build_instance_v1(setting))

    @routes.get("/api/v2/instance")
    async def instance() -> Response:
        return send(build_instance(setting))
