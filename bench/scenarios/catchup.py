"""A node that was away while thousands of entries passed, and comes back: two real nodes, the one pulls from the other."""

from __future__ import annotations

import time

from bench.hosted import add_owner
from bench.nodes import Node, NodeFailed, a_running_node, init_node
from bench.report import Line
from bench.run import Run
from bench.seating import write_posts

LEAST_RATE = 300
_SECONDS = 600.0
_LOOK_SECONDS = 0.1


def measure(run: Run) -> list[Line]:
    """Measure how fast entries come to be posts on the node that was away, and what both spend on one."""
    missed = 1_000 if run.is_quick else 5_000
    host_data, away_data = run.folder / "catchup-host", run.folder / "catchup-away"
    host_origin, away_origin = init_node(host_data), init_node(away_data)
    group = f"{host_origin}/groups/ward"
    with a_running_node(host_data, host_origin) as host, a_running_node(away_data, away_origin) as away:
        host.run("peer", "add", away.origin, "--unpinned", "--yes")
        away.run("peer", "add", host.origin, "--unpinned", "--yes")
        add_owner(host)
        add_owner(away, "ben")
        host.run("group", "create", "ward", "--title", "Ward", "--policy", "open", "--owner", "ana")
        host.run("group", "admit", "ward", away.host, "--yes")
        away.run("group", "join", group, "--as", "ben")
        _wait_for(away, group, 1)
        host.wait_at_rest()
    write_posts(host_data, group, "ana", missed)
    with a_running_node(host_data, host_origin) as host:
        head = int(host.ask("group", "show", "ward")["log"]["seq"])
        host_cpu, began = host.cpu, time.monotonic()
        with a_running_node(away_data, away_origin) as away:
            behind = head - _seq(away, group)
            memory, waited = away.memory_bytes, time.monotonic()
            _wait_for(away, group, head)
            status = away.wait_at_rest()
            seconds = time.monotonic() - waited
            grown = (away.memory_bytes - memory) / 1e6
            spent = away.cpu - away.started_cpu_seconds
        started = waited - began
        host_spent = host.cpu - host_cpu
    if status["stored"]["posts"] < missed:
        raise ValueError("not every entry became a post")
    return _lines(run, behind, (seconds, started), spent, host_spent, grown)


def _lines(
    run: Run, behind: int, seconds: tuple[float, float], spent: float, host_spent: float, grown: float
) -> list[Line]:
    limits = run.limits
    floor = 2 * limits.ed25519_verify + 2 * limits.row
    return [
        Line(
            f"catch up with {behind:,} entries", spent * 1000 / behind, "CPU-ms", rate=behind / seconds[0],
            least_rate=LEAST_RATE, floor=floor,
            note=f"{seconds[0]:.1f} s after a start of {seconds[1]:.1f} s, {grown:+.1f} MB",
        ),
        Line("  at the host, which gives pages", host_spent * 1000 / behind, "CPU-ms"),
    ]  # fmt: skip


def _seq(node: Node, group: str) -> int:
    return int(node.ask("group", "show", group)["log"]["seq"])


def _wait_for(node: Node, group: str, seq: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if _seq(node, group) >= seq:
            return
        time.sleep(_LOOK_SECONDS)
    raise NodeFailed(f"the log of {group} does not come to {seq}")
