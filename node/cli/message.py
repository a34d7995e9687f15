"""`rounds message …`: private messages as a member. Only on test nodes, and audited."""

from __future__ import annotations

import argparse

from node.community.members.profiles import reach_person
from node.community.messages import service
from node.store.audit import write_audit
from node.store.engine import Tx

from .context import Context, instant
from .member import require_test_node
from .people import find_member, find_person
from .post import text_of


def send_words(parser: argparse.ArgumentParser) -> None:
    """Take who writes and to whom; the text comes on stdin, as Markdown."""
    parser.add_argument("people", nargs="+", metavar="PERSON")
    parser.add_argument("--as", dest="member", required=True, metavar="MEMBER")


def list_words(parser: argparse.ArgumentParser) -> None:
    """Take whose messages."""
    parser.add_argument("--as", dest="member", required=True, metavar="MEMBER")


async def send(context: Context) -> int:
    """Send a private message."""
    require_test_node(context, "message send")
    core = context.house.core
    member = await find_member(context, context.args.member)
    found = [await find_person(context, each) for each in context.args.people]
    people = [await reach_person(core, context.house.dereferencer, each) for each in found]
    await core.store.write(_audit, context.by, "as.message.send", member.handle)
    uri = await service.send_message(core, author=member, people=people, text=context.text)
    return context.emit({"uri": uri}, uri)


async def list_all(context: Context) -> int:
    """List the newest private messages of a member."""
    require_test_node(context, "message list")
    core = context.house.core
    member = await find_member(context, context.args.member)
    await core.store.write(_audit, context.by, "as.message.list", member.handle)
    messages = await service.list_own_messages(core, viewer=member)
    shown = [
        {
            "uri": each.post.uri,
            "author": each.post.author_uri,
            "people": [person.uri for person in each.people],
            "text": text_of(each.post),
            "in_reply_to": each.post.in_reply_to,
            "published_at": instant(each.post.published_at),
            "state": each.post.state,
        }
        for each in messages
    ]
    lines = [f"{each['author']}: {str(each['text'])[:70]}" for each in shown]
    return context.emit({"messages": shown}, *(lines or ["No messages."]))


async def _audit(tx: Tx, by: str, action: str, target: str) -> None:
    await write_audit(tx, actor=by, action=action, target=target)
