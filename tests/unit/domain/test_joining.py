"""Who may invite, who may vouch, and what an operator's list of specialties says: pure rules, refusals first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.actors import ASSURANCE_LEVELS, CLASSES, MEMBER_STATES, NODE_ROLES, Viewer
from node.domain.inviting import INVITATION_LIFE, Invitation, may_invite
from node.domain.specialties import OTHER, list_specialties
from node.domain.vouching import MOST, PHYSICIANS, Vouch, may_vouch, may_vouch_for, read_words, words_of
from tests.support.clock import NOON

ANA = Viewer(1, "https://home.example/people/ana")


@pytest.mark.parametrize(
    ("viewer", "level", "who"),
    [
        (ANA, "A0", "verified"),
        (ANA, "unheard of", "verified"),
        (ANA, "A4", "operators"),
        (ANA, "A4", "unheard of"),
        (replace(ANA, state="suspended"), "A4", "verified"),
        (replace(ANA, state="unheard of"), "A4", "verified"),
        (replace(ANA, state="suspended", node_role="operator"), "A4", "verified"),
        (replace(ANA, node_role="verifier"), "A0", "verified"),
        (replace(ANA, node_role="verifier"), "A4", "operators"),
    ],
)
def test_who_may_not_invite(viewer: Viewer, level: str, who: str) -> None:
    decision = may_invite(viewer, level, who=who)

    assert (decision.allowed, bool(decision.reason)) == (False, True)


@pytest.mark.parametrize(
    ("viewer", "level", "who"),
    [
        (ANA, "A1", "verified"),
        (ANA, "A3", "verified"),
        (replace(ANA, node_role="operator"), "A0", "operators"),
        (replace(ANA, node_role="operator"), "A0", "verified"),
    ],
)
def test_who_may_invite(viewer: Viewer, level: str, who: str) -> None:
    assert may_invite(viewer, level, who=who)


@given(
    state=st.sampled_from([*MEMBER_STATES, "unheard of"]),
    role=st.sampled_from(NODE_ROLES),
    member_class=st.sampled_from([*CLASSES, "unheard of"]),
    level=st.sampled_from([*ASSURANCE_LEVELS, "unheard of"]),
    needed=st.sampled_from(["A2", "A3", "A4", "unheard of"]),
)
def test_who_vouches_is_an_active_physician_at_the_level_that_is_needed(
    state: str, role: str, member_class: str, level: str, needed: str
) -> None:
    decision = may_vouch(
        replace(ANA, state=state, node_role=role), member_class=member_class, level=level, needed=needed
    )

    reaches = level.startswith("A") and needed.startswith("A") and level >= needed
    assert decision.allowed == (state == "active" and member_class in PHYSICIANS and reaches)


@pytest.mark.parametrize(
    ("applicant_id", "has_vouched", "given_lately"), [(1, False, 0), (2, True, 0), (2, False, MOST), (2, False, 99)]
)
def test_for_whom_nobody_vouches(applicant_id: int, has_vouched: bool, given_lately: int) -> None:
    assert not may_vouch_for(ANA, applicant_id, has_vouched=has_vouched, given_lately=given_lately)


def test_somebody_vouches_for_another_once_and_within_the_limit() -> None:
    assert may_vouch_for(ANA, 2, has_vouched=False, given_lately=MOST - 1)


@pytest.mark.parametrize(
    ("level_now", "counts"), [("A0", False), ("A1", False), ("A2", True), ("A4", True), ("", False)]
)
def test_a_vouch_counts_while_whoever_gave_it_is_verified(level_now: str, counts: bool) -> None:
    assert Vouch(1, 2, "Dee", "dee", "A3", level_now, NOON, 1, False).counts is counts


@given(
    st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26), st.sampled_from([" ", ", ", ".\n"])
)
def test_the_words_of_a_code_are_read_however_they_are_typed(token: str, between: str) -> None:
    words = words_of(token)

    assert len(words) == 4
    assert read_words(between.join(words).title()) == words


@given(st.text())
def test_whatever_is_typed_as_words_is_read_without_harm(text: str) -> None:
    assert all(word.isascii() and word.islower() for word in read_words(text))


def test_an_invitation_lapses_by_its_date_and_by_nothing_else() -> None:
    until = NOON + INVITATION_LIFE
    made = Invitation(1, 2, "Dee", "dee", "open", "", None, None, NOON, until, None)
    moments = (NOON, until - timedelta(microseconds=1), until)

    assert [made.state_at(at) for at in moments] == ["open", "open", "lapsed"]
    for state in ("used", "withdrawn"):
        assert {replace(made, kept_state=state).state_at(at) for at in moments} == {state}


@given(st.text())
def test_any_text_is_a_list_of_specialties(text: str) -> None:
    found = list_specialties(text)

    assert len(set(found)) == len(found) <= 60
    assert all(name.strip() and name != OTHER and len(name) <= 80 for name in found)
