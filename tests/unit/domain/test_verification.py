"""The ladder: which methods justify which level, when a level lapses, and how a verification changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.actors import ASSURANCE_LEVELS
from node.domain.attestations import Attested, Standing, judge, may_enter, may_take_part
from node.domain.verification import (
    EVERY_METHOD,
    LONGEST_DAYS,
    METHODS,
    POSSESSION,
    STATES,
    highest_level,
    is_at_least,
    lapse_of,
    may_become,
    may_reach,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("level", "methods"),
    [
        ("A3", ("register",)),
        ("A3", ("video", "vouch2", "letter", "employer")),
        ("A3", ("register", "institution", "student")),
        ("A4", ("register", "video")),
        ("A2", ("institution",)),
        ("A1", ()),
        ("A1", ("video",)),
        ("A0", ("register",)),
        ("A5", ("eid",)),
        ("A2", ("register", "guess")),
    ],
)
def test_a_level_is_refused_that_the_methods_do_not_justify(level: str, methods: tuple[str, ...]) -> None:
    assert not may_reach(level, methods)


@pytest.mark.parametrize(
    ("level", "methods"),
    [
        ("A1", ("institution",)),
        ("A1", ("student",)),
        ("A2", ("register",)),
        *(("A3", ("register", proof)) for proof in POSSESSION),
        ("A2", ("register", "video")),
        ("A4", ("eid",)),
        ("A4", ("office",)),
        ("A4", ("operator",)),
    ],
)
def test_a_level_is_reached_by_what_justifies_it(level: str, methods: tuple[str, ...]) -> None:
    assert may_reach(level, methods)


@given(st.sets(st.sampled_from(METHODS)))
def test_a_number_alone_never_reaches_a3_whatever_is_ticked_beside_it(methods: set[str]) -> None:
    if is_at_least(highest_level(methods), "A3"):
        assert methods & {"eid", "office"} or ("register" in methods and methods & set(POSSESSION))


@given(st.sets(st.sampled_from(EVERY_METHOD)), st.sampled_from(EVERY_METHOD))
def test_checking_more_never_makes_a_level_lower(methods: set[str], one_more: str) -> None:
    assert is_at_least(highest_level({*methods, one_more}), highest_level(methods))


@given(st.text(), st.text())
def test_an_unknown_level_reaches_nothing(level: str, needed: str) -> None:
    if level not in ASSURANCE_LEVELS or needed not in ASSURANCE_LEVELS:
        assert not is_at_least(level, needed)


@pytest.mark.parametrize(("level", "days"), [("A2", 30), ("A3", 365), ("A4", 365)])
def test_a_level_lapses_after_its_days(level: str, days: int) -> None:
    assert lapse_of(level, NOW, {}) == NOW + timedelta(days=days)


@given(st.sampled_from(sorted(LONGEST_DAYS)), st.integers(-10, 10_000))
def test_an_operator_may_choose_less_and_never_more(level: str, days: int) -> None:
    lapses_at = lapse_of(level, NOW, {level: days})

    assert timedelta(days=1) <= lapses_at - NOW <= timedelta(days=LONGEST_DAYS[level])


@pytest.mark.parametrize(
    ("state", "target"),
    [
        (None, "ended"),
        ("ended", "suspended"),
        ("ended", "revoked"),
        ("revoked", "suspended"),
        ("revoked", "ended"),
        ("?", "current"),
    ],
)
def test_a_verification_does_not_change_in_these_ways(state: str | None, target: str) -> None:
    assert not may_become(state, target)


@pytest.mark.parametrize("state", STATES)
def test_whatever_ended_can_be_verified_anew(state: str) -> None:
    assert may_become(state, "current")


def said(state: str = "current", level: str = "A3", through: str | None = None, days: int = 30) -> Attested:
    """Return what a node says of somebody."""
    ends_at = NOW + timedelta(days=days)
    return Attested(state, level, "physician", ("register",), (), "2026-12", "2026-12", ends_at, "b.example", through)


@pytest.mark.parametrize(
    ("attested", "minimum", "accepts_relayed", "verdict", "level"),
    [
        (None, "A0", True, "none", "A0"),
        (said("refused"), "A0", True, "refused", "A0"),
        (said("ended"), "A0", True, "ended", "A0"),
        (said("suspended"), "A0", True, "suspended", "A0"),
        (said("revoked"), "A0", True, "revoked", "A0"),
        (said("of another release"), "A0", True, "none", "A0"),
        (said(days=0), "A0", True, "expired", "A0"),
        (said(through="a.example"), "A0", False, "relayed", "A0"),
        (said(through="a.example"), "A4", True, "below", "A0"),
        (said(level="A2"), "A3", False, "below", "A0"),
        (said(level="A9"), "A0", False, "below", "A0"),
        (said(level="A3"), "A9", False, "below", "A0"),
        (said(through="a.example"), "A3", True, "accepted", "A3"),
        (said(), "A3", False, "accepted", "A3"),
    ],
)
def test_what_an_attestation_counts_for(
    attested: Attested | None, minimum: str, accepts_relayed: bool, verdict: str, level: str
) -> None:
    found = judge(attested, now=NOW, minimum=minimum, accepts_relayed=accepts_relayed)

    assert (found.verdict, found.level) == (verdict, level)


@pytest.mark.parametrize("verdict", ["none", "ended", "suspended", "revoked", "expired", "relayed", "refused", "new"])
def test_a_group_with_a_level_takes_nothing_but_what_is_accepted(verdict: str) -> None:
    standing = Standing(verdict, "A4", said())

    assert not may_enter("A1", standing)
    assert not may_take_part("A1", standing)
    assert may_enter("A0", standing)
    assert not may_enter("A4", Standing("accepted", "A3", said()))
    assert may_enter("A3", Standing("accepted", "A3", said()))
