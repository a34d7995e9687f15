"""The vote in a poll: from the form on a post."""

from __future__ import annotations

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.polls.service import vote

from .reading import open_thread, show_thread
from .refusals import SHOWN_AGAIN, status_of
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_number, see


def build_voting(house: House, shell: Shell) -> Blueprint:
    """Return the routes of voting."""
    pages = Blueprint("voting", __name__)

    @pages.post("/groups/<address>/threads/<token>/vote")
    @for_members(house.core)
    async def cast(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_thread(house, visitor, address, token)
        chosen = [read_number(text) for text in (await request.form).getlist("choice")]
        choices = [-1 if number is None else number for number in chosen]
        try:
            await vote(house.core, voter=visitor.member, post_id=post.post_id, choices=choices)
        except SHOWN_AGAIN as error:
            refused = post.post_id, error.safe
            return await show_thread(house, shell, visitor, page, status=status_of(error), refused=refused)
        return see(f"{post_page(post, path)}#{token}")

    return pages
