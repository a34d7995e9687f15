"""Read the body of an answer that may be too long, packed too tight, or broken (T35).

Unpacking is done here and not by the HTTP library, so that not one byte more than the limit is ever unpacked: a
megabyte of gzip can hold a gigabyte of zeros. Pure: pieces in, bytes out; who waits for the pieces sets the deadline.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable

# How `zlib` wants to be told what it unpacks. Brotli and zstd are not offered, so they are not understood.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
# Incompressible bytes grow a little when packed; beyond this a packed body cannot be honest.
_PACKING_OVERHEAD_BYTES = 4096


class BodyTooLarge(Exception):
    """There is more than the limit, packed or unpacked."""


class BodyUnreadable(Exception):
    """The body is packed in a way we did not ask for, or is broken."""


async def read_body(pieces: AsyncIterable[bytes], *, encoding: str, limit_bytes: int) -> bytes:
    """Return a whole body, unpacked.

    Args:
        pieces: The body as it comes from the wire.
        encoding: The value of Content-Encoding, or nothing.
        limit_bytes: The largest body, unpacked.

    Raises:
        BodyTooLarge: As soon as the limit is passed; at most one byte beyond it has been unpacked.
        BodyUnreadable: Another encoding, or packed bytes that are broken, incomplete or followed by others.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return await _read_plain(pieces, limit_bytes)
    if encoding not in _WINDOWS:
        raise BodyUnreadable(f"content-encoding {encoding[:50]!r} was not offered")
    return await _read_packed(pieces, zlib.decompressobj(_WINDOWS[encoding]), limit_bytes)


async def _read_plain(pieces: AsyncIterable[bytes], limit_bytes: int) -> bytes:
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit_bytes:
            raise BodyTooLarge
    return bytes(body)


async def _read_packed(pieces: AsyncIterable[bytes], unpacker: zlib._Decompress, limit_bytes: int) -> bytes:
    body = bytearray()
    packed_bytes = 0
    async for piece in pieces:
        packed_bytes += len(piece)
        if packed_bytes > limit_bytes + _PACKING_OVERHEAD_BYTES:
            raise BodyTooLarge
        try:
            body += unpacker.decompress(piece, limit_bytes + 1 - len(body))
        except zlib.error as error:
            raise BodyUnreadable(f"the packed body is broken: {error}") from None
        if len(body) > limit_bytes:
            raise BodyTooLarge
    if not unpacker.eof or unpacker.unused_data:
        raise BodyUnreadable("the packed body is incomplete, or followed by something else")
    return bytes(body)
