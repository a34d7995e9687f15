"""`/api/v1/instance`, `/api/v2/instance` and parts of them: open, for apps ask before anybody has signed in."""

from __future__ import annotations

from quart import Blueprint

from .auth import open_to_all
from .entities import Entity, Setting
from .entities.instance import build_extended_description, build_instance, build_instance_v1, build_rules


def add_instance(routes: Blueprint, setting: Setting) -> None:
    """Add the routes of the instance."""

    @routes.get("/api/v1/instance")
    @open_to_all
    async def instance_v1() -> Entity:
        return build_instance_v1(setting)

    @routes.get("/api/v2/instance")
    @open_to_all
    async def instance() -> Entity:
        return build_instance(setting)

    @routes.get("/api/v1/instance/rules")
    @open_to_all
    async def rules() -> list[Entity]:
        return build_rules()

    @routes.get("/api/v1/instance/extended_description")
    @open_to_all
    async def extended_description() -> Entity:
        return build_extended_description()
