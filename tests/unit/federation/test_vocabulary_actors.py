"""Actors as each software describes them."""

from __future__ import annotations

from typing import Any

import pytest
from sample_documents import load_document, understand_own

from node.federation.vocabulary import ActorView, read_keys, understand
from node.foundation.errors import RemoteMalformed


def an_actor(**members: Any) -> dict[str, Any]:
    return {
        "id": "https://a.example/people/ana",
        "type": "Person",
        "inbox": "https://a.example/people/ana/inbox",
        **members,
    }


def understand_actor(**members: Any) -> ActorView:
    view = understand(an_actor(**members))
    assert isinstance(view, ActorView)
    return view


def test_an_actor_needs_no_more_than_an_id_a_type_and_an_inbox() -> None:
    actor = understand_actor()

    assert (actor.type, actor.handle, actor.name, actor.keys) == ("Person", None, None, ())
    assert (actor.manually_approves, actor.discoverable, actor.indexable) == (False, False, False)


@pytest.mark.parametrize("type_name", ["Person", "Group", "Service", "Application", "Organization"])
def test_every_kind_of_actor_is_understood(type_name: str) -> None:
    assert understand_actor(type=type_name).type == type_name


@pytest.mark.parametrize("missing", ["id", "inbox"])
def test_an_actor_without_id_or_inbox_is_refused(missing: str) -> None:
    document = an_actor()
    del document[missing]

    with pytest.raises(RemoteMalformed, match=missing):
        understand(document)


def test_mastodon_person_has_key_addresses_and_settings() -> None:
    actor = understand_own("mastodon/person")

    assert actor.handle == "mara"
    assert actor.shared_inbox == "https://mastodon.example/inbox"
    assert actor.featured == "https://mastodon.example/users/mara/collections/featured"
    assert actor.icon == "https://files.mastodon.example/mara.png"
    assert (actor.manually_approves, actor.discoverable, actor.indexable) == (True, True, False)
    assert [(key.key_id, key.owner, key.algorithm) for key in actor.keys] == [
        ("https://mastodon.example/users/mara#main-key", "https://mastodon.example/users/mara", "rsa")
    ]
    assert actor.keys[0].text.startswith("-----BEGIN PUBLIC KEY-----")


def test_gotosocial_key_id_has_no_fragment() -> None:
    actor = understand_own("gotosocial/person")

    assert actor.keys[0].key_id == "https://gts.example/users/gun/main-key"


def test_lemmy_group_names_its_moderators_in_attributed_to() -> None:
    group = understand_own("lemmy/group")

    assert group.moderators == "https://lemmy.example/c/ward/moderators"
    assert group.attributed_to == ()


def test_nodebb_group_names_its_moderators_in_a_property_of_their_own() -> None:
    group = understand_own("nodebb/group")

    assert group.moderators == "https://nodebb.example/category/4/moderators"
    assert group.followers is None
    assert group.keys[0].key_id.endswith("#key")


def test_smithereen_group_lists_its_heads_one_by_one() -> None:
    group = understand_own("smithereen/group")

    assert group.attributed_to == ("https://smithereen.example/users/1",)
    assert group.moderators is None


def test_peertube_channel_belongs_to_a_person() -> None:
    channel = understand_own("peertube/channel")

    assert channel.attributed_to == ("https://peertube.example/accounts/pea",)


def test_discourse_shared_inbox_stands_beside_the_inbox() -> None:
    group = understand_own("discourse/group")

    assert group.shared_inbox == "https://discourse.example/ap/users/inbox"


def test_mobilizon_key_comes_in_its_older_form() -> None:
    group = understand_own("mobilizon/group")

    assert group.keys[0].text.startswith("-----BEGIN RSA PUBLIC KEY-----")


def test_mitra_multikey_of_ed25519_is_read_and_the_one_of_rsa_is_not() -> None:
    actor = understand_own("mitra/person")

    assert [(key.algorithm, key.key_id.partition("#")[2]) for key in actor.keys] == [
        ("rsa", "main-key"),
        ("ed25519", "ed25519-key"),
    ]


def test_our_own_actors_list_both_kinds_of_keys() -> None:
    group = understand_own("rounds/group")

    assert [key.algorithm for key in group.keys] == ["rsa", "ed25519"]
    assert all(key.owner == group.id for key in group.keys)


def test_several_rsa_keys_are_read() -> None:
    keys = [
        {"id": f"https://a.example/k{n}", "owner": "https://a.example/people/ana", "publicKeyPem": "p"} for n in (1, 2)
    ]

    actor = understand_actor(publicKey=keys)

    assert [key.key_id for key in actor.keys] == ["https://a.example/k1", "https://a.example/k2"]


@pytest.mark.parametrize(
    "key",
    [
        {"id": "https://a.example/k", "publicKeyPem": "p"},
        {"owner": "https://a.example/people/ana", "publicKeyPem": "p"},
        {"id": "https://a.example/k", "owner": "https://a.example/people/ana"},
        "https://a.example/k",
    ],
)
def test_t05_a_key_that_does_not_say_whose_it_is_is_left_out(key: Any) -> None:
    assert understand_actor(publicKey=key).keys == ()


@pytest.mark.parametrize(
    "change",
    [{"type": "Ed25519VerificationKey2020"}, {"publicKeyMultibase": "zQ3sh"}, {"controller": None}, {"id": None}],
)
def test_t06_only_complete_multikeys_of_ed25519_are_read(change: dict[str, Any]) -> None:
    card = load_document("rounds/announce_author_card")["object"]["object"]
    key = {**card["assertionMethod"][0], **change}

    assert understand_actor(assertionMethod=[key]).keys == ()


def test_keys_of_an_author_card_are_read_though_it_has_no_inbox() -> None:
    card = load_document("rounds/announce_author_card")["object"]["object"]

    keys = read_keys(card)

    assert [(key.algorithm, key.owner) for key in keys] == [("ed25519", "https://hospital.example/people/ben")]


@pytest.mark.parametrize("value", ["true", 1, {"@value": True}, None, [True]])
def test_only_true_is_true(value: Any) -> None:
    actor = understand_actor(discoverable=value, indexable=value, manuallyApprovesFollowers=value)

    assert (actor.discoverable, actor.indexable, actor.manually_approves) == (False, False, False)


def test_no_text_of_an_actor_appears_in_its_repr() -> None:
    actor = understand_actor(name="Ana Ruiz", summary="a secret")

    assert repr(actor) == "<ActorView Person https://a.example/people/ana>"
