"""Base58 in the Bitcoin alphabet: how Multikeys and proof values are written.

Called by `keys` and by `integrity`. Knows nothing of keys.

Spec: draft-msporny-base58-03.
"""

from __future__ import annotations

from node.foundation.errors import RemoteMalformed

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}


def encode_base58(data: bytes) -> str:
    """Return bytes as base58; each leading zero byte becomes a leading `1`.

    >>> encode_base58(b"Hello World!")
    '2NEpo7TZRRrLZSi2U'
    """
    number = int.from_bytes(data, "big")
    digits: list[str] = []
    while number:
        number, value = divmod(number, 58)
        digits.append(_ALPHABET[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def decode_base58(text: str, *, size_bytes: int) -> bytes:
    """Return the bytes written as base58, which must be exactly `size_bytes`.

    The size bounds the work, which grows with its square, and leaves one spelling for each value.

    >>> decode_base58("2NEpo7TZRRrLZSi2U", size_bytes=12)
    b'Hello World!'

    Raises:
        RemoteMalformed: Another alphabet, or another size.
    """
    if not text or len(text) > size_bytes * 138 // 100 + 1:
        raise RemoteMalformed(internal=f"base58 text of {len(text)} characters cannot hold {size_bytes} bytes")
    number = 0
    for character in text:
        value = _VALUES.get(character)
        if value is None:
            raise RemoteMalformed(internal="a character that is not base58")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip("1"))
    data = b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) != size_bytes:
        raise RemoteMalformed(internal=f"base58 text holds {len(data)} bytes, not {size_bytes}")
    return data
