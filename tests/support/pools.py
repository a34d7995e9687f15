"""What is real and takes a tenth of a second to make: RSA keys and the hashes of passwords, for a session of tests."""

from __future__ import annotations

import functools
import threading
from types import SimpleNamespace

import pytest

from node.community.members import service
from node.federation.signatures import keys as signature_keys
from node.federation.signatures.keys import PrivateKey


class KeyPool:
    """Real RSA keys, each used by one actor at a time: making one takes a tenth of a second."""

    def __init__(self) -> None:
        self._make = signature_keys.generate_rsa_key
        self._free: list[PrivateKey] = []
        self._taken: list[PrivateKey] = []
        self._lock = threading.Lock()

    def take(self) -> PrivateKey:
        """Return a key that nobody has now."""
        with self._lock:
            key = self._free.pop() if self._free else None
        key = key or self._make()
        with self._lock:
            self._taken.append(key)
        return key

    def give_back(self) -> None:
        """Let the next test have the keys."""
        self._free += self._taken
        self._taken = []


def hash_once(patch: pytest.MonkeyPatch) -> None:
    """Give members with one password one hash, made once as the node makes it; a password is checked as ever."""
    patch.setattr(service, "_HASHER", SimpleNamespace(hash=_hash, verify=_HASHER.verify))


_HASHER = service._HASHER
_hash = functools.cache(_HASHER.hash)
