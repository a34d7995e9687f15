"""What is too much, what must not be seen, and what nobody ought to send (T29, T42)."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_documents import list_own_documents, load_document

from node.federation.vocabulary import is_public_address, understand, without_private_addressing
from node.federation.vocabulary import values as limits
from node.foundation.errors import RemoteProtocolError

PUBLIC_SPELLINGS = ["as:Public", "Public", "http://www.w3.org/ns/activitystreams#Public"]


def a_note(**members: Any) -> dict[str, Any]:
    return {"id": "https://a.example/posts/1", "type": "Note", "attributedTo": "https://a.example/u", **members}


def an_actor(**members: Any) -> dict[str, Any]:
    return {"id": "https://a.example/u", "type": "Person", "inbox": "https://a.example/u/inbox", **members}


def a_flag(**members: Any) -> dict[str, Any]:
    return {"id": "https://a.example/f", "type": "Flag", "actor": "https://a.example/u", **members}


def a_collection(**members: Any) -> dict[str, Any]:
    return {"id": "https://a.example/c", "type": "OrderedCollection", **members}


def mentions(count: int) -> dict[str, Any]:
    return a_note(tag=[{"type": "Mention", "href": f"https://a.example/{n}"} for n in range(count)])


def hashtags(count: int) -> dict[str, Any]:
    return a_note(tag=[{"type": "Hashtag", "name": f"#t{n}"} for n in range(count)])


def emoji(count: int) -> dict[str, Any]:
    return a_note(tag=[{"type": "Emoji", "name": f":e{n}:"} for n in range(count)])


def attachments(count: int) -> dict[str, Any]:
    return a_note(attachment=[{"type": "Image", "url": f"https://a.example/{n}.png"} for n in range(count)])


def options(name: str, count: int) -> dict[str, Any]:
    return a_note(type="Question", **{name: [{"type": "Note", "name": f"{n}"} for n in range(count)]})


def addressees(name: str, count: int) -> dict[str, Any]:
    return a_note(**{name: [f"https://a.example/{n}" for n in range(count)]})


def a_uri(length: int) -> str:
    return "https://a.example/".ljust(length, "x")


def keys(name: str, count: int) -> dict[str, Any]:
    return an_actor(**{name: [{"id": f"https://a.example/k{n}"} for n in range(count)]})


# The largest that is taken, and the same with one more.
LIMITS: dict[str, tuple[Any, int]] = {
    "mentions": (mentions, limits.MENTIONS_LIMIT),
    "hashtags": (hashtags, limits.TAGS_LIMIT),
    "emoji": (emoji, limits.TAGS_LIMIT),
    "attachments": (attachments, limits.ATTACHMENTS_LIMIT),
    "options to choose one": (lambda n: options("oneOf", n), limits.OPTIONS_LIMIT),
    "options to choose several": (lambda n: options("anyOf", n), limits.OPTIONS_LIMIT),
    "addressees": (lambda n: addressees("to", n), limits.ADDRESSEES_LIMIT),
    "addressees of a copy": (lambda n: addressees("cc", n), limits.ADDRESSEES_LIMIT),
    "groups addressed": (lambda n: addressees("audience", n), limits.ADDRESSEES_LIMIT),
    "authors": (lambda n: addressees("attributedTo", n), limits.LINKS_LIMIT),
    "objects of a flag": (lambda n: a_flag(object=addressees("to", n)["to"]), limits.OBJECTS_LIMIT),
    "items": (lambda n: a_collection(orderedItems=["https://a.example/1"] * n), limits.ITEMS_LIMIT),
    "RSA keys": (lambda n: keys("publicKey", n), limits.KEYS_LIMIT),
    "Multikeys": (lambda n: keys("assertionMethod", n), limits.KEYS_LIMIT),
    "other accounts": (lambda n: an_actor(alsoKnownAs=addressees("to", n)["to"]), limits.LINKS_LIMIT),
    "letters of a name": (lambda n: an_actor(name="x" * n), limits.NAME_LIMIT_CHARACTERS),
    "letters of a name in a language": (lambda n: an_actor(nameMap={"en": "x" * n}), limits.NAME_LIMIT_CHARACTERS),
    "letters of a handle": (lambda n: an_actor(preferredUsername="x" * n), limits.NAME_LIMIT_CHARACTERS),
    "letters of a biography": (lambda n: an_actor(summary="x" * n), limits.CONTENT_LIMIT_CHARACTERS),
    "letters of a title": (lambda n: a_note(name="x" * n), limits.TITLE_LIMIT_CHARACTERS),
    "letters of a post": (lambda n: a_note(content="x" * n), limits.CONTENT_LIMIT_CHARACTERS),
    "letters of a warning": (lambda n: a_note(summary="x" * n), limits.CONTENT_LIMIT_CHARACTERS),
    "letters of a source": (
        lambda n: a_note(source={"mediaType": "text/markdown", "content": "x" * n}),
        limits.CONTENT_LIMIT_CHARACTERS,
    ),
    "letters of a reason": (lambda n: a_flag(object="https://a.example/1", content="x" * n), 100_000),
    "letters of a hashtag": (lambda n: a_note(tag={"type": "Hashtag", "name": "x" * n}), limits.NAME_LIMIT_CHARACTERS),
    "letters of an option": (
        lambda n: a_note(type="Question", oneOf=[{"name": "x" * n}]),
        limits.NAME_LIMIT_CHARACTERS,
    ),
    "letters of a description": (
        lambda n: a_note(attachment={"type": "Image", "url": "https://a.example/1.png", "name": "x" * n}),
        limits.DESCRIPTION_LIMIT_CHARACTERS,
    ),
    "letters of an id": (lambda n: a_note(id=a_uri(n)), limits.URI_LIMIT_CHARACTERS),
    "letters of an addressee": (lambda n: a_note(to=[a_uri(n)]), limits.URI_LIMIT_CHARACTERS),
    "letters of a link": (lambda n: a_note(inReplyTo={"id": a_uri(n)}), limits.URI_LIMIT_CHARACTERS),
}


@pytest.mark.parametrize(("build", "limit"), LIMITS.values(), ids=LIMITS.keys())
def test_t42_the_limit_is_taken_and_one_more_is_refused_with_a_sentence(build: Any, limit: int) -> None:
    understand(build(limit))

    with pytest.raises(RemoteProtocolError) as refusal:
        understand(build(limit + 1))

    assert refusal.value.safe.endswith(".")
    assert "xxx" not in refusal.value.internal


@pytest.mark.parametrize(("build", "limit"), LIMITS.values(), ids=LIMITS.keys())
@pytest.mark.parametrize("verb", ["Create", "Update", "Announce"])
def test_t42_what_an_activity_carries_is_held_to_the_same_limits(build: Any, limit: int, verb: str) -> None:
    carrier = {"id": "https://a.example/a", "type": verb, "actor": "https://a.example/u", "object": build(limit + 1)}

    with pytest.raises(RemoteProtocolError):
        understand(carrier)


def test_t42_the_limits_are_those_of_the_threat_list() -> None:
    assert (limits.OPTIONS_LIMIT, limits.MENTIONS_LIMIT, limits.TAGS_LIMIT) == (20, 50, 50)
    assert (limits.ATTACHMENTS_LIMIT, limits.NAME_LIMIT_CHARACTERS, limits.CONTENT_LIMIT_CHARACTERS) == (
        16,
        200,
        100_000,
    )


@pytest.mark.parametrize(
    "document",
    [
        a_note(tag=[{"type": "Mention"}] * 100_000),
        a_note(to=[["x"]] * 100_000),
        a_note(attachment=[[[]]] * 100_000),
        a_note(content="x" * 1_000_000),
        a_note(contentMap={f"l{n}": "x" for n in range(100_000)}),
        a_note(type=["Thing"] * 100_000),
        a_collection(orderedItems=[a_collection()] * 100_000),
    ],
)
def test_t42_a_megabyte_of_anything_is_read_or_refused_within_two_seconds(document: dict[str, Any]) -> None:
    started = time.process_time()

    try:
        understand(document)
    except RemoteProtocolError as refusal:
        assert refusal.safe

    assert time.process_time() - started < 2


HIDDEN = "https://hidden.example/people/eve"
PRIVATE_NAMES = ["bto", "bcc", "as:bto", "as:bcc", "https://www.w3.org/ns/activitystreams#bcc"]


@pytest.mark.parametrize("name", PRIVATE_NAMES)
@pytest.mark.parametrize("document", [name for name in list_own_documents() if not name.startswith("unusual/")])
def test_t29_nobody_who_is_addressed_in_private_appears_in_a_view(document: str, name: str) -> None:
    poisoned = _put_everywhere(load_document(document), name)

    view = understand(poisoned)

    assert HIDDEN not in json.dumps(view.document)
    assert HIDDEN not in repr([getattr(view, field) for field in view.__struct_fields__])


def _put_everywhere(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_put_everywhere(item, name) for item in value]
    if isinstance(value, dict):
        return {**{key: _put_everywhere(member, name) for key, member in value.items()}, name: [HIDDEN]}
    return value


def test_t29_a_document_without_private_addressing_is_the_same_object() -> None:
    document = load_document("lemmy/announce_create_page")

    assert without_private_addressing(document) is document


def test_t29_taking_private_addressing_out_changes_nothing_else() -> None:
    document = load_document("lemmy/announce_create_page")
    poisoned = {**document, "bcc": HIDDEN, "object": {**document["object"], "bto": [HIDDEN]}}
    before = copy.deepcopy(poisoned)

    stripped = without_private_addressing(poisoned)

    assert stripped == document
    assert poisoned == before


@pytest.mark.parametrize("uri", PUBLIC_SPELLINGS)
def test_t18_every_spelling_of_everybody_is_known(uri: str) -> None:
    assert is_public_address(uri)


@pytest.mark.parametrize("uri", ["", "https://a.example/followers", "https://a.example/Public", "as:Publicity"])
def test_nobody_else_is_everybody(uri: str) -> None:
    assert not is_public_address(uri)


NAMES = st.sampled_from(
    [
        "id",
        "type",
        "actor",
        "object",
        "target",
        "origin",
        "to",
        "cc",
        "audience",
        "attributedTo",
        "inReplyTo",
        "context",
        "content",
        "contentMap",
        "name",
        "nameMap",
        "summary",
        "source",
        "mediaType",
        "tag",
        "attachment",
        "url",
        "href",
        "published",
        "updated",
        "endTime",
        "startTime",
        "oneOf",
        "anyOf",
        "replies",
        "totalItems",
        "items",
        "orderedItems",
        "first",
        "next",
        "publicKey",
        "publicKeyPem",
        "owner",
        "assertionMethod",
        "publicKeyMultibase",
        "controller",
        "endpoints",
        "sharedInbox",
        "inbox",
        "icon",
        "location",
        "sensitive",
        "formerType",
        "deleted",
        "alsoKnownAs",
        "movedTo",
        "moderators",
        "bcc",
        "@value",
    ]
)
TYPES = st.sampled_from(
    [
        "Note",
        "Page",
        "Article",
        "Event",
        "Question",
        "Image",
        "Tombstone",
        "Collection",
        "OrderedCollectionPage",
        "Person",
        "Group",
        "Follow",
        "Accept",
        "Undo",
        "Create",
        "Update",
        "Delete",
        "Announce",
        "Add",
        "Flag",
        "Block",
        "Mention",
        "Hashtag",
        "Multikey",
        "Link",
        "Nonsense",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, width=16)
    | st.text(max_size=5)
    | st.sampled_from(["https://a.example/1", "as:Public", "2026-03-01T10:00:00Z", "text/markdown", "z6Mk"])
    | TYPES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)


@settings(deadline=None)
@given(TYPES, st.dictionaries(NAMES, VALUES, max_size=12))
def test_no_document_raises_anything_but_our_errors(type_name: str, members: dict[str, Any]) -> None:
    document = {"id": "https://a.example/1", "actor": "https://a.example/u", "type": type_name, **members}

    try:
        view = understand(document)
    except RemoteProtocolError as refusal:
        assert refusal.safe
        return

    assert view.id and repr(view)


@settings(deadline=None)
@given(st.sampled_from(list_own_documents()), st.data())
def test_no_mutation_of_a_real_document_raises_anything_but_our_errors(name: str, data: st.DataObject) -> None:
    document = load_document(name)
    node: Any = document
    while isinstance(node, dict) and node:
        key = data.draw(st.sampled_from(sorted(node)))
        if not isinstance(node[key], dict) or data.draw(st.booleans()):
            node[key] = data.draw(VALUES)
            break
        node = node[key]

    try:
        view = understand(document)
    except RemoteProtocolError as refusal:
        assert refusal.safe
        return

    assert view.id
