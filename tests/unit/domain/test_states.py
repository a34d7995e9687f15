"""What may follow what: peers, memberships; and what nobody may skip."""

from __future__ import annotations

import itertools

import pytest

from node.domain import groups, peers, posts
from node.domain.groups import MEMBERSHIP_TRANSITIONS, STAFF, may_become
from node.domain.peers import TRANSITIONS, Peer, PeerPolicy, may_change
from node.domain.posts import STATES
from tests.support.tables import a_place, some_group

_PLACES = [None, "requested", "invited", "member", "rejected", "left", "removed", "banned"]


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("banned", "member"),
        ("banned", "requested"),
        ("banned", "invited"),
        ("banned", "left"),
        ("member", "requested"),
        ("member", "invited"),
        ("member", "member"),
        ("requested", "requested"),
        ("requested", "removed"),
        ("left", "removed"),
        ("rejected", "left"),
        (None, "left"),
        (None, "banned"),
        ("unheard_of", "member"),
        ("member", "unheard_of"),
    ],
)
def test_a_membership_may_not_go_from_one_state_to_the_other(state: str | None, target: str) -> None:
    assert not may_become(state, target)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        (None, "requested"),
        (None, "invited"),
        ("requested", "member"),
        ("requested", "rejected"),
        ("invited", "member"),
        ("member", "left"),
        ("member", "removed"),
        ("member", "banned"),
        ("left", "requested"),
        ("rejected", "requested"),
        ("removed", "requested"),
        ("banned", "removed"),
    ],
)
def test_a_membership_goes_its_usual_ways(state: str | None, target: str) -> None:
    assert may_become(state, target)


def test_every_state_of_a_membership_has_its_line_and_leads_to_known_ones() -> None:
    assert set(MEMBERSHIP_TRANSITIONS) == set(_PLACES)
    assert set(itertools.chain(*MEMBERSHIP_TRANSITIONS.values())) <= set(_PLACES)


def test_a_banned_person_comes_back_only_through_staff() -> None:
    assert MEMBERSHIP_TRANSITIONS["banned"] == ("removed",)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("draft", "paused"),
        ("verified", "paused"),
        ("paused", "draft"),
        ("paused", "verified"),
        ("active", "draft"),
        ("active", "verified"),
        ("active", "active"),
        ("parted", "paused"),
        ("unheard_of", "active"),
        ("active", "unheard_of"),
    ],
)
def test_a_peer_may_not_go_from_one_state_to_the_other(state: str, target: str) -> None:
    assert not may_change(state, target)


@pytest.mark.parametrize(
    ("state", "target"),
    [
        ("draft", "verified"),
        ("verified", "active"),
        ("active", "paused"),
        ("paused", "active"),
        ("paused", "parted"),
        ("active", "parted"),
        ("parted", "draft"),
    ],
)
def test_a_peer_goes_its_usual_ways(state: str, target: str) -> None:
    assert may_change(state, target)


def test_every_state_of_a_peer_can_be_parted_from_and_leads_to_known_ones() -> None:
    assert all("parted" in targets for state, targets in TRANSITIONS.items() if state != "parted")
    assert set(itertools.chain(*TRANSITIONS.values())) <= set(TRANSITIONS)


@pytest.mark.parametrize(("module", "states"), [(peers, TRANSITIONS), (groups, [place for place in _PLACES if place])])
def test_the_description_names_every_state(module: object, states: list[str]) -> None:
    assert [state for state in states if state not in (module.__doc__ or "")] == []


def test_the_description_of_posts_names_every_state() -> None:
    assert [state for state in STATES if state not in (posts.__doc__ or "")] == []


@pytest.mark.parametrize("role", ["member", "moderator", "facilitator", "owner"])
@pytest.mark.parametrize("state", [place for place in _PLACES if place])
def test_staff_are_those_who_are_in_and_look_after_the_group(role: str, state: str) -> None:
    assert a_place(state, role=role).is_staff is (state == "member" and role in STAFF)


def test_a_staff_room_is_the_companion_of_a_group() -> None:
    assert not some_group().is_staff_room


def test_a_new_peer_may_do_little() -> None:
    policy = PeerPolicy()

    assert (policy.people_search, policy.support, policy.retention_days) == (False, False, None)


@pytest.mark.parametrize(
    ("software", "speaks"), [("rounds", True), ("mastodon", False), ("Rounds", False), (None, False)]
)
def test_a_peer_speaks_our_extensions_only_when_it_runs_this_software(software: str | None, speaks: bool) -> None:
    peer = Peer(
        1, "b.example", "https://b.example", "B", "active", None, False, None, software, None, PeerPolicy(),
        None, None, None, None, None, None,
    )  # fmt: skip

    assert peer.speaks_rounds is speaks
