"""The canonical form: equal to rfc8785 on everything, refusals included."""

from __future__ import annotations

import enum
import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.federation.integrity import canonicalize
from node.foundation.errors import RemoteMalformed

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
NAMES = st.one_of(
    st.text('ab\x00\x1f"\\/\x7f\n', max_size=4), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)


@settings(deadline=None)
@given(VALUES)
@example({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "\r": 5})
@example("".join(map(chr, range(0x300))))
@example({"": [], "a": {}, "b": [[], {}]})
@example([True, 1, 1.0, -0.0, 1e21, 1e-7, 5e-324, 333333333.33333329, 2**53 - 1])
@example({"line": "\u2028\u2029\ufeff\ufffe"})
def test_canonical_form_is_that_of_rfc8785(value: Any) -> None:
    assert canonicalize(value) == rfc8785.dumps(value)


@settings(deadline=None)
@given(VALUES)
def test_canonical_form_is_json_with_the_same_value(value: Any) -> None:
    # JavaScript writes 1e16 as a whole number, which Python reads as an integer too large for us.
    again = json.loads(canonicalize(value), parse_int=float)

    assert again == value
    assert canonicalize(again) == canonicalize(value)


class Colour(enum.IntEnum):
    RED = 1


class Loud(str):
    def __str__(self) -> str:
        return self.upper()


@pytest.mark.parametrize("value", [Colour.RED, Loud("x"), {Loud("k"): [Colour.RED]}, (1, "a"), {"t": ({"b": 1.5},)}])
def test_subclasses_and_tuples_take_the_careful_way(value: Any) -> None:
    assert canonicalize(value) == rfc8785.dumps(value)


def a_deep_list(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        [10**400],
        math.nan,
        [math.inf],
        "\ud800",
        {"\udfff": 1},
        {"a": "\ud83d"},
        {1: "a"},
        {None: "a"},
        {"a": 1, 2: "b"},
        b"bytes",
        {"a": {1, 2}},
        object(),
        a_deep_list(100_000),
        [0.5, a_deep_list(100_000)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(RemoteMalformed):
        canonicalize(value)
