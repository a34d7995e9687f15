"""A step of a test between two nodes is read exactly, or is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.probes import TEXT_LIMIT_CHARACTERS, Probe, build_probe, is_probe_uri, read_probe

_A, _B = "https://a.example", "https://b.example"
_URI = f"{_A}/probes/abcdefghijklmnopqrstuvwxy2"
_STEPS = [Probe("Create", _URI, "Here."), Probe("Flag", _URI, "Here."), Probe("Delete", _URI)]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just(_URI),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "type", "to", "x"]), inner),
    max_leaves=5,
)


def say(probe: Probe) -> dict[str, Any]:
    """Return the activity of a step."""
    return build_probe(probe, activity_uri=f"{_A}/activities/1", actor=f"{_A}/actor", reader=f"{_B}/actor")


def read(document: dict[str, Any]) -> Probe | None:
    """Read an activity as the other node does."""
    return read_probe(document, origin=_A, actor=f"{_A}/actor", reader=f"{_B}/actor")


@pytest.mark.parametrize("probe", _STEPS, ids=lambda probe: probe.verb)
def test_what_was_built_is_read(probe: Probe) -> None:
    found = read(say(probe))

    assert found is not None
    assert (found.verb, found.uri) == (probe.verb, probe.uri)
    assert found.text == (probe.text if probe.verb == "Create" else "")


@pytest.mark.parametrize("probe", _STEPS, ids=lambda probe: probe.verb)
@pytest.mark.parametrize(
    "more",
    [
        {"actor": f"{_A}/people/ana"},
        {"to": [f"{_B}/actor", f"{_B}/groups/ward"]},
        {"to": f"{_B}/actor"},
        {"to": [f"{_B}/people/ben"]},
        {"cc": []},
        {"audience": f"{_B}/groups/ward"},
        {"type": "Update"},
        {"type": ["Create"]},
        {"object": {"type": "Note", "id": f"{_B}/probes/abcdefghijklmnopqrstuvwxy2"}},
        {"object": f"{_B}/probes/abcdefghijklmnopqrstuvwxy2"},
        {"object": [_URI, f"{_B}/posts/abcdefghijklmnopqrstuvwxy2"]},
        {"object": None},
    ],
    ids=str,
)
def test_what_differs_in_anything_is_none(probe: Probe, more: dict[str, Any]) -> None:
    assert read(say(probe) | more) is None


def test_a_long_text_is_none() -> None:
    at_most = Probe("Create", _URI, "x" * TEXT_LIMIT_CHARACTERS)

    assert read(say(at_most)) == at_most
    assert read(say(Probe("Create", _URI, "x" * (TEXT_LIMIT_CHARACTERS + 1)))) is None


@pytest.mark.parametrize(
    "uri",
    [
        f"{_A}/probes/", f"{_A}/probes/short", f"{_A}/posts/abcdefghijklmnopqrstuvwxy2", f"{_URI}/", f"{_URI}#x",
        "https://a.example.evil/probes/abcdefghijklmnopqrstuvwxy2", f"{_A}/probes/../posts/abcdefghijklmnopqrstuvwxy2",
        f"{_A}/probes/ABCDEFGHIJKLMNOPQRSTUVWXY2", f"{_A}//probes/abcdefghijklmnopqrstuvwxy2", f"{_URI}\n",
    ],
)  # fmt: skip
def test_an_id_that_only_looks_like_one_of_a_test_object_is_none(uri: str) -> None:
    assert not is_probe_uri(uri, origin=_A)


@given(verb=st.sampled_from(["Create", "Flag", "Delete"]), about=_JSON, to=_JSON)
def test_no_document_makes_it_fall(verb: str, about: Any, to: Any) -> None:
    whole = say(Probe("Flag", _URI)) | {"type": verb, "object": about}

    assert read(whole | {"to": to}) is None
    assert read(whole) is None or about == _URI
