"""Tell inline contexts that only add terms from those that bend a term we read (T39).

Asked by `jsonld`. Most software writes a few lines such as `{"toot": "http://joinmastodon.org/ns#", "Emoji":
"toot:Emoji"}` into each document; those need no JSON-LD processing. Whatever is not clearly harmless counts as bending.
"""

from __future__ import annotations

from typing import Any, Final

from . import AS2_URL, VIEW_URL, find_plain_context, load_our_contexts, load_view_iris, load_view_terms

_AS2_NAMESPACE: Final = f"{AS2_URL}#"
# Prefixes that stand for the namespaces of the terms we read, in contexts that we hold.
PREFIXES: Final = {
    "as": _AS2_NAMESPACE,
    "ldp": "http://www.w3.org/ns/ldp#",
    "sec": "https://w3id.org/security#",
    "toot": "http://joinmastodon.org/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_IDLE_KEYWORDS: Final = {"@language", "@version"}
_SIMPLE_DEFINITION: Final = {"@id", "@type", "@container"}
# Mobilizon says schema.org's `location` where all others say ActivityStreams'; to us it is the same place.
_SAME_MEANING: Final = {
    "location": {"http://schema.org#location", "http://schema.org/location", "https://schema.org/location"},
}
_PREFIX_HOPS: Final = 3


def is_usual_context(context: Any) -> bool:
    """Return whether a value of `@context` names only contexts we hold, and adds only terms that we do not read.

    >>> is_usual_context(["https://www.w3.org/ns/activitystreams", {"sensitive": "as:sensitive"}])
    True
    >>> is_usual_context(["https://www.w3.org/ns/activitystreams", {"kind": "@type"}])
    False
    """
    for entry in context if type(context) is list else [context]:
        if type(entry) is str:
            if find_plain_context(entry) is None:
                return False
        elif type(entry) is not dict or not all(_is_harmless(*line, entry) for line in entry.items()):
            return False
    return True


def is_synonym(term: str, definition: Any, context: dict[str, Any]) -> bool:
    """Return whether a line gives a term we read another IRI with the same meaning."""
    if term not in _SAME_MEANING:
        return False
    iri = definition.get("@id") if type(definition) is dict else definition
    return type(iri) is str and _expand_iri(iri, context) in _SAME_MEANING[term]


def _is_harmless(term: str, definition: Any, context: dict[str, Any]) -> bool:
    """Return whether a line leaves every term we read as it is, and gives none of them a second name."""
    if term in _IDLE_KEYWORDS or is_synonym(term, definition, context):
        return True
    line = {"@id": definition} if type(definition) is str else definition
    if type(line) is not dict or not line.keys() <= _SIMPLE_DEFINITION or term.startswith("@") or ":" in term:
        return False
    name = line.get("@id")
    if type(name) is not str:
        return False
    expected = load_view_terms().get(term) or PREFIXES.get(term)
    if name.startswith("@"):
        return name == expected
    iri = _expand_iri(name, context)
    if iri is None:
        return False
    if expected is not None:
        return iri == expected and _is_same_coercion(term, line, context)
    # Values of a type that itself hangs on this line would make a circle, which no processor reads.
    given = line.get("@type")
    if given is not None and (type(given) is not str or not (given[:1] == "@" or _expand_iri(given, context))):
        return False
    # An unknown term may be a prefix too: none may open the namespace of ActivityStreams under another name.
    return iri not in load_view_iris() and not _AS2_NAMESPACE.startswith(iri)


def _is_same_coercion(term: str, line: dict[str, Any], context: dict[str, Any]) -> bool:
    """Return whether values of a term we read stay what they are: links, times, texts.

    Where our own line says nothing, both a text and a link are read.
    """
    ours = load_our_contexts()[VIEW_URL]["@context"][term]
    expected = ours.get("@type") if type(ours) is dict else None
    given = line.get("@type")
    if line.get("@container", "@set") != "@set" or (given is not None and type(given) is not str):
        return False
    if given is None or given.startswith("@"):
        return given == expected or (given == "@id" and expected is None)
    return expected is not None and _expand_iri(given, context) == _expand_iri(expected, {})


def _expand_iri(value: str, context: dict[str, Any], hops: int = _PREFIX_HOPS) -> str | None:
    """Return the IRI that a definition names, or None where it takes more than prefixes to tell."""
    prefix, colon, name = value.partition(":")
    if not colon or not hops:
        return None
    if name.startswith("//"):
        return value
    meaning = context.get(prefix)
    if type(meaning) is dict:
        if not str(meaning.get("@type") or "@").startswith("@"):
            return None
        meaning = meaning.get("@id")
    if type(meaning) is str:
        start = _expand_iri(meaning, context, hops - 1)
        return None if start is None else start + name
    return PREFIXES[prefix] + name if prefix in PREFIXES else value
