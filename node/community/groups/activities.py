"""What is said about groups on the wire: Follow, Accept, Reject, Undo, Invite, Block, readers, roles.

Spec: wire.md 2.2, 2.4, 4.10, 4.12.
"""

from __future__ import annotations

from typing import Any

from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.federation.grouplog.checkpoint import build_checkpoint
from node.federation.grouplog.position import Position
from node.store.core import Core
from node.store.readers import Reader

_CONTEXT = "https://www.w3.org/ns/activitystreams"


def _activity(core: Core, verb: str, actor: str, about: Any, to: list[str], **more: Any) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "type": verb,
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": actor,
        "object": about,
        "to": to,
        **{name: value for name, value in more.items() if value is not None},
    }


def build_follow(core: Core, member: Member, group_uri: str, reason: str) -> dict[str, Any]:
    """Return {"type": "Follow", "actor": A, "object": G, "content": reason}."""
    return _activity(core, "Follow", member.uri, group_uri, [group_uri], content=reason or None)


def build_undo(core: Core, actor_uri: str, undone: dict[str, Any], to: str) -> dict[str, Any]:
    """Return {"type": "Undo", "actor": A, "object": {…}}."""
    return _activity(core, "Undo", actor_uri, undone, [to])


def build_decline(core: Core, actor_uri: str, invite: dict[str, Any], to: str) -> dict[str, Any]:
    """Return {"type": "Reject", "actor": A, "object": the Invite}: no, thank you."""
    return _activity(core, "Reject", actor_uri, invite, [to])


def build_accept(
    core: Core,
    group: Group,
    request: dict[str, Any],
    *,
    member_uri: str,
    role: str,
    joined_seq: int,
    visible_after: int,
    base: Position,
) -> dict[str, Any]:
    """Return the Accept of a Follow, with the member's place and the signed checkpoint that their copy starts after."""
    result = {
        "type": "Member",
        "object": member_uri,
        "context": group.uri,
        "role": role,
        "joinedSeq": joined_seq,
        "visibleAfter": visible_after,
        "historyVisibility": "all" if group.history == "all" else "sinceJoin",
    }
    keys = core.keyring.at_hand(group.group_id)
    checkpoint = build_checkpoint(group.uri, base, keys.ed25519, method=keys.ed25519_key_id)
    return _activity(core, "Accept", group.uri, request, [member_uri], result=result, checkpoint=checkpoint)


def build_reject(core: Core, group: Group, rejected: Any, *, to: str, summary: str) -> dict[str, Any]:
    """Return {"type": "Reject", "actor": G, "object": …, "summary": "code: sentence"}: no, or not any more."""
    return _activity(core, "Reject", group.uri, rejected, [to], summary=summary or None)


def build_block(core: Core, group: Group, *, member_uri: str, summary: str) -> dict[str, Any]:
    """Return {"type": "Block", "actor": G, "object": A, "target": G}."""
    return _activity(core, "Block", group.uri, member_uri, [member_uri], target=group.uri, summary=summary or None)


def build_invite(core: Core, actor_uri: str, group: Group, invited_uri: str) -> dict[str, Any]:
    """Return {"type": "Invite", "actor": G, "object": G, "target": B, "to": [B], "cc": [G]}."""
    return _activity(core, "Invite", actor_uri, group.uri, [invited_uri], target=invited_uri, cc=[group.uri])


def build_readers(core: Core, group: Group, readers: list[Reader]) -> dict[str, Any]:
    """Return the group's word on which nodes hold it."""
    nodes = [
        {"host": reader.host, "name": reader.name, "operator": reader.operator, "members": reader.members}
        for reader in readers
    ]
    target = {"type": "Collection", "id": f"{group.uri}/readers", "attributedTo": group.uri, "nodes": nodes}
    return _activity(core, "Update", group.uri, target, [f"{group.uri}/followers"])


def build_role(core: Core, actor_uri: str, group: Group, *, member_uri: str, role: str) -> dict[str, Any]:
    """Return Add or Remove of somebody to the group's moderators, with the role's name."""
    verb = "Remove" if role == "member" else "Add"
    target = f"{group.uri}/moderators"
    to = [group.uri, f"{group.uri}/followers"]
    return _activity(core, verb, actor_uri, member_uri, to, target=target, role=role, audience=group.uri)


def build_settings(core: Core, group: Group, actor_document: dict[str, Any]) -> dict[str, Any]:
    """Return the group's word on its own settings: its actor, whole."""
    return _activity(core, "Update", group.uri, actor_document, [f"{group.uri}/followers"])


def build_offer(
    core: Core, group: Group, offered: dict[str, Any], staff_uri: str, *, by: Actor | Member
) -> dict[str, Any]:
    """Return what the group lays before its staff: a request, a report, a held post; with the name of who it is by."""
    to = [staff_uri, f"{staff_uri}/followers"]
    subject = {"id": by.uri, "type": "Person", "name": by.name, "preferredUsername": by.handle}
    return _activity(core, "Offer", group.uri, offered, to, audience=staff_uri, subject=subject)


def build_decision(
    core: Core, actor_uri: str, *, verb: str, request_uri: str, staff_uri: str, note: str
) -> dict[str, Any]:
    """Return a staff member's Accept or Reject of what was laid before the staff."""
    to = [staff_uri, f"{staff_uri}/followers"]
    return _activity(core, verb, actor_uri, request_uri, to, audience=staff_uri, summary=note or None)


def build_flag(core: Core, reporter_uri: str, group: Group, *, post_uri: str, rule: str, note: str) -> dict[str, Any]:
    """Return {"type": "Flag", "actor": A, "object": post, "summary": "rule: note", "to": [G], "audience": G}."""
    summary = f"{rule}: {note}" if note else rule
    return _activity(core, "Flag", reporter_uri, post_uri, [group.uri], audience=group.uri, summary=summary)


def build_taking(core: Core, group: Group, post_uri: str) -> dict[str, Any]:
    """Return the group's word that a post is gone, which was said before and lost: {"type": "Delete", "actor": G, …}."""
    to = [group.uri, f"{group.uri}/followers"]
    summary = "This was taken back before. The group says so again after its node was restored."
    return _activity(core, "Delete", group.uri, post_uri, to, audience=group.uri, summary=summary)


def build_admission(core: Core, actor_uri: str, group: Group, *, instance_uri: str) -> dict[str, Any]:
    """Return the Add of a node to those that may hold a group: what staff elsewhere send to its host."""
    return _activity(core, "Add", actor_uri, instance_uri, [group.uri], target=f"{group.uri}/nodes", audience=group.uri)
