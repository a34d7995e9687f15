"""The socket of a running process: commands reach it there, and it says when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from pathlib import Path

from node.community.house import House
from node.foundation.logs import get_logger

from .context import REFUSED
from .remote import LINE_LIMIT_BYTES, SOCKET_NAME
from .runner import run_command


def listen_for_stop() -> asyncio.Event:
    """Return what is set on SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    return stopping


def remove_socket(data: Path) -> None:
    """Take the socket away: nobody listens any more."""
    with contextlib.suppress(FileNotFoundError):
        (data / SOCKET_NAME).unlink()


async def open_socket(data: Path, house: House) -> asyncio.Server:
    """Listen for commands; the socket is for the owner of the data directory alone."""
    path = data / SOCKET_NAME
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
    finally:
        os.umask(mask)
        os.close(folder)
    listener.setblocking(False)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _answer_command(house, reader, writer)

    return await asyncio.start_unix_server(handle, sock=listener, limit=LINE_LIMIT_BYTES)


async def _answer_command(house: House, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    def say(name: str, value: object) -> None:
        writer.write(json.dumps({name: value}).encode() + b"\n")

    loop = asyncio.get_running_loop()

    async def hand_over(data: bytes) -> None:
        writer.write(json.dumps({"bytes": len(data)}).encode() + b"\n" + data)
        await writer.drain()

    def send(data: bytes) -> None:
        asyncio.run_coroutine_threadsafe(hand_over(data), loop).result()

    def warn(text: str) -> None:
        say("err", text)

    try:
        request = json.loads(await reader.readline())
        code = await run_command(house, request["argv"], request["text"], lambda text: say("out", text), warn, send)
        say("exit", code)
        await writer.drain()
    except (ValueError, KeyError, ConnectionError, asyncio.CancelledError):
        pass  # whoever asked went away, or the node stops: they see the end of the connection
    except Exception:
        get_logger().exception("command_crashed")
        say("err", "Something went wrong here. The node's log says what.\n")
        say("exit", REFUSED)
    finally:
        writer.close()
