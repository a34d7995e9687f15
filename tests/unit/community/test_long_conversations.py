"""A conversation shows its newest messages, however long it is and whatever else is said beside it in its thread."""

from __future__ import annotations

from node.community.messages.conversations import read_conversation
from node.store.conversations import find_conversation, note_message
from node.store.engine import Tx
from tests.support.corridor import Corridor

_POST = """INSERT INTO posts (post_id, uri, audience, group_id, author_id, parent_id, root_id, seq, state, title, warning,
   source, html, document, activity_uri, is_pinned, is_locked, published_at, version)
  VALUES (:post_id, :uri, 'people', NULL, :author_id, NULL, 1, NULL, 'live', '', '', '', '', '', :uri, 0, 0, 0, 1)"""
_PERSON = "INSERT INTO post_people (post_id, actor_id) VALUES (:post_id, :actor_id)"


async def _say(tx: Tx, people: list[int], *, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await tx.run(_POST, post_id=number, uri=f"https://home.example/posts/{number}", author_id=people[0])
        for actor_id in people:
            await tx.run(_PERSON, post_id=number, actor_id=actor_id)
    await note_message(tx, conversation_id=last, post_id=last, root_id=1, author_id=people[0], actor_ids=people)


async def _shown(corridor: Corridor, people: list[int]) -> list[int]:
    core, mia = corridor.lone.core, corridor.mia
    found = await core.store.read(lambda tx: find_conversation(tx, viewer_id=mia.actor_id, root_id=1, actor_ids=people))
    assert found is not None
    page = await read_conversation(core, viewer=mia, conversation_id=found.conversation_id)
    return [post.post_id for post in page.messages]


async def test_of_a_very_long_conversation_the_newest_messages_are_shown(corridor: Corridor) -> None:
    two = [corridor.mia.actor_id, corridor.known["fay"].actor_id]
    await corridor.lone.core.store.write(lambda tx: _say(tx, two, first=1, last=2_010))

    assert await _shown(corridor, two) == list(range(1_811, 2_011))


async def test_a_conversation_is_shown_though_much_was_said_to_others_in_its_thread(corridor: Corridor) -> None:
    two = [corridor.mia.actor_id, corridor.known["fay"].actor_id]
    three = [*two, corridor.known["finn"].actor_id]
    await corridor.lone.core.store.write(lambda tx: _say(tx, two, first=1, last=3))
    await corridor.lone.core.store.write(lambda tx: _say(tx, three, first=4, last=210))

    assert await _shown(corridor, two) == [1, 2, 3]
    assert len(await _shown(corridor, three)) == 200


async def test_of_two_messages_at_once_the_later_one_is_the_newest(corridor: Corridor) -> None:
    two = [corridor.mia.actor_id, corridor.known["fay"].actor_id]
    await corridor.lone.core.store.write(lambda tx: _say(tx, two, first=1, last=2))
    await corridor.lone.core.store.write(lambda tx: _say(tx, two, first=4, last=4))
    await corridor.lone.core.store.write(lambda tx: _say(tx, two, first=3, last=3))  # begun before, committed later

    assert await _shown(corridor, two) == [1, 2, 3, 4]
    rows = await corridor.lone.core.store.read(lambda tx: tx.all("SELECT newest_id FROM conversations"))
    assert [row.newest_id for row in rows] == [4]
