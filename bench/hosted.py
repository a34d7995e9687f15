"""Groups hosted at the node under test, with members on synthetic peers who were let in as anybody is."""

from __future__ import annotations

from collections.abc import Sequence

from .documents import build_follow, encode
from .load import send_all
from .nodes import PASSWORD, Node
from .peers import Actor, sign_post


def add_owner(node: Node, handle: str = "ana") -> str:
    """Add a member who owns what is made here, and return their id."""
    node.run("member", "add", handle, "--name", handle.title(), "--assurance", "A3", "--password-stdin", text=PASSWORD)
    return f"{node.origin}/people/{handle}"


def host_group(node: Node, handle: str, members: Sequence[Actor]) -> str:
    """Create an open group of `ana`, admit the members' nodes, let the members in, and return the group's id."""
    node.run("group", "create", handle, "--title", handle.title(), "--policy", "open", "--owner", "ana")
    uri = f"{node.origin}/groups/{handle}"
    for host in sorted({member.peer.host for member in members}):
        node.run("group", "admit", handle, host, "--yes")
    follows = [[sign_post(member, node.origin, encode(build_follow(member, uri)))] for member in members]
    send_all(node.port, follows).require(202)
    node.wait_at_rest()
    roster = node.ask("group", "roster", handle)["members"]
    if sum(row["state"] == "member" for row in roster) != len(members) + 1:
        raise ValueError(f"not everybody was let into {handle}: {roster}")
    return uri
