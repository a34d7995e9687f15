"""Take the pictures of docs/operate/first-day.md anew: `make guide`. They go into `docs/operate/pictures/`, which is kept.

Makes two nodes in a temporary directory, goes through the first day in a real browser as the page tells it, and takes four
pictures, small ones: they are in the repository.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Page as Tab

from node.cli.remote import ask
from tools.browsing import open_chromium
from tools.pictures import find_ports

FOLDER = Path(__file__).parents[1] / "docs" / "operate" / "pictures"
_SIZE = {"width": 1000, "height": 700}
_COLOURS = 48
_START_SECONDS = 30
_PASSWORD = "correct-horse-battery"  # noqa: S105 of nodes that live for as long as the pictures are taken


def main() -> int:
    """Take all pictures."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="rounds-guide-") as folder:
        port = find_ports()
        with _node(Path(folder), "Society", port) as society, _node(Path(folder), "Hospital", port + 1) as hospital:
            asyncio.run(_take_all(society, hospital))
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.name}: {picture.stat().st_size} bytes")
    return 0


class _Node:
    """A node that runs: its data directory, its address, and where its operator sets themselves up."""

    def __init__(self, data: Path, origin: str, setup_url: str) -> None:
        self.data = data
        self.origin = origin
        self.setup_url = setup_url

    def run(self, *words: str, text: str = "") -> str:
        """Run a command in it and return what it says."""
        answer = ask(self.data, list(words), text)
        if answer is None or answer.code != 0:
            raise SystemExit(f"`rounds {' '.join(words)}`: {answer.err if answer else 'no answer'}")
        return answer.out


@contextmanager
def _node(folder: Path, name: str, port: int) -> Iterator[_Node]:
    """Make a node that nobody operates, and serve it."""
    data, origin = folder / name.lower(), f"http://localhost:{port}"
    rounds = [sys.executable, "-m", "node", "--data", str(data)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ROUNDS_")}
    init = ["init", "--base-url", origin, "--name", f"The {name}", "--insecure-loopback", "--json"]
    recovery = ["--recovery-file", str(data) + ".recovery"]
    made = subprocess.run([*rounds, *init, *recovery], capture_output=True, text=True, env=environment, check=True)  # noqa: S603
    serve = ["serve", "--bind", f"127.0.0.1:{port}"]
    with Path(str(data) + ".log").open("wb") as log:
        process = subprocess.Popen([*rounds, *serve], stdin=subprocess.DEVNULL, stderr=log, env=environment)  # noqa: S603
    try:
        deadline = time.monotonic() + _START_SECONDS
        while ask(data, ["status", "--json"]) is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"{origin} did not start.")
            time.sleep(0.1)
        yield _Node(data, origin, json.loads(made.stdout)["setup_url"])
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


async def _take_all(society: _Node, hospital: _Node) -> None:
    """Go through the first day and take the pictures on the way."""
    async with open_chromium() as browser:
        context = await browser.new_context(viewport=_SIZE, color_scheme="light")  # type: ignore[arg-type]
        tab = await context.new_page()
        await tab.goto(society.setup_url)
        for name, value in {"name": "Ola Nordmann", "handle": "ola", "password": _PASSWORD}.items():
            await tab.fill(f"#set-up [name={name}]", value)
        await _take(tab, "set-up", full=True)
        await tab.click("#set-up button")
        await tab.wait_for_url(f"{society.origin}/node/first-day")
        await _take(tab, "first-day", full=True)
        await tab.goto(f"{society.origin}/peers")
        await tab.fill("#peer-add [name=host]", hospital.origin)
        await tab.click("#peer-add button")
        await tab.wait_for_selector("#peer-confirm")
        await _take(tab, "words", at="#compare")
        await asyncio.to_thread(_become_friends, society, hospital)
        await tab.goto(f"{society.origin}/node")
        await _take(tab, "node", full=True)
        await context.close()


async def _take(tab: Tab, name: str, *, at: str = "", full: bool = False) -> None:
    """Take a picture: of one part of the page, of the whole, or of what a window shows; in few colours."""
    raw = await (tab.locator(at).screenshot() if at else tab.screenshot(full_page=full))
    shrink(raw, FOLDER / f"{name}.png")


def shrink(raw: bytes, path: Path) -> None:
    """Write a picture in few colours."""
    picture = Image.open(BytesIO(raw)).convert("RGB")
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _become_friends(society: _Node, hospital: _Node) -> None:
    """Let the two nodes trust each other, and something come and go between them."""
    for one, other in ((society, hospital), (hospital, society)):
        digits = json.loads(other.run("key", "fingerprint", "--json"))["hex"]
        one.run("peer", "add", other.origin, "--fingerprint", digits, "--yes")
    for node, handle, name in ((society, "ana", "Ana Moreau"), (hospital, "ben", "Ben Okafor")):
        words = ["member", "add", handle, "--name", name, "--assurance", "A3", "--password-stdin"]
        node.run(*words, text=f"{_PASSWORD}\n")
    society.run("group", "create", "ward", "--title", "Night shifts", "--owner", "ana")
    ward = f"ward@{re.sub('^.*//', '', society.origin)}"
    hospital.run("group", "join", ward, "--as", "ben", "--reason", "I cover nights at the hospital.")
    person = f"ben@{re.sub('^.*//', '', hospital.origin)}"
    society.run("group", "approve", "ward", person, "--admit-node", "--yes")
    for number in range(5):
        society.run("post", "add", "ward", "--as", "ana", text=f"A word, the {number}th.")
    for node in (society, hospital):
        deadline = time.monotonic() + _START_SECONDS
        while not json.loads(node.run("status", "--json"))["at_rest"] and time.monotonic() < deadline:
            time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
