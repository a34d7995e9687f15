"""Attestations on the wire: what a node states of one of its people, made, signed, read and checked.

The shape is that of a Verifiable Credential:

    {"type": ["VerifiableCredential", "PhysicianAttestation"], "issuer": "https://a.example/actor",
     "validFrom": "2026-12-01T00:00:00Z", "validUntil": "2026-12-31T00:00:00Z",
     "credentialSubject": {"id": "https://a.example/people/ana", "profession": "physician", "stage": "physician",
       "jurisdiction": ["US-VT"], "assurance": "A3", "methods": ["register", "vouch2"],
       "verifiedSince": "2026-12", "lastChecked": "2027-01"},
     "proof": {"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", …}}

One that ended says `"credentialStatus": {"type": "PhysicianAttestationStatus", "status": "ended", "since": "2027-01"}`
("ended", "suspended" or "revoked") and no assurance. No number, name or date of birth stands in it, and months instead of
days; it is good for at most 30 days and made anew in time.

*Who is believed.* A statement is signed by the node's attestation key, which signs nothing else. That key stands in
`attestationMethod` of the instance actor, whose own proof vouches for it; it is not among the keys by which requests and
activities are signed, so neither can pass for the other. The subject must be the very actor whose document carries the
statement, and the issuer the instance actor of that actor's own origin.

Called by whoever sends and receives actors. Knows no peer and no clock.

Spec: product.md §7; Verifiable Credentials 2.0 §4; FEP-8b32; design.md §4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from node.federation.integrity import canonicalize, proof_method, sign_document, verify_proof
from node.federation.signatures.keys import PrivateKey, PublicKey, fingerprint_hex, load_multikey
from node.foundation.clock import format_instant, parse_instant
from node.foundation.errors import NodeError, RemoteMalformed

MEMBER = "attestation"
KEY_MEMBER = "attestationMethod"
TYPES = ["VerifiableCredential", "PhysicianAttestation"]
STATUS_TYPE = "PhysicianAttestationStatus"
LIFE = timedelta(days=30)
SIZE_LIMIT_BYTES = 4096
# A statement says from which day it is good; a clock that is a little behind may still be in the day before.
_SKEW = timedelta(hours=1)
_ENDS = ("ended", "suspended", "revoked")
_LEVELS = ("A1", "A2", "A3", "A4")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_WORD = re.compile(r"[A-Za-z0-9_-]{1,20}")
_WORDS_LIMIT = 8
_KEYS_LIMIT = 8


class StatementRefused(RemoteMalformed):
    """A statement about somebody cannot be believed; `reason` is one word for logs and pages."""

    code = "statement_refused"

    def __init__(self, reason: str, internal: str = "") -> None:
        super().__init__(internal=internal or f"an attestation is refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says.

    state: "current", "ended", "suspended" or "revoked". level: "A1" to "A4"; "A0" where it ended.
    since, checked: months such as "2026-12"; `since` is that of the end where it ended.
    """

    subject: str
    issuer: str
    state: str
    level: str
    stage: str
    methods: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    since: str
    checked: str
    starts_at: datetime
    ends_at: datetime


def build_statement(statement: Statement, key: PrivateKey, *, key_id: str) -> dict[str, Any]:
    """Return a signed statement. Made twice from the same values, it is the same byte for byte."""
    subject: dict[str, Any] = {
        "id": statement.subject,
        "profession": _profession(statement.stage),
        "stage": statement.stage,
    }
    document: dict[str, Any] = {
        "type": TYPES,
        "issuer": statement.issuer,
        "validFrom": format_instant(statement.starts_at),
        "validUntil": format_instant(statement.ends_at),
        "credentialSubject": subject,
    }
    if statement.state == "current":
        subject |= {"assurance": statement.level, "methods": list(statement.methods)}
        subject |= {"verifiedSince": statement.since, "lastChecked": statement.checked}
        if statement.jurisdictions:
            subject["jurisdiction"] = list(statement.jurisdictions)
    else:
        status = {"type": STATUS_TYPE, "status": statement.state, "since": statement.since}
        document["credentialStatus"] = status
    return sign_document(document, key, method=key_id, created=format_instant(statement.starts_at))


def day_of(instant: datetime) -> datetime:
    """Return the beginning of a day: from when exactly somebody is verified is nobody's business."""
    return instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def read_statement(document: Any, *, subject: str, issuer: str, now: datetime) -> Statement:
    """Return what a statement says, its proof not yet checked.

    Args:
        document: As received.
        subject: The actor whose document or card carries it.
        issuer: The instance actor of that actor's own origin.
        now: The present.

    Raises:
        StatementRefused: It is too large, cannot be read, is about somebody else, by somebody else, or out of time.
    """
    if not isinstance(document, dict):
        raise StatementRefused("unreadable")
    _measure(document)
    about = document.get("credentialSubject")
    if document.get("type") != TYPES or not isinstance(about, dict):
        raise StatementRefused("unreadable")
    if about.get("id") != subject:
        raise StatementRefused("somebody_else", f"an attestation of {subject} is about {str(about.get('id'))[:200]}")
    if document.get("issuer") != issuer:
        raise StatementRefused(
            "another_issuer", f"an attestation of {subject} is by {str(document.get('issuer'))[:200]}"
        )
    starts_at, ends_at = _window(document, now)
    state, since = _status(document)
    return Statement(
        subject=subject,
        issuer=issuer,
        state=state,
        level=_level(about) if state == "current" else "A0",
        stage=_word(about.get("stage")),
        methods=_words(about.get("methods")),
        jurisdictions=_words(about.get("jurisdiction")),
        since=since or _month(about.get("verifiedSince")),
        checked=_month(about.get("lastChecked")) if state == "current" else "",
        starts_at=starts_at,
        ends_at=ends_at,
    )


def verify_statement(
    document: Any,
    *,
    subject: str,
    instance: Mapping[str, Any] | None,
    instance_uri: str,
    fingerprint: str | None,
    now: datetime,
) -> Statement:
    """Return what a statement says once its proof is good under the issuer's attestation key.

    Args:
        document: As received.
        subject: The actor whose document carries it.
        instance: The issuer's document as its own node gave it; None when we do not have it.
        instance_uri: The issuer: the instance actor of the subject's origin.
        fingerprint: Of the instance key that operators compared; None where they did not.
        now: The present.

    Raises:
        StatementRefused: With the reason.
    """
    statement = read_statement(document, subject=subject, issuer=instance_uri, now=now)
    keys = read_attestation_keys(instance, instance_uri=instance_uri, fingerprint=fingerprint)
    try:
        method = proof_method(document) or ""
        if method not in keys:
            raise StatementRefused("another_key", f"an attestation of {subject} is signed by another key")
        verify_proof(document, keys[method], now=now)
    except StatementRefused:
        raise
    except NodeError as error:
        raise StatementRefused("bad_proof", error.internal) from error
    return statement


def read_attestation_keys(
    instance: Mapping[str, Any] | None, *, instance_uri: str, fingerprint: str | None
) -> dict[str, PublicKey]:
    """Return {id: key} of the attestation keys that an instance actor vouches for by the proof of its document.

    Raises:
        StatementRefused: There is none, or the document is not what the pinned key signed.
    """
    if instance is None or instance.get("id") != instance_uri:
        raise StatementRefused("no_key", f"the document of {instance_uri} is not here")
    try:
        owner_id, owner = _own_key(instance, "assertionMethod", instance_uri)
        if fingerprint is not None and fingerprint_hex(owner) != fingerprint:
            raise StatementRefused("no_key", f"the key of {instance_uri} is not the one we know")
        if proof_method(instance) != owner_id:
            raise StatementRefused("no_key", f"{instance_uri} is not proved by its own key")
        verify_proof(instance, owner)
        listed = instance.get(KEY_MEMBER)
        several = listed[:_KEYS_LIMIT] if isinstance(listed, list) and listed else [listed]
        keys = dict(_own_key({KEY_MEMBER: each}, KEY_MEMBER, instance_uri) for each in several)
    except StatementRefused:
        raise
    except NodeError as error:
        raise StatementRefused("no_key", error.internal) from error
    if owner_id in keys or any(fingerprint_hex(key) == fingerprint_hex(owner) for key in keys.values()):
        raise StatementRefused("no_key", f"{instance_uri} attests by the key of its requests")
    return keys


def _own_key(instance: Mapping[str, Any], member: str, instance_uri: str) -> tuple[str, PublicKey]:
    """Return (id, key) of the first Ed25519 key in a member of an instance actor, which must be its own."""
    listed = instance.get(member)
    first = listed[0] if isinstance(listed, list) and listed else listed
    if not isinstance(first, dict) or first.get("type") != "Multikey" or first.get("controller") != instance_uri:
        raise StatementRefused("no_key", f"{instance_uri} lists no key under {member}")
    key_id, text = first.get("id"), first.get("publicKeyMultibase")
    if not isinstance(key_id, str) or not isinstance(text, str) or key_id.partition("#")[0] != instance_uri:
        raise StatementRefused("no_key", f"{instance_uri} lists a key of somebody else under {member}")
    return key_id, load_multikey(text)


def _measure(document: dict[str, Any]) -> None:
    try:
        size = len(canonicalize(document))
    except RemoteMalformed as error:
        raise StatementRefused("unreadable", error.internal) from error
    if size > SIZE_LIMIT_BYTES:
        raise StatementRefused("too_large", f"an attestation of {size} bytes")


def _window(document: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
    starts, ends = document.get("validFrom"), document.get("validUntil")
    starts_at = parse_instant(starts) if isinstance(starts, str) else None
    ends_at = parse_instant(ends) if isinstance(ends, str) else None
    if starts_at is None or ends_at is None or starts_at >= ends_at:
        raise StatementRefused("unreadable")
    if ends_at - starts_at > LIFE:
        raise StatementRefused("too_long", "an attestation for more than 30 days")
    if starts_at > now + _SKEW:
        raise StatementRefused("not_yet")
    if ends_at <= now:
        raise StatementRefused("expired")
    return starts_at, ends_at


def _status(document: dict[str, Any]) -> tuple[str, str]:
    """Return (state, month of the end). A status that we do not know is an end, never "current"."""
    if "credentialStatus" not in document:
        return "current", ""
    status = document["credentialStatus"]
    if not isinstance(status, dict) or status.get("type") != STATUS_TYPE or status.get("status") not in _ENDS:
        raise StatementRefused("unknown_status")
    return status["status"], _month(status.get("since"))


def _level(about: dict[str, Any]) -> str:
    level = about.get("assurance")
    if level not in _LEVELS:
        raise StatementRefused("unreadable", "an attestation without a level")
    return str(level)


def _month(value: Any) -> str:
    if not isinstance(value, str) or _MONTH.fullmatch(value) is None:
        raise StatementRefused("unreadable", "a month in an attestation that is not one")
    return value


def _word(value: Any) -> str:
    if not isinstance(value, str) or _WORD.fullmatch(value) is None:
        raise StatementRefused("unreadable", "a word in an attestation that is not one")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > _WORDS_LIMIT:
        raise StatementRefused("unreadable", "a list in an attestation that is not one")
    return tuple(_word(each) for each in value)


def _profession(stage: str) -> str:
    return {"student": "medical-student", "guest": "other"}.get(stage, "physician")
