"""The synthetic peers as a running process, and what the benchmark can ask of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .nodes import Node
from .peers import Peer

_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class World:
    """All synthetic peers of a scenario, in the order in which they were given."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self.peers = list(peers)

    def state(self) -> list[dict[str, Any]]:
        """Return what happened at each peer since the last reset; see `peer_server.Host.state`."""
        return self._ask("state", None)

    def times(self) -> list[list[float]]:
        """Return when each peer was sent something since the last reset, the last thousand times, by `time.monotonic`."""
        found: list[list[float]] = self._ask("times", None)
        return found

    def reset(self) -> None:
        """Forget what happened so far."""
        self._ask("reset", {})

    def wait_for_posts(self, count: int, *, first: int | None = None, last: int | None = None) -> float:
        """Wait until each peer, or each of the first or last so many, has been sent `count`; return when the last one was.

        The instant is one of `time.monotonic`, which all processes of a machine share.

        Raises:
            TimeoutError: One of them was not.
        """
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            hosts = self.state()[:first][-(last or 0) :]
            if all(host["posts"] >= count for host in hosts):
                return float(max(host["last_at"] for host in hosts))
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError("a peer was not reached")

    def set_mode(self, place: int, mode: str) -> None:
        """Let one peer "take" what comes, "hang" for ever, or be "busy" (503)."""
        self._ask("mode", {"place": place, "mode": mode})

    def follows(self, group_uri: str) -> list[str]:
        """Return the ids of the Follows of a group that came since the last reset."""
        bodies = [json.loads(body) for host in self.state() for body in host["bodies"]]
        return [body["id"] for body in bodies if body["type"] == "Follow" and body["object"] == group_uri]

    def befriend(self, node: Node) -> None:
        """Have a node put every peer on its list."""
        for peer in self.peers:
            node.run("peer", "add", peer.origin, "--unpinned", "--yes")

    def _ask(self, verb: str, body: dict[str, Any] | None) -> list[Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.peers[0].origin}/bench/{verb}", data=data, timeout=30) as answer:
            shown: list[Any] = json.load(answer)
        return shown


@contextlib.contextmanager
def a_world(peers: Sequence[Peer]) -> Iterator[World]:
    """Serve peers in a process of their own until the block ends; their documents are fixed by now."""
    described = [{"fd": peer.listener.fileno(), "documents": peer.documents} for peer in peers]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(described, file)
        file.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.peer_server", file.name],
            cwd=Path(__file__).parent.parent,
            pass_fds=[peer.listener.fileno() for peer in peers],
            stdout=subprocess.PIPE,
        )
        # Listening from here on, so that the first request waits instead of failing.
        for peer in peers:
            peer.listener.listen(512)
        try:
            assert process.stdout is not None
            if process.stdout.readline() != b"ready\n":
                raise RuntimeError("the synthetic peers do not start")
            yield World(peers)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close() if process.stdout else None
            for peer in peers:
                peer.listener.close()
