"""See to the system packages that the tests need: `make test` runs this first.

As root what is missing is installed; otherwise the exact command is printed and this fails, because a green run means
that everything ran. `ROUNDS_TEST_ALLOW_SKIP=1` lets the tests that need a missing package be skipped instead.

Needs nothing but Python: it runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_SKIP = "ROUNDS_TEST_ALLOW_SKIP"


def has_postgresql() -> bool:
    """Return whether a PostgreSQL server program is here; Debian keeps it out of PATH."""
    return bool(shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin/postgres")))


def has_chromium() -> bool:
    """Return whether Debian's browser is here."""
    return Path("/usr/bin/chromium").exists()


def has_faketime() -> bool:
    """Return whether the library is here that gives a process another time."""
    return bool([*Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")])


def has_namespaces() -> bool:
    """Return whether the program is here that makes network namespaces."""
    return shutil.which("ip") is not None


def has_npm() -> bool:
    """Return whether the program is here that installs what is written in JavaScript, and with it what runs it."""
    return shutil.which("npm") is not None and shutil.which("node") is not None


# Debian's name of each package, and how to see that it is here.
PACKAGES: dict[str, Callable[[], bool]] = {
    "postgresql": has_postgresql,
    "chromium": has_chromium,
    "iproute2": has_namespaces,
    "faketime": has_faketime,
    "npm": has_npm,
}


def main() -> int:
    """Install or name what is missing; return 0 when the tests can run."""
    missing = [name for name, is_here in PACKAGES.items() if not is_here()]
    if not missing:
        return 0
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.environ.get(_SKIP) == "1":
        print(f"Missing: {', '.join(missing)}. Tests that need it are skipped, because {_SKIP}=1.", file=sys.stderr)
        return 0
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"The tests need {', '.join(missing)}. Run this, then try again:", file=sys.stderr)
        print(f"  sudo {' '.join(command)}", file=sys.stderr)
        return 1
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # Debian's own program with Debian's own names; an old list of packages may still do.
    subprocess.run(["apt-get", "update"], env=environment, check=False)  # noqa: S607
    subprocess.run(command, env=environment, check=True)  # noqa: S603
    still_missing = [name for name in missing if not PACKAGES[name]()]
    if still_missing:
        print(f"Installed, and still not found: {', '.join(still_missing)}.", file=sys.stderr)
    return 1 if still_missing else 0


if __name__ == "__main__":
    sys.exit(main())
