"""Open pages that listen: what each holds, what all of them ask of the store, and how soon they are told."""

from __future__ import annotations

import re
import selectors
import socket
import time
from dataclasses import dataclass

from bench.load import send_all
from bench.nodes import PASSWORD, Node, a_node
from bench.report import Line, line_of
from bench.run import Run
from bench.scenarios.pages import get_page, sign_in

PAGES = 200
OF_A_SESSION = 3
MORE_STATEMENTS_LIMIT = 0.5
MEMORY_LIMIT_KIB = 100.0
LATENCY_LIMIT_SECONDS = 2.0
_SETTLE_SECONDS = 1.5
_PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class _Page:
    """One open stream; `told` is when something new came."""

    connection: socket.socket
    told: float = 0.0


def measure(run: Run) -> list[Line]:
    """Measure on SQLite: one page, then all of them."""
    seconds = 5.0 if run.is_quick else 12.0
    with a_node(run.folder, "live") as node:
        settle(node)
        cookies = [sign_in(node, "dee") for _ in range(PAGES // OF_A_SESSION + 1)]
        pages = [_open(node, cookies[0])]
        time.sleep(_SETTLE_SECONDS)
        alone, before = count_statements(node, seconds), node.memory_bytes
        pages += [_open(node, cookies[number // OF_A_SESSION]) for number in range(1, PAGES)]
        time.sleep(_SETTLE_SECONDS)
        cpu, among_many = node.cpu, count_statements(node, seconds)
        idle, memory = (node.cpu - cpu) * 1000 / seconds, node.memory_bytes
        told = [_tell(node, pages, number) for number in range(run.rounds)]
        for page in pages:
            page.connection.close()
    return [
        Line("memory of an open page", (memory - before) / 1024 / (PAGES - 1), "KiB", limit=MEMORY_LIMIT_KIB),
        Line(f"statements a second with {PAGES} open pages, beyond those with one", among_many - alone, "",
             limit=MORE_STATEMENTS_LIMIT, note=f"{among_many:.1f} against {alone:.1f}"),
        Line(f"a second of {PAGES} pages to which nothing is new", idle, "CPU-ms"),
        line_of(f"until the last of {PAGES} pages is told", [each for each, _ in told], "s", limit=LATENCY_LIMIT_SECONDS),
        line_of("telling one page", [each for _, each in told], "CPU-ms"),
    ]  # fmt: skip


def settle(node: Node) -> None:
    """Make a group in which Ana writes and Dee reads."""
    for handle in ("ana", "dee"):
        node.run("member", "add", handle, "--name", handle.title(), "--password-stdin", text=f"{PASSWORD}\n")
    node.run("group", "create", "ward", "--title", "Ward", "--owner", "ana")
    node.run("group", "join", "ward", "--as", "dee")
    node.run("group", "approve", "ward", f"dee@{node.host}", "--yes")
    node.run("post", "add", "ward", "--as", "ana", "--title", "Nights", text="How do you sleep?")


def _open(node: Node, cookie: str) -> _Page:
    """Open a page of all groups, and the stream that it listens to."""
    text = send_all(node.port, [[get_page(node, "/", cookie)]]).require(200).last_body.decode()
    found = re.search(r'data-after="(\d+)"', text)
    if found is None:
        raise ValueError("the page does not say what it knows of")
    connection = socket.create_connection(("127.0.0.1", node.port), timeout=_PATIENCE_SECONDS)
    connection.sendall(get_page(node, f"/live?after={found[1]}", cookie))
    received = b""
    while b"retry:" not in received:
        received += connection.recv(4096)
        if received and not received.startswith(b"HTTP/1.1 200"):
            raise ValueError(f"no stream: {received[:100]!r}")
    connection.setblocking(False)
    return _Page(connection)


def count_statements(node: Node, seconds: float) -> float:
    """Return how many statements a second the node asks."""
    before = node.status()["counts"]["statements"]
    time.sleep(seconds)
    return float(node.status()["counts"]["statements"] - before) / seconds


def _tell(node: Node, pages: list[_Page], number: int) -> tuple[float, float]:
    """Write a post; return (seconds until every page was told, CPU-ms for each page)."""
    time.sleep(0.3 * number % 1.0)  # somewhere in the second between two rounds
    cpu = node.cpu
    node.run("post", "add", "ward", "--as", "ana", "--title", f"Nights {number}", text="Well.")
    written, waiting = time.monotonic(), selectors.DefaultSelector()
    for page in pages:
        waiting.register(page.connection, selectors.EVENT_READ, page)
    while waiting.get_map():
        ready = waiting.select(_PATIENCE_SECONDS)
        if not ready:
            raise ValueError(f"{len(waiting.get_map())} pages were told nothing")
        for key, _ in ready:
            said = key.data.connection.recv(4096)
            if not said:
                raise ValueError("a stream has ended")
            if b"data: {" in said:
                key.data.told = time.monotonic()
                waiting.unregister(key.fileobj)
    waiting.close()
    return max(page.told for page in pages) - written, (node.cpu - cpu) * 1000 / len(pages)
