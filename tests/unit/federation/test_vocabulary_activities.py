"""Activities as each software sends them: a string here, an object there, and lists of one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sample_documents import list_own_documents, load_document, understand_own

from node.federation.vocabulary import PUBLIC, ActivityView, ActorView, ObjectView, understand
from node.federation.vocabulary.activities import INTRANSITIVE_TYPES, TRANSITIVE_TYPES
from node.foundation.errors import RemoteMalformed, UnsupportedActivity

WARD = "https://node.example/groups/ward"


def an_activity(**members: Any) -> dict[str, Any]:
    return {
        "id": "https://a.example/activities/1",
        "type": "Follow",
        "actor": "https://a.example/people/ana",
        "object": "https://b.example/groups/ward",
        **members,
    }


def understand_activity(**members: Any) -> ActivityView:
    view = understand(an_activity(**members))
    assert isinstance(view, ActivityView)
    return view


@pytest.mark.parametrize("name", [name for name in list_own_documents() if not name.startswith("unusual/")])
def test_every_document_of_every_software_is_understood(name: str) -> None:
    assert understand_own(name).id


@pytest.mark.parametrize("verb", [*TRANSITIVE_TYPES, *INTRANSITIVE_TYPES])
def test_every_verb_is_understood(verb: str) -> None:
    assert understand_activity(type=verb).type == verb


@pytest.mark.parametrize("verb", ["Warn", "Resolve", "QuoteRequest", "follow", "FOLLOW", "Activity"])
def test_other_verbs_are_not_supported(verb: str) -> None:
    with pytest.raises(UnsupportedActivity, match=verb):
        understand(an_activity(type=verb))


@pytest.mark.parametrize("missing", ["id", "type", "actor", "object"])
def test_an_activity_without_what_makes_it_one_is_refused(missing: str) -> None:
    document = an_activity()
    del document[missing]

    with pytest.raises(RemoteMalformed, match=missing):
        understand(document)


@pytest.mark.parametrize("actor", [5, True, {}, [], {"type": "Person"}, ["https://a.example/1", "https://a.example/2"]])
def test_t01_an_actor_that_is_not_exactly_one_is_refused(actor: Any) -> None:
    with pytest.raises(RemoteMalformed):
        understand(an_activity(actor=actor))


@pytest.mark.parametrize(
    "actor",
    [
        "https://a.example/people/ana",
        ["https://a.example/people/ana"],
        {"id": "https://a.example/people/ana", "type": "Person"},
        [{"id": "https://a.example/people/ana"}],
    ],
)
def test_an_actor_may_be_a_uri_or_an_object_alone_or_in_a_list(actor: Any) -> None:
    assert understand_activity(actor=actor).actor == "https://a.example/people/ana"


def test_mitra_accept_names_the_follow_by_its_id() -> None:
    accept = understand_own("mitra/accept")

    assert (accept.object_id, accept.object, accept.inner) == ("https://node.example/activities/f4", None, None)


@pytest.mark.parametrize("name", ["mastodon/accept_follow", "mbin/accept", "rounds/accept"])
def test_an_accept_that_carries_the_follow_is_read_to_the_bottom(name: str) -> None:
    accept = understand_own(name)

    assert isinstance(accept.inner, ActivityView)
    assert accept.inner.type == "Follow"
    assert accept.inner.object_id == accept.actor
    assert accept.inner.id == accept.object_id


def test_an_accept_with_a_stub_of_the_follow_is_known_by_the_id() -> None:
    accept = understand_activity(type="Accept", object={"type": "Follow", "id": "https://b.example/f"})

    assert (accept.object_id, accept.inner) == ("https://b.example/f", None)


def test_an_accept_whose_follow_has_no_id_still_shows_it() -> None:
    follow = {"type": "Follow", "actor": "https://b.example/u", "object": "https://a.example/people/ana"}

    accept = understand_activity(type="Accept", object=follow)

    assert (accept.object_id, accept.object) == (None, follow)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("friendica/follow_with_reason", "I work nights at the same place."),
        ("rounds/follow", "Night shifts, same hospital."),
        ("mobilizon/join", "Nights at the same place."),
        ("mastodon/flag", "Shows a patient's name"),
    ],
)
def test_reasons_are_read_from_where_each_software_puts_them(name: str, reason: str) -> None:
    assert understand_own(name).content == reason


@pytest.mark.parametrize("name", ["lemmy/flag", "mbin/flag"])
def test_the_reason_of_a_flag_may_stand_in_the_summary(name: str) -> None:
    assert understand_own(name).summary == "advertising"


def test_a_flag_names_an_account_and_its_posts() -> None:
    flag = understand_own("mastodon/flag")

    assert flag.object_ids == (
        "https://node.example/people/ben",
        "https://node.example/posts/p2",
        "https://node.example/posts/p3",
    )
    assert (flag.object_id, flag.object) == ("https://node.example/people/ben", None)


@pytest.mark.parametrize("verb", ["Create", "Delete", "Undo", "Follow", "Announce", "Accept"])
def test_t02_two_objects_are_refused_where_one_is_meant(verb: str) -> None:
    with pytest.raises(RemoteMalformed, match="more than one object"):
        understand(an_activity(type=verb, object=["https://a.example/1", "https://b.example/2"]))


def test_lemmy_announce_is_read_through_three_floors() -> None:
    announce = understand_own("lemmy/announce_create_page")

    assert announce.actor == "https://lemmy.example/c/ward"
    assert isinstance(announce.inner, ActivityView)
    assert announce.inner.type == "Create"
    assert isinstance(announce.inner.inner, ObjectView)
    assert announce.inner.inner.title == "Rota for May"


def test_mbin_lock_comes_without_audience() -> None:
    announce = understand_own("mbin/announce_lock")

    assert isinstance(announce.inner, ActivityView)
    assert (announce.inner.type, announce.inner.audience) == ("Lock", ())


@pytest.mark.parametrize(
    ("name", "ends_at"),
    [
        ("lemmy/block", datetime(2026, 4, 1, tzinfo=UTC)),
        ("mbin/block", datetime(2026, 5, 1, tzinfo=UTC)),
    ],
)
def test_a_block_ends_when_each_software_says(name: str, ends_at: datetime) -> None:
    assert understand_own(name).end_time == ends_at


def test_smithereen_target_is_an_object() -> None:
    add = understand_own("smithereen/add_to_wall")

    assert add.target == "https://smithereen.example/groups/7/wall"


@pytest.mark.parametrize(
    ("name", "person"),
    [("mobilizon/invite", "https://node.example/people/ana"), ("smithereen/invite", None)],
)
def test_an_invitation_names_the_group_and_perhaps_the_person(name: str, person: str | None) -> None:
    invite = understand_own(name)

    assert (invite.type, invite.target) == ("Invite", person)
    assert invite.to[0] == "https://node.example/people/ana"


def test_mobilizon_removal_names_the_group_as_origin() -> None:
    assert understand_own("mobilizon/remove_member").origin == "https://mobilizon.example/@ward"


def test_discourse_actors_are_embedded() -> None:
    announce = understand_own("discourse/announce")

    assert announce.actor == "https://discourse.example/ap/actor/1"
    assert isinstance(announce.inner, ActivityView)
    assert announce.inner.actor == "https://discourse.example/ap/actor/9"


def test_a_deleted_person_may_be_a_stub_or_a_uri() -> None:
    stub = understand_own("mastodon/delete_person_stub")
    plain = understand_own("mastodon/delete_person")

    assert stub.object_id == plain.object_id == stub.actor
    assert stub.inner is None


def test_an_update_of_a_person_carries_the_whole_actor() -> None:
    update = understand_own("mastodon/update_person")

    assert isinstance(update.inner, ActorView)
    assert update.inner.name == "Mara L."


def test_mastodon_announce_spells_everybody_its_own_way() -> None:
    assert understand_own("mastodon/announce").to == (PUBLIC,)


def test_our_erased_entry_carries_a_tombstone() -> None:
    announce = understand_own("rounds/announce_erased_entry")

    assert isinstance(announce.inner, ObjectView)
    assert announce.inner.type == "Tombstone"


def test_our_author_card_is_carried_and_not_taken_for_an_actor() -> None:
    announce = understand_own("rounds/announce_author_card")

    assert isinstance(announce.inner, ActivityView)
    assert (announce.inner.target, announce.inner.inner) == (f"{WARD}/authors", None)
    assert announce.inner.object_id == "https://hospital.example/people/ben"


@pytest.mark.parametrize("verb", ["Create", "Update", "Announce"])
def test_what_cannot_be_read_inside_a_carrier_is_refused(verb: str) -> None:
    with pytest.raises(RemoteMalformed):
        understand(an_activity(type=verb, object={"type": "Note", "content": "no id"}))
    with pytest.raises(UnsupportedActivity):
        understand(an_activity(type=verb, object={"type": "Warn", "id": "https://a.example/1"}))


@pytest.mark.parametrize("verb", ["Create", "Like", "Announce"])
def test_an_object_without_type_is_only_a_name(verb: str) -> None:
    activity = understand_activity(type=verb, object={"id": "https://b.example/1"})

    assert (activity.object_id, activity.object, activity.inner) == ("https://b.example/1", None, None)


def test_a_list_of_one_object_is_the_object() -> None:
    note = {"id": "https://a.example/n", "type": "Note", "content": ["Hello", "Hallo"]}

    create = understand_activity(type="Create", object=[note])

    assert (create.object_id, create.object) == ("https://a.example/n", note)
    assert isinstance(create.inner, ObjectView)
    assert create.inner.content == "Hello"


def test_sixty_floors_of_announces_are_read_without_harm() -> None:
    document = an_activity()
    for number in range(60):
        document = an_activity(id=f"https://a.example/{number}", type="Announce", object=document)

    assert understand(document).id == "https://a.example/59"


def test_the_document_in_a_view_is_the_one_that_came() -> None:
    document = load_document("rounds/announce_entry")

    view = understand(document)

    assert view.document is document


def test_no_text_of_an_activity_appears_in_its_repr() -> None:
    activity = understand_activity(content="a secret", summary="a secret")

    assert repr(activity) == "<ActivityView Follow by https://a.example/people/ana: https://a.example/activities/1>"
