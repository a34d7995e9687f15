"""What the tests in a real browser may ask for: two nodes in processes of their own that trust each other, and Chromium."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.process_node import ProcessNode
from tools.browsing import open_chromium
from tools.system_packages import has_chromium


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Give Debian's browser."""
    if not has_chromium():
        if os.environ.get("ROUNDS_TEST_ALLOW_SKIP") == "1":
            pytest.skip("Chromium is not installed.")
        pytest.fail("Chromium is not installed: run `sudo apt-get install chromium`.", pytrace=False)
    async with open_chromium() as browser:
        yield browser


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[tuple[ProcessNode, ProcessNode]]:
    """Give Ana's society and Ben's hospital, each with its operator `op`."""
    made: list[ProcessNode] = []
    try:
        names = ("Society", "Hospital")
        made += await asyncio.gather(*(ProcessNode.make(tmp_path / name.lower(), name=name) for name in names))
        society, hospital = made
        await asyncio.gather(society.start(), hospital.start())
        await asyncio.gather(society.add_peer(hospital), hospital.add_peer(society))
        await asyncio.gather(society.member("ana", name="Ana Moreau"), hospital.member("ben", name="Ben Okafor"))
        yield society, hospital
    finally:
        for node in made:
            await node.close()
