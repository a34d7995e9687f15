"""The first operator: a link that `rounds init` prints, good once and for a day, behind which somebody sets themselves up.

The link works only while nobody operates the node: whoever finds an old one in a scrollback gets nothing by it. What is
kept of it is a hash.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from node.domain.actors import Member
from node.foundation.errors import Conflict, NotFound
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx

from . import repository
from .service import NewMember, check_new_member, draw_member, hash_password, hash_secret, place_member
from .sessions import Preferences, check_preferences

SETUP_LIFE = timedelta(hours=24)
_PURPOSE = "setup"


async def make_setup_link(core: Core, *, by: str) -> str:
    """Return the address where the first operator sets themselves up once, within a day; links made before end.

    Raises:
        Conflict: Somebody operates this node already.
    """
    secret = core.ids.secret()
    await core.store.write(_insert_link, secret, by)
    return f"{core.origin}/set-up/{secret}"


async def is_open(core: Core, secret: str) -> bool:
    """Say whether a set-up link can be used; it is not spent."""
    return await core.store.read(_is_open, hash_secret(secret))


async def set_up(core: Core, secret: str, new: NewMember, wanted: Preferences) -> Member:
    """Spend a set-up link: its holder becomes the node's operator, and reads as they want to.

    Raises:
        Invalid: A value cannot be used; the link stays good.
        Conflict: The handle is taken; the link stays good.
        NotFound: The link is spent, too old or unknown, or somebody operates this node already.
    """
    check_new_member(new)
    check_preferences(wanted)
    assert new.password is not None
    member = draw_member(core, new)
    keys = await asyncio.to_thread(core.keyring.make, member.actor_id, member.uri)
    hashed = await hash_password(core, new.password)
    await core.store.write(_set_up, core, secret, member, core.keyring.seal(keys), hashed, wanted)
    return member


async def _insert_link(tx: Tx, secret: str, by: str) -> None:
    # The audit chain's row is held from here on: nobody becomes operator between the look and the link.
    await write_audit(tx, actor=by, action="node.setup_link", target="setup")
    if await repository.count_operators(tx):
        raise Conflict(
            "Somebody operates this node already. Operators make others; `rounds member reset` helps them in."
        )
    await repository.end_setup_links(tx)
    await repository.insert_link(
        tx,
        token_hash=hash_secret(secret),
        purpose=_PURPOSE,
        actor_id=None,
        detail={},
        expires_at=tx.now + SETUP_LIFE,
    )


async def _is_open(tx: Tx, token_hash: str) -> bool:
    if await repository.count_operators(tx):
        return False
    return await repository.has_setup_link(tx, token_hash=token_hash)


async def _set_up(
    tx: Tx, core: Core, secret: str, member: Member, sealed: list[Any], hashed: str, wanted: Preferences
) -> None:
    await write_audit(tx, actor=member.handle, action="node.set_up", target=member.handle)
    link = await repository.use_link(tx, token_hash=hash_secret(secret))
    if link is None or link.purpose != _PURPOSE or await repository.count_operators(tx):
        raise NotFound("This link cannot be used.")
    if await repository.get_member(tx, handle=member.handle) is not None:
        raise Conflict(f"The handle {member.handle} is taken. Handles are never used twice.")
    await place_member(tx, core, member, sealed, hashed)
    await repository.save_preferences(
        tx,
        actor_id=member.actor_id,
        language=wanted.language,
        time_zone=wanted.time_zone,
        date_style=wanted.date_style,
    )
