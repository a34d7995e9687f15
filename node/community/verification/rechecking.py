"""What time does to verifications: they lapse, statements about them are made anew, evidence is forgotten.

That a verification has lapsed holds from its moment on, for everybody who asks; this notes it, and tells peers. A
statement is renewed when half its life is over, so a peer that missed a day or two of ours has one that is good.
"""

from __future__ import annotations

import asyncio

from node.domain.verification import Verification
from node.foundation.errors import NodeError
from node.foundation.logs import get_logger
from node.outbox.attesting import attest
from node.store.actors import get_actor
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx
from node.store.invitations import forget_invitation_notes
from node.store.verifications import (
    list_lapsed,
    list_to_renew,
    list_without_word,
    take_verification,
    update_verification_state,
)

from .recording import tell
from .repository import forget_evidence

LOOK_SECONDS = 3600.0


class Rechecker:
    """Looks after verifications. One per process; two that look at once do no harm."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def run(self) -> None:
        """Look at once and every hour, until cancelled."""
        while True:
            try:
                await self.look()
            except NodeError as error:
                get_logger().error("recheck_failed", code=error.code, reason=error.internal)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Note what lapsed, renew what has lived half its life, forget evidence whose time is over."""
        core = self._core
        for verification in await core.store.read(list_lapsed):
            await core.write(_lapse, core, verification)
        for verification in await core.store.read(list_to_renew):
            await core.write(_renew, core, verification)
        for verification in await core.store.read(list_without_word):
            await core.write(_renew, core, verification)
        await core.store.write(forget_evidence)
        await core.store.write(forget_invitation_notes)


async def _lapse(tx: Tx, core: Core, verification: Verification) -> None:
    current = await take_verification(tx, actor_id=verification.actor_id)
    actor = await get_actor(tx, actor_id=verification.actor_id)
    if current is None or actor is None or current.state != "current" or current.is_current(tx.now):
        return
    await update_verification_state(tx, verification=current, state="ended", by="node")
    await write_audit(tx, actor="node", action="verification.lapsed", target=actor.handle, reason=current.level)
    await tell(tx, core, actor_id=actor.actor_id, member_uri=actor.uri)


async def _renew(tx: Tx, core: Core, verification: Verification) -> None:
    await attest(tx, core, actor_id=verification.actor_id)
