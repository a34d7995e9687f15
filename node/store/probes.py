"""The test object of a peer that tries whether we erase: at most one of each peer, with nothing of anybody in it."""

from __future__ import annotations

from typing import Any

from .engine import Tx

_PUT = """INSERT INTO probes (peer_id, uri, text) VALUES (:peer_id, :uri, :text)
  ON CONFLICT (peer_id) DO UPDATE SET uri = excluded.uri, text = excluded.text"""
_GET = "SELECT uri, text FROM probes WHERE peer_id = :peer_id AND uri = :uri"
_ERASE = "UPDATE probes SET text = NULL WHERE peer_id = :peer_id AND uri = :uri"
_FORGET = "DELETE FROM probes WHERE peer_id = :peer_id"


async def put_probe(tx: Tx, *, peer_id: int, uri: str, text: str) -> None:
    """Keep a peer's test object in place of the one before."""
    await tx.run(_PUT, peer_id=peer_id, uri=uri, text=text)


async def get_probe(tx: Tx, *, peer_id: int, uri: str) -> Any | None:
    """Return (uri, text) of a peer's own test object; text is None once it was erased."""
    return await tx.one(_GET, peer_id=peer_id, uri=uri)


async def erase_probe(tx: Tx, *, peer_id: int, uri: str) -> None:
    """Erase the text of a test object; that there was one stays."""
    await tx.run(_ERASE, peer_id=peer_id, uri=uri)


async def forget_probe(tx: Tx, *, peer_id: int) -> None:
    """Forget a peer's test object altogether."""
    await tx.run(_FORGET, peer_id=peer_id)
