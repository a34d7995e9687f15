"""What apps send under many forms means one thing; pages of a list lead on."""

from __future__ import annotations

from typing import Any

import pytest

from node.api.auth import covers
from node.api.pagination import build_link, read_span
from node.api.parameters import Parameters
from node.community.posts.reading import Span
from node.foundation.errors import Invalid


def _parameters(**values: Any) -> Parameters:
    found = Parameters()
    for name, value in values.items():
        found.add(name, value)
    return found


def test_a_list_is_a_list_whether_repeated_bracketed_or_json() -> None:
    repeated, bracketed = Parameters(), Parameters()
    for value in ("1", "2"):
        repeated.add("id", value)
        bracketed.add("id[]", value)
    in_json = _parameters(id=[1, "2"])

    assert repeated.texts("id") == bracketed.texts("id") == in_json.texts("id") == ["1", "2"]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (5, "5"), ("x", "x"), (None, None)])
def test_values_of_any_type_are_read_as_text(value: Any, text: str | None) -> None:
    assert _parameters(name=value).text("name") == text


def test_the_last_of_several_values_counts() -> None:
    parameters = _parameters(name="first")
    parameters.add("name", "second")

    assert parameters.text("name") == "second"


@pytest.mark.parametrize("value", [{"a": 1}, [{"a": 1}], [[1]]])
def test_a_structure_is_no_text(value: Any) -> None:
    with pytest.raises(Invalid, match="structure"):
        _parameters(name=value).text("name")


def test_a_parameter_is_there_unless_it_is_null() -> None:
    nested = Parameters()
    nested.add("poll[options][]", "x")

    assert nested.has("poll")
    assert _parameters(poll={"options": []}).has("poll")
    assert not _parameters(poll=None).has("poll")
    assert not _parameters(polls="x").has("poll")


def test_only_so_many_values_of_one_parameter_are_read() -> None:
    assert len(_parameters(id=[str(n) for n in range(5000)]).texts("id")) == 200


def test_min_id_goes_before_since_id() -> None:
    assert read_span(_parameters(min_id="20", since_id="10")) == Span(20, 2**62, 10, oldest_first=True)
    assert read_span(_parameters(since_id="10", max_id="30")) == Span(20, 15, 5)


def test_a_full_page_leads_on_and_a_page_that_reaches_the_end_does_not() -> None:
    full = build_link("https://home.example/x", ["9", "7"], Span(limit=2))
    last = build_link("https://home.example/x", ["9"], Span(limit=2))
    upwards = build_link("https://home.example/x", ["9"], Span(limit=2, after_id=1, oldest_first=True))

    assert (
        full
        == '<https://home.example/x?limit=2&max_id=7>; rel="next", <https://home.example/x?limit=2&min_id=9>; rel="prev"'
    )
    assert last == '<https://home.example/x?limit=2&min_id=9>; rel="prev"'
    assert upwards is not None
    assert 'rel="next"' in upwards
    assert build_link("https://home.example/x", [], Span()) is None


@pytest.mark.parametrize(
    ("granted", "wanted", "expected"),
    [
        ("", "read:statuses", False),
        ("write", "read:statuses", False),
        ("read:lists", "read:statuses", False),
        ("read:status", "read:statuses", False),
        ("readx", "read:statuses", False),
        ("follow", "write:statuses", False),
        ("follow", "read:accounts", False),
        ("read:statuses", "read:statuses", True),
        ("read", "read:statuses", True),
        ("follow", "write:follows", True),
        ("follow", "read:follows", True),
        ("write", "write:follows", True),
    ],
)
def test_scopes_cover_what_they_name_and_nothing_else(granted: str, wanted: str, expected: bool) -> None:
    assert covers(frozenset(granted.split()), wanted) is expected
