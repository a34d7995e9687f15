"""The files of pictures: named by their SHA-256, written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from node.foundation.errors import Unavailable

from .company import STRAYS_BELL
from .core import Core
from .pressure import NO_PICTURES

# What may be stored and served, by the bytes a file begins with; nothing else is a picture here (T34, T52).
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"GIF8", "image/gif"))
MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif")


def media_path(core: Core, sha256: str) -> Path:
    """Return where the file with this hash is kept, in a node without a bucket."""
    return core.media_folder / sha256[:2] / sha256


def save_file(core: Core, data: bytes) -> str:
    """Write bytes under their hash, durably, and return the hash. Blocks: call it in a thread.

    Raises:
        Unavailable: There is no room; nothing is left of the attempt.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if core.bucket is not None:
        core.bucket.save(sha256, data)
        return sha256
    path = media_path(core, sha256)
    if path.exists():
        os.utime(path)  # it is wanted again: `sweep_files` takes what is old and has no row yet
        return sha256
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            core.store.trouble = "full"
        raise Unavailable(NO_PICTURES, internal=f"a picture was not written: {error.strerror}") from None
    return sha256


def load_file(core: Core, sha256: str) -> bytes:
    """Return the bytes under a hash. Blocks: call it in a thread.

    Raises:
        FileNotFoundError: There are none.
        Unavailable: They are in a bucket that does not answer.
    """
    return media_path(core, sha256).read_bytes() if core.bucket is None else core.bucket.load(sha256)


def delete_files(core: Core, hashes: list[str]) -> None:
    """Delete files that nobody needs any more; those that are gone already do not matter. From a bucket they go soon."""
    if core.bucket is not None:
        core.bucket.delete_soon(hashes)
        return
    for sha256 in hashes:
        media_path(core, sha256).unlink(missing_ok=True)
    if hashes and core.company is not None:
        core.company.hint(STRAYS_BELL)  # another process may have the file in a folder of its own


def sniff_picture(data: bytes) -> str | None:
    """Return the media type of a picture by its first bytes, or None when it is not one we serve."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None
