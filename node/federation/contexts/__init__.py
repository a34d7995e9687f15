"""JSON-LD contexts we hold, so that none is ever fetched (T38).

Asked by `jsonld` only. The files here were written for this node: they say of a vocabulary what this node needs, under
the published IRIs, and nothing else. ActivityStreams and the W3C's security contexts come with pyld.

`view.json` is special: it lists every term the vocabulary reads. It is what documents are compacted to, and it tells
which terms an inline context may not bend. To read a new term, add it there.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

AS2_URL: Final = "https://www.w3.org/ns/activitystreams"
# Names inside this process only; nobody serves them, and `.invalid` never will.
VIEW_URL: Final = "https://rounds.invalid/contexts/view"
_LITEPUB_URL: Final = "https://rounds.invalid/contexts/litepub"
_MBIN_URL: Final = "https://rounds.invalid/contexts/mbin"

# What comes with pyld and leaves every term of `view.json` its meaning; a test compares them term by term.
PLAIN_BUNDLED: Final = frozenset(
    {
        AS2_URL,
        "https://w3id.org/security/v1",
        "https://w3id.org/security/v2",
        "https://www.w3.org/ns/did/v1",
    }
)

# What was written for this node. Data integrity v1 and v2 differ in nothing we read; `cid/v1` carries Multikeys too.
OUR_FILES: Final = {
    VIEW_URL: "view.json",
    _LITEPUB_URL: "litepub.json",
    _MBIN_URL: "mbin.json",
    "https://w3id.org/security/data-integrity/v1": "data-integrity.json",
    "https://w3id.org/security/data-integrity/v2": "data-integrity.json",
    "https://w3id.org/security/multikey/v1": "multikey.json",
    "https://www.w3.org/ns/cid/v1": "multikey.json",
    "https://join-lemmy.org/context.json": "lemmy.json",
    "https://gotosocial.org/ns": "gotosocial.json",
    "https://purl.archive.org/miscellany": "miscellany.json",
    "https://purl.archive.org/socialweb/webfinger": "miscellany.json",
}

# Other spellings of the same thing.
_ALIASES: Final = {
    "http://www.w3.org/ns/activitystreams": AS2_URL,
    "https://www.w3.org/ns/activitystreams#": AS2_URL,
    "https://www.w3.org/ns/activitystreams.jsonld": AS2_URL,
    "http://w3id.org/security/v1": "https://w3id.org/security/v1",
    "https://litepub.social/litepub/context.jsonld": _LITEPUB_URL,
    "https://litepub.social/context.jsonld": _LITEPUB_URL,
}

# Pleroma, Akkoma, Mbin and Kbin serve their contexts from each host, so the path is all one can know them by. Taking
# our own file for it is safe whoever the host is: nothing is fetched, and the host does not choose what the terms mean.
_BY_PATH: Final = {
    "/schemas/litepub-0.1.jsonld": _LITEPUB_URL,
    "/contexts": _MBIN_URL,
    "/contexts.jsonld": _MBIN_URL,
}


def find_plain_context(url: str) -> str | None:
    """Return the name under which we hold a context that bends no term we read, or None.

    >>> find_plain_context("https://social.example/schemas/litepub-0.1.jsonld")
    'https://rounds.invalid/contexts/litepub'
    """
    if url in PLAIN_BUNDLED or url in OUR_FILES:
        return url
    alias = _ALIASES.get(url)
    if alias is not None or not url.startswith(("https://", "http://")):
        return alias
    try:
        return _BY_PATH.get(urlsplit(url).path)
    except ValueError:
        return None


@cache
def load_our_contexts() -> dict[str, Any]:
    """Return every context written for this node, parsed, by its URL."""
    folder = Path(__file__).parent
    return {url: json.loads((folder / name).read_text("utf-8")) for url, name in OUR_FILES.items()}


@cache
def load_view_terms() -> dict[str, str]:
    """Return each term this node reads with the IRI it stands for, keywords such as `@id` included."""
    context = load_our_contexts()[VIEW_URL]["@context"]
    prefixes = {name: iri for name, iri in context.items() if type(iri) is str and iri.endswith(("#", "/"))}
    terms: dict[str, str] = {}
    for term, definition in context.items():
        if term.startswith("@") or term in prefixes:
            continue
        iri = definition if type(definition) is str else definition["@id"]
        prefix, _, name = iri.partition(":")
        terms[term] = prefixes[prefix] + name if prefix in prefixes else iri
    return terms


@cache
def load_view_iris() -> frozenset[str]:
    """Return the IRIs of all terms this node reads."""
    return frozenset(load_view_terms().values())
