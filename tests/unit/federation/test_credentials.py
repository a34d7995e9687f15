"""Statements about people: made, believed, and every way in which one is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.credentials import (
    KEY_MEMBER,
    LIFE,
    SIZE_LIMIT_BYTES,
    Statement,
    StatementRefused,
    build_statement,
    day_of,
    read_attestation_keys,
    read_statement,
    verify_statement,
)
from node.federation.integrity import sign_document
from node.federation.signatures.keys import PrivateKey, fingerprint_hex, format_multikey, generate_ed25519_key

NOW = datetime(2026, 12, 10, 9, 30, tzinfo=UTC)
INSTANCE, BEN = "https://b.example/actor", "https://b.example/people/ben"
KEY_ID = f"{INSTANCE}#attestation"
OWN, ATTESTING, FOREIGN = generate_ed25519_key(), generate_ed25519_key(), generate_ed25519_key()


def a_statement(**changes: Any) -> Statement:
    """Return what B says of Ben."""
    values: dict[str, Any] = {
        "subject": BEN,
        "issuer": INSTANCE,
        "state": "current",
        "level": "A3",
        "stage": "physician",
        "methods": ("register", "video"),
        "jurisdictions": ("US-VT",),
        "since": "2026-12",
        "checked": "2026-12",
        "starts_at": day_of(NOW),
        "ends_at": day_of(NOW) + LIFE,
    }
    return Statement(**(values | changes))


def a_document(key: PrivateKey = ATTESTING, *, key_id: str = KEY_ID, **changes: Any) -> dict[str, Any]:
    """Return a signed statement."""
    return build_statement(a_statement(**changes), key, key_id=key_id)


def an_instance(own: PrivateKey = OWN, attesting: PrivateKey | None = ATTESTING, **more: Any) -> dict[str, Any]:
    """Return an instance actor that vouches for its attestation key."""

    def listed(name: str, key: PrivateKey) -> list[dict[str, Any]]:
        text = format_multikey(key.public)
        return [{"id": f"{INSTANCE}#{name}", "type": "Multikey", "controller": INSTANCE, "publicKeyMultibase": text}]

    document: dict[str, Any] = {"type": "Application", "id": INSTANCE, "assertionMethod": listed("ed25519", own)}
    if attesting is not None:
        document[KEY_MEMBER] = listed("attestation", attesting)
    return sign_document(document | more, own, method=f"{INSTANCE}#ed25519", created="2026-12-01T00:00:00Z")


def believe(document: Any, **more: Any) -> Statement:
    """Check a statement as a peer does."""
    values: dict[str, Any] = {
        "subject": BEN,
        "instance": an_instance(),
        "instance_uri": INSTANCE,
        "fingerprint": fingerprint_hex(OWN.public),
        "now": NOW,
    }
    return verify_statement(document, **(values | more))


def reason_of(document: Any, **more: Any) -> str:
    """Return why a statement is refused."""
    with pytest.raises(StatementRefused) as refused:
        believe(document, **more)
    return refused.value.reason


def test_a_statement_of_the_issuers_attestation_key_is_believed() -> None:
    assert believe(a_document()) == a_statement()


@pytest.mark.parametrize("state", ["ended", "suspended", "revoked"])
def test_an_end_is_signed_like_a_statement_and_names_which(state: str) -> None:
    found = believe(a_document(state=state, since="2027-01"))

    assert (found.state, found.level, found.since) == (state, "A0", "2027-01")
    assert "assurance" not in a_document(state=state)["credentialSubject"]


def test_t28_no_number_name_or_day_stands_in_a_statement() -> None:
    document = a_document()

    assert document["credentialSubject"].keys() == {
        "id", "profession", "stage", "jurisdiction", "assurance", "methods", "verifiedSince", "lastChecked",
    }  # fmt: skip
    assert document["validFrom"].endswith("T00:00:00Z")


def test_a_statement_made_twice_on_a_day_is_the_same() -> None:
    assert a_document() == a_document()


def test_t05_a_statement_on_another_actor_is_refused() -> None:
    assert reason_of(a_document(), subject="https://b.example/people/eve") == "somebody_else"


def test_t05_a_statement_by_another_issuer_is_refused() -> None:
    other = a_document(FOREIGN, key_id="https://c.example/actor#attestation", issuer="https://c.example/actor")

    assert reason_of(other) == "another_issuer"
    assert reason_of(a_document(issuer="https://c.example/actor")) == "another_issuer"


@pytest.mark.parametrize(
    ("starts", "ends", "reason"),
    [(-40, -10, "expired"), (-30, 0, "expired"), (2, 20, "not_yet"), (0, 31, "too_long"), (5, 1, "unreadable")],
)
def test_t09_a_statement_out_of_time_is_refused(starts: int, ends: int, reason: str) -> None:
    start, end = NOW + timedelta(days=starts), NOW + timedelta(days=ends)

    assert reason_of(a_document(starts_at=start, ends_at=end)) == reason


def test_t05_a_statement_by_the_key_of_requests_is_refused() -> None:
    assert reason_of(a_document(OWN, key_id=f"{INSTANCE}#ed25519")) == "another_key"
    assert reason_of(a_document(OWN)) == "bad_proof"


def test_t05_an_instance_that_attests_by_its_own_key_vouches_for_nothing() -> None:
    assert reason_of(a_document(OWN), instance=an_instance(attesting=OWN)) == "no_key"


def test_t05_a_key_that_the_pinned_key_does_not_vouch_for_is_refused() -> None:
    assert reason_of(a_document(), instance=an_instance(own=FOREIGN)) == "no_key"
    assert reason_of(a_document(), instance=an_instance(attesting=None)) == "no_key"
    assert reason_of(a_document(), instance=None) == "no_key"
    swapped = an_instance() | {KEY_MEMBER: an_instance(attesting=FOREIGN)[KEY_MEMBER]}
    assert reason_of(a_document(FOREIGN), instance=swapped) == "no_key"
    assert reason_of(a_document(), instance={k: v for k, v in an_instance().items() if k != "proof"}) == "no_key"


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        document.pop(last)

    return change


def _with(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *way, last = path
        for step in way:
            document = document[step]
        document[last] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _with("A4", "credentialSubject", "assurance"),
        _with(["eid"], "credentialSubject", "methods"),
        _without("credentialSubject", "jurisdiction"),
        _with("2027-12-31T00:00:00Z", "proof", "created"),
        _without("proof", "created"),
        _with("eddsa-rdfc-2022", "proof", "cryptosuite"),
        _with("authentication", "proof", "proofPurpose"),
        _with("Ed25519Signature2020", "proof", "type"),
        _with("zabc", "proof", "proofValue"),
        _without("proof", "proofValue"),
        _with("2026-12-31T00:00:00Z", "validUntil"),
        _with("A number", "credentialSubject", "name"),
    ],
)
def test_t06_a_changed_statement_or_a_weaker_proof_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    document = copy.deepcopy(a_document())

    change(document)

    assert reason_of(document) == "bad_proof"


def test_t06_an_end_with_its_status_stripped_is_refused() -> None:
    ended = a_document(state="revoked")
    ended.pop("credentialStatus")

    assert reason_of(ended) in ("unreadable", "bad_proof")


@pytest.mark.parametrize(
    "status", [None, "ended", [], {"type": "PhysicianAttestationStatus", "status": "paused"}, {"status": "ended"}]
)
def test_t06_a_status_that_we_do_not_know_is_never_taken_for_current(status: Any) -> None:
    assert reason_of(a_document() | {"credentialStatus": status}) == "unknown_status"


def test_t06_an_unsigned_statement_is_refused() -> None:
    document = a_document()
    document.pop("proof")

    assert reason_of(document) == "another_key"


def test_t42_an_oversized_statement_is_refused() -> None:
    document = a_document() | {"more": "x" * SIZE_LIMIT_BYTES}

    assert reason_of(document) == "too_large"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON)
def test_no_value_passes_for_a_statement_and_none_breaks_the_reader(value: Any) -> None:
    with pytest.raises(StatementRefused):
        read_statement(value, subject=BEN, issuer=INSTANCE, now=NOW)


@given(st.sampled_from(["type", "issuer", "validFrom", "validUntil", "credentialSubject", "proof"]), _JSON)
def test_no_statement_with_another_value_in_it_is_believed(name: str, value: Any) -> None:
    document = a_document()
    if document[name] != value:
        reason_of(document | {name: value})


@given(_JSON)
def test_no_value_passes_for_an_instance_with_a_key(value: Any) -> None:
    for instance in (value if isinstance(value, dict) else {}, an_instance() | {KEY_MEMBER: value}):
        with pytest.raises(StatementRefused):
            read_attestation_keys(instance, instance_uri=INSTANCE, fingerprint=None)
