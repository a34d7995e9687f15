"""`PATCH /api/v1/accounts/update_credentials` and `/api/v1/preferences`: what a member says of themselves, and how apps compose.

What members say of themselves can be changed. A name cannot, nor a picture: apps send both along unchanged, and are told
when somebody changed them. What else apps offer (to be found, to be a bot, who may follow) is not chosen here; the answer
says how it is.

Spec: Mastodon API, methods/accounts, methods/preferences.
"""

from __future__ import annotations

from quart import Blueprint, request

from node.community.house import House
from node.community.members.about import change_about
from node.foundation.errors import Invalid

from .accounts import build_own
from .auth import Caller, needs
from .entities import Entity, Setting
from .parameters import Parameters, read_parameters

_NAME = "Your name was looked at when you were let in, and cannot be changed here."
_PICTURES = "Profiles have no pictures here."
_FIELDS = "The fields of a profile are filled in by this node."


def add_profile(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the routes of one's own profile."""
    core = house.core

    @routes.patch("/api/v1/accounts/update_credentials")
    @needs(core, "write:accounts")
    async def update_credentials(caller: Caller) -> Entity:
        wish = await read_parameters(request)
        name, about = wish.text("display_name"), wish.text("note")
        if name is not None and name.strip() != caller.member.name:
            raise Invalid(_NAME)
        files = await request.files
        if any(name in files or wish.text(name) for name in ("avatar", "header")):
            raise Invalid(_PICTURES)
        if _names_fields(wish):
            raise Invalid(_FIELDS)
        if about is not None:
            await change_about(core, member=caller.member, about=about)
        return await build_own(house, caller.member, setting)

    @routes.get("/api/v1/preferences")
    @needs(core, "read:accounts")
    async def preferences(caller: Caller) -> Entity:
        return {
            "posting:default:visibility": "private",
            "posting:default:sensitive": False,
            "posting:default:language": None,
            "posting:default:quote_policy": "nobody",
            "reading:expand:media": "default",
            "reading:expand:spoilers": False,
            "reading:autoplay:gifs": False,
        }


def _names_fields(wish: Parameters) -> bool:
    """Return whether an app wants to fill in fields; empty ones and those that stand there are sent along by some."""
    given = wish.structures("fields_attributes")
    return any((each.text("name") or "").strip() or (each.text("value") or "").strip() for each in given)
