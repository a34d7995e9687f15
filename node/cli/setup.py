"""`rounds setup`: a new set-up link, while nobody operates the node."""

from __future__ import annotations

from node.community.members.setup import make_setup_link

from .context import Context


async def setup(context: Context) -> int:
    """Print a link by which the first operator sets themselves up; links printed before end."""
    link = await make_setup_link(context.house.core, by=context.by)
    return context.emit({"setup_url": link}, f"Set it up within a day at: {link}")
