"""Whom an activity names, and what may be called what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.actors import Actor, Member, Viewer, is_handle
from node.domain.audience import PEOPLE_LIMIT, PUBLIC, Addressed, fits_group, fits_people, group_addresses

_GROUP = "https://home.example/groups/ward"
_OTHER = "https://home.example/groups/other"
_BEN = "https://b.example/people/ben"


def _addressed(*uris: str, audience: str | None = None) -> Addressed:
    return Addressed(frozenset(uris), audience)


@pytest.mark.parametrize(
    ("addressed", "why"),
    [
        (_addressed(_GROUP, "https://www.w3.org/ns/activitystreams#Public"), "public"),
        (_addressed(_GROUP, "as:Public"), "public"),
        (_addressed(_GROUP, "Public"), "public"),
        (_addressed(_GROUP, audience="as:Public"), "public"),
        (_addressed("as:Public"), "public"),
        (_addressed(_GROUP, audience=_OTHER), "another group"),
        (_addressed(_GROUP, _OTHER), "outside the group"),
        (_addressed(_GROUP, f"{_OTHER}/members"), "outside the group"),
        (_addressed(_GROUP, f"{_GROUP}/moderators"), "outside the group"),
        (_addressed(_GROUP, f"{_GROUP}/followers/"), "outside the group"),
        (_addressed(_GROUP, "https://b.example/people/eva"), "outside the group"),
        (_addressed(_BEN), "does not name the group"),
        (_addressed(f"{_GROUP}/members"), "does not name the group"),
    ],
)
def test_t18_what_reaches_further_than_the_group_does_not_go_into_it(addressed: Addressed, why: str) -> None:
    assert why in (fits_group(addressed, _GROUP, named=[_BEN]) or "")


@pytest.mark.parametrize(
    "addressed",
    [
        _addressed(_GROUP),
        _addressed(_GROUP, f"{_GROUP}/followers"),
        _addressed(f"{_GROUP}/followers"),
        _addressed(_GROUP, _BEN),
        _addressed(_GROUP, audience=_GROUP),
        _addressed(audience=_GROUP),
    ],
)
def test_what_names_the_group_and_those_it_mentions_fits(addressed: Addressed) -> None:
    assert fits_group(addressed, _GROUP, named=[_BEN]) is None


def test_what_we_write_into_a_group_fits_it() -> None:
    assert fits_group(_addressed(*group_addresses(_GROUP), audience=_GROUP), _GROUP) is None


@given(
    st.frozensets(st.sampled_from([_GROUP, _OTHER, _BEN, f"{_GROUP}/followers", *PUBLIC])),
    st.sampled_from([None, _GROUP, *PUBLIC]),
)
def test_t18_nothing_public_ever_fits(uris: frozenset[str], audience: str | None) -> None:
    addressed = Addressed(uris | {"as:Public"}, audience)

    assert fits_group(addressed, _GROUP, named=uris) is not None
    assert fits_people(addressed) is not None


@pytest.mark.parametrize(
    ("addressed", "why"),
    [
        (_addressed(), "names nobody"),
        (_addressed(_BEN, "as:Public"), "public"),
        (_addressed(_BEN, audience="as:Public"), "public"),
        (_addressed(_BEN, "https://b.example/people/ben/followers"), "followers"),
        (_addressed(*(f"{_BEN}{number}" for number in range(PEOPLE_LIMIT + 1))), f"at most {PEOPLE_LIMIT}"),
    ],
)
def test_t19_a_private_message_names_people_and_nobody_else(addressed: Addressed, why: str) -> None:
    assert why in (fits_people(addressed) or "")


def test_a_private_message_to_fifty_people_is_taken() -> None:
    assert fits_people(_addressed(*(f"{_BEN}{number}" for number in range(PEOPLE_LIMIT)))) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a" * 31,
        "Ana",
        "ana-ruiz",
        "ana.ruiz",
        "ana ruiz",
        "ana\n",
        "\u0430na",
        "\u212aen",
        "../x",
        "a/b",
        "\uff41na",
    ],
)
def test_t50_what_cannot_be_told_apart_is_no_handle(text: str) -> None:
    assert not is_handle(text)


@pytest.mark.parametrize("text", ["an", "ana", "ana_ruiz", "a" * 30, "007", "__"])
def test_a_handle_is_2_to_30_of_a_few_characters(text: str) -> None:
    assert is_handle(text)


def test_an_address_is_handle_and_host() -> None:
    actor = Actor(2, _BEN, "person", "ben", "b.example", False, None, "Ben", "", None)

    assert actor.address == "ben@b.example"


@pytest.mark.parametrize(
    ("state", "is_active"), [("active", True), ("invited", False), ("suspended", False), ("ended", False), ("", False)]
)
def test_only_an_active_member_looks_at_anything(state: str, is_active: bool) -> None:
    member = Member(1, "https://home.example/people/ana", "ana", "Ana", "operator", "physician", "A3", state, False)

    assert member.viewer == Viewer(1, "https://home.example/people/ana", state, "operator")
    assert member.viewer.is_active is is_active
