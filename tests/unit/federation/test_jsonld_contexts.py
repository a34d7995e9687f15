"""Documents with usual and unusual contexts: both ways of reading agree, nothing is fetched, nothing is bent."""

from __future__ import annotations

import copy
import json
import socket
import subprocess
import sys
import time
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyld.documentloader.frozen import BUNDLED_CONTEXTS
from sample_documents import AS2, a_follow, list_facts, list_own_documents, load_document, read_own_bytes

from node.federation.contexts import OUR_FILES, PLAIN_BUNDLED, VIEW_URL, load_our_contexts, load_view_terms
from node.federation.jsonld import normalize_document, normalize_unusual, parse_document
from node.federation.vocabulary import ActivityView, understand
from node.foundation.errors import RemoteMalformed, RemoteProtocolError

NEEDS_PROCESSING = {
    "hubzilla/follow",
    "kroeg/announce",
    "kroeg/create_with_one_hashtag",
    "unusual/aliased_keywords",
    "unusual/expanded_names",
    "unusual/unknown_context",
}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", list_own_documents())
def test_d10_both_ways_of_reading_a_document_agree(name: str) -> None:
    document = parse_document(read_own_bytes(name))

    plain = understand(normalize_document(document))
    processed = understand(normalize_unusual(document))

    assert list_facts(plain) == list_facts(processed)


@pytest.mark.parametrize("name", list_own_documents())
def test_usual_documents_are_returned_untouched_and_others_are_not_changed(name: str) -> None:
    document = load_document(name)
    before = copy.deepcopy(document)

    normalized = normalize_document(document)

    assert (normalized is document) == (name not in NEEDS_PROCESSING)
    assert document == before


def test_a_document_without_context_is_read_as_activitystreams() -> None:
    document = a_follow()
    del document["@context"]

    assert normalize_document(document) is document
    assert list_facts(understand(normalize_unusual(document))) == list_facts(understand(document))


@pytest.mark.parametrize(
    "context",
    [
        "https://unknown.example/ns",
        [AS2, "https://unknown.example/ns"],
        [AS2, {"x": {"@id": "https://x.example/x", "@context": "https://unknown.example/scoped"}}],
        [AS2, {"@import": "https://unknown.example/import", "x": "https://x.example/x"}],
        [AS2, "https://[", "http://127.0.0.1:1/ns", "file:///etc/passwd", "//unknown.example", "relative", ""],
        [f"https://unknown.example/{number}" for number in range(90)],
    ],
)
@pytest.mark.usefixtures("no_network")
def test_t38_unknown_contexts_are_left_out_and_nothing_is_fetched(context: Any) -> None:
    document = a_follow(**{"@context": context})

    view = understand(normalize_document(document))

    assert isinstance(view, ActivityView)
    assert (view.type, view.actor) == ("Follow", "https://a.example/people/ana")


@pytest.mark.usefixtures("no_network")
def test_t38_an_unknown_context_inside_an_embedded_object_is_left_out_too() -> None:
    note = {"@context": "https://unknown.example/ns", "id": "https://a.example/n", "type": "Note", "content": "Hi"}

    view = understand(normalize_document(a_follow(type="Create", object=note)))

    assert isinstance(view, ActivityView)
    assert view.inner is not None and view.inner.id == "https://a.example/n"


def test_t38_a_context_of_null_takes_all_meaning_away() -> None:
    document = a_follow(**{"@context": None})

    normalized = normalize_document(document)

    with pytest.raises(RemoteProtocolError):
        understand(normalized)


TOO_MUCH = {
    "bytes": a_follow(content="x" * 70_000),
    "nodes": a_follow(to=[f"https://a.example/{number}" for number in range(2_100)]),
    "levels": a_follow(object=json.loads('{"object":' * 40 + "{}" + "}" * 40)),
    "contexts": a_follow(tag=[{"@context": AS2, "type": "Mention"} for _ in range(120)]),
    "contexts in one list": a_follow(**{"@context": [AS2] * 120}),
}


@pytest.mark.parametrize("document", TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_t38_what_would_keep_json_ld_processing_busy_is_refused_before_it_starts(document: dict[str, Any]) -> None:
    with pytest.raises(RemoteMalformed, match="too large"):
        normalize_unusual(document)


JUST_ENOUGH = {
    "terms": a_follow(**{"@context": [AS2, {f"t{number}": f"https://x.example/{number}" for number in range(1_500)}]}),
    "contexts": a_follow(**{"@context": ["https://w3id.org/security/v2", AS2] * 45}),
    "nodes": a_follow(tag=[{"type": "Mention", "href": f"https://a.example/{n}"} for n in range(900)]),
    "languages": a_follow(contentMap={f"l{number}": "x" for number in range(3_900)}),
    "scopes": a_follow(
        **{"@context": [AS2, {f"t{n}": {"@id": f"https://x/{n}", "@context": {"u": "https://y/"}} for n in range(90)}]},
        **{f"t{number}": {"u": 1} for number in range(90)},
    ),
}


@pytest.mark.parametrize("document", JUST_ENOUGH.values(), ids=JUST_ENOUGH.keys())
def test_t38_the_largest_documents_are_processed_within_two_seconds(document: dict[str, Any]) -> None:
    started = time.process_time()

    normalize_unusual(document)

    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "broken",
    [
        {"@context": [AS2, {"x": {"@id": 5}}]},
        {"@context": [AS2, {"@vocab": 5}]},
        {"@context": [AS2, 5]},
        {"@context": [AS2, [AS2]]},
        {"@context": [AS2, {"x": {"@id": "https://x.example/x", "@container": "@nonsense"}}]},
        {"@context": [AS2, {"a": "b:c", "b": "a:c"}], "a": 1},
        {"@context": [AS2, {"@future": "https://x.example/x"}]},
        {"@context": [AS2, {"x": "@future"}], "x": 1},
        {"@context": [AS2, {"object": {"@id": []}}]},
        {"@context": [AS2, {"object": {"@id": False, "@context": True}}]},
        {"@id": {"@id": "x"}},
        {"@type": 5},
        {"@graph": 5},
        {"@graph": [a_follow(), a_follow(id="https://a.example/2")]},
        {"@reverse": []},
        {"@value": "x"},
        {"@list": []},
    ],
)
def test_t38_broken_json_ld_is_refused_in_our_own_words_or_read(broken: dict[str, Any]) -> None:
    document = a_follow(**broken)

    try:
        understand(normalize_document(document))
    except RemoteProtocolError as refusal:
        assert refusal.safe.endswith(".")


NAMES = st.sampled_from(
    [
        "@context",
        "@type",
        "@id",
        "@value",
        "@graph",
        "@list",
        "@language",
        "@reverse",
        "@nest",
        "id",
        "type",
        "actor",
        "object",
        "content",
        "contentMap",
        "to",
        "tag",
        "kind",
        "as:actor",
        "x",
        "orderedItems",
    ]
)
VALUES = st.recursive(
    st.sampled_from([None, True, 5, 0.5, "", "x", AS2, "@type", "as:actor", "https://x.example/1", "Follow", "@none"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5), st.dictionaries(NAMES, VALUES, max_size=3))
def test_t38_no_document_raises_anything_but_our_errors(members: dict[str, Any], alias: dict[str, Any]) -> None:
    document = {**a_follow(), "@context": [AS2, alias], **members}

    try:
        understand(normalize_document(document))
    except RemoteProtocolError as refusal:
        assert refusal.safe


@pytest.mark.parametrize("url", sorted({*PLAIN_BUNDLED, *OUR_FILES}))
def test_contexts_that_count_as_plain_bend_no_term_we_read(url: str) -> None:
    languages = {"contentMap", "nameMap", "summaryMap"}
    terms = [term for term in load_view_terms() if term[0].islower() and term not in languages]
    everything = {
        **{term: "https://a.example/1" for term in terms},
        **a_follow(),
        **{name: {"en": "x"} for name in languages},
    }

    named = normalize_unusual({**everything, "@context": [AS2, url]})
    alone = normalize_unusual({**everything, "@context": AS2})

    # A link may come as `{"id": uri}` where a context says so; the vocabulary reads both alike.
    assert {name: _unwrap(value) for name, value in named.items()} == {
        name: _unwrap(value) for name, value in alone.items()
    }


def _unwrap(value: Any) -> Any:
    return value["id"] if isinstance(value, dict) and set(value) == {"id"} else value


def test_the_terms_we_read_stand_for_what_activitystreams_says() -> None:
    official = json.loads(BUNDLED_CONTEXTS[AS2].read_text("utf-8"))["@context"]
    ours = load_our_contexts()[VIEW_URL]["@context"]

    differing = {term for term in ours if term in official and ours[term] != official[term]}

    # Untyped here, because senders declare it with and without a type.
    assert differing == {"alsoKnownAs"}


def test_every_context_file_is_listed_and_every_listed_file_is_there() -> None:
    contexts = load_our_contexts()

    assert set(contexts) == set(OUR_FILES)
    assert all(set(context) == {"@context"} for context in contexts.values())


def test_pyld_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys; from node.federation import origin, jsonld; "
        "jsonld.normalize_document({'type': 'Note'}); print('pyld' in sys.modules, 'lxml' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
