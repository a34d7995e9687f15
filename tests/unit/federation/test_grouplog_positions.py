"""Where a copy of a group's log stands: judging what arrives, the header that tells it, and the host's checkpoints."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.grouplog.checkpoint import build_checkpoint, read_checkpoint, verify_checkpoint
from node.federation.grouplog.entry import LogEntry
from node.federation.grouplog.position import Position, Verdict, format_position, judge, parse_position
from node.federation.signatures.keys import generate_ed25519_key
from node.foundation.errors import NodeError, RemoteMalformed

WARD = "https://a.example/groups/ward"
KEY = generate_ed25519_key()
OTHER_KEY = generate_ed25519_key()
ENTRY = LogEntry(WARD, 1, 1, "0" * 64, "https://b.example/activities/1", "create", "f" * 64)
_HEX_CHAINS = st.integers(0, 2**256 - 1).map("{:064x}".format)
# Where an entry stands to our copy. Ours goes to 412 with the chain of ENTRY, and starts after 400.
OURS = Position(1, 412, "a" * 64)


def judged(seq: int, *, prev: str = "b" * 64, epoch: int = 1, held: str | None = None) -> Verdict:
    """Judge an entry against our copy; `held` is the chain that we hold at its number."""
    entry = replace(ENTRY, seq=seq, prev=prev, epoch=epoch)
    return judge(entry, OURS, base_seq=400, held_chain=entry.chain if held == "same" else held)


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verdict.NEXT, judged(413, prev="a" * 64)),
        (Verdict.DIVERGED, judged(413)),
        (Verdict.GAP, judged(414, prev="a" * 64)),
        (Verdict.GAP, judged(2**53 - 1)),
        (Verdict.HELD, judged(412, held="same")),
        (Verdict.HELD, judged(401, held="same")),
        (Verdict.DIVERGED, judged(412, held="c" * 64)),
        (Verdict.DIVERGED, judged(405, held=None)),
        (Verdict.HELD, judged(400)),
        (Verdict.HELD, judged(1)),
        (Verdict.NEXT, judged(413, prev="a" * 64, epoch=2)),
        (Verdict.RECOUNTED, judged(413, epoch=2)),
        (Verdict.RECOUNTED, judged(414, prev="a" * 64, epoch=2)),
        (Verdict.RECOUNTED, judged(407, held="c" * 64, epoch=2)),
        (Verdict.RECOUNTED, judged(400, epoch=2)),
        (Verdict.HELD, judged(412, held="same", epoch=2)),
    ],
)
def test_an_entry_is_next_held_beyond_or_of_another_history(verdict: Verdict, found: Verdict) -> None:
    assert found is verdict


@given(st.integers(1, 30), st.integers(0, 20), st.integers(0, 20), _HEX_CHAINS)
@settings(deadline=None)
def test_only_the_one_entry_behind_the_head_is_ever_next(seq: int, head: int, base: int, prev: str) -> None:
    ours = Position(1, max(head, base), "a" * 64)

    verdict = judge(replace(ENTRY, seq=seq, prev=prev), ours, base_seq=base, held_chain=None)

    assert (verdict is Verdict.NEXT) == (seq == ours.seq + 1 and prev == ours.chain)


@given(st.integers(0, 10**15), st.integers(1, 10**6), _HEX_CHAINS)
@settings(deadline=None)
def test_a_position_comes_back_from_its_header(seq: int, epoch: int, chain: str) -> None:
    position = Position(epoch, seq, chain)

    assert parse_position(format_position(WARD, position)) == (WARD, position)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "junk",
        f"{WARD}; epoch=1; seq=4",
        f"{WARD}; epoch=1; seq=-4; chain={'a' * 64}",
        f"{WARD}; epoch=1; seq=4; chain={'A' * 64}",
        f"{WARD}; epoch=1; seq=4; chain={'a' * 63}",
        f"{WARD}; epoch=1; seq=4; chain={'a' * 64}; more=1",
        f"{WARD}; seq=4; epoch=1; chain={'a' * 64}",
        f" {WARD}; epoch=1; seq=4; chain={'a' * 64}",
        f"{WARD}; epoch=1; seq={'9' * 17}; chain={'a' * 64}",
        f"a b; epoch=1; seq=4; chain={'a' * 64}",
        f"{WARD}; epoch=1; seq=4; chain={'a' * 64}, {WARD}; epoch=1; seq=5; chain={'a' * 64}",
    ],
)
def test_a_header_that_is_not_plainly_a_position_is_none(value: str | None) -> None:
    assert parse_position(value) is None


@given(st.text(st.characters(max_codepoint=255)))
@settings(deadline=None)
def test_no_header_raises_anything(value: str) -> None:
    assert parse_position(value) is None or value.count(";") == 3


def test_a_checkpoint_comes_back_and_is_proved_by_its_group() -> None:
    document = json.loads(json.dumps(build_checkpoint(WARD, OURS, KEY)))

    verify_checkpoint(document, KEY.public)

    assert read_checkpoint(document, WARD) == OURS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("group", "https://a.example/groups/other"),
        ("epoch", 0),
        ("epoch", True),
        ("seq", -1),
        ("seq", "412"),
        ("chain", "a" * 63),
        ("chain", "A" * 64),
        ("chain", None),
    ],
)
def test_a_checkpoint_that_is_not_plainly_one_of_this_group_is_refused(name: str, value: Any) -> None:
    with pytest.raises(RemoteMalformed):
        read_checkpoint(build_checkpoint(WARD, OURS, KEY) | {name: value}, WARD)


@pytest.mark.parametrize(("name", "value"), [("seq", 0), ("chain", "b" * 64), ("epoch", 2), ("more", 1)])
def test_a_changed_checkpoint_is_not_the_groups(name: str, value: Any) -> None:
    document = copy.deepcopy(build_checkpoint(WARD, OURS, KEY)) | {name: value}

    with pytest.raises(NodeError):
        verify_checkpoint(document, KEY.public)


def test_a_checkpoint_by_another_key_or_without_proof_is_not_the_groups() -> None:
    unproved = build_checkpoint(WARD, OURS, KEY)
    del unproved["proof"]

    for document in (build_checkpoint(WARD, OURS, OTHER_KEY), unproved):
        with pytest.raises(NodeError):
            verify_checkpoint(document, KEY.public)
