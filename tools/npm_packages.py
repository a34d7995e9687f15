"""Install the client that is written in JavaScript for the tests, once: `make test` runs this after `system_packages`.

What is installed stands, with its hashes, in `tests/clients/masto/package-lock.json`, which names no registry: npm asks the
one that it is set up for. `ROUNDS_TEST_ALLOW_SKIP=1` lets the tests that need it be skipped where it cannot be had.

Needs nothing but Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "tests" / "clients" / "masto"
_SKIP = "ROUNDS_TEST_ALLOW_SKIP"


def main() -> int:
    """Install what is missing; return 0 when the tests can run."""
    lock, done = _FOLDER / "package-lock.json", _FOLDER / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return 0
    npm = shutil.which("npm")
    command = [npm or "npm", "ci", "--prefix", str(_FOLDER), "--ignore-scripts", "--no-audit", "--no-fund"]
    failed = True if npm is None else subprocess.run(command, check=False).returncode != 0  # noqa: S603
    if not failed:
        return 0
    print(f"The tests need a client that npm installs: {' '.join(command)}", file=sys.stderr)
    return 0 if os.environ.get(_SKIP) == "1" else 1


if __name__ == "__main__":
    sys.exit(main())
