"""The permission functions as tables of cases, refusals first."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain import access
from node.domain.access import (
    ALLOWED,
    Decision,
    Readable,
    may_admit_node,
    may_be_thanked_from,
    may_edit,
    may_moderate,
    may_node_read,
    may_node_read_copy,
    may_node_read_probe,
    may_node_see_card,
    may_node_see_person,
    may_own,
    may_read,
    may_request,
    may_see_reach,
    may_see_upload,
    may_thank,
    may_verify,
    may_vote,
    may_write,
)
from node.domain.actors import Viewer
from node.domain.groups import Membership
from tests.support.tables import (
    ANA,
    BEN_ID,
    ENDED,
    GROUP_ID,
    INVITED,
    OTHER_GROUP_ID,
    SUSPENDED,
    UNHEARD_OF,
    a_place,
    some_group,
    something,
)

_NOT_ACTIVE = [None, SUSPENDED, INVITED, ENDED, UNHEARD_OF]
_NOT_IN = [
    None,
    *(a_place(state) for state in ("requested", "invited", "rejected", "left", "removed", "banned", "unheard_of", "")),
]
_NOT_OURS = [a_place(group_id=OTHER_GROUP_ID), a_place(actor_id=BEN_ID)]


@pytest.mark.parametrize("viewer", _NOT_ACTIVE)
@pytest.mark.parametrize("audience", ["group", "people", "draft", "unheard_of"])
def test_who_is_not_an_active_member_reads_nothing_of_the_inside(viewer: Viewer | None, audience: str) -> None:
    post = something(audience, author_id=ANA.actor_id)

    assert not may_read(viewer, post, membership=a_place(), is_named=True)


@pytest.mark.parametrize("membership", [*_NOT_IN, *_NOT_OURS])
@pytest.mark.parametrize("author_id", [BEN_ID, ANA.actor_id])
@pytest.mark.parametrize("seq", [None, 5])
def test_who_is_not_in_the_group_reads_nothing_of_it(
    membership: Membership | None, author_id: int, seq: int | None
) -> None:
    post = something(author_id=author_id, seq=seq)

    assert not may_read(ANA, post, membership=membership, is_named=True)


REFUSED_READS: list[tuple[str, Readable, dict[str, Any]]] = [
    ("written before she joined", something(seq=3), {"membership": a_place(visible_after=3)}),
    ("written long before she joined", something(seq=1), {"membership": a_place(visible_after=3)}),
    ("somebody else's, not yet in the order", something(seq=None, state="waiting_for_host"), {"membership": a_place()}),
    ("a message to others, though in her group", something("people"), {"membership": a_place()}),
    ("a draft of somebody else", something("draft"), {"membership": a_place(), "is_named": True}),
    (
        "an article that was withdrawn",
        something("article", state="withdrawn"),
        {"membership": a_place(), "is_named": True},
    ),
    ("an audience that nobody knows", something("public"), {"membership": a_place(), "is_named": True}),
    ("no group at all", something(group_id=None), {"membership": a_place()}),
]
ALLOWED_READS: list[tuple[str, Readable, dict[str, Any]]] = [
    ("in her group", something(), {"membership": a_place()}),
    ("the first after she joined", something(seq=4), {"membership": a_place(visible_after=3)}),
    (
        "her own, waiting for the host",
        something(author_id=1, seq=None, state="waiting_for_host"),
        {"membership": a_place()},
    ),
    ("removed, for its place stays", something(state="removed"), {"membership": a_place()}),
    ("a message that names her", something("people", group_id=None, seq=None), {"is_named": True}),
    ("her own draft", something("draft", author_id=1, group_id=None, seq=None, state="draft"), {}),
    ("an article", something("article", group_id=None, seq=None), {}),
]


@pytest.mark.parametrize(("case", "post", "given_facts"), REFUSED_READS, ids=[case for case, *_ in REFUSED_READS])
def test_a_member_may_not_read(case: str, post: Readable, given_facts: dict[str, Any]) -> None:
    decision = may_read(ANA, post, **{"membership": None, "is_named": False, **given_facts})

    assert not decision
    assert decision.reason.endswith(".")


@pytest.mark.parametrize(("case", "post", "given_facts"), ALLOWED_READS, ids=[case for case, *_ in ALLOWED_READS])
def test_a_member_may_read(case: str, post: Readable, given_facts: dict[str, Any]) -> None:
    assert may_read(ANA, post, **{"membership": None, "is_named": False, **given_facts}) is ALLOWED


@pytest.mark.parametrize("viewer", [ANA, *_NOT_ACTIVE])
def test_anybody_reads_an_article_and_nobody_one_that_is_not_out(viewer: Viewer | None) -> None:
    assert may_read(viewer, something("article"), membership=None, is_named=False)
    assert not may_read(viewer, something("article", state="draft"), membership=None, is_named=False)


@given(
    st.sampled_from([ANA, *_NOT_ACTIVE]),
    st.builds(
        Readable,
        audience=st.sampled_from(["group", "people", "draft", "article", ""]),
        author_id=st.sampled_from([1, 2]),
        group_id=st.sampled_from([None, GROUP_ID, OTHER_GROUP_ID]),
        seq=st.none() | st.integers(0, 5),
        state=st.sampled_from(["live", "draft", "removed", ""]),
    ),
    st.sampled_from([*_NOT_IN, *_NOT_OURS, a_place(), a_place(visible_after=4)]),
    st.booleans(),
)
def test_losing_a_place_or_an_account_never_shows_more(
    viewer: Viewer | None, post: Readable, membership: Membership | None, is_named: bool
) -> None:
    more = may_read(viewer, post, membership=membership, is_named=is_named)
    less = may_read(viewer, post, membership=None, is_named=False)
    least = may_read(None, post, membership=None, is_named=False)

    assert not (less and not more)
    assert not (least and not less)


@pytest.mark.parametrize("viewer", _NOT_ACTIVE[1:])
def test_who_is_not_active_does_nothing(viewer: Viewer) -> None:
    owner = a_place(role="owner")

    assert not may_write(viewer, owner)
    assert not may_edit(viewer, author_id=viewer.actor_id, state="live", membership=owner)
    assert not may_see_reach(viewer, author_id=viewer.actor_id, membership=owner)
    assert not may_moderate(viewer, owner)
    assert not may_own(viewer, owner)
    assert not may_admit_node(viewer, owner)


@pytest.mark.parametrize("state", [place.state if place else None for place in _NOT_IN])
@pytest.mark.parametrize("role", ["member", "moderator", "facilitator", "owner"])
def test_who_is_not_in_the_group_does_nothing_in_it_whatever_their_role_was(state: str | None, role: str) -> None:
    place = a_place(state, role=role) if state is not None else None

    assert not may_write(ANA, place)
    assert not may_see_reach(ANA, author_id=ANA.actor_id, membership=place)
    assert not may_moderate(ANA, place)
    assert not may_own(ANA, place)
    assert not may_admit_node(ANA, place)


@pytest.mark.parametrize(
    ("role", "writes", "writes_in_locked", "moderates", "admits", "owns"),
    [
        ("unheard_of", True, False, False, False, False),
        ("member", True, False, False, False, False),
        ("moderator", True, True, True, False, False),
        ("facilitator", True, True, True, True, False),
        ("owner", True, True, True, True, True),
    ],
)
def test_what_each_role_may_do(
    role: str, writes: bool, writes_in_locked: bool, moderates: bool, admits: bool, owns: bool
) -> None:
    place = a_place(role=role)

    assert may_write(ANA, place).allowed is writes
    assert may_write(ANA, place, is_locked=True).allowed is writes_in_locked
    assert may_moderate(ANA, place).allowed is moderates
    assert may_see_reach(ANA, author_id=BEN_ID, membership=place).allowed is moderates
    assert may_see_reach(ANA, author_id=ANA.actor_id, membership=place).allowed
    assert may_admit_node(ANA, place).allowed is admits
    assert may_own(ANA, place).allowed is owns


@pytest.mark.parametrize(
    ("author_id", "state", "membership", "allowed"),
    [
        (BEN_ID, "live", a_place(role="owner"), False),
        (1, "withdrawn", a_place(), False),
        (1, "removed", a_place(), False),
        (1, "placeholder", a_place(), False),
        (1, "unheard_of", a_place(), False),
        (1, "live", a_place("left"), False),
        (1, "live", a_place("removed"), False),
        (1, "live", a_place("banned"), False),
        (1, "live", a_place(), True),
        (1, "waiting_for_host", a_place(), True),
        (1, "live", None, True),
    ],
)
def test_only_its_author_changes_a_post_while_a_member(
    author_id: int, state: str, membership: Membership | None, allowed: bool
) -> None:
    assert may_edit(ANA, author_id=author_id, state=state, membership=membership).allowed is allowed


@pytest.mark.parametrize(
    ("policy", "state", "allowed"),
    [
        ("open", "banned", False),
        ("open", "member", False),
        ("open", "requested", False),
        ("invite", None, False),
        ("invite", "left", False),
        ("invite", "rejected", False),
        ("invite", "banned", False),
        ("invite", "invited", True),
        ("request", None, True),
        ("request", "left", True),
        ("request", "removed", True),
        ("request", "rejected", True),
        ("open", None, True),
        ("open", "invited", True),
    ],
)
def test_who_may_ask_to_join(policy: str, state: str | None, allowed: bool) -> None:
    place = a_place(state) if state else None

    assert may_request(some_group(policy=policy), place).allowed is allowed


@pytest.mark.parametrize(
    ("is_hidden", "has_somebody", "allowed"),
    [(True, False, False), (True, True, True), (False, False, True), (False, True, True)],
)
def test_a_hidden_group_is_known_to_its_members_nodes_alone(is_hidden: bool, has_somebody: bool, allowed: bool) -> None:
    assert may_node_see_card(some_group(is_hidden=is_hidden), has_member_or_invitation=has_somebody).allowed is allowed


def test_a_node_reads_a_group_only_once_it_was_admitted() -> None:
    assert not may_node_read(is_admitted=False)
    assert may_node_read(is_admitted=True)


@pytest.mark.parametrize(
    ("is_searchable", "searches", "is_acquainted", "allowed"),
    [
        (False, False, False, False),
        (True, False, False, False),
        (False, True, False, False),
        (True, True, False, True),
        (False, False, True, True),
    ],
)
def test_which_nodes_may_know_a_member(is_searchable: bool, searches: bool, is_acquainted: bool, allowed: bool) -> None:
    decision = may_node_see_person(is_searchable=is_searchable, searches=searches, is_acquainted=is_acquainted)

    assert decision.allowed is allowed


@pytest.mark.parametrize("is_host", [False, True])
def test_a_copy_of_a_group_goes_back_to_its_host_alone(is_host: bool) -> None:
    assert may_node_read_copy(is_host=is_host).allowed is is_host


@pytest.mark.parametrize("is_its_own", [False, True])
def test_a_test_object_is_given_to_the_node_that_laid_it_here(is_its_own: bool) -> None:
    assert may_node_read_probe(is_its_own=is_its_own).allowed is is_its_own


@pytest.mark.parametrize(
    ("role", "state", "applicant_id", "may"),
    [
        ("member", "active", 2, False),
        ("moderator", "active", 2, False),
        ("verifier", "suspended", 2, False),
        ("verifier", "active", 1, False),
        ("operator", "active", 1, False),
        ("verifier", "active", 2, True),
        ("operator", "active", 2, True),
    ],
)
def test_who_may_verify_whom(role: str, state: str, applicant_id: int, may: bool) -> None:
    assert bool(may_verify(Viewer(1, "https://a.example/people/x", state, role), applicant_id)) is may


@pytest.mark.parametrize(
    ("viewer", "author_id", "state", "may"),
    [
        (SUSPENDED, BEN_ID, "live", False),
        (UNHEARD_OF, BEN_ID, "live", False),
        (ANA, ANA.actor_id, "live", False),
        (ANA, BEN_ID, "waiting_for_host", False),
        (ANA, BEN_ID, "withdrawn", False),
        (ANA, BEN_ID, "removed", False),
        (ANA, BEN_ID, "unheard_of", False),
        (ANA, BEN_ID, "live", True),
    ],
)
def test_thanks_are_for_what_somebody_else_wrote_and_is_there(
    viewer: Viewer, author_id: int, state: str, may: bool
) -> None:
    assert may_thank(viewer, author_id=author_id, state=state).allowed is may


@pytest.mark.parametrize(
    ("is_local", "state", "is_reader", "may"),
    [
        (False, "live", True, False),
        (True, "withdrawn", True, False),
        (True, "unheard_of", True, False),
        (True, "live", False, False),
        (True, "live", True, True),
    ],
)
def test_thanks_from_another_node_are_taken_from_who_can_read_the_words_of_a_member(
    is_local: bool, state: str, is_reader: bool, may: bool
) -> None:
    assert may_be_thanked_from(is_local=is_local, state=state, is_reader=is_reader).allowed is may


@pytest.mark.parametrize("viewer", [*_NOT_ACTIVE, Viewer(BEN_ID, "https://a.example/people/ben", "active")])
@pytest.mark.parametrize("owner_id", [ANA.actor_id, None])
def test_a_picture_on_no_post_is_seen_by_who_added_it_alone(viewer: Viewer | None, owner_id: int | None) -> None:
    assert not may_see_upload(viewer, owner_id=owner_id)
    assert not may_see_upload(ANA, owner_id=None)
    assert may_see_upload(ANA, owner_id=ANA.actor_id)


@pytest.mark.parametrize(
    ("viewer", "membership", "post", "may"),
    [
        *((viewer, a_place(), something(), False) for viewer in _NOT_ACTIVE[1:]),
        *((ANA, place, something(), False) for place in [*_NOT_IN, *_NOT_OURS]),
        (ANA, a_place(visible_after=9), something(seq=9), False),
        (ANA, a_place(), something(author_id=1, seq=None, state="waiting_for_host"), False),
        (ANA, a_place(), something(author_id=1, seq=None), False),
        *((ANA, a_place(), something(state=state), False) for state in ("withdrawn", "removed", "unheard_of")),
        (ANA, a_place(), something("people", group_id=None, seq=None), False),
        (ANA, a_place(), something("draft", author_id=1), False),
        (ANA, None, something("article", group_id=None, seq=None), False),
        (ANA, a_place(), something(), True),
        (ANA, a_place(), something(author_id=1), True),
    ],
)
def test_who_may_read_a_poll_that_has_its_place_may_vote_in_it(
    viewer: Viewer, membership: Membership | None, post: Readable, may: bool
) -> None:
    assert may_vote(viewer, membership, post).allowed is may


def test_every_permission_function_has_its_cases_here_and_returns_a_decision() -> None:
    functions = {
        name: found for name, found in inspect.getmembers(access, inspect.isfunction) if name.startswith("may_")
    }

    assert {name for name in functions if name not in globals()} == set()
    assert {inspect.signature(found).return_annotation for found in functions.values()} == {"Decision"}


def test_a_refusal_is_false_and_says_why() -> None:
    refusal = access.refuse("Because.")

    assert (bool(refusal), refusal.reason, bool(ALLOWED)) == (False, "Because.", True)
    assert isinstance(refusal, Decision)
