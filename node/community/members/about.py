"""What a member says of themselves on their profile. Nodes that know them are told; a name is not changed here.

A name was looked at when somebody was let in or verified: who may call themselves otherwise at any time could pass for a
colleague.
"""

from __future__ import annotations

from node.domain.actors import Member
from node.foundation.text import clean_text
from node.outbox.telling import tell_of_keys
from node.store.core import Core
from node.store.engine import Tx
from node.store.own_words import set_about

ABOUT_LIMIT_CHARACTERS = 1000


async def change_about(core: Core, *, member: Member, about: str) -> None:
    """Keep what a member says of themselves, and tell every peer that knows them."""
    cleaned = clean_text(about, limit=ABOUT_LIMIT_CHARACTERS).strip()
    await core.write(_change, core, member.actor_id, cleaned)


async def _change(tx: Tx, core: Core, actor_id: int, about: str) -> None:
    if await set_about(tx, actor_id=actor_id, about=about):
        await tell_of_keys(tx, core, actor_id=actor_id)
