"""Short names for the nouns that rules decide about, for tests that are tables of cases."""

from __future__ import annotations

from dataclasses import replace

from node.domain.access import Readable
from node.domain.actors import Viewer
from node.domain.groups import Group, Membership
from tests.support.clock import NOON

ANA = Viewer(1, "https://home.example/people/ana")
SUSPENDED = replace(ANA, state="suspended")
INVITED = replace(ANA, state="invited")
ENDED = replace(ANA, state="ended")
UNHEARD_OF = replace(ANA, state="unheard_of")
BEN_ID = 2
GROUP_ID = 7
OTHER_GROUP_ID = 8


def a_place(
    state: str = "member", *, role: str = "member", visible_after: int = 0, group_id: int = GROUP_ID, actor_id: int = 1
) -> Membership:
    """Return Ana's place in the group, unless another is named."""
    return Membership(group_id, actor_id, role, state, "", None, 0, visible_after, NOON, NOON)


def something(
    audience: str = "group",
    *,
    author_id: int = BEN_ID,
    group_id: int | None = GROUP_ID,
    seq: int | None = 5,
    state: str = "live",
) -> Readable:
    """Return what decides who may read a post: Ben's fifth in the group, unless told otherwise."""
    return Readable(audience, author_id, group_id, seq, state)


def some_group(*, policy: str = "request", is_hidden: bool = False) -> Group:
    """Return a group of ours."""
    return Group(
        group_id=GROUP_ID,
        uri="https://home.example/groups/ward",
        handle="ward",
        host="home.example",
        is_local=True,
        peer_id=None,
        staff_of=None,
        title="Ward",
        policy=policy,
        is_hidden=is_hidden,
        history="all",
        new_node_approvals=1,
        epoch=1,
        base_seq=0,
        base_chain="",
        head_seq=0,
        head_chain="",
        applied_seq=0,
    )
