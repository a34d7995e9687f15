"""What staff make of threads, wherever they live: every node shows the same threads under the same titles (wire.md 4.12)."""

from __future__ import annotations

from typing import Any

import pytest

from node.community.members.service import require_member
from node.community.posts import tending
from node.foundation.errors import Forbidden, Invalid
from node.store.progress import advance_position
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

_THREADS = """SELECT p.uri, r.uri AS thread, t.title, o.uri AS origin, s.uri AS summary, t.posts FROM posts p
  JOIN posts r ON r.post_id = p.root_id JOIN threads t ON t.root_id = p.root_id
  LEFT JOIN posts o ON o.post_id = t.from_root_id LEFT JOIN posts s ON s.post_id = t.summary_id ORDER BY p.seq"""


async def _threads(node: Node) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await node.select(_THREADS)]


async def _tend(node: Node, handle: str, uri: str, act: str, **how: Any) -> None:
    """Let a member do what staff do, through the services of the pages."""
    member = await require_member(node.core, handle)
    [row] = await node.select("SELECT post_id FROM posts WHERE uri = :uri", uri=uri)
    await getattr(tending, act)(node.core, node.house.tables, staff=member, post_id=row.post_id, **how)


async def _a_talk(village: Village) -> tuple[Node, Node, dict[str, str]]:
    """Return two nodes with a thread of five: a topic, two answers, and an answer to each; Ben, elsewhere, is staff."""
    a, b, ward = await village.shared_ward()
    await a.run("group", "role", ward, b.person("ben"), "facilitator")
    await village.rest()
    said: dict[str, str] = {}
    for word, node, handle, parent in (
        ("topic", a, "ana", None), ("night", b, "ben", "topic"), ("rota", a, "ana", "topic"), ("swap", b, "ben", "rota"),
        ("sleep", a, "ana", "night"),
    ):  # fmt: skip
        to = {"reply_to": said[parent]} if parent else {"title": "Night shifts"}
        said[word] = (await node.post(ward, word, as_=handle, **to))["uri"]
        await village.rest()
    return a, b, said


async def test_a_facilitator_elsewhere_splits_a_thread_and_every_node_shows_the_same(village: Village) -> None:
    a, b, said = await _a_talk(village)

    await _tend(b, "ben", said["rota"], "split_thread", title="The rota")
    await village.rest()
    late = (await b.post(f"ward@{a.host}", "later", as_="ben", reply_to=said["swap"]))["uri"]
    await village.rest()

    old, new = (said["topic"], None, None, None, 3), (said["rota"], "The rota", said["topic"], None, 3)
    assert await _threads(a) == await _threads(b)
    assert await _threads(a) == [
        (said["topic"], *old), (said["night"], *old), (said["rota"], *new), (said["swap"], *new), (said["sleep"], *old),
        (late, *new),
    ]  # fmt: skip


async def test_what_somebody_has_read_stays_read_when_a_thread_is_split(village: Village) -> None:
    a, b, said = await _a_talk(village)
    [swap] = await b.select("SELECT post_id, root_id, group_id FROM posts WHERE uri = :uri", uri=said["swap"])
    ben = await require_member(b.core, "ben")
    await b.core.store.write(
        advance_position, actor_id=ben.actor_id, group_id=swap.group_id, root_id=swap.root_id, post_id=swap.post_id
    )

    await _tend(a, "ana", said["rota"], "split_thread", title="The rota")
    await village.rest()

    [rota] = await b.select("SELECT post_id FROM posts WHERE uri = :uri", uri=said["rota"])
    found = await b.select("SELECT post_id FROM read_positions WHERE root_id = :root_id", root_id=rota.post_id)
    assert [row.post_id for row in found] == [swap.post_id]


async def test_a_summary_stands_on_every_node_until_it_is_let_go(village: Village) -> None:
    a, b, said = await _a_talk(village)

    await _tend(b, "ben", said["sleep"], "sum_up", is_summary=True)
    await village.rest()
    standing = [{row[4] for row in await _threads(node)} for node in (a, b)]
    await _tend(a, "ana", said["sleep"], "sum_up", is_summary=False)
    await village.rest()

    assert standing == [{said["sleep"]}, {said["sleep"]}]
    assert [{row[4] for row in await _threads(node)} for node in (a, b)] == [{None}, {None}]


async def test_a_summary_that_goes_with_a_split_no_longer_sums_up_the_old_thread(village: Village) -> None:
    a, b, said = await _a_talk(village)
    await _tend(a, "ana", said["swap"], "sum_up", is_summary=True)
    await village.rest()

    await _tend(a, "ana", said["rota"], "split_thread", title="The rota")
    await village.rest()

    assert await _threads(a) == await _threads(b)
    assert {row[4] for row in await _threads(b)} == {None}


async def test_a_plain_member_tends_nothing_and_a_topic_is_one_already(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    topic = (await a.post(ward, "topic", as_="ana", title="Topic"))["uri"]
    answer = (await a.post(ward, "answer", as_="ana", reply_to=topic))["uri"]
    await village.rest()

    for act, how in (("split_thread", {"title": "Mine"}), ("sum_up", {"is_summary": True})):
        with pytest.raises(Forbidden):
            await _tend(b, "ben", answer, act, **how)
        with pytest.raises(Invalid):
            await _tend(a, "ana", topic, act, **how)
    with pytest.raises(Invalid, match="title"):
        await _tend(a, "ana", answer, "split_thread", title=" \u200b ")
    await village.rest()

    assert await _threads(a) == await _threads(b)
    assert {row[1] for row in await _threads(a)} == {topic}


async def test_an_answer_written_while_its_thread_is_split_stands_in_the_same_thread_on_every_node(
    village: Village,
) -> None:
    a, b, said = await _a_talk(village)
    ben = await require_member(b.core, "ben")
    own = b.core.keyring.own

    async def split_before(actor_id: int) -> Any:
        b.core.keyring.own = own
        await _tend(a, "ana", said["rota"], "split_thread", title="The rota")
        await village.rest()
        return await own(actor_id)

    b.core.keyring.own = split_before  # Ben has pressed the button, and his node makes the post
    late = (await b.post(f"ward@{a.host}", "late", as_="ben", reply_to=said["swap"]))["uri"]
    await village.rest()

    assert (late, said["rota"]) in [row[:2] for row in await _threads(a)]
    assert await _threads(a) == await _threads(b)
    found = await b.select(
        """SELECT p.uri FROM followed_threads f JOIN posts p ON p.post_id = f.root_id
          WHERE f.actor_id = :actor_id""",
        actor_id=ben.actor_id,
    )
    assert {row.uri for row in found} == {said["topic"], said["rota"]}
