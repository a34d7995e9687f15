"""Proofs inside documents: FEP-8b32 with the cryptosuite `eddsa-jcs-2022`, and the canonical form they hash.

Called by whoever signs or checks activities, log entries and attestations. Knows no actor, no clock and no network:
that the method is listed by the author, on the author's origin, is the caller's matter (T05).

How it works
------------
What is signed is SHA-256 of the canonical proof without `proofValue`, followed by SHA-256 of the canonical document
without `proof`. Canonical is RFC 8785: members sorted, no spaces, numbers as JavaScript writes them. So a proof
survives any re-ordering and re-spacing, and no change of a value. Unknown members of document and proof are hashed like
all others.

Linked-data signatures are neither read nor made (T39): a document whose only proof is `signature` has none.

Published format: canonical form and hashing may never change. Another cryptosuite would stand beside this one.

Spec: FEP-8b32; Data Integrity EdDSA Cryptosuites v1.0 §3.3; RFC 8785.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from node.federation.signatures.base58 import decode_base58, encode_base58
from node.federation.signatures.keys import PrivateKey, PublicKey
from node.foundation.clock import parse_instant
from node.foundation.errors import LocalProtocolError, RemoteMalformed, SignatureInvalid

PROOF_TYPE = "DataIntegrityProof"
CRYPTOSUITE = "eddsa-jcs-2022"
PURPOSE = "assertionMethod"

_SIGNATURE_SIZE_BYTES = 64
_SAFE_INTEGER = 2**53 - 1
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


class ProofInvalid(SignatureInvalid):
    """A document's proof is not good, or cannot be judged."""

    code = "proof_invalid"


def canonicalize(value: Any) -> bytes:
    r"""Return the one canonical spelling of a JSON value, in UTF-8.

    >>> canonicalize({"b": [True, None], "a": "é", "c": 1.0})
    b'{"a":"\xc3\xa9","b":[true,null],"c":1}'

    Raises:
        RemoteMalformed: It is no JSON value, or one without a canonical form: a whole number beyond 2^53-1, NaN,
            half a surrogate pair, a member name that is no text, or too many levels.

    Spec: RFC 8785.
    """
    try:
        if _is_plain(value):
            return _encode_sorted(value)
        return rfc8785.dumps(value)
    except (ValueError, TypeError, RecursionError) as error:
        raise RemoteMalformed(internal=f"a value without canonical form: {type(error).__name__}") from error


def sign_document(document: Mapping[str, Any], key: PrivateKey, *, method: str, created: str | None) -> dict[str, Any]:
    """Return a new document with a `proof`; the given one is left as it is.

    Args:
        document: Without a proof of its own.
        key: The Ed25519 key that `method` names.
        method: Such as `https://a.example/people/ana#ed25519`.
        created: Such as `2026-11-21T17:40:00Z`; None leaves it out, for entries that must not carry a time.

    Raises:
        LocalProtocolError: The key is RSA, or the document has a proof or no canonical form.
    """
    if key.algorithm != "ed25519":
        raise LocalProtocolError(internal="a proof needs an Ed25519 key")
    if "proof" in document:
        raise LocalProtocolError(internal="a document that has a proof already")
    proof: dict[str, Any] = {} if "@context" not in document else {"@context": copy.deepcopy(document["@context"])}
    proof |= {"type": PROOF_TYPE, "cryptosuite": CRYPTOSUITE, "verificationMethod": method, "proofPurpose": PURPOSE}
    if created is not None:
        proof["created"] = created
    try:
        data = _hash_data(document, proof)
    except RemoteMalformed as error:
        raise LocalProtocolError(internal=error.internal) from error
    proof["proofValue"] = "z" + encode_base58(key.sign(data))
    return {**document, "proof": proof}


def verify_proof(
    document: Mapping[str, Any], key: PublicKey, *, need_created: bool = True, now: datetime | None = None
) -> None:
    """Return when the document's one proof is good under this key.

    A later `@context` is not signed: entries may stand behind those the proof repeats only if they are addresses, so
    nobody on the way can give a signed word another meaning.

    Args:
        document: As received, unknown members included.
        key: The Ed25519 key of the proof's `verificationMethod`, found by the caller.
        need_created: Whether the proof must say when it was made.
        now: Needed only for a proof with `expires`, which is refused without it.

    Raises:
        ProofInvalid: No proof, more than one, another kind, or not good.
    """
    proof = _read_proof(document)
    if key.algorithm != "ed25519":
        raise ProofInvalid(internal="a proof checked with a key that is not Ed25519")
    _check_options(proof, need_created=need_created, now=now)
    signature = _read_proof_value(proof)
    options = {name: member for name, member in proof.items() if name != "proofValue"}
    signed = document
    if "@context" in proof:
        _check_context(document.get("@context"), proof["@context"])
        signed = {**document, "@context": proof["@context"]}
    try:
        data = _hash_data(signed, options)
    except RemoteMalformed as error:
        raise ProofInvalid(internal=error.internal) from error
    if not key.verify(signature, data):
        raise ProofInvalid(internal=f"the proof is not one of {proof['verificationMethod']}")


def proof_method(document: Mapping[str, Any]) -> str | None:
    """Return the key id that a document's proof names, or None when there is no proof.

    Nothing is verified yet.

    Raises:
        ProofInvalid: There is something that is not one proof with one method.
    """
    if "proof" not in document:
        return None
    return str(_read_proof(document)["verificationMethod"])


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of bytes in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def _is_plain(value: Any) -> bool:
    """Say whether the plain encoder's spelling is the canonical one.

    It is for everything but floats (JavaScript writes them otherwise), large integers (must be refused) and names
    beyond ASCII (canonical order is that of UTF-16, Python's that of code points). Exact types only: a subclass may
    spell itself otherwise. A loop, not a recursion: depth is the encoder's to refuse.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is dict:
            for name in item:
                if type(name) is not str or not name.isascii():
                    return False
            waiting.extend(item.values())
        elif kind is list:
            waiting.extend(item)
        elif kind is not int or not -_SAFE_INTEGER <= item <= _SAFE_INTEGER:
            return False
    return True


def _hash_data(document: Mapping[str, Any], options: Mapping[str, Any]) -> bytes:
    """Return the 64 bytes that are signed.

    Spec: Data Integrity EdDSA Cryptosuites v1.0 §3.3.4.
    """
    unsecured = {name: member for name, member in document.items() if name != "proof"}
    return hashlib.sha256(canonicalize(options)).digest() + hashlib.sha256(canonicalize(unsecured)).digest()


def _read_proof(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document's proof, which is one object that names one method."""
    proof = document.get("proof")
    if not isinstance(proof, dict):
        raise ProofInvalid(internal="no proof, or not exactly one")
    method = proof.get("verificationMethod")
    if not isinstance(method, str) or not method:
        raise ProofInvalid(internal="a proof without a verification method")
    return proof


def _check_options(proof: Mapping[str, Any], *, need_created: bool, now: datetime | None) -> None:
    """Refuse proofs of another kind, for another purpose, or out of time, before any arithmetic."""
    wanted = {"type": PROOF_TYPE, "cryptosuite": CRYPTOSUITE, "proofPurpose": PURPOSE}
    for name, value in wanted.items():
        if proof.get(name) != value:
            raise ProofInvalid(internal=f"a proof whose {name} is not {value}")
    if need_created and "created" not in proof:
        raise ProofInvalid(internal="a proof that does not say when it was made")
    if "created" in proof:
        _instant(proof["created"])
    if "expires" in proof and (now is None or _instant(proof["expires"]) < now):
        raise ProofInvalid(internal="a proof that has expired, or may have")


def _instant(value: Any) -> datetime:
    """Return the instant of a time in a proof."""
    instant = parse_instant(value) if isinstance(value, str) else None
    if instant is None:
        raise ProofInvalid(internal="a time in a proof that is not one")
    return instant


def _read_proof_value(proof: Mapping[str, Any]) -> bytes:
    """Return the signature in a proof."""
    text = proof.get("proofValue")
    if not isinstance(text, str) or not text.startswith("z"):
        raise ProofInvalid(internal="a proof value that is not base58btc")
    try:
        return decode_base58(text[1:], size_bytes=_SIGNATURE_SIZE_BYTES)
    except RemoteMalformed as error:
        raise ProofInvalid(internal=error.internal) from error


def _check_context(whole: Any, signed: Any) -> None:
    """Refuse a document whose context does not begin with the proof's, or goes on with a definition of its own.

    The comparison is of canonical forms: for Python 1, 1.0 and True are equal, for JSON-LD they are not.
    """
    if whole is None:
        raise ProofInvalid(internal="a proof with a context in a document without one")
    whole_list = whole if isinstance(whole, list) else [whole]
    signed_list = signed if isinstance(signed, list) else [signed]
    beginning, added = whole_list[: len(signed_list)], whole_list[len(signed_list) :]
    try:
        is_same = canonicalize(beginning) == canonicalize(signed_list)
    except RemoteMalformed as error:
        raise ProofInvalid(internal=error.internal) from error
    if not is_same or not all(isinstance(entry, str) for entry in added):
        raise ProofInvalid(internal="a context that does not begin with the proof's, or goes on with definitions")
