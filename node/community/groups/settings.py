"""A group's settings: what its owner says of it, changed by page or command, and told to every node that holds it.

What changes goes into the log as an entry of kind `settings` with the group's whole actor, so that other nodes show the new
name, purpose, rules and questions too. Nobody's base moves: what somebody may not read stays so. How many must agree to a
new node is said when a group is started and not changed: one alone could undo what two shall decide.

Spec: wire.md 4.10.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from node.community.hosting import own_arrival, record
from node.domain import access
from node.domain.actors import ASSURANCE_LEVELS, Actor, Member
from node.domain.groups import HISTORIES, POLICIES, Group, GroupPaper, Membership
from node.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from node.foundation.text import clean_line, clean_text
from node.inbox.dispatch import Tables
from node.outbox.actors import build_group
from node.outbox.publish import prove, published_keys
from node.store.actors import get_actor, update_group_card
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.papers import get_paper, set_paper
from node.store.rosters import get_group, get_membership, update_group_settings

from . import activities
from .service import require_group

TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a group shall be from now on; None leaves a thing as it is. questions: one a line."""

    title: str | None = None
    purpose: str | None = None
    rules: str | None = None
    questions: str | None = None
    policy: str | None = None
    is_hidden: bool | None = None
    history: str | None = None
    required_assurance: str | None = None


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """What a group is, as its staff sees it. may_change: whether the viewer is its owner, and it is hosted here."""

    group: Group
    place: Membership
    purpose: str
    paper: GroupPaper
    may_change: bool


async def read_settings_page(core: Core, *, viewer: Member, group_id: int) -> SettingsPage:
    """Return a group's settings for somebody of its staff.

    Raises:
        NotFound: There is no such group, or the viewer is not of its staff.
    """
    return await core.store.read(_read, viewer, group_id)


async def change_settings(
    core: Core, tables: Tables, *, owner: Member | None, group_id: int, change: GroupChange, by: str
) -> None:
    """Change a group that we host; its members' nodes are told.

    Args:
        core: This node.
        tables: The tables of dispatch.
        owner: Who changes it; None for the node's operator.
        group_id: The group.
        change: What shall be otherwise.
        by: For the audit log.

    Raises:
        Invalid: A value cannot be used.
        Forbidden: Not the owner.
        Conflict: The group is hosted elsewhere.
    """
    check_change(change)
    await core.write(_change, core, tables, owner, group_id, change, by)


def check_change(change: GroupChange) -> None:
    """Raise unless a group can become this.

    Raises:
        Invalid: With a sentence that names the value.
    """
    if change.policy is not None and change.policy not in POLICIES:
        raise Invalid(f"The policy is one of {', '.join(POLICIES)}.")
    if change.history is not None and change.history not in HISTORIES:
        raise Invalid(f"The history is one of {', '.join(HISTORIES)}.")
    if change.title is not None and not clean_line(change.title):
        raise Invalid("A group needs a title.")
    if change.required_assurance is not None and change.required_assurance not in ASSURANCE_LEVELS:
        raise Invalid(f"The assurance is one of {', '.join(ASSURANCE_LEVELS)}.")


async def _read(tx: Tx, viewer: Member, group_id: int) -> SettingsPage:
    group, actor = await get_group(tx, group_id=group_id), await get_actor(tx, actor_id=group_id)
    place = await get_membership(tx, group_id=group_id, actor_id=viewer.actor_id)
    if group is None or actor is None or place is None or not access.may_moderate(viewer.viewer, place):
        raise NotFound("There is no such group.")
    may_change = group.is_local and bool(access.may_own(viewer.viewer, place))
    paper = await get_paper(tx, group_id=group_id) if group.is_local else GroupPaper()
    return SettingsPage(group, place, actor.summary if group.is_local else "", paper, may_change)


async def _change(
    tx: Tx, core: Core, tables: Tables, owner: Member | None, group_id: int, change: GroupChange, by: str
) -> None:
    group = await require_group(tx, group_id)
    if owner is not None:
        decision = access.may_own(owner.viewer, await get_membership(tx, group_id=group_id, actor_id=owner.actor_id))
        if not decision:
            raise Forbidden(decision.reason)
    if not group.is_local:
        raise Conflict("This group is hosted elsewhere; its host changes it.")
    actor = await get_actor(tx, actor_id=group_id)
    assert actor is not None
    paper = await get_paper(tx, group_id=group_id)
    changed, said, told = _as_changed(group, actor, paper, change)
    if (changed, said, told) == (group, actor, paper):
        return
    await update_group_settings(
        tx,
        group_id=group_id,
        title=changed.title,
        policy=changed.policy,
        is_hidden=changed.is_hidden,
        history=changed.history,
        required_assurance=changed.required_assurance,
    )
    await update_group_card(tx, actor_id=group_id, name=said.name, summary=said.summary)
    await set_paper(tx, group_id=group_id, rules=told.rules, questions="\n".join(told.questions))
    await write_audit(tx, actor=by, action="group.settings", target=group.handle)
    document = build_group(core, changed, said, await published_keys(tx, said), told)
    activity = activities.build_settings(core, changed, document)
    proved = prove(core, core.keyring.at_hand(group_id), activity)
    await record(tx, core, tables, group=changed, kind="settings", arrival=own_arrival(proved))


def _as_changed(group: Group, actor: Actor, paper: GroupPaper, change: GroupChange) -> tuple[Group, Actor, GroupPaper]:
    """Return a group, its actor and its paper as they shall be."""
    title = clean_line(change.title) if change.title is not None else group.title
    changed = replace(
        group,
        title=title,
        policy=change.policy or group.policy,
        is_hidden=group.is_hidden if change.is_hidden is None else change.is_hidden,
        history=change.history or group.history,
        required_assurance=change.required_assurance or group.required_assurance,
    )
    purpose = actor.summary if change.purpose is None else _text(change.purpose)
    questions = paper.questions if change.questions is None else tuple(_text(change.questions).splitlines())
    rules = paper.rules if change.rules is None else _text(change.rules)
    return changed, replace(actor, name=title, summary=purpose), replace(paper, rules=rules, questions=questions)


def _text(value: str) -> str:
    return clean_text(value, limit=TEXT_LIMIT).strip()
