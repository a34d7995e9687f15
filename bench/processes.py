"""What a process and all its children have cost so far, and how much memory they hold. Reads /proc; Linux only."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return user and system time of a process, its living descendants, and its children that have ended."""
    return sum(_own_cpu_seconds(each) for each in list_family(pid))


def pss_bytes(pid: int) -> int:
    """Return the memory of a process and its descendants, shared pages counted by their share."""
    return sum(_own_pss_bytes(each) for each in list_family(pid))


def list_family(pid: int) -> list[int]:
    """Return a process and all its living descendants; nothing when it has ended."""
    if not Path(f"/proc/{pid}").exists():
        return []
    family = [pid]
    for task in _list_tasks(pid):
        for child in _read(f"/proc/{pid}/task/{task}/children").split():
            family += list_family(int(child))
    return family


def _list_tasks(pid: int) -> list[str]:
    try:
        return os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []


def _own_cpu_seconds(pid: int) -> float:
    # The name of the program stands in brackets and may hold blanks; what follows the last bracket does not.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_SECOND if fields else 0.0


def _own_pss_bytes(pid: int) -> int:
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
