"""What services say when they refuse something, in the reader's language.

A service says it in English, where it happens; the command line and the client API print that. A page looks it up in
`sentences/services/<language>.toml`, by the English sentence itself. One that was put together, such as "The handle ana is
taken.", is found by its fixed pieces; what stands between them goes into the gaps of the translation, and is looked up in
turn, for it may be a sentence or a state too. What is not found stays English: no message is lost.

A house test holds the catalogue to every error of the services, so a new one cannot be forgotten.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .markup import Markup

ENGLISH = "en"
_GAP = re.compile(r"\{\d\}")
# Pieces shorter than this fit too much: what stands between them is one word then.
_FEW_LETTERS = 8


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A sentence with gaps. letters: how much of it is fixed."""

    found: re.Pattern[str]
    said: str
    letters: int


def translate(language: str, text: str) -> str:
    """Return what a service said, in a language; as it is where there is no translation, or where it is a page's own.

    >>> translate("de", "A password has at least 8 characters.")
    'Ein Passwort hat mindestens 8 Zeichen.'
    """
    if language == ENGLISH or not text or isinstance(text, Markup):
        return text
    known = load_services(language)
    if text in known:
        return known[text]
    for pattern in _patterns(language):
        if (found := pattern.found.fullmatch(text)) is not None:
            return pattern.said.format(*(translate(language, value) for value in found.groups()))
    return text


@cache
def load_services(language: str) -> dict[str, str]:
    """Return {English sentence: the same in a language}."""
    path = files("node.views").joinpath(f"sentences/services/{language}.toml")
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


@cache
def _patterns(language: str) -> tuple[_Pattern, ...]:
    """Return the sentences with gaps, those with the most fixed letters first: they fit least by chance."""
    made = []
    for english, said in load_services(language).items():
        pieces = _GAP.split(english)
        letters = sum(map(len, pieces))
        gap = r"(\S+)" if letters < _FEW_LETTERS else r"(.+)"
        if len(pieces) > 1:
            made.append(_Pattern(re.compile(gap.join(map(re.escape, pieces)), re.DOTALL), said, letters))
    return tuple(sorted(made, key=lambda pattern: -pattern.letters))
