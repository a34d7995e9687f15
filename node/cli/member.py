"""`rounds member …`: who has an account here."""

from __future__ import annotations

import argparse
from typing import Any

from node.community.members import service
from node.community.members.service import NewMember
from node.community.verification.recording import verify_member
from node.domain.actors import ASSURANCE_LEVELS, CLASSES, NODE_ROLES
from node.domain.verification import EVERY_METHOD
from node.foundation.errors import Forbidden, Invalid
from node.store.engine import Tx
from node.store.rosters import list_groups_of

from .context import Context, instant


def add_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `member add`."""
    parser.add_argument("handle")
    parser.add_argument("--name", required=True)
    parser.add_argument("--class", dest="member_class", default="physician", choices=CLASSES)
    parser.add_argument("--assurance", default="A0", choices=ASSURANCE_LEVELS)
    parser.add_argument("--role", default="member", choices=NODE_ROLES)
    parser.add_argument("--password-stdin", action="store_true", help="read the password from stdin")


def one_word(parser: argparse.ArgumentParser) -> None:
    """Take a handle."""
    parser.add_argument("handle")


def reason_words(parser: argparse.ArgumentParser) -> None:
    """Take a handle and a reason."""
    parser.add_argument("handle")
    parser.add_argument("--reason", default="")
    parser.add_argument("--yes", action="store_true")


def verify_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `member verify`."""
    parser.add_argument("handle")
    parser.add_argument("--assurance", required=True, choices=ASSURANCE_LEVELS)
    parser.add_argument(
        "--method", action="append", default=[], choices=EVERY_METHOD, help="may be given several times"
    )
    parser.add_argument("--reason", default="")


def token_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `member token`."""
    parser.add_argument("handle")
    parser.add_argument("--scopes", default="read write follow push")


async def add(context: Context) -> int:
    """Add a member; without a password from stdin, print a one-time link."""
    args = context.args
    password = read_password(context) if args.password_stdin else None
    new = NewMember(args.handle, args.name, args.member_class, args.assurance, args.role, password)
    member, link = await service.add_member(context.house.core, new, by=context.by)
    shown = await _describe(context, member.handle)
    lines = [f"{member.handle} is a member."] + ([f"One-time link, valid for a week: {link}"] if link else [])
    return context.emit({**shown, "link": link}, *lines)


def read_password(context: Context) -> str:
    """Return the password from stdin: its first line.

    Raises:
        Invalid: There is none.
    """
    password = context.text.split("\n")[0].rstrip("\r")
    if not password:
        raise Invalid("No password came on stdin.")
    return password


async def list_all(context: Context) -> int:
    """List every member."""
    rows = await context.house.core.store.read(_list)
    members = [_shown(*row) for row in rows]
    lines = [f"{each['handle']:20} {each['state']:10} {each['role']:10} {each['name']}" for each in members]
    return context.emit({"members": members}, *(lines or ["No members yet."]))


async def show(context: Context) -> int:
    """Show one member."""
    shown = await _describe(context, context.args.handle)
    return context.emit(shown, *(f"{name}: {value}" for name, value in shown.items()))


async def verify(context: Context) -> int:
    """Record an assurance level."""
    args = context.args
    member = await verify_member(
        context.house.core,
        args.handle,
        args.assurance,
        methods=tuple(dict.fromkeys(args.method)),
        by=context.by,
        reason=args.reason,
    )
    return context.emit(await _describe(context, member.handle), f"{member.handle} is at {member.assurance}.")


async def suspend(context: Context) -> int:
    """Suspend a member."""
    await service.suspend_member(context.house.core, context.args.handle, by=context.by, reason=context.args.reason)
    return context.emit(await _describe(context, context.args.handle), f"{context.args.handle} is suspended.")


async def restore(context: Context) -> int:
    """End a suspension."""
    await service.restore_member(context.house.core, context.args.handle, by=context.by, reason=context.args.reason)
    return context.emit(await _describe(context, context.args.handle), f"{context.args.handle} is active again.")


async def reset(context: Context) -> int:
    """Print a one-time link for a new password."""
    link = await service.make_reset_link(context.house.core, context.args.handle, by=context.by)
    return context.emit({"link": link}, f"One-time link, valid for a day: {link}")


async def token(context: Context) -> int:
    """Print an access token; only on test nodes, where nobody's real words can be read with it."""
    core = context.house.core
    require_test_node(context, "member token")
    made = await service.make_token(core, context.args.handle, context.args.scopes, by=context.by)
    shown = {
        "access_token": made,
        "token_type": "Bearer",
        "scope": context.args.scopes,
        "created_at": instant(core.clock.now()),
        "member": context.args.handle,
    }
    return context.emit(shown, made)


def require_test_node(context: Context, command: str) -> None:
    """Raise outside a test node.

    Raises:
        Forbidden: The node serves real people.
    """
    if not context.house.core.allow_insecure:
        raise Forbidden(f"`{command}` works on test nodes only (federation.insecure_loopback).")


async def _describe(context: Context, handle: str) -> dict[str, Any]:
    member = await service.require_member(context.house.core, handle)
    row = await context.house.core.store.read(_one, member)
    return _shown(*row)


def _shown(member: Any, created_at: Any, last_seen_at: Any, groups: list[str]) -> dict[str, Any]:
    return {
        "handle": member.handle,
        "name": member.name,
        "uri": member.uri,
        "class": member.member_class,
        "assurance": member.assurance,
        "role": member.role,
        "state": member.state,
        "created_at": instant(created_at),
        "last_seen_at": instant(last_seen_at),
        "groups": groups,
    }


async def _list(tx: Tx) -> list[Any]:
    found = []
    for member, created_at, last_seen_at in await service.list_members(tx):
        found.append((member, created_at, last_seen_at, await _groups(tx, member.actor_id)))
    return found


async def _one(tx: Tx, member: Any) -> Any:
    created_at, last_seen_at = await service.get_times(tx, actor_id=member.actor_id)
    return member, created_at, last_seen_at, await _groups(tx, member.actor_id)


async def _groups(tx: Tx, actor_id: int) -> list[str]:
    groups = await list_groups_of(tx, actor_id=actor_id)
    return [group.uri for group in groups if not group.is_staff_room]
