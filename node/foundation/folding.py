"""Words as search sees them: the same for what was written and for what somebody looks for, on every database.

A text becomes words without case, accents and punctuation: "Müller's Fälle" is `muller s falle`. Letters that carry
their stroke inside are spelled plainly (ø is o, æ is ae, ß is ss). Marks written above or below letters go in every script.
Chinese characters and kana stand in no words, so each is one. There are no stop words and no stems.

What this returns is kept in the index of every node: who changes it has to fill the index anew (`store/search_index.py`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

WORD_LIMIT_CHARACTERS = 64
_PLAIN = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
# Written without spaces: kana, Chinese characters and their later additions.
_ALONE = ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is a word that was looked for."""

    text: str
    is_hit: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """The words that were looked for. prefix: how the last of them begins, when it may go on."""

    words: frozenset[str]
    prefix: str | None = None

    def has(self, word: str) -> bool:
        """Return whether a word was looked for."""
        return word in self.words or (self.prefix is not None and word.startswith(self.prefix))

    def list_in(self, words: Iterable[str]) -> set[str]:
        """Return which of what was looked for stands in these words."""
        found = set()
        for word in words:
            if word in self.words:
                found.add(word)
            if self.prefix is not None and word.startswith(self.prefix):
                found.add(self.prefix)
        return found


def fold_words(text: str) -> list[str]:
    """Return the words of a text in order, each at most 64 characters long.

    >>> fold_words("Müller's Fälle, 夜勤 & ÆTNA-2"), fold_words("🙂 …")
    (['muller', 's', 'falle', '夜', '勤', 'aetna', '2'], [])
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    return [word[:WORD_LIMIT_CHARACTERS] for word in plain.casefold().translate(_folding()).split()]


def is_alone(word: str) -> bool:
    """Return whether a word is a character of a script without spaces.

    >>> is_alone("勤"), is_alone("k")
    (True, False)
    """
    return len(word) == 1 and any(first <= ord(word) <= last for first, last in _ALONE)


def cut_out(text: str, hits: Hits, *, length: int) -> list[Piece]:
    """Return a part of a text where most of what was looked for stands together, with the hits told apart.

    Args:
        text: Plain text.
        hits: What was looked for; without any the text's beginning is returned.
        length: About how many characters.
    """
    words = " ".join(text.split())
    best, start = 0, 0
    for place in range(0, len(words), length // 2):
        count = len(hits.list_in(fold_words(words[place : place + length])))
        if count > best:
            best, start = count, place
        if best and best == len(hits.words) + (hits.prefix is not None):
            break
    begin = words.rfind(" ", max(0, start - WORD_LIMIT_CHARACTERS), start) + 1 or start
    end = words.find(" ", begin + length) if begin + length < len(words) else len(words)
    end = end if 0 <= end <= begin + length * 2 else begin + length  # a script without spaces has no place to end
    pieces = mark(words[begin:end], hits)
    before, after = [Piece("… ", False)] * (begin > 0), [Piece(" …", False)] * (end < len(words))
    return [*before, *pieces, *after]


def mark(text: str, hits: Hits) -> list[Piece]:
    """Return a text in pieces: its words that were looked for, and what stands between them.

    >>> [piece.text for piece in mark("Die Fälle, alle", Hits(frozenset({"falle"}))) if piece.is_hit]
    ['Fälle']
    """
    pieces: list[Piece] = []
    since = 0
    for begin, end in _list_runs(text):
        run = text[begin:end]
        words = [run.lower()[:WORD_LIMIT_CHARACTERS]] if run.isascii() else fold_words(run)
        if any(map(hits.has, words)):
            pieces += [Piece(text[since:begin], False)] * (begin > since)
            pieces.append(Piece(run, True))
            since = end
    return [*pieces, *[Piece(text[since:], False)] * (since < len(text))]


def _list_runs(text: str) -> list[tuple[int, int]]:
    """Return (begin, end) of every word as it is written."""
    folding = _folding()
    runs: list[tuple[int, int]] = []
    begin: int | None = None
    for place, character in enumerate(text):
        folded = folding[ord(character)]
        if folded[:1] != " ":
            begin = place if begin is None else begin
            continue
        if begin is not None:
            runs.append((begin, place))
            begin = None
        if folded != " ":
            runs.append((place, place + 1))
    return runs if begin is None else [*runs, (begin, len(text))]


class _Folding(dict[int, str]):
    """What becomes of each character, found out once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)[0]
        if kind == "M":
            folded = ""
        elif kind not in "LN":
            folded = " "
        else:
            folded = f" {character} " if is_alone(character) else _PLAIN.get(character, character)
        self[code] = folded
        return folded


@cache
def _folding() -> _Folding:
    return _Folding()
