"""`/api/v1/media`, `/api/v2/media`: pictures that an app adds before the post they are for. Spec: Mastodon API, methods/media.

A picture is cleaned before the answer, so it can be used at once: no app is told to come back. Until it is on a post it is
its owner's alone; from then on it is the post's, and is changed with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint, request

from node.community.house import House
from node.community.posts.uploads import add_image, change_upload, discard_upload, get_upload
from node.domain.posts import Image
from node.foundation.errors import Invalid

from .auth import Caller, needs
from .entities import Entity
from .entities.statuses import build_attachment
from .parameters import Parameters, read_parameters
from .tickets import Tickets

_NO_FILE = "There is no picture in this request: send it as the file of a form, under the name `file`."
_OTHER_PICTURES = "The pictures of a post stay as they are. Take the post back and write it anew to change them."


def add_media(routes: Blueprint, house: House, tickets: Tickets) -> None:
    """Add the routes of media."""
    core = house.core

    @routes.post("/api/v1/media")
    @routes.post("/api/v2/media")
    @needs(core, "write:media")
    async def upload_media(caller: Caller) -> Entity:
        parameters = await read_parameters(request)
        file = (await request.files).get("file")
        if file is None:
            raise Invalid(_NO_FILE)
        alt = parameters.text("description") or ""
        return show(caller, await add_image(core, owner=caller.member, data=file.read(), alt=alt))

    @routes.get("/api/v1/media/<media_id>")
    @needs(core, "write:media")
    async def read_media(caller: Caller, media_id: str) -> Entity:
        return show(caller, await get_upload(core, viewer=caller.member, token=media_id))

    @routes.put("/api/v1/media/<media_id>")
    @needs(core, "write:media")
    async def describe_media(caller: Caller, media_id: str) -> Entity:
        alt = (await read_parameters(request)).text("description")
        if alt is None:  # a focus alone: pictures are shown whole here
            return show(caller, await get_upload(core, viewer=caller.member, token=media_id))
        return show(caller, await change_upload(core, owner=caller.member, token=media_id, alt=alt))

    @routes.delete("/api/v1/media/<media_id>")
    @needs(core, "write:media")
    async def discard_media(caller: Caller, media_id: str) -> Entity:
        await discard_upload(core, owner=caller.member, token=media_id)
        return {}

    def show(caller: Caller, image: Image) -> Entity:
        return build_attachment(image, tickets.for_caller(caller)(image.token))


def read_descriptions(parameters: Parameters, images: Sequence[Image]) -> dict[str, str]:
    """Return what an edit wants the pictures of a post described as, by their tokens.

    Args:
        parameters: Of the edit.
        images: What is on the post.

    Raises:
        Invalid: It adds a picture, or takes one away: the host has shown them to others.
    """
    tokens = [image.token for image in images]
    wanted = [token for token in parameters.texts("media_ids") if token]
    if wanted and set(wanted) != set(tokens):
        raise Invalid(_OTHER_PICTURES)
    found = {}
    for each in parameters.structures("media_attributes"):
        token, description = each.text("id") or "", each.text("description")
        if token not in tokens:
            raise Invalid(_OTHER_PICTURES)
        if description is not None:
            found[token] = description
    return found
