"""Nobody speaks in another's name: the rules over activities (T1, T2, T5, T12, T13, T20)."""

from __future__ import annotations

from typing import Any

import pytest
from sample_documents import understand_own

from node.federation.origin import check_activity_origins, check_announced_origins, without_foreign_object
from node.federation.vocabulary import ActivityView, ObjectView, understand
from node.foundation.errors import OriginMismatch, RemoteMalformed

ANA = "https://friend.example/people/ana"
BEN = "https://friend.example/people/ben"
EVE = "https://friend2.example/people/eve"
OURS = "https://node.example/people/ola"
GROUP = "https://friend.example/groups/ward"


def an_activity(verb: str, about: Any, **members: Any) -> ActivityView:
    document = {"id": "https://friend.example/activities/1", "type": verb, "actor": ANA, "object": about, **members}
    view = understand(document)
    assert isinstance(view, ActivityView)
    return view


def a_note(**members: Any) -> dict[str, Any]:
    return {"id": "https://friend.example/posts/1", "type": "Note", "attributedTo": ANA, "content": "x", **members}


def a_foreign_note(**members: Any) -> dict[str, Any]:
    return a_note(id="https://friend2.example/posts/1", **{"attributedTo": EVE, **members})


def test_an_activity_about_ones_own_post_passes() -> None:
    check_activity_origins(an_activity("Create", a_note()), signer=ANA)
    check_activity_origins(an_activity("Create", "https://friend.example/posts/1"), signer=ANA)
    check_activity_origins(an_activity("Update", a_note()), signer=ANA)
    check_activity_origins(an_activity("Delete", "https://friend.example/posts/1"), signer=ANA)
    check_activity_origins(
        an_activity("Delete", {"id": "https://friend.example/posts/1", "type": "Tombstone"}), signer=ANA
    )
    check_activity_origins(an_activity("Delete", ANA), signer=ANA)
    check_activity_origins(an_activity("Like", EVE), signer=ANA)
    check_activity_origins(an_activity("Follow", "https://node.example/groups/ward"), signer=ANA)


@pytest.mark.parametrize("signer", [BEN, EVE, OURS, "", f"{ANA}#main-key", f"{ANA}/", ANA.upper()])
def test_t01_an_actor_who_did_not_sign_is_refused_even_on_the_same_origin(signer: str) -> None:
    with pytest.raises(OriginMismatch, match="signer"):
        check_activity_origins(an_activity("Follow", GROUP), signer=signer)


@pytest.mark.parametrize("uri", [EVE, OURS, "http://friend.example/1", "https://friend.example:443/1", "urn:x", "x"])
def test_an_activity_id_on_another_origin_is_refused(uri: str) -> None:
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Follow", GROUP, id=uri), signer=ANA)


@pytest.mark.parametrize("verb", ["Create", "Update"])
@pytest.mark.parametrize(
    "author",
    [
        "1",
        1,
        OURS,
        EVE,
        BEN,
        [ANA, EVE],
        [EVE, ANA],
        [ANA, ANA],
        {"id": ANA, "type": "Person"},
        [],
        None,
        True,
        [[ANA]],
    ],
)
def test_t02_a_post_attributed_to_anything_but_the_actor_is_refused(author: Any, verb: str) -> None:
    with pytest.raises((OriginMismatch, RemoteMalformed)):
        check_activity_origins(an_activity(verb, a_note(attributedTo=author)), signer=ANA)


def test_t02_a_list_of_the_one_author_is_the_author() -> None:
    check_activity_origins(an_activity("Create", a_note(attributedTo=[ANA])), signer=ANA)


@pytest.mark.parametrize("verb", ["Create", "Update", "Delete"])
@pytest.mark.parametrize("uri", ["https://friend2.example/posts/1", "https://node.example/posts/1", "1", "posts/1"])
def test_t02_an_object_on_another_origin_is_refused(uri: str, verb: str) -> None:
    for target in (uri, a_note(id=uri)):
        with pytest.raises(OriginMismatch):
            check_activity_origins(an_activity(verb, target), signer=ANA)


def test_t12_deleting_a_neighbours_post_is_refused_where_the_document_says_whose_it_is() -> None:
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Delete", a_note(attributedTo=BEN)), signer=ANA)


def test_t05_an_update_of_a_neighbour_is_refused() -> None:
    neighbour = {"id": BEN, "type": "Person", "inbox": f"{BEN}/inbox"}
    oneself = {"id": ANA, "type": "Person", "inbox": f"{ANA}/inbox", "attributedTo": GROUP}

    with pytest.raises(OriginMismatch, match="another actor"):
        check_activity_origins(an_activity("Update", neighbour), signer=ANA)
    check_activity_origins(an_activity("Update", oneself), signer=ANA)


def test_t12_a_moderator_may_delete_what_others_wrote_and_nobody_else() -> None:
    removal = understand_own("lemmy/delete_as_moderator")

    with pytest.raises(OriginMismatch):
        check_activity_origins(removal, signer=removal.actor)
    with pytest.raises(OriginMismatch):
        check_activity_origins(removal, signer=removal.actor, moderators=[EVE])
    check_activity_origins(removal, signer=removal.actor, moderators=[EVE, removal.actor])


def test_t12_being_a_moderator_gives_no_right_to_change_what_others_wrote() -> None:
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Update", a_foreign_note()), signer=ANA, moderators=[ANA])


@pytest.mark.parametrize(
    "undone",
    [
        {"id": "https://friend.example/f", "type": "Follow", "actor": BEN, "object": GROUP},
        {"id": "https://friend2.example/f", "type": "Follow", "actor": EVE, "object": GROUP},
        {"id": "https://friend2.example/f", "type": "Follow", "actor": ANA, "object": GROUP},
        {"id": "https://friend.example/f", "type": "Follow", "actor": {"id": BEN}, "object": GROUP},
        {"id": "https://friend.example/f", "type": "Warn", "actor": BEN},
        {"id": "https://friend.example/f", "type": "Follow", "actor": [ANA, BEN]},
        {"type": "Follow", "actor": ANA, "object": GROUP},
        "https://friend2.example/f",
    ],
)
def test_t13_only_what_one_did_oneself_can_be_undone(undone: Any) -> None:
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Undo", undone), signer=ANA)


@pytest.mark.parametrize(
    "undone",
    [
        {"id": "https://friend.example/f", "type": "Follow", "actor": ANA, "object": GROUP},
        {"id": "https://friend.example/f", "type": "Follow", "actor": {"id": ANA}, "object": GROUP},
        {"id": "https://friend.example/f", "type": "Follow"},
        "https://friend.example/f",
    ],
)
def test_what_one_did_oneself_can_be_undone(undone: Any) -> None:
    check_activity_origins(an_activity("Undo", undone), signer=ANA)


def test_only_the_actor_moves_itself() -> None:
    check_activity_origins(an_activity("Move", ANA, target=EVE), signer=ANA)

    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Move", BEN, target=EVE), signer=ANA)


@pytest.mark.parametrize("verb", ["Like", "Dislike", "Add", "Remove", "Lock", "Flag", "Announce", "Accept", "Offer"])
def test_t20_a_post_of_another_origin_is_named_and_not_carried(verb: str) -> None:
    named = an_activity(verb, "https://friend2.example/posts/1")
    carried = an_activity(verb, a_foreign_note())

    check_activity_origins(named, signer=ANA)
    with pytest.raises(OriginMismatch):
        check_activity_origins(carried, signer=ANA)
    reduced = without_foreign_object(carried)
    check_activity_origins(reduced, signer=ANA)

    assert (reduced.object, reduced.inner, reduced.object_id) == (None, None, "https://friend2.example/posts/1")
    assert reduced.document["object"] == "https://friend2.example/posts/1"
    assert carried.document["object"] == a_foreign_note()


@pytest.mark.parametrize("verb", ["Add", "Like", "Announce", "Flag"])
def test_t20_what_another_did_is_not_carried_either(verb: str) -> None:
    deed = {"id": "https://friend2.example/c", "type": "Create", "actor": EVE, "object": a_foreign_note()}

    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity(verb, deed), signer=ANA)


@pytest.mark.parametrize("verb", ["Accept", "Reject", "TentativeAccept", "Offer"])
def test_answers_carry_what_they_answer(verb: str) -> None:
    follow = {"id": "https://friend2.example/f", "type": "Follow", "actor": EVE, "object": ANA}

    check_activity_origins(an_activity(verb, follow), signer=ANA)


def test_t20_a_post_on_ones_own_origin_in_a_strangers_name_is_not_carried() -> None:
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Announce", a_note(attributedTo=EVE)), signer=ANA)
    with pytest.raises(OriginMismatch):
        check_activity_origins(an_activity("Announce", a_note(attributedTo=[ANA, EVE])), signer=ANA)


def a_log_entry(inner: dict[str, Any]) -> ActivityView:
    return an_activity("Announce", inner, actor=GROUP)


def test_a_group_may_announce_what_a_member_elsewhere_wrote() -> None:
    create = {"id": "https://friend2.example/c", "type": "Create", "actor": EVE, "object": a_foreign_note()}

    check_activity_origins(a_log_entry(create), signer=GROUP, is_from_group=True)
    check_activity_origins(a_log_entry(a_foreign_note()), signer=GROUP, is_from_group=True)


def test_t20_somebody_who_is_no_group_may_not() -> None:
    create = {"id": "https://friend2.example/c", "type": "Create", "actor": EVE, "object": a_foreign_note()}

    for inner in (create, a_foreign_note()):
        with pytest.raises(OriginMismatch):
            check_activity_origins(a_log_entry(inner), signer=GROUP)


FORGED = {
    "an id elsewhere": {"id": "https://friend.example/c", "actor": EVE, "object": a_foreign_note()},
    "a post elsewhere": {"id": "https://friend2.example/c", "actor": EVE, "object": a_note(attributedTo=EVE)},
    "another author": {"id": "https://friend2.example/c", "actor": EVE, "object": a_foreign_note(attributedTo=ANA)},
    "two authors": {"id": "https://friend2.example/c", "actor": EVE, "object": a_foreign_note(attributedTo=[EVE, ANA])},
    "no author": {"id": "https://friend2.example/c", "actor": EVE, "object": a_foreign_note(attributedTo=None)},
    "a neighbour": {"id": "https://friend2.example/c", "actor": f"{EVE}2", "object": a_foreign_note()},
    "a confusable host": {"id": "https://friend2.example./c", "actor": EVE, "object": a_foreign_note()},
}


@pytest.mark.parametrize("verb", ["Create", "Update"])
@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED.keys())
def test_t20_a_group_is_not_believed_about_what_could_never_have_been_sent(forged: dict[str, Any], verb: str) -> None:
    entry = a_log_entry({"type": verb, **forged})

    with pytest.raises(OriginMismatch):
        check_activity_origins(entry, signer=GROUP, is_from_group=True)
    assert isinstance(entry.inner, ActivityView)
    with pytest.raises(OriginMismatch):
        check_announced_origins(entry.inner)


def test_t20_an_announce_inside_an_announce_opens_no_door() -> None:
    create = {"id": "https://friend2.example/c", "type": "Create", "actor": EVE, "object": a_foreign_note()}
    wrapped = {"id": "https://friend.example/w", "type": "Announce", "actor": ANA, "object": create}

    with pytest.raises(OriginMismatch):
        check_activity_origins(a_log_entry(wrapped), signer=GROUP, is_from_group=True)


def test_t05_a_group_cannot_change_an_actor_by_announcing_an_update() -> None:
    update = {
        "id": "https://friend2.example/u",
        "type": "Update",
        "actor": f"{EVE}2",
        "object": {"id": EVE, "type": "Person", "inbox": f"{EVE}/inbox"},
    }

    with pytest.raises(OriginMismatch):
        check_activity_origins(a_log_entry(update), signer=GROUP, is_from_group=True)


def test_t12_a_group_may_announce_the_removal_by_one_of_its_moderators() -> None:
    removal = {
        "id": "https://friend2.example/d",
        "type": "Delete",
        "actor": EVE,
        "object": "https://node.example/posts/1",
    }

    check_activity_origins(a_log_entry(removal), signer=GROUP, is_from_group=True, moderators=[EVE])
    with pytest.raises(OriginMismatch):
        check_activity_origins(a_log_entry(removal), signer=GROUP, is_from_group=True)


def test_nodebb_like_with_the_whole_post_is_cut_down_to_its_id() -> None:
    announce = understand_own("nodebb/announce_like")

    with pytest.raises(OriginMismatch):
        check_activity_origins(announce, signer=announce.actor, is_from_group=True)
    reduced = without_foreign_object(announce, is_from_group=True)
    check_activity_origins(reduced, signer=announce.actor, is_from_group=True)

    assert isinstance(reduced.inner, ActivityView)
    assert (reduced.inner.object, reduced.inner.object_id) == (None, "https://nodebb.example/post/7")
    assert reduced.document["object"]["object"] == "https://nodebb.example/post/7"


@pytest.mark.parametrize(
    "name",
    [
        "rounds/announce_entry",
        "rounds/announce_erased_entry",
        "rounds/announce_author_card",
        "lemmy/announce_create_page",
        "mbin/announce_lock",
        "nodebb/announce_note",
        "discourse/announce",
        "peertube/announce_video",
        "guppe/announce",
    ],
)
def test_what_groups_really_announce_passes_untouched(name: str) -> None:
    announce = understand_own(name)

    check_activity_origins(announce, signer=announce.actor, is_from_group=True)

    assert without_foreign_object(announce, is_from_group=True) is announce


@pytest.mark.parametrize(
    "name",
    [
        "mastodon/create_note",
        "mastodon/create_question",
        "mastodon/delete_person_stub",
        "mastodon/flag",
        "mastodon/update_person",
        "mastodon/undo_announce",
        "mastodon/move",
        "gotosocial/create_note",
        "lemmy/create_page",
        "lemmy/undo_block",
        "lemmy/add_moderator",
        "mitra/accept",
        "mbin/block",
        "mobilizon/create_event",
        "mobilizon/invite",
        "smithereen/create_wall_note",
        "smithereen/invite",
        "pleroma/chat_message",
        "lotide/create_page",
        "hubzilla/follow",
        "rounds/accept",
        "rounds/offer",
        "rounds/undo_follow",
    ],
)
def test_what_each_software_really_sends_passes_untouched(name: str) -> None:
    activity = understand_own(name)

    check_activity_origins(activity, signer=activity.actor)

    assert without_foreign_object(activity) is activity


def test_a_post_without_an_author_is_announced_by_nobody() -> None:
    view = understand(a_note(attributedTo=None))

    assert isinstance(view, ObjectView)
    with pytest.raises(OriginMismatch):
        check_announced_origins(view)


def test_what_a_group_announces_itself_stays_whole() -> None:
    entry = a_log_entry(a_foreign_note())

    assert without_foreign_object(entry, is_from_group=True) is entry


def test_insecure_loopback_reaches_every_rule() -> None:
    host = "http://localhost:9001"
    note = {"id": f"{host}/posts/1", "type": "Note", "attributedTo": f"{host}/people/ana", "content": "x"}
    document = {"id": f"{host}/a/1", "type": "Create", "actor": f"{host}/people/ana", "object": note}
    create = understand(document)
    assert isinstance(create, ActivityView)

    check_activity_origins(create, signer=f"{host}/people/ana", allow_insecure=True)

    with pytest.raises(OriginMismatch):
        check_activity_origins(create, signer=f"{host}/people/ana")
