"""HTTP messages as values, so that the protocol needs no web framework.

The doors build a `Request` from what arrived; signatures are made and checked over it; an `Answer` goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, as received or about to be sent.

    method: upper case.
    target: the raw request target, path and query, exactly as on the wire ("/inbox", "/groups/ward/log?after=3").
    headers: (name, value) in the order of the wire; names lower case, values stripped, decoded as Latin-1.
    body: the raw bytes.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target without its query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What stands behind the question mark, or nothing."""
        return self.target.partition("?")[2]

    def all(self, name: str) -> list[str]:
        """Return every value of a header, given its lower-case name."""
        return [value for header, value in self.headers if header == name]

    def one(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        for header, value in self.headers:
            if header == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response: status, headers with lower-case names, body."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def one(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        for header, value in self.headers:
            if header == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class KeyDocument:
    """A public key as an actor publishes it.

    key_id: such as "https://a.example/people/ana#main-key".
    owner: the id of the actor that lists it.
    algorithm: "rsa" or "ed25519".
    text: SPKI PEM for RSA, a Multikey ("z6Mk…") for Ed25519.
    state: "current" for one that signs, "overlap" for one beside it that is coming or going; "past" for one that proves only
        what was said before; "revoked" for one that is not to be trusted any more.
    expires_at: until when it signs; None for no end.
    last_seq: of a revoked key of a group, the last entry of the log that it proves.
    """

    key_id: str
    owner: str
    algorithm: str
    text: str = field(repr=False)
    state: str = "current"
    expires_at: datetime | None = None
    last_seq: int | None = None

    @property
    def signs(self) -> bool:
        """Whether requests and new words may be signed with it."""
        return self.state in ("current", "overlap")
