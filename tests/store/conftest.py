"""What the tests of the store may ask for: databases on a disk, as a node has them."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    """Give a folder on disk: here it is asked what is still there when a process was ended."""
    return tmp_path
