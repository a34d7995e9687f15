"""`POST /api/v1/reports`: posts are laid before the staff of the group in which they were written, wherever it is hosted.

Spec: Mastodon API, methods/reports.
"""

from __future__ import annotations

from quart import Blueprint, request

from node.community.groups.reports import report_post
from node.community.house import House
from node.community.posts.reading import read_posts
from node.domain.actors import Member
from node.domain.posts import Post
from node.foundation.errors import Invalid

from .accounts import require_account
from .auth import Caller, needs
from .entities import Entity, Setting, format_moment
from .entities.accounts import build_account
from .entities.ids import parse_status_id, status_id
from .entities.instance import RULES
from .parameters import Parameters, read_parameters

_CATEGORIES = ("spam", "legal", "violation", "other")
_POSTS_LIMIT = 10
_NO_POST = (
    "Choose the post that this is about: its group's staff reads reports. About anything else, write to the people named "
    "on this node's page Support."
)
_MANY_GROUPS = (
    "These posts are in different groups, and the staff of one reads nothing of another. Report them group by group."
)
_PRIVATE = "A private message belongs to no group, and nobody else reads it. You can block who wrote it."


def add_reports(routes: Blueprint, house: House, setting: Setting) -> None:
    """Add the route of reports."""
    core = house.core

    @routes.post("/api/v1/reports")
    @needs(core, "write:reports")
    async def report(caller: Caller) -> Entity:
        wish = await read_parameters(request)
        about = await require_account(house, caller.member, wish.text("account_id") or "")
        posts = await _find_posts(house, caller.member, wish, about.actor_id)
        category = wish.text("category") or "other"
        if category not in _CATEGORIES:
            raise Invalid(f"The category is one of {', '.join(_CATEGORIES)}.")
        rules = [number for number in wish.texts("rule_ids") if number in RULES]
        rule, note = _read_reason(wish, category, rules)
        for post in posts:
            await report_post(
                core,
                house.tables,
                reporter=caller.member,
                group_id=post.group_id or 0,
                post_uri=post.uri,
                rule=rule,
                note=note,
            )
        return {
            "id": str(core.ids.number()),
            "action_taken": False,
            "action_taken_at": None,
            "category": category,
            "comment": wish.text("comment") or "",
            "forwarded": False,
            "created_at": format_moment(core.clock.now()),
            "status_ids": [status_id(post.post_id) for post in posts],
            "rule_ids": rules,
            "target_account": build_account(about, setting),
        }


async def _find_posts(house: House, reporter: Member, wish: Parameters, about_id: int) -> list[Post]:
    """Return the posts reported: those of the account, or of the group, that the reporter may read.

    Raises:
        Invalid: There is none, one is a private message, or they are in several groups: what is said of them would go to
            the staff of each.
    """
    numbers = [parse_status_id(text) for text in dict.fromkeys(wish.texts("status_ids")[:_POSTS_LIMIT])]
    ids = list(dict.fromkeys(number for number in numbers if number is not None))
    reading = await read_posts(house.core, viewer=reporter, post_ids=ids)
    posts = [post for post in reading.posts if about_id in (post.author_id, post.group_id)]
    if not posts:
        raise Invalid(_NO_POST)
    if any(post.group_id is None for post in posts):
        raise Invalid(_PRIVATE)
    if len({post.group_id for post in posts}) > 1:
        raise Invalid(_MANY_GROUPS)
    return posts


def _read_reason(wish: Parameters, category: str, rules: list[str]) -> tuple[str, str]:
    """Return which rule a report is about, and everything else that was said."""
    said = [RULES[number][1] for number in rules[1:]]
    if category in ("spam", "legal"):
        said.append(f"Category: {category}.")
    comment = (wish.text("comment") or "").strip()
    note = "\n".join([*([comment] if comment else []), *said])
    return RULES[rules[0]][0] if rules else "other", note
