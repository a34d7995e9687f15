"""The node's own pages: how it is, and its audit log. For operators only; the desks of peers and members stand beside."""

from __future__ import annotations

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.operating.service import read_audit, read_health
from node.community.peering.pages import read_ledger

from .members_desk import build_members_desk
from .peers import build_peers, say_action
from .shell import Shell
from .visitor import Visitor, for_operators, read_number
from .words import Words

_CHART_WIDTH = 240
_GIGABYTE, _MEGABYTE = 1e9, 1e6


def build_operating(house: House, shell: Shell) -> Blueprint:
    """Return the routes that are for operators."""
    pages = Blueprint("operating", __name__)
    pages.register_blueprint(build_peers(house, shell))
    pages.register_blueprint(build_members_desk(house, shell))
    core = house.core

    @pages.get("/node")
    @for_operators(core)
    async def node(visitor: Visitor) -> ResponseReturnValue:
        health, lines = await read_health(core), await read_ledger(core)
        lines = [line for line in lines if line.peer.state in ("active", "paused")]
        return shell.render(
            "operating/node.html",
            visitor,
            place="node",
            health=health,
            lines=lines,
            is_ready=house.is_ready,
            waits=[(line, bar) for line, bar in zip(lines, lay_bars([line.queued for line in lines]), strict=True)],
            used=round(_CHART_WIDTH * (1 - health.disk.free)),
            size_of=lambda size: say_size(visitor.words, size),
        )

    @pages.get("/node/audit")
    @for_operators(core)
    async def audit(visitor: Visitor) -> ResponseReturnValue:
        page = await read_audit(core, before=read_number(request.args.get("before", "")))
        return shell.render(
            "operating/audit.html",
            visitor,
            place="node",
            page=page,
            say=lambda action: say_action(visitor.words, action),
        )

    return pages


def lay_bars(numbers: list[int]) -> list[int]:
    """Return the width of each bar of a chart, the longest as wide as the chart.

    >>> lay_bars([0, 1, 4])
    [0, 60, 240]
    """
    most = max([*numbers, 1])
    return [round(_CHART_WIDTH * number / most) for number in numbers]


def say_size(words: Words, size_bytes: int) -> str:
    """Return a size as people say it: "3.4 GB"."""
    if size_bytes >= _GIGABYTE:
        return str(words("node_desk.gigabytes", amount=f"{size_bytes / _GIGABYTE:.1f}"))
    return str(words("node_desk.megabytes", amount=f"{size_bytes / _MEGABYTE:.1f}"))
