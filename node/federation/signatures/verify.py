"""Who sent this request: the order of checks, and the one place that makes a `VerifiedRequest`.

Called by `inbox/receive` and by every route that serves signed peers. Knows no allow-list, no database and no network;
it is handed our configured origin, the time and the key.

How it works
------------
The checks go from cheap to dear, and nothing outside this process is asked before the caller decides to (signatures'
paper §1.4). Each one returns or raises; there is no "invalid" value a handler could overlook (T08).

1. *The door* bounds the body and builds a `Request`.
2. `read_claim` bounds the headers, refuses what is there twice (T10), chooses the dialect and parses it. With
   `Signature-Input` it is RFC 9421 and nothing else: a request is never tried in the second dialect after it failed
   in the first.
3. *The caller* looks at `claim.key_id`: normal form, origin on the allow-list (T11, T31). Strangers end here.
4. `check_claim` asks whether the signature, were it good, would mean enough: does it cover the method, the path, our
   host, the body and a time (T07, T08); is that time within the window (T09); is the body the one in the digest.
5. *The caller* gets the key: pinned, or fetched from the key id's own origin.
6. `verify_claim` does steps 4 again and then the arithmetic, once: so no order of calls gets past a check. Its
   `VerifiedRequest` is what everything that acts on remote words takes as a parameter.
7. *The caller* compares the actor of the activity with `actor_uri`, and that actor's origin with the allow-list (T01).

The key's type decides the algorithm; the label in the header can only lead to refusal (T06).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from node.federation.message import Request
from node.federation.signatures.cavage import read_cavage, without_query
from node.federation.signatures.claims import Claim
from node.federation.signatures.digest import DigestHeader, verify_digest
from node.federation.signatures.keys import PublicKey
from node.federation.signatures.rfc9421 import ALGORITHMS, read_rfc9421
from node.foundation.errors import Malformed, SignatureExpired, SignatureInvalid, SignatureMissing

__all__ = ["GENERIC", "Claim", "VerifiedRequest", "Window", "check_claim", "read_claim", "verify_claim"]

HEADER_LIMIT_CHARACTERS = 8192

_AT_MOST_ONCE = frozenset(
    {
        "host", "signature", "signature-input", "digest", "content-digest", "date", "content-type", "content-length",
        "transfer-encoding",
    }
)  # fmt: skip
_NO_BODY = frozenset({"GET", "HEAD"})
_TARGETS = (
    frozenset({"@target-uri"}),
    frozenset({"@authority", "@path", "@query"}),
    frozenset({"@authority", "@request-target"}),
)
_LABELS_OF_KEYS = {"rsa": frozenset({"rsa-sha256", "hs2019"}), "ed25519": frozenset({"ed25519", "hs2019"})}


@dataclass(frozen=True, slots=True)
class Window:
    """How far from now a signature may have been made.

    past_seconds: its greatest age.
    future_seconds: how far the sender's clock may be ahead of ours.
    """

    past_seconds: int
    future_seconds: int


# What Mastodon, Lemmy, Fedify and WordPress allow each other, taken together.
GENERIC = Window(past_seconds=65 * 60, future_seconds=5 * 60)


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """The proof that a request was signed; made by `verify_claim` and by nothing else.

    key_id: the key that signed, as the request named it.
    actor_uri: the actor that owns the key.
    at: when we verified it.
    """

    key_id: str
    actor_uri: str
    at: datetime


def read_claim(request: Request, *, origin: str) -> Claim:
    """Return what the signature headers of a request claim, in whichever dialect.

    Args:
        request: As received.
        origin: Our configured public origin, such as `https://a.example`; never made from `Host`.

    Raises:
        SignatureMissing: There is no signature.
        Malformed: The headers cannot be read, or in more than one way.
        SignatureInvalid: They can be read, and no key we take could make them good.
    """
    _check_headers(request)
    if request.one("signature-input") is not None:
        return read_rfc9421(request, origin=origin)
    return read_cavage(request)


def check_claim(claim: Claim, request: Request, *, authority: str, now: datetime, window: Window = GENERIC) -> None:
    """Return when the signature, were it good, would cover enough, recently enough, and this body.

    Args:
        claim: What `read_claim` returned for this request.
        request: As received.
        authority: Our configured host with a non-default port, lower case, such as `localhost:9001`.
        now: The current instant.
        window: How old it may be; narrower for some peers.

    Raises:
        SignatureInvalid: Too little is covered, or it was meant for another host.
        SignatureExpired: Too old, from the future, or past its own expiry.
        DigestMismatch: Another body.
    """
    _check_coverage(claim, request)
    host = request.one("host")
    if host is None or host.lower() != authority:
        raise SignatureInvalid(internal="signed for another host")
    _check_time(claim, now, window)
    header: DigestHeader = "digest" if claim.dialect == "cavage" else "content-digest"
    if header in claim.covered:
        verify_digest(request, header)


def verify_claim(
    claim: Claim,
    request: Request,
    key: PublicKey,
    *,
    owner: str,
    authority: str,
    now: datetime,
    window: Window = GENERIC,
) -> VerifiedRequest:
    """Return the proof that the owner of a key sent this request.

    Args:
        claim: What `read_claim` returned for this request.
        request: As received.
        key: The key that `claim.key_id` names.
        owner: The actor that lists this key, found out by the caller.
        authority: As for `check_claim`.
        now: As for `check_claim`, read anew if a key was fetched in between.
        window: As for `check_claim`.

    Raises:
        SignatureInvalid: As for `check_claim`, or the key did not make this signature.
        SignatureExpired: As for `check_claim`.
        DigestMismatch: As for `check_claim`.
    """
    check_claim(claim, request, authority=authority, now=now, window=window)
    _check_label(claim, key)
    if not _is_good(claim, request, key):
        raise SignatureInvalid(internal=f"the signature is not one of {claim.key_id}")
    return VerifiedRequest(key_id=claim.key_id, actor_uri=owner, at=now)


def _check_headers(request: Request) -> None:
    """Refuse what two programs could read in two ways: headers that are there twice, or broken over lines (T10)."""
    seen: set[str] = set()
    doubled = ""
    for name, value in request.headers:
        if name not in _AT_MOST_ONCE:
            continue
        if name in seen or "\n" in value or "\r" in value or "\0" in value:
            doubled = name
        seen.add(name)
    if "signature" not in seen and "signature-input" not in seen:
        raise SignatureMissing
    if doubled:
        raise Malformed(internal=f"the header {doubled} twice, or broken over lines")
    if "transfer-encoding" in seen and "content-length" in seen:
        raise Malformed(internal="two lengths for one body")
    for name in ("signature", "signature-input"):
        if len(request.one(name) or "") > HEADER_LIMIT_CHARACTERS:
            raise Malformed(internal=f"a {name} header above {HEADER_LIMIT_CHARACTERS} characters")
    if "host" not in seen:
        raise Malformed(internal="a request without Host")
    if not request.target.startswith("/") or " " in request.target:
        raise Malformed(internal="a request target that is not a path")


def _check_coverage(claim: Claim, request: Request) -> None:
    """Refuse signatures that could be moved to another path, host, time or body (T07, T08)."""
    covered = frozenset(claim.covered)
    needs_body = request.method not in _NO_BODY or bool(request.body)
    if claim.dialect == "cavage":
        is_enough = {"(request-target)", "host"} <= covered and ("digest" in covered or not needs_body)
    else:
        is_targeted = any(target <= covered for target in _TARGETS)
        is_enough = "@method" in covered and is_targeted and ("content-digest" in covered or not needs_body)
    if not is_enough:
        raise SignatureInvalid(internal=f"too little is covered: {' '.join(claim.covered)}")


def _check_time(claim: Claim, now: datetime, window: Window) -> None:
    """Refuse what is too old, from the future, or past its expiry (T09)."""
    # Only a covered time becomes `created_at`.
    if claim.created_at is None:
        raise SignatureInvalid(internal="no time is covered")
    age_seconds = (now - claim.created_at).total_seconds()
    if not -window.future_seconds <= age_seconds <= window.past_seconds:
        raise SignatureExpired(internal=f"signed {age_seconds:.0f} s ago")
    if claim.expires_at is not None and claim.expires_at < now:
        raise SignatureExpired(internal="past its own expiry")


def _check_label(claim: Claim, key: PublicKey) -> None:
    """Refuse a label that contradicts the key; the key alone decides how to verify (T06)."""
    if claim.algorithm is None:
        return
    if claim.dialect == "cavage":
        is_fitting = claim.algorithm in _LABELS_OF_KEYS[key.algorithm]
    else:
        is_fitting = claim.algorithm == ALGORITHMS[key.algorithm]
    if not is_fitting:
        raise SignatureInvalid(internal=f"labelled {claim.algorithm}, but the key is {key.algorithm}")


def _is_good(claim: Claim, request: Request, key: PublicKey) -> bool:
    """Say whether the key made the signature; a cavage GET may have been signed without its query."""
    if key.verify(claim.signature, claim.base):
        return True
    shorter = without_query(request, claim) if claim.dialect == "cavage" else None
    return shorter is not None and key.verify(claim.signature, shorter)
