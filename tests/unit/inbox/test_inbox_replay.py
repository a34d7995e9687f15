"""The same bytes again: at once, later, after a restart, under another signature; one activity has one effect (T09)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from node.store.rosters import get_membership
from tests.support.clock import FrozenClock
from tests.support.corridor import Corridor, a_corridor
from tests.support.databases import Databases
from tests.support.lone_house import a_lone_house
from tests.support.requesters import ask


async def test_t09_the_same_bytes_twice_are_one_post(corridor: Corridor) -> None:
    request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)

    answers = [await corridor.post(request) for _ in range(3)]

    assert [(answer.status, answer.body) for answer in answers] == [(202, b"")] * 3
    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t09_the_same_bytes_at_every_inbox_and_before_anything_was_acted_on_are_one_post(
    corridor: Corridor,
) -> None:
    activity = corridor.fay.post_in(corridor.ward.uri, "Hello")
    targets = ("/inbox", "/people/mia/inbox", "/groups/ward/inbox", "/inbox")

    for target in targets:
        answer = await ask(corridor.lone.app, corridor.fay.deliver(activity, corridor.now, target=target))
        assert answer.status == 202
    await corridor.lone.work()

    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t09_the_same_bytes_after_a_restart_are_one_post(databases: Databases, clock: FrozenClock) -> None:
    async with a_corridor(databases, clock) as corridor:
        request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
        assert (await corridor.post(request)).status == 202
        place = (corridor.lone.core.config.database, corridor.lone.core.data)

    async with a_lone_house(databases, clock, place=place) as again:
        reopened = replace(corridor, lone=again)
        answer = await reopened.post(request)

        assert answer.status == 202
        assert await reopened.texts() == ["<p>Hello</p>"]


async def test_t09_what_was_acknowledged_and_not_acted_on_is_acted_on_after_a_restart(
    databases: Databases, clock: FrozenClock
) -> None:
    async with a_corridor(databases, clock) as corridor:
        request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
        assert (await ask(corridor.lone.app, request)).status == 202
        assert await corridor.texts() == []
        place = (corridor.lone.core.config.database, corridor.lone.core.data)

    async with a_lone_house(databases, clock, place=place) as again:
        reopened = replace(corridor, lone=again)
        await again.work()

        assert await reopened.texts() == ["<p>Hello</p>"]


async def test_t09_the_same_bytes_after_the_window_are_refused(corridor: Corridor) -> None:
    request = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
    corridor.lone.clock.advance(timedelta(hours=13).total_seconds())

    assert (await corridor.post(request)).status == 401
    assert await corridor.texts() == []


async def test_t09_another_body_under_a_taken_id_has_no_effect(corridor: Corridor) -> None:
    first = corridor.fay.post_in(corridor.ward.uri, "Hello")
    second = corridor.fay.post_in(corridor.ward.uri, "Goodbye", number=2) | {"id": first["id"]}

    answers = [await corridor.send(corridor.fay, activity) for activity in (first, second)]

    assert [answer.status for answer in answers] == [202, 202]
    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t09_another_activity_about_a_taken_object_id_has_no_effect(corridor: Corridor) -> None:
    first = corridor.fay.post_in(corridor.ward.uri, "Hello")
    second = corridor.fay.post_in(corridor.ward.uri, "Goodbye", number=2)
    second["object"]["id"] = first["object"]["id"]

    for activity in (first, second):
        await corridor.send(corridor.fay, activity)

    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_t09_what_was_taken_back_does_not_come_back_with_the_same_bytes(corridor: Corridor) -> None:
    created = corridor.fay.deliver(corridor.fay.post_in(corridor.ward.uri, "Hello"), corridor.now)
    uri = corridor.fay.note("", to=[])["id"]
    to = [corridor.ward.uri, f"{corridor.ward.uri}/followers"]
    deleted = corridor.fay.activity("Delete", uri, number="delete", to=to, audience=corridor.ward.uri)

    await corridor.post(created)
    await corridor.send(corridor.fay, deleted)
    answer = await corridor.post(created)

    assert answer.status == 202
    assert await corridor.texts() == [""]


async def test_t09_an_undone_join_does_not_come_back_with_the_same_bytes(corridor: Corridor) -> None:
    follow = corridor.finn.activity("Follow", corridor.ward.uri, number="follow", to=[corridor.ward.uri])
    request = corridor.finn.deliver(follow, corridor.now)
    undo = corridor.finn.activity("Undo", follow, number="undo", to=[corridor.ward.uri])

    await corridor.post(request)
    await corridor.send(corridor.finn, undo)
    before = await corridor.effects()
    await corridor.post(request)

    assert await corridor.effects() == before
    place = await corridor.lone.core.store.read(
        lambda tx: get_membership(tx, group_id=corridor.ward.group_id, actor_id=corridor.known["finn"].actor_id)
    )
    assert place is not None
    assert place.state == "left"
