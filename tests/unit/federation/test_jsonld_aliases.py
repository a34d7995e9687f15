"""Contexts that bend a term: processed as JSON-LD says, or without effect, and never confusing (T39)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sample_documents import AS2, a_follow, list_facts, load_document

from node.federation.jsonld import normalize_document, normalize_unusual
from node.federation.vocabulary import ActivityView, understand
from node.foundation.errors import RemoteMalformed

ALIASES = {
    "a keyword for the type": {"kind": "@type"},
    "a keyword for the id": {"ref": "@id"},
    "a keyword as a definition": {"kind": {"@id": "@type"}},
    "a second name for a term": {"who": "as:actor"},
    "a second name, coerced": {"who": {"@id": "as:actor", "@type": "@id"}},
    "a second name by IRI": {"who": f"{AS2}#actor"},
    "a second name by another name": {"kind": "type"},
    "a new prefix for the namespace": {"q": f"{AS2}#"},
    "a new prefix for a part of it": {"w": "https://www.w3.org/ns/"},
    "a prefix behind a prefix": {"w": "https://www.w3.org/ns/", "q": "w:activitystreams#", "who": "q:actor"},
    "a prefix taken over": {"as": "https://evil.example/ns#"},
    "a term taken over": {"actor": "https://evil.example/ns#actor"},
    "a term taken away": {"actor": None},
    "a term turned round": {"actor": {"@reverse": "as:actor"}},
    "a term as a language map": {"content": {"@id": "as:content", "@container": "@language"}},
    "a term as embedded JSON": {"object": {"@id": "as:object", "@type": "@json"}},
    "a term as nesting": {"wrap": "@nest"},
    "a term with a context of its own": {"object": {"@id": "as:object", "@type": "@id", "@context": {"actor": None}}},
    "another vocabulary": {"@vocab": "https://evil.example/ns#"},
    "another base": {"@base": "https://evil.example/"},
    "a type taken over": {"Follow": "as:Undo"},
    "types swapped": {"Follow": "as:Block", "Block": "as:Follow"},
}


@pytest.mark.parametrize("alias", ALIASES.values(), ids=ALIASES.keys())
def test_t39_a_context_that_bends_a_term_is_processed_and_not_read_as_plain_json(alias: dict[str, Any]) -> None:
    document = a_follow(**{"@context": [AS2, alias]})

    try:
        normalized = normalize_document(document)
    except RemoteMalformed:
        return

    assert normalized is not document


def test_t39_an_aliased_keyword_means_what_json_ld_says() -> None:
    aliased = a_follow(
        **{"@context": [AS2, {"kind": "@type", "ref": "@id"}], "kind": "Follow", "ref": "https://a.example/2"}
    )
    del aliased["type"], aliased["id"]

    view = understand(normalize_document(aliased))

    assert (view.type, view.id) == ("Follow", "https://a.example/2")


def test_t39_an_undeclared_alias_has_no_effect() -> None:
    document = a_follow(kind="Undo", ref="https://evil.example/1", author="https://evil.example/u")

    view = understand(normalize_document(document))

    assert normalize_document(document) is document
    assert (view.type, view.id) == ("Follow", "https://a.example/activities/1")


@pytest.mark.parametrize(
    "second",
    [
        {"@type": "Undo"},
        {"@id": "https://evil.example/1"},
        {"as:actor": {"@id": "https://evil.example/u"}},
        {f"{AS2}#actor": {"@id": "https://evil.example/u"}},
        {"@context": [AS2, {"who": {"@id": "as:actor", "@type": "@id"}}], "who": "https://evil.example/u"},
    ],
)
def test_t39_a_second_value_under_another_name_is_seen_and_never_wins(second: dict[str, Any]) -> None:
    document = a_follow(**second)

    try:
        view = understand(normalize_document(document))
    except RemoteMalformed:
        return

    # Two types are both real; whatever is read, the id and the actor are those that were written plainly.
    assert isinstance(view, ActivityView)
    assert (view.id, view.actor) == ("https://a.example/activities/1", "https://a.example/people/ana")


def test_t39_swapped_types_are_read_as_what_they_were_swapped_to() -> None:
    document = a_follow(**{"@context": [AS2, {"Follow": "as:Block", "Block": "as:Follow"}]})

    assert understand(normalize_document(document)).type == "Block"


def test_t39_an_ld_signature_leaves_no_trace_in_a_view() -> None:
    document = load_document("mastodon/create_note")
    unsigned = {name: value for name, value in document.items() if name != "signature"}

    assert list_facts(understand(document)) == list_facts(understand(unsigned))


TERMS = st.sampled_from(
    [
        "actor",
        "type",
        "id",
        "object",
        "kind",
        "who",
        "as",
        "q",
        "w",
        "toot",
        "x",
        "Follow",
        "Undo",
        "Note",
        "to",
        "sensitive",
        "featured",
    ]
)
IRIS = st.sampled_from(
    [
        "@type",
        "@id",
        "as:actor",
        "as:object",
        "as:",
        "as:Undo",
        "q:actor",
        "w:activitystreams#actor",
        "w:",
        "x:y",
        "actor",
        f"{AS2}#",
        f"{AS2}#actor",
        "https://www.w3.org/ns/",
        "https://x.example/",
        "toot:featured",
        "as:sensitive",
        "x",
    ]
)
LINES = IRIS | st.fixed_dictionaries(
    {"@id": IRIS}, optional={"@type": st.sampled_from(["@id", "@vocab", "@json", "x:y"]), "@container": st.just("@set")}
)
MEMBERS = st.dictionaries(
    st.sampled_from(["kind", "who", "x", "as:actor", "q:actor", "w:activitystreams#actor", "ref", "actor", "featured"]),
    st.sampled_from(["https://a.example/people/ana", "https://evil.example/u", "Undo", "x"]),
    max_size=3,
)


@example({"x": {"@id": "q:actor", "@type": "x:y"}}, {})
@example({"x": {"@id": "http://x.example/", "@type": "z:a"}, "z": "x:foo"}, {})
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(TERMS, LINES, max_size=4), MEMBERS)
def test_t39_whatever_is_read_as_plain_json_reads_the_same_when_processed(
    alias: dict[str, Any], members: dict[str, Any]
) -> None:
    document = {**a_follow(), **members, "@context": [AS2, alias]}
    if not _is_read_as_plain_json(document):
        return

    plain = understand(document)
    processed = understand(normalize_unusual(document))

    assert list_facts(plain) == list_facts(processed)


def _is_read_as_plain_json(document: dict[str, Any]) -> bool:
    try:
        return normalize_document(document) is document
    except RemoteMalformed:
        return False
