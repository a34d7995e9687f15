"""The words of people's names and of groups' titles, kept with the rows they belong to, so that both are found by them.

A name is found by the first three letters of one of its words, and then compared. Whom a member may see at all is asked in
`profiles`.
"""

from __future__ import annotations

from node.foundation.folding import fold_words

from .engine import Store, Tx

HEAD_LETTERS = 3
_WORDS_LIMIT = 16
_DROP = "DELETE FROM search_names WHERE actor_id = :actor_id"
_ONE = """SELECT a.handle, COALESCE(g.title, a.name) AS name FROM actors a
  LEFT JOIN groups g ON g.group_id = a.actor_id
  WHERE a.actor_id = :actor_id AND a.kind IN ('person', 'group')"""
_PUT = """INSERT INTO search_names (actor_id, word, head) VALUES (:actor_id, :word, :head)
  ON CONFLICT (actor_id, word) DO NOTHING"""
_DROP_GONE = """DELETE FROM search_names
  WHERE NOT EXISTS (SELECT 1 FROM actors a WHERE a.actor_id = search_names.actor_id)"""
_NAMED = "UPDATE settings SET value = value WHERE name = 'search_named_up_to' RETURNING value"
_NOTE_NAMED = "UPDATE settings SET value = :value WHERE name = 'search_named_up_to'"
_NAMING_DONE = "DELETE FROM settings WHERE name = 'search_named_up_to'"
_IS_NAMING = "SELECT value FROM settings WHERE name = 'search_named_up_to'"
_TO_NAME = """SELECT a.actor_id, a.handle, COALESCE(g.title, a.name) AS name FROM actors a
  LEFT JOIN groups g ON g.group_id = a.actor_id
  WHERE a.actor_id > :after_id AND a.kind IN ('person', 'group') ORDER BY a.actor_id LIMIT 500"""


async def index_name(tx: Tx, *, actor_id: int) -> None:
    """Have a person or group be found by the name and handle they have now, and by no earlier ones."""
    actor = await tx.one(_ONE, actor_id=actor_id)
    await tx.run(_DROP, actor_id=actor_id)
    if actor is not None:
        await _put(tx, actor_id=actor_id, name=actor.name, handle=actor.handle)


async def drop_gone_names(tx: Tx) -> None:
    """Forget the names of actors that are not here any more."""
    await tx.run(_DROP_GONE)


async def fill_names(store: Store) -> None:
    """Put in the names that were here before; goes on where it stopped."""
    if await store.read(_is_naming):
        while await store.write(_fill):
            pass


async def _is_naming(tx: Tx) -> bool:
    return await tx.value(_IS_NAMING) is not None


async def _fill(tx: Tx) -> bool:
    """Put in the next names; return whether there may be more. Of several processes one at a time does."""
    named = await tx.value(_NAMED)
    if named is None:
        return False
    actors = await tx.all(_TO_NAME, after_id=int(named))
    for actor in actors:
        await tx.run(_DROP, actor_id=actor.actor_id)
        await _put(tx, actor_id=actor.actor_id, name=actor.name, handle=actor.handle)
    if not actors:
        await tx.run(_NAMING_DONE)
        return False
    await tx.run(_NOTE_NAMED, value=str(actors[-1].actor_id))
    return True


async def _put(tx: Tx, *, actor_id: int, name: str, handle: str) -> None:
    for word in dict.fromkeys(fold_words(f"{name} {handle}")[:_WORDS_LIMIT]):
        await tx.run(_PUT, actor_id=actor_id, word=word, head=word[:HEAD_LETTERS])
