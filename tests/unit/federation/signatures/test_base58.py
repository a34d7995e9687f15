"""Base58: published examples, one spelling per value, bounded work."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.signatures.base58 import decode_base58, encode_base58
from node.foundation.errors import RemoteMalformed

PUBLISHED = [
    (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
    (b"The quick brown fox jumps over the lazy dog.", "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"),
    (bytes.fromhex("0000287fb4cd"), "11233QC4"),
]


@pytest.mark.parametrize(("data", "text"), PUBLISHED)
def test_base58_agrees_with_the_published_examples(data: bytes, text: str) -> None:
    assert encode_base58(data) == text
    assert decode_base58(text, size_bytes=len(data)) == data


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=80))
def test_base58_gives_back_every_value(data: bytes) -> None:
    assert decode_base58(encode_base58(data), size_bytes=len(data)) == data


@settings(deadline=None)
@given(st.text(max_size=50), st.integers(min_value=1, max_value=40))
def test_base58_reads_a_text_in_one_spelling_or_not_at_all(text: str, size_bytes: int) -> None:
    try:
        data = decode_base58(text, size_bytes=size_bytes)
    except RemoteMalformed:
        return

    assert encode_base58(data) == text


@pytest.mark.parametrize("text", ["", "0OIl", "2NEpo7TZRRrLZSi2U ", "é", "1", "2" * 100_000])
def test_base58_refuses_what_does_not_hold_the_size(text: str) -> None:
    with pytest.raises(RemoteMalformed):
        decode_base58(text, size_bytes=12)
