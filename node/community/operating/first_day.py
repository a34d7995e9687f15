"""The list of a node's first day: what is done and what is left. Looked up anew each time, so it can be gone through again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from node.community.members.service import count_members, list_operator_names
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import list_groups

from .checks import BAD, Check, look_at_machine
from .service import measure_disk


@dataclass(frozen=True, slots=True)
class FirstDay:
    """How far a new node has got.

    steps: (name, whether it is done), in order: contact, machine, peer, group, member.
    checks: what the step "machine" found. operators: names of who operates the node.
    """

    steps: list[tuple[str, bool]]
    checks: list[Check]
    operators: list[str]

    @property
    def left(self) -> int:
        """How many steps are left."""
        return sum(not is_done for _, is_done in self.steps)


async def read_first_day(core: Core) -> FirstDay:
    """Return what is done of a node's first day, now."""
    checks = look_at_machine(core, await asyncio.to_thread(measure_disk, core.data))
    hosted, members, operators = await core.store.read(_read)
    steps = [
        ("contact", bool(core.config.operator and core.config.contact)),
        ("machine", all(check.state != BAD for check in checks)),  # what is to be watched stays so for good
        ("peer", core.peers.count("active") > 0),
        ("group", hosted > 0),
        ("member", members > len(operators)),
    ]
    return FirstDay(steps, checks, operators)


async def _read(tx: Tx) -> tuple[int, int, list[str]]:
    hosted = sum(group.is_local for group in await list_groups(tx))
    return hosted, await count_members(tx), await list_operator_names(tx)
