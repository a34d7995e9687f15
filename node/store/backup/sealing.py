"""Sealing: bytes locked so that only who holds the recovery code opens them. Pure: reads and writes what it is given.

*How it works.* From the recovery code scrypt makes the private half of an X25519 key. The node keeps the public half
alone, in `keys/recovery.pub`, so it can seal and never open. Each file has a fresh key of its own (ephemeral X25519, HKDF
over the whole head), and is cut into chunks of 64 KiB, each sealed with ChaCha20-Poly1305 under its number; the nonce of
the last one says that it is the last. So a flipped bit, a missing end, swapped, doubled or added chunks are all noticed,
and nothing is handed out before its chunk was found good.

Stored format: docs/reference/backup-format.md says every byte; another one begins with another first line. Written down
in tests/vectors/backup_1.json.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.foundation.errors import StoreError

MAGIC = b"rounds backup 1\n"
HEAD_BYTES = 76
CHUNK_BYTES = 65_536
TAG_BYTES = 16
_KEY_LINE = "rounds-recovery-1"
_COST, _BLOCK, _LANES = 15, 8, 1
# What a changed head can ask for at most: 1 GiB of memory and some seconds.
_COST_LIMIT, _BLOCK_LIMIT, _LANES_LIMIT = 20, 8, 4


class BackupDamaged(StoreError):
    """A sealed file is not one, was changed, or has no end."""

    code = "backup_damaged"
    sentence = "This backup is damaged or cut off, and cannot be used. Take another one."


class WrongRecoveryCode(StoreError):
    """A code without typing mistakes, and not the one of this file."""

    code = "wrong_recovery_code"
    sentence = (
        "This recovery code does not open this backup. It was sealed to another one: look for an older or newer sheet."
    )


class Source(Protocol):
    """Where sealed bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """What a node keeps of a recovery code: enough to seal, nothing to open.

    cost: scrypt's N is 2 to its power. block, lanes: its r and p. salt: 16 bytes. public: 32 bytes of X25519.
    """

    cost: int
    block: int
    lanes: int
    salt: bytes
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Eight bytes by which a head says which code it needs, without showing the key."""
        return hashlib.sha256(b"rounds recovery key 1" + self.public).digest()[:8]

    @property
    def head(self) -> bytes:
        """The part of a head that is the same for all files sealed to this key: 44 bytes."""
        return MAGIC + bytes((self.cost, self.block, self.lanes, 0)) + self.salt + self.key_id


def make_recovery_key(code: str, *, salt: bytes | None = None) -> RecoveryKey:
    """Return what a node keeps of a code that `read_recovery_code` returned. Takes about 0.1 s of CPU."""
    salt = secrets.token_bytes(16) if salt is None else salt
    private = _derive(code, _COST, _BLOCK, _LANES, salt)
    return RecoveryKey(_COST, _BLOCK, _LANES, salt, private.public_key().public_bytes_raw())


def format_recovery_key(key: RecoveryKey) -> str:
    """Return the one line of `keys/recovery.pub`."""
    salt, public = (base64.b64encode(part).decode() for part in (key.salt, key.public))
    return f"{_KEY_LINE} {key.cost} {key.block} {key.lanes} {salt} {public}\n"


def parse_recovery_key(text: str) -> RecoveryKey:
    """Return the key of `keys/recovery.pub`.

    Raises:
        StoreError: It is none.
    """
    try:
        name, cost, block, lanes, salt, public = text.split()
        key = RecoveryKey(
            int(cost),
            int(block),
            int(lanes),
            base64.b64decode(salt, validate=True),
            base64.b64decode(public, validate=True),
        )
        is_good = name == _KEY_LINE and len(key.salt) == 16 and len(key.public) == 32 and _is_bearable(key)
        X25519PublicKey.from_public_bytes(key.public)
    except ValueError:
        is_good = False
    if not is_good:
        raise StoreError("keys/recovery.pub cannot be read. Make a new recovery code: rounds key recovery")
    return key


class Sealer:
    """Seals what is written to it and hands it on. Without `close` the file has no end, and nothing opens it."""

    def __init__(self, key: RecoveryKey, hand_on: Callable[[bytes], object], *, ephemeral: bytes | None = None) -> None:
        """Hand on the head.

        Args:
            key: Whose code opens it.
            hand_on: Takes the sealed bytes, in order; an error of it goes through.
            ephemeral: The 32 private bytes of this file, for published vectors alone.
        """
        own = X25519PrivateKey.generate() if ephemeral is None else X25519PrivateKey.from_private_bytes(ephemeral)
        shown = own.public_key().public_bytes_raw()
        head = key.head + shown
        self._cipher = _cipher(own.exchange(X25519PublicKey.from_public_bytes(key.public)), head, key.public)
        self._hand_on = hand_on
        self._waiting = bytearray()
        self._number = 0
        hand_on(head)

    def write(self, data: bytes) -> int:
        """Seal what has come together; the last chunk stays until it is known whether it is the last."""
        self._waiting += data
        while len(self._waiting) > CHUNK_BYTES:
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def close(self) -> None:
        """Seal the last chunk."""
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._hand_on(self._cipher.encrypt(_nonce(self._number, is_last=is_last), chunk, None))
        self._number += 1


class Unsealer:
    """Opens a sealed file; what `read` returns is what was written, or an error is raised.

    Raises:
        BackupDamaged: It is no backup, or its head was changed.
        WrongRecoveryCode: It was sealed to another code.
    """

    def __init__(self, source: Source, code: str) -> None:
        """Read the head and make the key; takes as long as scrypt takes.

        Args:
            source: At the first byte of the file.
            code: As `read_recovery_code` returned it.
        """
        head = _read_whole(source, HEAD_BYTES)
        if not head.startswith(MAGIC):
            raise BackupDamaged("This is not a backup of Rounds, or its beginning is missing.")
        if len(head) < HEAD_BYTES:
            raise BackupDamaged
        cost, block, lanes, zero = head[16:20]
        claimed = RecoveryKey(cost, block, lanes, head[20:36], b"")
        if zero or not _is_bearable(claimed):
            raise BackupDamaged(internal="the head asks for an unbearable scrypt")
        private = _derive(code, cost, block, lanes, claimed.salt)
        public = private.public_key().public_bytes_raw()
        if RecoveryKey(cost, block, lanes, claimed.salt, public).key_id != head[36:44]:
            raise WrongRecoveryCode
        try:
            shared = private.exchange(X25519PublicKey.from_public_bytes(head[44:76]))
        except ValueError:
            raise BackupDamaged(internal="the head holds no key") from None
        self._cipher = _cipher(shared, head, public)
        self._source = source
        self._number = 0
        self._sealed = _read_whole(source, CHUNK_BYTES + TAG_BYTES)
        self._opened = b""
        self._is_done = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the end.

        Raises:
            BackupDamaged: The next chunk is not the one that was sealed, or the end is missing.
        """
        while not self._opened and not self._is_done:
            self._open_next()
        given, self._opened = self._opened[:size], self._opened[size:]
        return given

    def _open_next(self) -> None:
        sealed, self._sealed = self._sealed, _read_whole(self._source, CHUNK_BYTES + TAG_BYTES)
        is_last = not self._sealed
        try:
            self._opened = self._cipher.decrypt(_nonce(self._number, is_last=is_last), sealed, None)
        except (InvalidTag, ValueError):
            raise BackupDamaged(internal=f"chunk {self._number} of the backup is not the one that was sealed") from None
        self._number += 1
        self._is_done = is_last


def _derive(code: str, cost: int, block: int, lanes: int, salt: bytes) -> X25519PrivateKey:
    scrypt = Scrypt(salt=salt, length=32, n=2**cost, r=block, p=lanes)
    return X25519PrivateKey.from_private_bytes(scrypt.derive(code.encode("ascii")))


def _cipher(shared: bytes, head: bytes, public: bytes) -> ChaCha20Poly1305:
    """Return the cipher of one file: whatever is changed in the head, it becomes another."""
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=head, info=b"rounds backup 1" + public).derive(shared)
    return ChaCha20Poly1305(derived)


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes((is_last,))


def _is_bearable(key: RecoveryKey) -> bool:
    return 10 <= key.cost <= _COST_LIMIT and 1 <= key.block <= _BLOCK_LIMIT and 1 <= key.lanes <= _LANES_LIMIT


def _read_whole(source: Source, size: int) -> bytes:
    """Return `size` bytes, fewer only at the end of the source."""
    parts, missing = [], size
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
