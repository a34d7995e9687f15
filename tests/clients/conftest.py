"""What the tests of real clients may ask for: two nodes behind TLS, and who lives there."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.authority import Authority
from tests.support.neighbours import Neighbours, let_in, the_neighbours
from tests.support.person import Person
from tests.support.process_node import ProcessNode
from tests.support.reader import Reader


@dataclass(frozen=True)
class Town:
    """A society that hosts the group `ward` of Ana's, and a hospital where Ben and Cem are in it; both behind TLS.

    authority: who signed their certificates, a file; clients trust it as they would the system's. folder: for their files.
    """

    pair: Neighbours
    authority: Path
    folder: Path

    @property
    def hospital(self) -> ProcessNode:
        """The node on which the clients sign in."""
        return self.pair.b

    @property
    def ward(self) -> str:
        """The address of the group, as one writes it on the hospital's node."""
        return f"ward@{self.pair.a.host}"

    @property
    def ana(self) -> Reader:
        """The group's owner, on the other node."""
        return self.pair.reader(self.pair.a)

    def person(self, handle: str) -> Person:
        """Return a member of the hospital at a browser."""
        return Person(self.hospital.origin, handle, ssl.create_default_context(cafile=str(self.authority)))

    def environment(self, name: str) -> dict[str, str]:
        """Return variables for a client's process: our certificates, and a home of its own."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        file = str(self.authority)
        return os.environ | {
            "HOME": str(home), "XDG_CONFIG_HOME": str(home), "REQUESTS_CA_BUNDLE": file, "SSL_CERT_FILE": file,
            "NODE_EXTRA_CA_CERTS": file, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1",
        }  # fmt: skip


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """Give two nodes in processes of their own, which speak https with each other and with clients."""
    folder = tmp_path_factory.mktemp("town")
    authority = Authority(folder)

    def make(name: str) -> dict[str, Any]:
        door = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        door.load_cert_chain(authority.issue())
        return {"tls": door}

    async with the_neighbours(folder, ["sqlite:"] * 2, settings=f'ca_file = "{authority.file}"', make=make) as pair:
        words = ["--name", "Cem", "--assurance", "A3", "--password-stdin"]
        await pair.b.tell("member", "add", "cem", *words, text="correct horse battery")
        await let_in(pair.a, pair.ward, pair.b, "cem")
        await pair.rest()
        yield Town(pair, authority.file, folder)
