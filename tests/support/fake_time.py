"""Another time for a process: Debian's libfaketime, which moves the clock that tells dates and leaves the one that measures."""

from __future__ import annotations

from pathlib import Path

import pytest

_LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")


def find_library() -> Path | None:
    """Return the library, or None where it is not installed."""
    found = [Path(folder) / "libfaketimeMT.so.1" for folder in _LIBRARIES]
    return next((path for path in found if path.exists()), None)


def at_another_time(offset: str, *, file: Path | None = None) -> dict[str, str]:
    """Return the variables under which a process lives at another time; the test is skipped where that cannot be.

    Args:
        offset: From now, such as `-7d`, `+10m`, `-30s`.
        file: Says the offset instead, so that it can be changed while the process runs.
    """
    library = find_library()
    if library is None:
        pytest.skip("libfaketime is not installed: run `sudo apt-get install faketime`.")
    said = (
        {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1"}
        if file is not None
        else {"FAKETIME": offset}
    )
    if file is not None:
        file.write_text(f"{offset}\n")
    return {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", **said}
