"""Peers: the other nodes on our allow-list, and what their state permits.

draft → verified → active ⇄ paused → parted. Nothing federates before `active`; an unknown state is refusal.

    draft     known by address; nobody has compared the fingerprint, or it could not be reached yet
    verified  the fingerprint was compared; waiting for the last word
    active    federates
    paused    frozen: every route answers 503, lanes keep what they hold
    parted    ended; answers like a stranger
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

# What can be wrong with a peer's key: wrong words were typed for it; it shows another one than was compared.
WRONG_FINGERPRINT, KEY_CHANGED = "wrong_fingerprint", "key_changed"

TRANSITIONS: dict[str, tuple[str, ...]] = {
    "draft": ("verified", "active", "parted"),
    "verified": ("active", "draft", "parted"),
    "active": ("paused", "parted"),
    "paused": ("active", "parted"),
    "parted": ("draft", "verified", "active"),
}


class PeerPolicy(msgspec.Struct, frozen=True):
    """What we let a peer do, and what we expect of it.

    host_groups: our members may join groups hosted there, and theirs may join ours.
    people_search: it may look for our members who allow that.
    support: its members may use our support desk.
    minimum_assurance: the least assurance of its members that counts here; of those, too, whose word it passes on.
    accepts_relayed: whether what it passes on about people of nodes that are not our peers counts here.
    retention_days: how long it promised to keep what it holds; None for no promise.
    accepts_successor: whether a new instance key is taken because the compared one has named it, without comparing again.
    """

    host_groups: bool = True
    people_search: bool = False
    support: bool = False
    minimum_assurance: str = "A0"
    accepts_relayed: bool = False
    retention_days: int | None = None
    accepts_successor: bool = True


class PeerTold(msgspec.Struct, frozen=True):
    """What a peer says of itself. A claim: it is shown to operators, and opens nothing.

    operator, contact: who answers for it, and how they are reached. capabilities: what it says it can do.
    """

    operator: str = ""
    contact: str = ""
    capabilities: tuple[str, ...] = ()


NOTHING_TOLD = PeerTold()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node on our list.

    origin: scheme, host and port, such as "https://b.example".
    host: the part that names it to people, such as "b.example" or "localhost:9002".
    fingerprint: SHA-256 of its instance key, hex; None until it was seen.
    is_pinned: whether people compared that fingerprint.
    offered: the fingerprint it showed last, where that is another one and nobody has compared it yet.
    """

    peer_id: int
    host: str
    origin: str
    name: str
    state: str
    fingerprint: str | None
    is_pinned: bool
    instance_uri: str | None
    software_name: str | None
    software_version: str | None
    policy: PeerPolicy
    agreement_version: int | None
    last_received_at: datetime | None
    last_delivered_at: datetime | None
    error_code: str | None
    error_sentence: str | None
    error_since_at: datetime | None
    told: PeerTold = NOTHING_TOLD
    offered: str | None = None

    @property
    def is_locked(self) -> bool:
        """Whether wrong words ended the attempt to compare its key; it has to be begun anew."""
        return self.error_code == WRONG_FINGERPRINT

    @property
    def speaks_rounds(self) -> bool:
        """Whether it runs this software: then it takes RFC 9421 signatures by Ed25519 and the group log."""
        return self.software_name == "rounds"


def may_change(state: str, target: str) -> bool:
    """Return whether a peer may go from one state to another."""
    return target in TRANSITIONS.get(state, ())
