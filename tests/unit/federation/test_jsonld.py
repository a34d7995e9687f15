"""Strict reading of JSON: what is taken, and that everything else is refused quickly and in our own words (T37)."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.jsonld import DEPTH_LIMIT, INTEGER_LIMIT, LIMIT_BYTES, parse_document
from node.foundation.errors import RemoteMalformed

MEGABYTE = 1_000_000


def nest(levels: int) -> bytes:
    """Return an object whose brackets nest this deep, the object itself counted."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


ROBUSTNESS = {
    "nothing": b"",
    "a blank": b" ",
    "a list": b"[]",
    "a string": b'"a"',
    "null": b"null",
    "two documents": b"{}{}",
    "an open object": b'{"a":1',
    "an open string": b'{"a":"b',
    "an open escape": b'{"a":"\\',
    "a trailing comma": b'{"a":1,}',
    "a comment": b'{"a":1/* */}',
    "single quotes": b"{'a':1}",
    "a raw control character": b'{"a":"\x01"}',
    "a raw line break in a string": b'{"a":"\n"}',
    "one level too deep": nest(DEPTH_LIMIT + 1),
    "five thousand levels": nest(5_000),
    "two hundred thousand levels": nest(200_000),
    "a megabyte of open lists": b"[" * MEGABYTE,
    "a megabyte of open objects": b'{"a":' * (MEGABYTE // 5),
    "a megabyte of closed lists": b"]" * MEGABYTE,
    "brackets that cross": b'{"a":' + b"[{]}" * 100 + b"}",
    "an open string full of brackets": b'{"a":"' + b"[" * MEGABYTE,
    "a megabyte of escaped quotes": b'{"a":"' + b'\\"' * (MEGABYTE // 2),
    "a megabyte of quotes": b'"' * MEGABYTE,
    "a megabyte of backslashes": b'{"a":"' + b"\\" * (MEGABYTE + 1) + b'"}',
    "a name twice": b'{"a":1,"a":2}',
    "a name twice, once escaped": b'{"a":1,"\\u0061":2}',
    "a name twice far inside": b'{"a":[{"b":{"c":1,"d":2,"c":1}}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "a float that overflows": b'{"a":1e400}',
    "a float that overflows downwards": b'{"a":-1e400}',
    "an integer beyond 2^53": b'{"a":9007199254740993}',
    "an integer beyond -2^53": b'{"a":-9007199254740993}',
    "an integer of five thousand digits": b'{"a":' + b"9" * 5_000 + b"}",
    "an integer of a megabyte": b'{"a":' + b"9" * MEGABYTE + b"}",
    "leading zeros": b'{"a":01}',
    "a hexadecimal number": b'{"a":0x10}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
    "the other half": b'{"a":"\\uDC00"}',
    "halves the wrong way round": b'{"a":"\\udc00\\ud800"}',
    "half a surrogate pair as a name": b'{"\\ud800":1}',
    "half a surrogate pair deep inside": b'{"a":[{"b":["\\uD83D"]}]}',
    "U+0000": b'{"a":"\\u0000"}',
    "U+0000 in a name": b'{"a\\u0000":1}',
    "Latin-1": '{"a":"é"}'.encode("latin-1"),
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "an encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "an overlong slash": b'{"a":"\xc0\xaf"}',
    "a byte too much": b'{"a":"' + b"x" * LIMIT_BYTES + b'"}',
}


@pytest.mark.parametrize("raw", ROBUSTNESS.values(), ids=ROBUSTNESS.keys())
def test_t37_odd_json_is_refused_in_our_own_words_within_two_seconds(raw: bytes) -> None:
    started = time.process_time()

    with pytest.raises(RemoteMalformed) as refusal:
        parse_document(raw)

    assert time.process_time() - started < 2
    assert refusal.value.safe.endswith(".")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"{}", {}),
        (b' {"a": [1, 2.5, true, null]} \n', {"a": [1, 2.5, True, None]}),
        (b'{"a":"\\ud83c\\udfe5"}', {"a": "🏥"}),
        ('{"a":"🏥"}'.encode(), {"a": "🏥"}),
        (b'{"a":"\\\\ud800 \\\\u0000"}', {"a": "\\ud800 \\u0000"}),
        (b'{"a":"[[[[{{{{"}', {"a": "[[[[{{{{"}),
        (b'{"a":9007199254740992,"b":-9007199254740992}', {"a": INTEGER_LIMIT, "b": -INTEGER_LIMIT}),
        (b'{"a":{"b":1},"c":{"b":1}}', {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_plain_json_is_read_as_it_is(raw: bytes, expected: dict[str, Any]) -> None:
    document = parse_document(raw)

    assert document == expected


def test_t37_sixty_four_levels_are_taken_and_brackets_in_strings_do_not_count() -> None:
    raw = b'{"s":"' + b'[{\\"' * 500 + b'","n":' + nest(DEPTH_LIMIT - 1) + b"}"

    document = parse_document(raw)

    assert document["s"].startswith('[{"[{"')


def test_t37_levels_of_objects_and_lists_count_alike() -> None:
    pairs = (DEPTH_LIMIT - 2) // 2
    raw = b'{"b":' + b'[{"a":' * pairs + b"%s" + b"}]" * pairs + b"}"

    parse_document(raw % b"[]")

    with pytest.raises(RemoteMalformed, match="nested too deep"):
        parse_document(raw % b"[[]]")


def test_a_shorter_limit_can_be_asked_for() -> None:
    raw = b'{"a":1}'

    with pytest.raises(RemoteMalformed, match="longer than 6 bytes"):
        parse_document(raw, limit_bytes=6)

    assert parse_document(raw, limit_bytes=7) == {"a": 1}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_t37_no_bytes_raise_anything_but_our_errors(raw: bytes) -> None:
    try:
        document = parse_document(raw)
    except RemoteMalformed:
        return

    assert isinstance(document, dict)


JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_LIMIT, INTEGER_LIMIT) | st.floats(-1e9, 1e9) | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(JSON_TEXT, JSON_VALUES, max_size=5), st.booleans())
def test_every_sound_document_survives_writing_and_reading(document: dict[str, Any], ascii_only: bool) -> None:
    raw = json.dumps(document, ensure_ascii=ascii_only).encode()

    assert parse_document(raw) == document


@settings(deadline=None)
@given(st.lists(st.sampled_from(['{"a":', "[", "]", "}", '"', "\\", "1", ",", '"b"', " "]), max_size=200))
def test_t37_no_heap_of_brackets_raises_anything_but_our_errors(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()

    try:
        parse_document(raw)
    except RemoteMalformed as refusal:
        assert refusal.safe
