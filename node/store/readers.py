"""Which nodes hold a group, as its host names them, in the store."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import Tx

_CLEAR_READERS = "DELETE FROM readers WHERE group_id = :group_id"
_INSERT_READER = """INSERT INTO readers (group_id, host, name, operator, members)
  VALUES (:group_id, :host, :name, :operator, :members)"""
_READERS = "SELECT host, name, operator, members FROM readers WHERE group_id = :group_id ORDER BY host"


@dataclass(frozen=True, slots=True)
class Reader:
    """A node that holds a group, as the group's host names it."""

    host: str
    name: str
    operator: str
    members: int


async def replace_readers(tx: Tx, *, group_id: int, readers: list[Reader]) -> None:
    """Set which nodes hold a group."""
    await tx.run(_CLEAR_READERS, group_id=group_id)
    for reader in readers:
        await tx.run(
            _INSERT_READER,
            group_id=group_id,
            host=reader.host,
            name=reader.name,
            operator=reader.operator,
            members=reader.members,
        )


async def list_readers(tx: Tx, *, group_id: int) -> list[Reader]:
    """Return the nodes that hold a group, by host."""
    return [Reader(*row) for row in await tx.all(_READERS, group_id=group_id)]
