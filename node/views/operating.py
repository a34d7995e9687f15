"""The node's own pages: how it is, and its audit log. For operators only; the desks of peers and members stand beside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.operating.checks import GOOD, Check, Trouble, look_at_node
from node.community.operating.first_day import read_first_day
from node.community.operating.service import read_audit, read_health, read_traffic
from node.community.peering.pages import PeerLine, own_fingerprint, read_ledger
from node.foundation.fingerprints import fingerprint_words

from .members_desk import build_members_desk
from .peers import build_peers, say_action
from .shell import Shell
from .visitor import Visitor, for_operators, read_number
from .words import Words, load_sentences

_CHART_WIDTH, _CHART_HEIGHT = 240, 60
_GIGABYTE, _MEGABYTE = 1e9, 1e6


@dataclass(frozen=True, slots=True)
class SaidCheck:
    """A check in words. advice: what to do; empty where nothing is."""

    state: str
    sentence: str
    advice: str


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
        checks = look_at_node(core, health, list_troubles(lines), is_working=house.is_ready)
        return shell.render(
            "operating/node.html",
            visitor,
            place="node",
            health=health,
            lines=lines,
            checks=[say_check(visitor.words, check) for check in checks],
            traffic=await read_traffic(core),
            lay_hours=lay_hours,
            waits=[(line, bar) for line, bar in zip(lines, lay_bars([line.queued for line in lines]), strict=True)],
            used=round(_CHART_WIDTH * (1 - health.disk.free)),
            size_of=lambda size: say_size(visitor.words, size),
        )

    @pages.get("/node/first-day")
    @for_operators(core)
    async def first_day(visitor: Visitor) -> ResponseReturnValue:
        page = await read_first_day(core)
        return shell.render(
            "operating/first_day.html",
            visitor,
            place="node",
            page=page,
            checks=[say_check(visitor.words, check) for check in page.checks],
            own=fingerprint_words(await own_fingerprint(core)),
            settings=_settings_of(page.operators),
            operator=core.config.operator,
            contact=core.config.contact,
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


def _settings_of(operators: list[str]) -> str:
    """Return the lines of `rounds.toml` that say who answers for the node, with a number that is nobody's."""
    name = json.dumps(operators[0] if operators else "", ensure_ascii=False)
    return f'operator = {name}\ncontact = "+00 000 000 000"'


def list_troubles(lines: list[PeerLine]) -> list[Trouble]:
    """Return the nodes of the ledger with which something is wrong."""
    return [Trouble(line.peer.name, line.trouble, line.since) for line in lines if line.trouble]


def say_check(words: Words, check: Check) -> SaidCheck:
    """Return a check in the reader's words."""
    values = dict(check.values)
    if "size" in values:
        values["size"] = say_size(words, values["size"])
    advice = "" if check.state == GOOD else _say(words, f"checks.{check.name}_do", values)
    return SaidCheck(check.state, _say(words, f"checks.{check.name}_{check.state}", values), advice)


def _say(words: Words, key: str, values: dict[str, Any]) -> str:
    """Return a sentence; only one that counts is given `n`."""
    n = values.get("n") if isinstance(load_sentences("en")[key], dict) else None
    return words(key, n, **{name: value for name, value in values.items() if name != "n"})


def lay_hours(numbers: list[int]) -> list[tuple[int, int, int]]:
    """Return (x, y, height) of the bar of each hour that has one, the highest as high as the chart.

    >>> lay_hours([0, 1, 60])
    [(11, 62, 1), (21, 3, 60)]
    """
    most = max([*numbers, 1])
    heights = [max(1, round(_CHART_HEIGHT * number / most)) if number else 0 for number in numbers]
    return [(1 + 10 * place, _CHART_HEIGHT + 3 - height, height) for place, height in enumerate(heights) if height]


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
