"""A PostgreSQL server of our own: a fresh cluster in a temporary folder, reached by socket only.

`initdb` refuses root, so as root everything here runs as the system's `postgres` user. The server is a child of the
test process: it is ended by its number, and ends by itself should that process die.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.memory import find_memory

_HOMES = "/usr/lib/postgresql"
_START_SECONDS = 30
_NOT_FOR_DURABILITY = {"fsync": "off", "full_page_writes": "off"}
_SETTINGS = {
    "listen_addresses": "",
    "deadlock_timeout": "50ms",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
    "timezone": "Pacific/Kiritimati",
}


class PostgresMissing(Exception):
    """There is no PostgreSQL server program on this machine."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server."""

    folder: Path
    process: subprocess.Popen[bytes]

    def address(self, database: str) -> str:
        """Return the address of one of its databases, as a configuration names it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def kill(self) -> None:
        """End every process of the server by force: what it had not written to its files is lost."""
        backends = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.kill()
        for backend in backends:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(backend), signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End the server without waiting for those who are connected."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


@contextmanager
def a_cluster(*, is_durable: bool = False, listen: str = "") -> Iterator[Cluster]:
    """Give a running server, and take it away again with its files.

    Args:
        is_durable: Whether it waits for the disk, as it must for tests that end it by force.
        listen: An address of ours at which machines of the same network reach it, too.

    Raises:
        PostgresMissing: No server program is installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="rounds-pg-", dir=None if is_durable else find_memory()))
    try:
        programs = find_programs()
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        _initialise(programs, folder)
        if listen:
            with (folder / "data" / "pg_hba.conf").open("a") as file:
                file.write("host all all samenet trust\n")
        cluster = start(folder, is_durable=is_durable, listen=listen)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def has_programs() -> bool:
    """Return whether a server program is installed."""
    try:
        find_programs()
    except PostgresMissing:
        return False
    return True


def find_programs() -> Path:
    """Return the folder with the newest server's programs.

    Raises:
        PostgresMissing: There is none.
    """
    homes = sorted(Path(_HOMES).glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if homes:
        return homes[-1].parent
    if (found := shutil.which("postgres")) is not None:
        return Path(found).resolve().parent
    raise PostgresMissing("no PostgreSQL server program was found")


def start(folder: Path, *, is_durable: bool = False, listen: str = "") -> Cluster:
    """Start the server whose files are in `folder`, also after it was ended by force; return when it takes connections."""
    settings = _SETTINGS | {"listen_addresses": listen} | ({} if is_durable else _NOT_FOR_DURABILITY)
    options = [f"--{name}={value}" for name, value in settings.items()]
    command = [str(find_programs() / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options]
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    process = subprocess.Popen(
        [*as_owner(), "--pdeathsig", "QUIT", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,  # Ctrl-C is for pytest, which then ends the server itself
    )
    cluster = Cluster(folder, process)
    _wait_until_ready(cluster)
    return cluster


def _initialise(programs: Path, folder: Path) -> None:
    command = [
        *as_owner(), str(programs / "initdb"), "--pgdata", str(folder / "data"), "--username", "postgres", "--auth", "trust",
        "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _wait_until_ready(cluster: Cluster) -> None:
    """Wait for the word that the server writes into its own file when it takes connections."""
    file = cluster.folder / "data" / "postmaster.pid"
    for _ in range(50 * _START_SECONDS):
        if file.exists() and file.read_text().rstrip().endswith("ready"):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            cluster.process.wait(0.02)
            break
    cluster.stop()
    raise RuntimeError("the PostgreSQL server of the tests does not start")


def as_owner() -> list[str]:
    """Return the beginning of a command that runs as the owner of the cluster."""
    if os.geteuid() != 0:
        return ["setpriv"]
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
