"""`rounds group change`: the settings of a group hosted here, as its owner changes them on the page."""

from __future__ import annotations

import argparse

from node.community.groups.settings import GroupChange, change_settings
from node.domain.actors import ASSURANCE_LEVELS
from node.domain.groups import HISTORIES, POLICIES

from .context import Context
from .group import one_word
from .groups_shown import describe_group
from .people import find_group


def change_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `group change`."""
    one_word(parser)
    parser.add_argument("--title")
    parser.add_argument("--purpose", help="what it is for")
    parser.add_argument("--rules", help="its rules, in the place of those there are")
    parser.add_argument("--question", action="append", help="asked of those who join; all of them, one each time")
    parser.add_argument("--policy", choices=POLICIES)
    parser.add_argument("--hidden", choices=("yes", "no"))
    parser.add_argument("--history", choices=HISTORIES)
    parser.add_argument("--assurance", choices=ASSURANCE_LEVELS, help="the least that members need")


async def change(context: Context) -> int:
    """Change a group's settings."""
    house, args = context.house, context.args
    group = await find_group(context, args.group)
    wanted = GroupChange(
        title=args.title,
        purpose=args.purpose,
        rules=args.rules,
        questions=None if args.question is None else "\n".join(args.question),
        policy=args.policy,
        is_hidden=None if args.hidden is None else args.hidden == "yes",
        history=args.history,
        required_assurance=args.assurance,
    )
    await change_settings(house.core, house.tables, owner=None, group_id=group.group_id, change=wanted, by=context.by)
    return context.emit(await describe_group(context, group), f"{group.handle} is changed.")
