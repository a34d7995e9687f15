"""Pages of people: a person as others may see them, and one's own card.

Only who shares this node, a group or a message with somebody sees them; to others they are absent.
"""

from __future__ import annotations

from quart import Blueprint
from quart.typing import ResponseReturnValue

from node.community.distance.service import find_distances
from node.community.groups.pages import read_shared
from node.community.house import House
from node.community.members.about import change_about
from node.community.members.profiles import find_profile, get_profile, read_shown_specialty, read_standing
from node.community.members.service import require_member
from node.domain.actors import CLASSES
from node.domain.verification import EVERY_METHOD
from node.foundation.errors import NotFound
from node.foundation.text import html_to_text
from node.store.distance import NEAR

from .distancing import MUTE_DAYS
from .reading import path_of
from .shell import Shell
from .visitor import Visitor, for_members, read_form, see


def build_people(house: House, shell: Shell) -> Blueprint:
    """Return the routes of people."""
    blueprint = Blueprint("people", __name__)
    core, find_path = house.core, path_of(house)

    @blueprint.get("/people/<address>")
    @for_members(core)
    async def person(visitor: Visitor, address: str) -> ResponseReturnValue:
        handle, _, host = address.partition("@")
        profile = await find_profile(core, viewer=visitor.member, handle=handle, host=host or None, kind="person")
        if profile is None:
            raise NotFound
        kept = await find_distances(core, viewer=visitor.member, actor_ids=[profile.actor_id])
        return shell.render(
            "people/person.html",
            visitor,
            place="me" if profile.actor_id == visitor.member.actor_id else "",
            person=profile,
            about=profile.summary if profile.is_local else html_to_text(profile.summary),
            member=await require_member(core, profile.handle) if profile.is_local else None,
            standing=profile.standing,
            specialty=await read_shown_specialty(core, profile.actor_id),
            ways=EVERY_METHOD,
            stages=CLASSES,
            shared=await read_shared(core, viewer=visitor.member, actor_id=profile.actor_id),
            path_of=find_path,
            kept=kept.get(profile.actor_id, NEAR),
            mute_days=MUTE_DAYS,
        )

    @blueprint.get("/me")
    @for_members(core)
    async def me(visitor: Visitor) -> ResponseReturnValue:
        shared = await read_shared(core, viewer=visitor.member, actor_id=visitor.member.actor_id)
        standing = await read_standing(core, visitor.member.actor_id)
        return shell.render(
            "people/me.html",
            visitor,
            about=(await get_profile(core, viewer=visitor.member, actor_id=visitor.member.actor_id)).summary,
            place="me",
            member=visitor.member,
            standing=standing,
            specialty=await read_shown_specialty(core, visitor.member.actor_id),
            ways=EVERY_METHOD,
            stages=CLASSES,
            shared=shared,
            path_of=find_path,
        )

    @blueprint.post("/me/about")
    @for_members(core)
    async def change(visitor: Visitor) -> ResponseReturnValue:
        """Keep what a member says of themselves."""
        about = (await read_form()).get("about", "").replace("\r\n", "\n")
        await change_about(core, member=visitor.member, about=about)
        return see("/me")

    return blueprint
