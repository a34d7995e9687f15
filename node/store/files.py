"""The files of pictures: named by their SHA-256, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .core import Core

# What may be stored and served, by the bytes a file begins with; nothing else is a picture here (T34, T52).
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


def media_path(core: Core, sha256: str) -> Path:
    """Return where the file with this hash is kept."""
    return core.media_folder / sha256[:2] / sha256


def save_file(core: Core, data: bytes) -> str:
    """Write bytes under their hash, durably, and return the hash. Blocks: call it in a thread."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = media_path(core, sha256)
    if path.exists():
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    return sha256


def delete_files(core: Core, hashes: list[str]) -> None:
    """Delete files that nobody needs any more; those that are gone already do not matter."""
    for sha256 in hashes:
        media_path(core, sha256).unlink(missing_ok=True)


def sniff_picture(data: bytes) -> str | None:
    """Return the media type of a picture by its first bytes, or None when it is not one we serve."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
