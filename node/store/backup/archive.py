"""What is in a backup: a plain tar of files with known names, written and read from beginning to end.

    manifest.json   what this is: see `Manifest`
    rounds.toml     keys/NAME   media/ab/ab12…   rounds.sqlite
    summary.json    {"files": n, "bytes": n, "absent": ["hash" …]}

Stored format: names are only added. What has another name is refused, so nothing of an archive can land anywhere else.
Spec: POSIX.1-2001 pax interchange format.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from node.foundation.clock import parse_instant
from node.foundation.config import CONFIG_NAME
from node.foundation.errors import StoreError

from .folders import sync_folder
from .sealing import BackupDamaged, Source

DATABASE_NAME = "rounds.sqlite"
MANIFEST, SUMMARY = "manifest.json", "summary.json"
FORMAT = 1
_BLOCK_BYTES = 65_536
_SMALL_BYTES = 1_048_576
_KEY = re.compile(r"keys/[A-Za-z0-9_][A-Za-z0-9._-]{0,60}")
_MEDIA = re.compile(r"media/([0-9a-f]{2})/\1[0-9a-f]{62}")


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself, first of all.

    version: of Rounds. schema: name of the newest migration. taken_at: of when the copy of the database is.
    counts: {"members", "groups", "posts", "activities", "media"}. fingerprint: hex, of the instance's key.
    """

    format: int
    version: str
    schema: str
    base_url: str
    name: str
    taken_at: str
    newest_at: str | None
    counts: dict[str, int]
    fingerprint: str

    @property
    def taken(self) -> datetime:
        """When the copy was taken."""
        instant = parse_instant(self.taken_at)
        if instant is None:
            raise BackupDamaged(internal="the manifest says no time")
        return instant


@dataclass(slots=True)
class Unpacked:
    """What came out of a backup. broken: hashes of pictures whose bytes are not those of their name; they were not kept."""

    manifest: Manifest
    files: int
    broken: list[str]


class Sink(Protocol):
    """What takes the plain bytes of an archive."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        ...


class Packer:
    """Writes an archive; `close` writes the summary and the end."""

    def __init__(self, sink: Sink, manifest: Manifest, *, taken_at: datetime) -> None:
        plain: Any = sink
        self._seconds = int(taken_at.timestamp())
        self._tar = tarfile.open(  # noqa: SIM115 - `close` closes it
            fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK_BYTES
        )
        self._files = self._bytes = 0
        self.add(MANIFEST, msgspec.json.encode(manifest))

    def add(self, name: str, content: bytes) -> None:
        """Add a small file."""
        self._add(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file from the disk.

        Raises:
            FileNotFoundError: It is not there.
            StoreError: It changed while it was read.
        """
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            try:
                self._add(name, file, size)
            except tarfile.TarError as error:
                raise StoreError(f"{path.name} changed while it was read.", internal=str(error)) from None

    def close(self, absent: Iterable[str]) -> None:
        """End the archive, saying which pictures were not there."""
        summary = {"files": self._files, "bytes": self._bytes, "absent": sorted(absent)}
        self.add(SUMMARY, msgspec.json.encode(summary))
        self._tar.close()

    def _add(self, name: str, file: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, self._seconds
        self._tar.addfile(entry, file)
        self._files += 1
        self._bytes += size


def unpack(source: Source, folder: Path, *, note: Callable[[Manifest], object]) -> Unpacked:
    """Write the files of an archive into an empty folder, each brought to the disk.

    Args:
        source: Gives the plain bytes; an error of it goes through.
        folder: Where they go.
        note: Told the manifest before anything else is written.

    Raises:
        BackupDamaged: Something is in it that is in no backup, or something is missing.
        StoreError: There is no room.
    """
    try:
        return _Unpacking(folder, note).run(source)
    except tarfile.TarError as error:
        raise BackupDamaged(internal=f"the archive cannot be read: {error}") from None
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}.") from None


class _Unpacking:
    def __init__(self, folder: Path, note: Callable[[Manifest], object]) -> None:
        self._folder = folder
        self._note = note
        self._seen: set[str] = set()
        self._broken: list[str] = []
        self._bytes = 0

    def run(self, source: Source) -> Unpacked:
        manifest: Manifest | None = None
        summary: dict[str, Any] | None = None
        for name in (self._folder, self._folder / "keys", self._folder / "media"):
            name.mkdir(mode=0o700, exist_ok=True)
        with tarfile.open(fileobj=source, mode="r|", bufsize=_BLOCK_BYTES) as tar:  # type: ignore[call-overload]
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content is None or entry.name in self._seen or summary is not None:
                    raise BackupDamaged(internal=f"the archive holds {entry.name!r} where it cannot be")
                if manifest is None:
                    manifest = _read_manifest(entry, content)
                    self._note(manifest)
                elif entry.name == SUMMARY:
                    summary = _read_small(entry, content, dict[str, Any])
                    continue
                else:
                    self._keep(entry, content)
                self._seen.add(entry.name)
                self._bytes += entry.size
        while rest := source.read(_BLOCK_BYTES):  # the end is only good once it was read
            if rest.strip(b"\0"):
                raise BackupDamaged(internal="something stands behind the archive")
        return self._judge(manifest, summary)

    def _judge(self, manifest: Manifest | None, summary: dict[str, Any] | None) -> Unpacked:
        wanted = {CONFIG_NAME, "keys/node.key", DATABASE_NAME}
        if manifest is None or summary is None or not wanted <= self._seen:
            raise BackupDamaged(internal="something that every backup holds is missing")
        if (summary.get("files"), summary.get("bytes")) != (len(self._seen), self._bytes):
            raise BackupDamaged(internal="the summary counts other files")
        for folder in (self._folder / "media", self._folder / "keys", self._folder):
            sync_folder(folder)
        return Unpacked(manifest, len(self._seen), self._broken)

    def _keep(self, entry: tarfile.TarInfo, content: IO[bytes]) -> None:
        name = entry.name
        is_media = _MEDIA.fullmatch(name)
        if name not in (CONFIG_NAME, DATABASE_NAME) and not is_media and not _KEY.fullmatch(name):
            raise BackupDamaged(internal=f"no backup holds {name!r}")
        path = self._folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        digest, left = hashlib.sha256(), entry.size
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while part := content.read(_BLOCK_BYTES):
                digest.update(part)
                file.write(part)
                left -= len(part)
            file.flush()
            os.fsync(file.fileno())
        if left:
            raise BackupDamaged(internal=f"{name} ends too early")
        if is_media and digest.hexdigest() != path.name:
            self._broken.append(path.name)
            path.unlink()


def _read_manifest(entry: tarfile.TarInfo, content: IO[bytes]) -> Manifest:
    if entry.name != MANIFEST:
        raise BackupDamaged(internal="the archive does not begin with its manifest")
    manifest: Manifest = _read_small(entry, content, Manifest)
    if manifest.format != FORMAT:
        raise StoreError("This backup was made by a newer release of Rounds. Install that release.")
    return manifest


def _read_small(entry: tarfile.TarInfo, content: IO[bytes], kind: type[Any]) -> Any:
    if entry.size > _SMALL_BYTES and entry.name == MANIFEST:
        raise BackupDamaged(internal="the manifest is too large")
    try:
        return msgspec.json.decode(content.read(), type=kind)
    except msgspec.MsgspecError as error:
        raise BackupDamaged(internal=f"{entry.name} cannot be read: {error}") from None
