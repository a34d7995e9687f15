"""What a group tells those who may ask to join it: its rules, what it asks of them, and who can read it by now."""

from __future__ import annotations

from node.domain.groups import GroupPaper, size_band

from .engine import Tx

_SET = """INSERT INTO group_papers (group_id, rules, questions) VALUES (:group_id, :rules, :questions)
  ON CONFLICT (group_id) DO UPDATE SET rules = excluded.rules, questions = excluded.questions"""
_GET = "SELECT rules, questions FROM group_papers WHERE group_id = :group_id"
_READERS = """SELECT host, name, members FROM readers WHERE group_id = :group_id ORDER BY host"""


async def set_paper(tx: Tx, *, group_id: int, rules: str, questions: str) -> None:
    """Remember a group's rules and questions, both as lines of text."""
    await tx.run(_SET, group_id=group_id, rules=rules, questions=questions)


async def get_paper(tx: Tx, *, group_id: int) -> GroupPaper:
    """Return what a group hosted here tells those who may ask; of its readers as they were last published."""
    row = await tx.one(_GET, group_id=group_id)
    readers = await tx.all(_READERS, group_id=group_id)
    return GroupPaper(
        rules=row.rules if row else "",
        questions=tuple(row.questions.splitlines()) if row else (),
        nodes=tuple((reader.host, reader.name) for reader in readers),
        band=size_band(sum(int(reader.members) for reader in readers)),
    )
