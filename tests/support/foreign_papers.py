"""An independent reading of the papers: canonical JSON, proofs, HTTP signatures, log entries, written anew.

Nothing here comes from the node: where both agree, the papers can be read in one way only. What a `ForeignPeer` signs
and hashes is made here.

Spec: draft-cavage-http-signatures-12; FEP-8b32 with eddsa-jcs-2022; FEP-521a; wire.md 4.10.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def sha256_hex(data: bytes) -> str:
    """Return a SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def base58btc(data: bytes) -> str:
    """Return bytes in base58 with its multibase letter: "z…"."""
    number, digits = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def multikey(key: Ed25519PrivateKey) -> str:
    """Return the public half of a key as FEP-521a publishes it."""
    return base58btc(b"\xed\x01" + key.public_key().public_bytes_raw())


def public_pem(key: RSAPrivateKey) -> str:
    """Return the public half of an RSA key as actors publish it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def prove(document: dict[str, Any], key: Ed25519PrivateKey, method: str, *, created: str | None) -> dict[str, Any]:
    """Return a document with a proof by `method`."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    if created is not None:
        options["created"] = created
    if "@context" in document:
        options["@context"] = document["@context"]
    hashed = hashlib.sha256(rfc8785.dumps(options)).digest() + hashlib.sha256(rfc8785.dumps(document)).digest()
    return {**document, "proof": {**options, "proofValue": base58btc(key.sign(hashed))}}


def sign_request(
    method: str, url: str, body: bytes, *, key: RSAPrivateKey, key_id: str, now: datetime
) -> dict[str, str]:
    """Return the headers of a signed request, in the dialect that all servers read."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers = {
        "host": parts.netloc,
        "date": format_datetime(now, usegmt=True),
        "digest": f"SHA-256={digest}",
    }
    if method == "POST":
        headers["content-type"] = "application/activity+json"
    lines = [f"(request-target): {method.lower()} {target}", *(f"{name}: {value}" for name, value in headers.items())]
    signature = key.sign("\n".join(lines).encode(), padding.PKCS1v15(), hashes.SHA256())
    covered = " ".join(["(request-target)", *headers])
    value = base64.b64encode(signature).decode()
    headers["signature"] = f'keyId="{key_id}",algorithm="rsa-sha256",headers="{covered}",signature="{value}"'
    return headers


def read_signature(headers: dict[str, str]) -> dict[str, str]:
    """Return the parameters of a cavage signature; nothing where there is none."""
    return dict(_PARAMETER.findall(headers.get("signature", "")))


def is_signed_by(key: RSAPublicKey, method: str, target: str, headers: dict[str, str], body: bytes) -> bool:
    """Return whether a request carries a good cavage signature over its target, host, date and digest."""
    parameters = read_signature(headers)
    covered = parameters.get("headers", "").split()
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()
    if not {"(request-target)", "host", "date", "digest"} <= set(covered) or headers.get("digest") != digest:
        return False
    values = {"(request-target)": f"{method.lower()} {target}", **headers}
    text = "\n".join(f"{name}: {values[name]}" for name in covered)
    try:
        key.verify(base64.b64decode(parameters["signature"]), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


class ForeignLog:
    """A group's history as its host keeps it; a test may also have it say what it must not say."""

    def __init__(self, group: str, key: Ed25519PrivateKey) -> None:
        self.group = group
        self.epoch = 1
        self.announces: list[dict[str, Any]] = []
        self._key = key
        self._chains = [sha256_hex(group.encode())]

    @property
    def seq(self) -> int:
        """The number of the newest entry."""
        return len(self.announces)

    def chain(self, seq: int) -> str:
        """Return the hash of the history up to an entry."""
        return self._chains[seq]

    def add(self, kind: str, activity: dict[str, Any], /, **more: Any) -> dict[str, Any]:
        """Put an activity at the end of the history and return the Announce that carries it; `more` as for `make`."""
        announce = self.make(kind, activity, **more)
        self.announces.append(announce)
        self._chains.append(self.chain_of(announce))
        return announce

    def make(
        self,
        kind: str,
        activity: dict[str, Any],
        /,
        *,
        key: Ed25519PrivateKey | None = None,
        media: Any = None,
        **said: Any,
    ) -> dict[str, Any]:
        """Return an Announce for the next place, without keeping it.

        Args:
            kind: What kind of entry.
            activity: What happened, with its author's proof.
            key: Another key than the group's.
            media: Where the host serves the pictures.
            said: Members of the entry to be said otherwise: seq, prev, epoch, group, commit, activity.
        """
        salt = secrets.token_bytes(32)
        seq = said.get("seq", self.seq + 1)
        entry = {
            "type": "LogEntry",
            "group": self.group,
            "epoch": self.epoch,
            "seq": seq,
            "prev": self._chains[min(seq - 1, self.seq)],
            "activity": activity["id"],
            "kind": kind,
            "commit": sha256_hex(salt + rfc8785.dumps(activity)),
            **said,
        }
        return {
            "@context": "https://www.w3.org/ns/activitystreams",
            "type": "Announce",
            "id": f"{self.group}/log/{seq}",
            "actor": self.group,
            "to": [self.group, f"{self.group}/followers"],
            "cc": [f"{self.group}/followers"],
            "object": activity,
            "logSalt": base64.urlsafe_b64encode(salt).decode().rstrip("="),
            "logEntry": prove(entry, key or self._key, f"{self.group}#ed25519", created=None),
            **({"logMedia": media} if media else {}),
        }

    def chain_of(self, announce: dict[str, Any]) -> str:
        """Return the hash of the history up to an Announce."""
        entry = {name: value for name, value in announce["logEntry"].items() if name != "proof"}
        return sha256_hex(rfc8785.dumps(entry))

    def position(self, seq: int | None = None) -> str:
        """Return the value of a `Rounds-Log` header."""
        seq = self.seq if seq is None else seq
        return f"{self.group}; epoch={self.epoch}; seq={seq}; chain={self._chains[seq]}"

    def checkpoint(self, seq: int = 0) -> dict[str, Any]:
        """Return the signed word where a copy begins."""
        document = {
            "type": "LogCheckpoint",
            "group": self.group,
            "epoch": self.epoch,
            "seq": seq,
            "chain": self._chains[seq],
        }
        return prove(document, self._key, f"{self.group}#ed25519", created=None)
