"""Keys: what signs and what verifies, how they are published, and how ours are kept.

Called by the signature dialects, by `integrity`, and by whoever makes, stores or pins keys. Knows nothing of HTTP.

A key's *type* decides the algorithm, always: RSA is RSASSA-PKCS1-v1_5 with SHA-256, Ed25519 is Ed25519. Nothing a
sender writes can choose another (T06). Remote keys are measured before they are used: absurd ones would cost us time.
Functions that generate RSA keys take about 0.1 s of CPU and belong into a thread.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import os
from dataclasses import dataclass, field
from typing import Literal

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.federation.message import KeyDocument
from node.federation.signatures.base58 import decode_base58, encode_base58
from node.foundation.errors import LocalProtocolError, RemoteMalformed, StoreError

KeyAlgorithm = Literal["rsa", "ed25519"]

# Signatures' paper §1.4 step 6. Verification time grows with the modulus and with the exponent's length;
# below 2^32 also because Go's library stops there, so no node of the fediverse can use a larger one.
RSA_BITS_LOWEST = 2048
RSA_BITS_HIGHEST = 8192
RSA_EXPONENT_LIMIT = 2**32
NODE_KEY_SIZE_BYTES = 32

_PEM_LIMIT_CHARACTERS = 16_384
_MULTIKEY_PREFIX = b"\xed\x01"
_MULTIKEY_SIZE_BYTES = 34
_SEAL_VERSION = "v1"
_NONCE_SIZE_BYTES = 12
_PKCS1_V15 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()

# The y coordinates of Ed25519's eight points of small order, in every spelling, without the sign bit. A signature
# that "verifies" under such a key can be written by anybody, so its owner could later deny everything it signed.
_SMALL_ORDER = frozenset(
    bytes.fromhex(y)
    for y in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


class SealBroken(StoreError):
    """A sealed secret does not open: another node key, another context, or changed bytes."""

    code = "seal_broken"
    sentence = "A stored secret cannot be opened with this node's key file. Restore keys/node.key from the backup."


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that was measured when it was loaded.

    algorithm: the key's type, and so the only algorithm it verifies.
    handle: the library's object; for this module alone.
    """

    algorithm: KeyAlgorithm
    handle: rsa.RSAPublicKey | ed25519.Ed25519PublicKey = field(repr=False)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Say whether the signature is this key's over these bytes.

        Spec: RFC 8017 §8.2.2 with SHA-256; RFC 8032 §5.1.7.
        """
        try:
            if isinstance(self.handle, rsa.RSAPublicKey):
                self.handle.verify(signature, data, _PKCS1_V15, _SHA256)
            else:
                self.handle.verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """One of our own signing keys.

    algorithm: the key's type.
    handle: the library's object; for this module alone, and never in a log.
    """

    algorithm: KeyAlgorithm
    handle: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The other half, to publish."""
        return PublicKey(self.algorithm, self.handle.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return the signature over these bytes: RSASSA-PKCS1-v1_5 with SHA-256, or Ed25519."""
        if isinstance(self.handle, rsa.RSAPrivateKey):
            return self.handle.sign(data, _PKCS1_V15, _SHA256)
        return self.handle.sign(data)


def load_public_pem(pem: str) -> PublicKey:
    """Return the key of a PEM text: SPKI or PKCS#1 for RSA, SPKI for Ed25519.

    Raises:
        RemoteMalformed: Not such a text, or a key outside the bounds above (T06).
    """
    if len(pem) > _PEM_LIMIT_CHARACTERS:
        raise RemoteMalformed(internal=f"a public key of {len(pem)} characters")
    try:
        handle = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RemoteMalformed(internal=f"a public key that cannot be read: {error}") from error
    if isinstance(handle, rsa.RSAPublicKey):
        return _measured_rsa(handle)
    if isinstance(handle, ed25519.Ed25519PublicKey):
        return _measured_ed25519(handle.public_bytes_raw())
    raise RemoteMalformed(internal=f"a public key of a kind we do not use: {type(handle).__name__}")


@functools.lru_cache(maxsize=1024)
def load_multikey(text: str) -> PublicKey:
    """Return the Ed25519 key of a Multikey text such as `z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2`.

    Raises:
        RemoteMalformed: Another base, another kind of key, or a key of small order.

    Spec: FEP-521a; Controlled Identifiers 1.0 §2.2.2.
    """
    if not text.startswith("z"):
        raise RemoteMalformed(internal="a Multikey that is not base58btc")
    data = decode_base58(text[1:], size_bytes=_MULTIKEY_SIZE_BYTES)
    if not data.startswith(_MULTIKEY_PREFIX):
        raise RemoteMalformed(internal="a Multikey that is not Ed25519")
    return _measured_ed25519(data[len(_MULTIKEY_PREFIX) :])


def load_key_document(document: KeyDocument) -> PublicKey:
    """Return the key an actor published, which must be of the kind the document names.

    Raises:
        RemoteMalformed: As for the text itself, or the kinds differ.
    """
    is_multikey = document.algorithm == "ed25519" and document.text.startswith("z")
    key = load_multikey(document.text) if is_multikey else load_public_pem(document.text)
    if key.algorithm != document.algorithm:
        raise RemoteMalformed(internal=f"{document.key_id} says {document.algorithm} and holds {key.algorithm}")
    return key


def format_multikey(key: PublicKey) -> str:
    """Return an Ed25519 key as `z6Mk…`.

    Raises:
        LocalProtocolError: The key is RSA; those are published as PEM.
    """
    return "z" + encode_base58(_MULTIKEY_PREFIX + raw_ed25519(key))


def format_public_pem(key: PublicKey) -> str:
    """Return a key as SPKI PEM, the form `publicKeyPem` takes; ends in a line feed."""
    pem = key.handle.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def raw_ed25519(key: PublicKey) -> bytes:
    """Return the 32 bytes of an Ed25519 key.

    Raises:
        LocalProtocolError: The key is RSA.
    """
    if not isinstance(key.handle, ed25519.Ed25519PublicKey):
        raise LocalProtocolError(internal="an Ed25519 key was needed, an RSA key was given")
    return key.handle.public_bytes_raw()


def fingerprint_hex(key: PublicKey) -> str:
    """Return what two operators compare: SHA-256 in hex, of the raw Ed25519 key or of an RSA key's SPKI.

    Spoken between people and pinned in databases: the bytes that are hashed may never change.
    """
    if isinstance(key.handle, ed25519.Ed25519PublicKey):
        return hashlib.sha256(key.handle.public_bytes_raw()).hexdigest()
    spki = key.handle.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def generate_rsa_key() -> PrivateKey:
    """Return a new RSA-2048 key: what all of the fediverse verifies.

    Cost: about 0.1 s of CPU, at times much more; call it in a thread.
    """
    return PrivateKey("rsa", rsa.generate_private_key(public_exponent=65537, key_size=2048))


def generate_ed25519_key() -> PrivateKey:
    """Return a new Ed25519 key, for proofs and for our own nodes."""
    return PrivateKey("ed25519", ed25519.Ed25519PrivateKey.generate())


def serialize_private(key: PrivateKey) -> bytes:
    """Return one of our keys as PKCS#8 DER without a password; seal it before it is stored."""
    return key.handle.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_private(data: bytes) -> PrivateKey:
    """Return one of our own keys from what `serialize_private` wrote.

    The library's test of an RSA key takes 45 ms and more; it is skipped because these bytes are ours and were sealed.
    Never call this with bytes from anywhere else.

    Raises:
        SealBroken: The bytes are no such key.
    """
    try:
        handle = serialization.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SealBroken(internal="a stored private key cannot be read") from error
    if isinstance(handle, rsa.RSAPrivateKey):
        return PrivateKey("rsa", handle)
    if isinstance(handle, ed25519.Ed25519PrivateKey):
        return PrivateKey("ed25519", handle)
    raise SealBroken(internal=f"a stored private key of a kind we do not use: {type(handle).__name__}")


def seal(secret: bytes, *, node_key: bytes, context: str) -> str:
    """Return a secret locked with the node's key file, as text for a database column.

    Stored format, may never change: `v1.` and base64url without padding of a 12-byte random nonce, the ChaCha20
    ciphertext and the 16-byte Poly1305 tag; the associated data is `v1.` and the context in UTF-8. Another cipher
    gets another version.

    Args:
        secret: What to keep, such as a serialized private key.
        node_key: The 32 bytes of keys/node.key.
        context: What the secret is for, such as `actor-key:17`, so that one row's secret cannot be put into another.

    Raises:
        SealBroken: The node key has another size.
    """
    nonce = os.urandom(_NONCE_SIZE_BYTES)
    locked = _cipher(node_key).encrypt(nonce, secret, _associated_data(context))
    return f"{_SEAL_VERSION}.{base64.urlsafe_b64encode(nonce + locked).decode('ascii').rstrip('=')}"


def unseal(sealed: str, *, node_key: bytes, context: str) -> bytes:
    """Return the secret that `seal` locked with the same node key and context.

    Raises:
        SealBroken: Another node key, another context, another version, or changed text.
    """
    version, _, text = sealed.partition(".")
    if version != _SEAL_VERSION:
        raise SealBroken(internal="a sealed secret of a version this release does not know")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealBroken(internal=f"the secret for {context} is not base64url") from error
    nonce, locked = data[:_NONCE_SIZE_BYTES], data[_NONCE_SIZE_BYTES:]
    try:
        return _cipher(node_key).decrypt(nonce, locked, _associated_data(context))
    except (InvalidTag, ValueError) as error:
        raise SealBroken(internal=f"the secret for {context} was sealed with another key, or changed") from error


def _measured_rsa(handle: rsa.RSAPublicKey) -> PublicKey:
    """Refuse RSA keys too weak to mean anything or too large to check in time (T06)."""
    if not RSA_BITS_LOWEST <= handle.key_size <= RSA_BITS_HIGHEST:
        raise RemoteMalformed(internal=f"an RSA key of {handle.key_size} bits")
    numbers = handle.public_numbers()
    if numbers.e < 3 or numbers.e % 2 == 0 or numbers.e >= RSA_EXPONENT_LIMIT:
        raise RemoteMalformed(internal=f"an RSA exponent of {numbers.e.bit_length()} bits that is not usable")
    if numbers.n % 2 == 0:
        raise RemoteMalformed(internal="an even RSA modulus")
    return PublicKey("rsa", handle)


def _measured_ed25519(raw: bytes) -> PublicKey:
    """Refuse Ed25519 keys for which everybody can sign."""
    without_sign = raw[:31] + bytes((raw[31] & 0x7F,))
    if without_sign in _SMALL_ORDER:
        raise RemoteMalformed(internal="an Ed25519 key of small order")
    return PublicKey("ed25519", ed25519.Ed25519PublicKey.from_public_bytes(raw))


def _cipher(node_key: bytes) -> ChaCha20Poly1305:
    """Return the cipher for a node key of the right size."""
    if len(node_key) != NODE_KEY_SIZE_BYTES:
        raise SealBroken(internal=f"keys/node.key holds {len(node_key)} bytes, not {NODE_KEY_SIZE_BYTES}")
    return ChaCha20Poly1305(node_key)


def _associated_data(context: str) -> bytes:
    """Return what is authenticated beside the secret: version and context."""
    return f"{_SEAL_VERSION}.{context}".encode()
