"""Machines of a test: network namespaces on a bridge, each with a loopback and an address of its own. Needs root and `ip`."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_CLONE_NEWNET = 0x40000000
_CHUNK_BYTES = 65_536


def has_namespaces() -> bool:
    """Return whether this process may make machines of this kind."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


@dataclass(frozen=True, slots=True)
class Machine:
    """One namespace. name: as `ip netns` knows it. address: on the bridge."""

    name: str
    address: str

    @property
    def enter(self) -> list[str]:
        """The beginning of a command that runs there."""
        return ["ip", "netns", "exec", self.name]

    def listen(self, port: int) -> socket.socket:
        """Return a socket that listens on the machine's own loopback; whoever has it is not on the machine."""
        made: list[socket.socket] = []
        thread = threading.Thread(target=self._listen, args=(port, made))
        thread.start()
        thread.join()
        return made[0]

    def _listen(self, port: int, made: list[socket.socket]) -> None:
        # A thread has its own namespace, and this one ends with it; the socket stays where it was made.
        with open(f"/var/run/netns/{self.name}", "rb") as there:
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        made.append(socket.create_server(("127.0.0.1", port)))


@dataclass(frozen=True, slots=True)
class Net:
    """The bridge, with the machines on it. address: our own."""

    address: str
    machines: list[Machine]


@contextmanager
def a_net(count: int) -> Iterator[Net]:
    """Give so many machines on a bridge of their own, and take them away again."""
    number = os.getpid() % 50_000
    bridge, third = f"rb{number}", f"10.{64 + number // 250}.{number % 250}"
    machines = [Machine(f"r{number}-{place}", f"{third}.{place + 10}") for place in range(count)]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{third}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for place, machine in enumerate(machines):
            _attach(machine, bridge, f"rv{number}-{place}")
        yield Net(f"{third}.1", machines)
    finally:
        for machine in machines:
            _ip("netns", "del", machine.name, check=False)
        _ip("link", "del", bridge, check=False)


def _attach(machine: Machine, bridge: str, cable: str) -> None:
    _ip("netns", "add", machine.name)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", machine.name)
    _ip("link", "set", cable, "master", bridge, "up")
    _ip("-n", machine.name, "addr", "add", f"{machine.address}/24", "dev", "eth0")
    _ip("-n", machine.name, "link", "set", "eth0", "up")
    _ip("-n", machine.name, "link", "set", "lo", "up")


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


class Relay:
    """Passes connections on from a socket to one of several places, in turn; one that is not there is passed over."""

    def __init__(self, listener: socket.socket) -> None:
        self.places: list[tuple[str, int]] = []
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0

    async def start(self) -> None:
        """Begin to pass on."""
        self._server = await asyncio.start_server(self._take, sock=self._listener)

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        inner = None
        try:
            inner_reader, inner = await self._find()
            halves = [asyncio.create_task(_pass_on(reader, inner)), asyncio.create_task(_pass_on(inner_reader, writer))]
            try:
                await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for half in halves:
                    half.cancel()
                await asyncio.wait(halves)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for side in (writer, inner):
                if side is not None:
                    side.transport.abort()

    async def _find(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.places:
            self._turn += 1
            try:
                return await asyncio.open_connection(*self.places[self._turn % len(self.places)])
            except OSError:
                continue
        raise ConnectionRefusedError


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
