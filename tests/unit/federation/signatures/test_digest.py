"""Digest and Content-Digest: made, and refused unless there is exactly one right SHA-256 (T10)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.federation.message import Request
from node.federation.signatures.digest import DigestHeader, format_content_digest, format_digest, verify_digest
from node.foundation.errors import DigestMismatch

BODY = b'{"hello": "world"}'
GOOD = "X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="
BAD = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def a_request(header: str, *values: str, body: bytes = BODY) -> Request:
    return Request("POST", "/inbox", tuple((header, value) for value in values), body)


def test_digests_are_written_as_published() -> None:
    assert format_digest(BODY) == f"SHA-256={GOOD}"
    assert format_content_digest(BODY) == f"sha-256=:{GOOD}:"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("digest", f"SHA-256={GOOD}"),
        ("digest", f"sha-256={GOOD}"),
        ("digest", f"Sha-256={GOOD}"),
        ("digest", f"SHA-512=anything,SHA-256={GOOD}"),
        ("digest", f"SHA-256={GOOD} , unixsum=30637"),
        ("content-digest", f"sha-256=:{GOOD}:"),
        ("content-digest", f"sha-512=:anything:, sha-256=:{GOOD}:"),
    ],
)
def test_a_right_digest_is_accepted(header: DigestHeader, value: str) -> None:
    verify_digest(a_request(header, value), header)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("digest", f"SHA-256={BAD}"),
        ("digest", ""),
        ("digest", GOOD),
        ("digest", "SHA-256="),
        ("digest", "SHA-256"),
        ("digest", f"SHA-512={GOOD}"),
        ("digest", f"MD5={GOOD}"),
        ("digest", f"SHA256={GOOD}"),
        ("digest", f"SHA-256={GOOD.rstrip('=')}"),
        ("digest", f"SHA-256={GOOD}="),
        ("digest", f"SHA-256=!{GOOD}"),
        ("digest", f"SHA-256= {GOOD}"),
        ("digest", f"SHA-256=:{GOOD}:"),
        ("digest", f'SHA-256="{GOOD}"'),
        ("digest", f"SHA-256={GOOD[:-2]}F="),
        ("digest", "SHA-256=é"),
        ("digest", "SHA-256=\ud800"),
        ("digest", f"SHA-256={GOOD}," + "x=y," * 1000),
        ("content-digest", f"sha-256={GOOD}"),
        ("content-digest", f"sha-256=:{BAD}:"),
        ("content-digest", f"sha-256=:{GOOD}:;x=1"),
        ("content-digest", f"sha-256=:SHA-256={GOOD}:"),
    ],
)
def test_t10_any_other_digest_is_refused(header: DigestHeader, value: str) -> None:
    with pytest.raises(DigestMismatch):
        verify_digest(a_request(header, value), header)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (f"SHA-256={GOOD},SHA-256={BAD}",),
        (f"SHA-256={BAD},SHA-256={GOOD}",),
        (f"SHA-256={GOOD},SHA-256={GOOD}",),
        (f"SHA-256={GOOD},sha-256={BAD}",),
        (f"SHA-256={GOOD}", f"SHA-256={GOOD}"),
        (f"SHA-256={GOOD}", f"SHA-256={BAD}"),
    ],
)
def test_t10_no_digest_and_several_digests_are_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(DigestMismatch):
        verify_digest(a_request("digest", *values), "digest")


def test_t08_another_body_is_refused() -> None:
    with pytest.raises(DigestMismatch):
        verify_digest(a_request("digest", f"SHA-256={GOOD}", body=BODY + b" "), "digest")


@settings(deadline=None)
@given(st.text(max_size=200), st.sampled_from(["digest", "content-digest"]))
def test_digests_never_fail_otherwise_and_are_never_accepted(value: str, header: DigestHeader) -> None:
    with pytest.raises(DigestMismatch):
        verify_digest(a_request(header, value), header)
