"""Who may read and who may write: the one audience check of the node.

Every door, the inbox, GET, lists, media and exports ask here, or use the fragments of `store/visibility.py`, which a
property test proves equal to `may_read`. An unknown state is refusal. A reader who may not is told what a reader of
something absent is told; the reasons below are for logs, and for people who may know that the thing exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from .actors import Viewer
from .groups import Group, Membership


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, and a whole sentence why not."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.allowed


ALLOWED = Decision(True)


@dataclass(frozen=True, slots=True)
class Readable:
    """What decides who may read a post."""

    audience: str
    author_id: int
    group_id: int | None
    seq: int | None
    state: str


def refuse(reason: str) -> Decision:
    """Return a refusal with its reason."""
    return Decision(False, reason)


def may_read(viewer: Viewer | None, post: Readable, *, membership: Membership | None, is_named: bool) -> Decision:
    """Decide whether a viewer may read a post.

    Args:
        viewer: Who looks; None for nobody.
        post: What is looked at.
        membership: The viewer's place in the post's group, if any.
        is_named: Whether the viewer is among the people of a private message.
    """
    if post.audience == "article" and post.state == "live":
        return ALLOWED
    if viewer is None or not viewer.is_active:
        return refuse("Only signed-in members read here.")
    if post.audience == "people":
        return ALLOWED if is_named else refuse("This message is for others.")
    if post.audience == "draft":
        return ALLOWED if post.author_id == viewer.actor_id else refuse("This draft is somebody else's.")
    if post.audience != "group" or membership is None or not membership.is_member:
        return refuse("Only members of the group read this.")
    if membership.group_id != post.group_id or membership.actor_id != viewer.actor_id:
        return refuse("Only members of the group read this.")
    if post.seq is None:
        return ALLOWED if post.author_id == viewer.actor_id else refuse("This post is not yet in the group's order.")
    if post.seq <= membership.visible_after:
        return refuse("This was written before you joined.")
    return ALLOWED


def may_see_upload(viewer: Viewer | None, *, owner_id: int | None) -> Decision:
    """Decide whether somebody may see, describe and take away a picture that is on no post yet: who added it, alone."""
    if viewer is None or not viewer.is_active or owner_id is None or viewer.actor_id != owner_id:
        return refuse("This picture is on no post yet, and somebody else's.")
    return ALLOWED


def may_write(viewer: Viewer, membership: Membership | None, *, is_locked: bool = False) -> Decision:
    """Decide whether somebody may post in a group, or reply in a thread that may be locked."""
    if not viewer.is_active:
        return refuse("This account is not active.")
    if membership is None or not membership.is_member:
        return refuse("Only members of the group write in it.")
    if is_locked and not membership.is_staff:
        return refuse("This thread is locked.")
    return ALLOWED


def may_vote(viewer: Viewer, membership: Membership | None, post: Readable) -> Decision:
    """Decide whether somebody may vote in a poll: a member of its group who may read it, once it has its place there."""
    decision = may_read(viewer, post, membership=membership, is_named=False)
    if not decision:
        return decision
    if post.audience != "group" or post.seq is None or post.state != "live":
        return refuse("This poll cannot be voted on: the group does not have it, or not any more.")
    return ALLOWED


def may_thank(viewer: Viewer, *, author_id: int, state: str) -> Decision:
    """Decide whether somebody may thank for a post that they may read: for what somebody else wrote, and is there."""
    if not viewer.is_active:
        return refuse("This account is not active.")
    if author_id == viewer.actor_id:
        return refuse("These are your own words. Thanks are for somebody else's.")
    if state != "live":
        return refuse("This post is not there any more.")
    return ALLOWED


def may_be_thanked_from(*, is_local: bool, state: str, is_reader: bool) -> Decision:
    """Decide whether thanks that came from another node are taken: for live words of ours, from who can read them.

    Args:
        is_local: Whether a member of ours wrote the post.
        state: Of the post.
        is_reader: Whether the one who thanks, or where we know no more their node, holds it.
    """
    if not is_local or state != "live":
        return refuse("There is no such post of a member here.")
    return ALLOWED if is_reader else refuse("Only who can read a post thanks for it.")


def may_edit(viewer: Viewer, *, author_id: int, state: str, membership: Membership | None) -> Decision:
    """Decide whether somebody may change or take back a post: its author alone, while a member."""
    if not viewer.is_active or author_id != viewer.actor_id:
        return refuse("Only its author changes a post.")
    if state not in ("live", "waiting_for_host"):
        return refuse("This post was taken away.")
    if membership is not None and not membership.is_member:
        return refuse("Only members of the group change posts in it.")
    return ALLOWED


def may_moderate(viewer: Viewer, membership: Membership | None) -> Decision:
    """Decide whether somebody may remove, pin and lock in a group, and decide about requests to join."""
    if not viewer.is_active or membership is None or not membership.is_staff:
        return refuse("Only the group's owner, facilitators and moderators do this.")
    return ALLOWED


def may_see_reach(viewer: Viewer, *, author_id: int, membership: Membership | None) -> Decision:
    """Decide whether somebody may know which nodes have a post: its author and the group's staff, while members."""
    if not viewer.is_active or membership is None or not membership.is_member:
        return refuse("Only members of the group know where its posts are.")
    if author_id != viewer.actor_id and not membership.is_staff:
        return refuse("Only its author and the group's staff know where a post is.")
    return ALLOWED


def may_own(viewer: Viewer, membership: Membership | None) -> Decision:
    """Decide whether somebody may give roles, admit nodes and change the group itself."""
    if not viewer.is_active or membership is None or not membership.is_member or membership.role != "owner":
        return refuse("Only the group's owner does this.")
    return ALLOWED


def may_admit_node(viewer: Viewer, membership: Membership | None) -> Decision:
    """Decide whether somebody may let a node hold a group's content: its owner or a facilitator."""
    is_member = membership is not None and membership.is_member
    if viewer.is_active and is_member and membership is not None and membership.role in ("owner", "facilitator"):
        return ALLOWED
    return refuse("Only the group's owner and facilitators admit a node.")


def may_request(group: Group, membership: Membership | None, *, shares_groups: bool = True) -> Decision:
    """Decide whether somebody may ask to join a group.

    Args:
        group: The group.
        membership: Their place in it so far.
        shares_groups: Whether our policy for the other node concerned lets groups reach over to it.
    """
    state = membership.state if membership else None
    if not shares_groups:
        return refuse("These two nodes do not share groups.")
    if state == "banned":
        return refuse("This group does not take a request from you.")
    if state in ("member", "requested"):
        return refuse("You are in this group already, or your request is waiting.")
    if state == "invited" or (group.policy in ("open", "request") and state in (None, "left", "removed", "rejected")):
        return ALLOWED
    return refuse("This group takes members by invitation only.")


def may_node_see_card(group: Group, *, has_member_or_invitation: bool) -> Decision:
    """Decide whether an active peer may know that a group exists. Spec: wire.md 4.4."""
    if group.is_hidden and not has_member_or_invitation:
        return refuse("A hidden group is known to its members' nodes only.")
    return ALLOWED


def may_node_read(*, is_admitted: bool) -> Decision:
    """Decide whether an active peer may read a group's log, posts and media: only with a member of its own."""
    return ALLOWED if is_admitted else refuse("No member of this node is in the group.")


def may_node_read_copy(*, is_host: bool) -> Decision:
    """Decide whether a node may have our copy of a group back: its host alone, which gave us every line of it."""
    return ALLOWED if is_host else refuse("A copy is given to the group's host.")


def may_node_read_probe(*, is_its_own: bool) -> Decision:
    """Decide whether an active peer may read a test object: only the one that laid it here."""
    return ALLOWED if is_its_own else refuse("This test object is of another node.")


def may_node_see_person(*, is_searchable: bool, searches: bool, is_acquainted: bool) -> Decision:
    """Decide whether an active peer may know a member of ours.

    Args:
        is_searchable: The member lets trusted nodes find them.
        searches: The peer's policy lets it search.
        is_acquainted: The member wrote to that node, or shares a group with it.
    """
    if is_acquainted or (is_searchable and searches):
        return ALLOWED
    return refuse("This member is not known to that node.")


def may_verify(viewer: Viewer, applicant_id: int) -> Decision:
    """Decide whether somebody may see and decide a person's application to be verified: never their own."""
    if not viewer.is_active or viewer.node_role not in ("verifier", "operator"):
        return refuse("Only this node's verifiers do this.")
    if viewer.actor_id == applicant_id:
        return refuse("Nobody decides about themselves.")
    return ALLOWED
