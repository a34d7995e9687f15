"""A sealed file opens with its code and in one piece, or not at all (docs/reference/backup-format.md)."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from node.foundation.errors import StoreError
from node.store.backup.sealing import (
    CHUNK_BYTES,
    HEAD_BYTES,
    BackupDamaged,
    Sealer,
    Unsealer,
    WrongRecoveryCode,
    format_recovery_key,
    parse_recovery_key,
)
from tests.support.backups import CODE, OTHER_CODE, recovery_key

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "backup_1.json").read_text())
_SEALED_CHUNK = CHUNK_BYTES + 16
_PLAIN = bytes(range(256)) * 700  # three chunks, the last one short


def _seal(plain: bytes) -> bytes:
    sealed = bytearray()
    sealer = Sealer(recovery_key(), sealed.extend)
    for first in range(0, len(plain), 10_000):
        sealer.write(plain[first : first + 10_000])
    sealer.close()
    return bytes(sealed)


def _open(sealed: bytes, code: str = CODE) -> bytes:
    unsealer, parts = Unsealer(io.BytesIO(sealed), code), []
    while part := unsealer.read(7_777):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_what_was_sealed_is_what_opens(size: int) -> None:
    plain = bytes(size)

    sealed = _seal(plain)

    assert _open(sealed) == plain
    assert len(sealed) == HEAD_BYTES + size + 16 * max(1, -(-size // CHUNK_BYTES))


def test_another_code_is_told_from_damage() -> None:
    with pytest.raises(WrongRecoveryCode):
        _open(_seal(b"x"), OTHER_CODE)


def test_one_flipped_bit_in_any_region_is_noticed() -> None:
    sealed = _seal(_PLAIN)
    places = {
        "magic": 3, "cost": 16, "block": 17, "lanes": 18, "zero": 19, "salt": 25, "key id": 40, "ephemeral": 50,
        "first chunk": HEAD_BYTES, "its tag": HEAD_BYTES + _SEALED_CHUNK - 1, "second chunk": HEAD_BYTES + _SEALED_CHUNK,
        "last chunk": len(sealed) - 20, "last tag": len(sealed) - 1,
    }  # fmt: skip
    opened = []

    for name, place in places.items():
        changed = bytearray(sealed)
        changed[place] ^= 1
        try:
            _open(bytes(changed))
        except (BackupDamaged, WrongRecoveryCode):
            continue
        opened.append(name)

    assert opened == []


@pytest.mark.parametrize(
    "kept", [0, 10, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 5, HEAD_BYTES + _SEALED_CHUNK, -17, -1]
)
def test_a_file_without_its_end_is_damaged(kept: int) -> None:
    with pytest.raises(BackupDamaged):
        _open(_seal(_PLAIN)[:kept])


def test_chunks_that_are_swapped_doubled_left_out_or_added_are_noticed() -> None:
    sealed = _seal(_PLAIN)
    head, chunks = sealed[:HEAD_BYTES], [
        sealed[first : first + _SEALED_CHUNK] for first in range(HEAD_BYTES, len(sealed), _SEALED_CHUNK)
    ]  # fmt: skip
    one, two, last = chunks

    for changed in (
        [two, one, last],
        [one, one, two, last],
        [one, last],
        [last],
        [one, two, last, last],
        [one, two, last, b"x"],
    ):
        with pytest.raises(BackupDamaged):
            _open(head + b"".join(changed))


def test_chunks_of_another_file_do_not_fit() -> None:
    one, two = _seal(_PLAIN), _seal(_PLAIN)

    with pytest.raises(BackupDamaged):
        _open(one[:HEAD_BYTES] + two[HEAD_BYTES:])


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_no_other_bytes_are_ever_taken_for_a_backup(data: bytes) -> None:
    with pytest.raises(StoreError):
        _open(data)


def test_a_head_cannot_ask_for_more_memory_than_there_is() -> None:
    sealed = bytearray(_seal(b"x"))
    sealed[16] = 40

    with pytest.raises(BackupDamaged):
        _open(bytes(sealed))


def test_the_key_of_a_node_is_one_line_that_says_all() -> None:
    line = format_recovery_key(recovery_key())

    assert parse_recovery_key(line) == recovery_key()
    assert line == VECTORS["recovery.pub"]
    for broken in ("", "x", line.replace(" 15 ", " 99 "), line.replace("=", ""), line + line):
        with pytest.raises(StoreError):
            parse_recovery_key(broken)


@pytest.mark.parametrize("case", VECTORS["files"], ids=lambda case: case["name"])
def test_the_bytes_of_a_file_are_the_published_ones(case: dict[str, str]) -> None:
    sealed, plain = bytearray(), (case["plain"] * int(case["times"])).encode()
    sealer = Sealer(recovery_key(), sealed.extend, ephemeral=bytes.fromhex(VECTORS["ephemeral"]))
    sealer.write(plain)
    sealer.close()

    assert hashlib.sha256(sealed).hexdigest() == case["sha256"]
    assert sealed[:HEAD_BYTES].hex() == VECTORS["head"]
    assert _open(bytes(sealed)) == plain


def test_the_published_words_alone_are_enough_to_open_a_file() -> None:
    """Opened by the text of docs/reference/backup-format.md, without a line of `sealing`."""
    sealed = _seal(_PLAIN)
    scrypt = hashlib.scrypt(CODE.encode(), salt=sealed[20:36], n=2 ** sealed[16], r=sealed[17], p=sealed[18], dklen=32,
                            maxmem=2**28)  # fmt: skip
    private = X25519PrivateKey.from_private_bytes(scrypt)
    public = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(sealed[44:76]))
    key = HKDF(SHA256(), 32, salt=sealed[:76], info=b"rounds backup 1" + public).derive(shared)

    rest, number, plain = sealed[76:], 0, b""
    while rest:
        chunk, rest = rest[:65_552], rest[65_552:]
        nonce = number.to_bytes(11, "big") + (b"\1" if not rest else b"\0")
        plain, number = plain + ChaCha20Poly1305(key).decrypt(nonce, chunk, None), number + 1

    assert plain == _PLAIN
