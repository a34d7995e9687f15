"""The allow-list in memory: asked for every request, before anything is fetched or looked up.

Changed in `after_commit` only. An origin that is not here is nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from node.domain.peers import Peer


class PeerBook:
    """Every peer in every state, by origin, host and number."""

    def __init__(self) -> None:
        self._by_origin: dict[str, Peer] = {}
        self._by_host: dict[str, Peer] = {}
        self._by_id: dict[int, Peer] = {}
        self._introduced: list[str] = []
        self._contacted: set[int] = set()
        self.stamp = 0

    def put(self, peer: Peer) -> None:
        """Add a peer, or replace what is known of it; `stamp` tells whoever reads the whole list at this moment."""
        self.stamp += 1
        self.keep(peer)

    def keep(self, peer: Peer) -> None:
        """Take over a peer as it stands in the store."""
        self._by_origin[peer.origin] = self._by_host[peer.host] = self._by_id[peer.peer_id] = peer

    def by_origin(self, origin: str) -> Peer | None:
        """Return the peer of an origin ("https://b.example"), whatever its state."""
        return self._by_origin.get(origin)

    def by_host(self, host: str) -> Peer | None:
        """Return the peer of a host ("b.example"), whatever its state."""
        return self._by_host.get(host)

    def by_id(self, peer_id: int) -> Peer | None:
        """Return a peer by our number."""
        return self._by_id.get(peer_id)

    def active(self, origin: str) -> Peer | None:
        """Return the peer of an origin if it federates now."""
        peer = self._by_origin.get(origin)
        return peer if peer is not None and peer.state == "active" else None

    def note_received(self, peer_id: int, at: datetime) -> None:
        """Remember when a peer last reached us; lanes that wait for it may be tried again."""
        if (peer := self._by_id.get(peer_id)) is not None:
            self.keep(replace(peer, last_received_at=at))
            self._contacted.add(peer_id)

    def take_contacted(self) -> set[int]:
        """Return the peers that have reached us since this was asked last."""
        contacted, self._contacted = self._contacted, set()
        return contacted

    def all(self) -> list[Peer]:
        """Return every peer by host."""
        return [self._by_host[host] for host in sorted(self._by_host)]

    @contextmanager
    def introducing(self, origin: str) -> Iterator[None]:
        """Permit one origin to be contacted while its operator and ours get to know each other."""
        self._introduced.append(origin)
        try:
            yield
        finally:
            self._introduced.remove(origin)

    def may_contact(self, origin: str) -> bool:
        """Return whether this node may open a connection to an origin at all."""
        return self.active(origin) is not None or origin in self._introduced

    def count(self, state: str) -> int:
        """Return how many peers are in a state."""
        return sum(peer.state == state for peer in self._by_id.values())
