"""A node as its operator runs it: `rounds` in processes of its own, started, stopped and ended by force.

The node's address is its proxy's, so it stays the same whatever port the next process finds free.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import ssl
import sys
from pathlib import Path
from typing import Any

from node.cli.remote import ask
from tests.support.commands import PASSWORD, CommandRefused, Commands
from tests.support.proxy import Proxy
from tests.support.waiting import until_true

ROUNDS = Path(sys.executable).with_name("rounds")
_LISTENING = re.compile(rb"Listening on http://127\.0\.0\.1:(\d+)")
_START_SECONDS = 60
_STOP_SECONDS = 30
# A test asks in a minute what an app asks in a day.
_UNCOUNTED = {"ROUNDS_LIMITS__APP_CALLS": "1000000"}


class ProcessNode(Commands):
    """A data directory, and the process that serves it when there is one."""

    def __init__(self, data: Path, proxy: Proxy) -> None:
        self.data = data
        self.proxy = proxy
        self.origin = f"http://{proxy.host}"
        self.log_path = data.with_suffix(".log")
        # What serves: `rounds`, or a program that runs it and fails where a test says. Both get these variables.
        self.program: list[str | Path] = [ROUNDS]
        self.environment: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    async def make(
        cls,
        data: Path,
        *,
        name: str,
        database: str = "sqlite:",
        tls: ssl.SSLContext | None = None,
        host_name: str = "localhost",
        environment: dict[str, str] | None = None,
    ) -> ProcessNode:
        """Make a data directory with an operator; nothing serves it yet.

        Args:
            data: The directory.
            name: What the node is called.
            database: The address of its database.
            tls: With which its proxy ends TLS; None: it has an address with http.
            host_name: The name in its address, which must lead to loopback.
            environment: Variables that all its processes get.
        """
        proxy = Proxy(tls)
        await proxy.start()
        made = cls(data, proxy)
        made.origin = f"{'https' if tls else 'http'}://{host_name}:{proxy.port}"
        made.environment |= _UNCOUNTED | (environment or {})
        words = ["--base-url", made.origin, "--name", name, "--database", database, "--insecure-loopback"]
        await made.run("init", *words, "--operator", "op", "--password-stdin", text=f"{PASSWORD}\n")
        return made

    async def run(self, *argv: str, text: str = "") -> Any:
        """Run `rounds` in a process of its own; see `Commands.run`."""
        code, out, err = await self.run_raw(*argv, "--json", text=text)
        if code != 0:
            raise CommandRefused(code, err)
        return json.loads(out)

    async def run_raw(self, *argv: str, text: str = "") -> tuple[int, str, str]:
        """Run `rounds` and return exit code, stdout and stderr."""
        process = await asyncio.create_subprocess_exec(
            ROUNDS, "--data", self.data, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env=_environment() | self.environment,
        )  # fmt: skip
        out, err = await process.communicate(text.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def start(self) -> None:
        """Serve, and return when the node says that it is ready."""
        with self.log_path.open("ab") as log:
            begin = log.tell()
            self._process = await asyncio.create_subprocess_exec(
                *self.program, "--data", self.data, "serve", "--bind", "127.0.0.1:0", stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, env=_environment() | self.environment,
            )  # fmt: skip
        await until_true(lambda: self._is_ready(begin), seconds=_START_SECONDS)

    async def stop(self) -> int:
        """Ask the process to end and return its exit code; 0 where there is none."""
        process, self._process = self._process, None
        if process is None:
            return 0
        self.proxy.lead_to(None)
        process.terminate()
        async with asyncio.timeout(_STOP_SECONDS):
            return await process.wait()

    async def kill(self) -> None:
        """End the process as a lost power supply would: no handler runs, nothing is flushed."""
        process, self._process = self._process, None
        assert process is not None
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            process.send_signal(signal.SIGKILL)
        await process.wait()
        self.proxy.lead_to(None)

    @property
    def pid(self) -> int:
        """The number of the process that serves."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process that serves is there; it may have ended by itself, or by a fail-point."""
        return self._process is not None and self._process.returncode is None

    async def wait_dead(self, *, seconds: float) -> bool:
        """Wait until the process has ended by itself; return whether it has."""
        try:
            async with asyncio.timeout(seconds):
                if self._process is not None:
                    await self._process.wait()
        except TimeoutError:
            return False
        self._process = None
        self.proxy.lead_to(None)
        return True

    async def tell(self, *argv: str, text: str = "") -> Any:
        """Say a command through the running node's socket, as `rounds` does, without a process for each; see `run`."""
        try:
            reply = await asyncio.to_thread(ask, self.data, [*argv, "--json"], text)
        except ConnectionError:  # it ended in the middle
            reply = None
        if reply is None or reply.code != 0:
            raise CommandRefused(reply.code if reply else -1, reply.err if reply else "The node does not run.")
        return json.loads(reply.out)

    async def close(self) -> None:
        """End whatever runs, and the proxy."""
        if self._process is not None:
            await self.kill()
        await self.proxy.stop()

    async def rest(self) -> None:
        """Wait until the node says that it is at rest."""

        async def is_at_rest() -> bool:
            return bool((await self.run("status"))["at_rest"])

        await until_true(is_at_rest, seconds=60)

    async def _is_ready(self, begin: int) -> bool:
        assert self._process is not None
        with self.log_path.open("rb") as log:
            log.seek(begin)
            said = log.read()
        assert self._process.returncode is None, said.decode()
        found = _LISTENING.search(said)
        if found is None:
            return False
        self.proxy.lead_to(int(found[1]))
        return await _answers_ready(int(found[1]))


async def _answers_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.startswith(b"HTTP/1.1 200")


def _environment() -> dict[str, str]:
    """Return the environment without settings of a node."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ROUNDS_")}
