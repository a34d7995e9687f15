"""`rounds group unban`: the end of a ban."""

from __future__ import annotations

from node.community.groups.bans import lift_ban

from .context import Context
from .people import find_group, find_person


async def unban(context: Context) -> int:
    """Lift somebody's ban."""
    core = context.house.core
    group = await find_group(context, context.args.group)
    person = await find_person(context, context.args.person)
    await lift_ban(core, staff=None, group_id=group.group_id, actor_id=person.actor_id, by=context.by)
    shown = {"group": group.uri, "member": person.uri, "state": "removed"}
    return context.emit(shown, f"{person.address} may ask to join again.")
