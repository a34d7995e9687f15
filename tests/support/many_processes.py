"""A node of several processes over one PostgreSQL database, each on a machine of its own with its own folders."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node.cli.remote import ask
from tests.support.commands import PASSWORD, CommandRefused, Commands
from tests.support.namespaces import Machine, Relay
from tests.support.process_node import ROUNDS, _environment
from tests.support.waiting import until, until_true

PORT = 8000
_START_SECONDS = 120


class Worker:
    """One process of a node: `rounds worker`, or `rounds serve` with what its words say."""

    def __init__(self, machine: Machine, data: Path, words: list[str], environment: dict[str, str]) -> None:
        self.machine = machine
        self.data = data
        self._environment = environment
        self.log_path = data.with_suffix(".log")
        self._words = words
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, and return when it says that it is there."""
        temporary = self.data / "tmp"
        temporary.mkdir(exist_ok=True)
        with self.log_path.open("ab") as log:
            begin = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self.machine.enter, ROUNDS, "--data", self.data, *self._words, stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, env=_environment() | self._environment | {"TMPDIR": str(temporary)},
            )  # fmt: skip
        await until(lambda: self._has_begun(begin), seconds=_START_SECONDS)

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        async with asyncio.timeout(30):
            return await process.wait()

    async def kill(self) -> None:
        """End it by force."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()

    def freeze(self) -> None:
        """Let it stand still, with all its connections."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def tell(self, *argv: str, text: str = "") -> Any:
        """Say a command to this process."""
        reply = await asyncio.to_thread(ask, self.data, [*argv, "--json"], text)
        if reply is None or reply.code != 0:
            raise CommandRefused(reply.code if reply else -1, reply.err if reply else "The process does not run.")
        return json.loads(reply.out)

    @property
    def log(self) -> str:
        """What it wrote since it was first started."""
        return self.log_path.read_text()

    def _has_begun(self, begin: int) -> bool:
        assert self._process is not None
        said = self.log_path.read_bytes()[begin:]
        assert self._process.returncode is None, said.decode()
        return b"Listening on " in said or b"Working." in said


class ManyProcesses(Commands):
    """The node: two that answer, two that work. What is said to it goes to the first that answers."""

    def __init__(self, folder: Path, machines: list[Machine], environment: dict[str, str]) -> None:
        self._front = Relay(socket.create_server(("127.0.0.1", 0)))
        self.port = int(self._front._listener.getsockname()[1])
        self.origin = f"http://localhost:{self.port}"
        self.folder = folder
        places = [f"{machine.address}:{PORT}" for machine in machines[:2]]
        self.webs = [
            Worker(machine, folder / f"web{number}", ["serve", "--no-work", "--bind", place], environment)
            for number, (machine, place) in enumerate(zip(machines[:2], places, strict=True), 1)
        ]
        self.workers = [
            Worker(machine, folder / f"worker{number}", ["worker"], environment)
            for number, machine in enumerate(machines[2:4], 1)
        ]
        self._front.places = [(machine.address, PORT) for machine in machines[:2]]
        self._ways_out: list[Relay] = []

    @contextmanager
    def only(self, web: Worker) -> Iterator[None]:
        """Lead whoever comes meanwhile to one of the processes that answer; what was begun stays where it is."""
        places = self._front.places
        self._front.places = [(web.machine.address, PORT)]
        try:
            yield
        finally:
            self._front.places = places

    @property
    def all(self) -> list[Worker]:
        """Every process."""
        return [*self.webs, *self.workers]

    async def start(self, database: str) -> None:
        """Make the node in a database, and start its processes."""
        first = self.folder / "first"
        words = ["--base-url", self.origin, "--name", "Many", "--database", database, "--insecure-loopback"]
        process = await asyncio.create_subprocess_exec(
            ROUNDS, "--data", first, "init", *words, "--operator", "op", "--password-stdin", "--json",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )  # fmt: skip
        _, err = await process.communicate(f"{PASSWORD}\n".encode())
        assert process.returncode == 0, err.decode()
        for each in self.all:
            (each.data / "keys").mkdir(parents=True)
            shutil.copyfile(first / "rounds.toml", each.data / "rounds.toml")
            shutil.copyfile(first / "keys" / "node.key", each.data / "keys" / "node.key")
        await self._front.start()
        await asyncio.gather(*(each.start() for each in self.all))

    async def show_the_way(self, port: int) -> None:
        """Let every machine reach a port of our own loopback as one of its own."""
        for each in self.all:
            way = Relay(each.machine.listen(port))
            way.places = [("127.0.0.1", port)]
            await way.start()
            self._ways_out.append(way)

    async def run(self, *argv: str, text: str = "") -> Any:
        """Say a command to the first process that answers; see `Commands.run`."""
        return await self.webs[0].tell(*argv, text=text)

    async def rest(self) -> None:
        """Wait until the node says that it is at rest."""

        async def is_at_rest() -> bool:
            return all([(await each.tell("status"))["at_rest"] for each in self.all])

        await until_true(is_at_rest, seconds=60)

    async def close(self) -> None:
        """End everything."""
        for each in self.all:
            await each.kill()
        for relay in (self._front, *self._ways_out):
            await relay.stop()
