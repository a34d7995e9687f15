"""Tickets for pictures: apps load them without a token, so each address carries a proof of who was given it.

A ticket binds picture, member, token and expiry. It opens nothing by itself: at each fetch the token must be alive and
its member must still be allowed to read the post. Within half a day an app gets the same address again, so that what it
has loaded stays of use.

Spec: design.md §4, Media.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from node.foundation.clock import Clock, to_micros

from .auth import Caller

_HALF_DAY_SECONDS = 43_200
_EXPIRY_BYTES, _HASH_BYTES, _MAC_BYTES = 8, 32, 16
_PURPOSE = b"rounds: tickets for pictures"


class Tickets:
    """Makes and checks tickets.

    Args:
        node_key: The node's secret; tickets are made with a key drawn from it.
        clock: Says when a ticket is too old.
        origin: The public address of this node.
    """

    def __init__(self, node_key: bytes, clock: Clock, origin: str) -> None:
        self._key = hmac.digest(node_key, _PURPOSE, "sha256")
        self._clock = clock
        self._origin = origin

    def for_caller(self, caller: Caller) -> Callable[[str], str]:
        """Return what gives the address of a picture to one caller, valid for half a day to a day."""
        expiry = (_seconds(self._clock.now()) // _HALF_DAY_SECONDS + 2) * _HALF_DAY_SECONDS
        head = expiry.to_bytes(_EXPIRY_BYTES, "big") + bytes.fromhex(caller.token_hash)

        def picture_url(media_token: str) -> str:
            proof = self._prove(head, media_token, caller.member.actor_id)
            ticket = base64.urlsafe_b64encode(head + proof).rstrip(b"=").decode()
            return f"{self._origin}/media/{media_token}?t={ticket}"

        return picture_url

    def read(self, ticket: str) -> str | None:
        """Return the hash of the token that a ticket names, or None when it is none or too old. Proves nothing yet."""
        head, _ = _split(ticket)
        if head is None or int.from_bytes(head[:_EXPIRY_BYTES], "big") <= _seconds(self._clock.now()):
            return None
        return head[_EXPIRY_BYTES:].hex()

    def fits(self, ticket: str, media_token: str, actor_id: int) -> bool:
        """Return whether a ticket was made here for this picture and this member."""
        head, proof = _split(ticket)
        return head is not None and hmac.compare_digest(self._prove(head, media_token, actor_id), proof)

    def _prove(self, head: bytes, media_token: str, actor_id: int) -> bytes:
        said = b"%b|%b|%d" % (head, media_token.encode(), actor_id)
        return hmac.new(self._key, said, hashlib.sha256).digest()[:_MAC_BYTES]


def _split(ticket: str) -> tuple[bytes | None, bytes]:
    """Return the head of a ticket (expiry and token hash) and its proof."""
    try:
        raw = base64.b64decode(ticket + "=" * (-len(ticket) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None, b""
    if len(raw) != _EXPIRY_BYTES + _HASH_BYTES + _MAC_BYTES:
        return None, b""
    return raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]


def _seconds(instant: datetime) -> int:
    return to_micros(instant) // 1_000_000
