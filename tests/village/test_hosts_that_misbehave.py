"""A group's host that lies about its history: our node refuses, shows nothing of it, and goes on when it is told the truth.

The host is a `ForeignPeer`: it signs what it likes with the keys it really has.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.foreign import ForeignActor, ForeignPeer, Reply
from tests.support.foreign_papers import PUBLIC, ForeignLog
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


@dataclass
class Scene:
    """Our node with ben in a group of an outside host; and another friend of ours with carol."""

    village: Village
    b: Node
    host: ForeignPeer
    group: ForeignActor
    log: ForeignLog
    other: ForeignPeer

    @property
    def eve(self) -> ForeignActor:
        """Somebody on the host's own node."""
        return self.host.person("eve")

    @property
    def carol(self) -> ForeignActor:
        """Somebody on another peer of ours."""
        return self.other.person("carol")

    def words(self, text: str = "Words", **more: Any) -> dict[str, Any]:
        """Return a post of eve's in the group, as she and her node say it."""
        return self.host.create(self.eve, self.group.uri, text, **more)

    def card(self, actor: ForeignActor, **more: Any) -> dict[str, Any]:
        """Return the group's word about an author."""
        return self.host.activity("Add", self.group, actor.card | more, proved=False, target=f"{self.group.uri}/authors",
                                  to=[f"{self.group.uri}/followers"])  # fmt: skip

    async def bring(self, announce: dict[str, Any], by: ForeignActor | None = None) -> Reply:
        """Bring an Announce to our node, time passing while it waits for what should come before."""
        sending = asyncio.create_task(self.host.send(f"{self.b.origin}/inbox", announce, by or self.group))
        while not sending.done():
            self.village.clock.advance(1)
            await asyncio.wait((sending,), timeout=0.05)
        return sending.result()

    async def tell_the_truth(self, text: str) -> None:
        """Have the host append a post and bring it, and see that our node has it all."""
        reply = await self.bring(self.log.add("create", self.words(text)))
        await self.village.rest()
        assert reply.status == 202
        assert reply.headers["rounds-log"] == self.log.position()


async def _scene(village: Village) -> Scene:
    b = await village.node("hospital")
    await b.member("ben")
    host, other = await village.foreign_friend(b), await village.foreign_friend(b)
    group, log = host.group("ward")
    await village.join_foreign(b, "ben", host, group)
    return Scene(village, b, host, group, log, other)


def _with_object(announce: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an Announce whose activity was changed after everything was signed."""
    changed = copy.deepcopy(announce)
    changed["object"]["object"] |= changes
    return changed


def _resigned(scene: Scene, method: str) -> dict[str, Any]:
    """Return eve's words, changed by the host and proved by its own key under the name of another."""
    document = scene.words("Not what she said")
    lying = copy.copy(scene.group)
    lying.uri = method.partition("#")[0]
    return scene.log.make("create", scene.host.prove(document, lying))


def _by_stranger(scene: Scene, **more: Any) -> dict[str, Any]:
    """Return a post by somebody of whom the log has no card."""
    stranger = ForeignActor("https://unknown.example/people/sam", "Person", "Sam", scene.eve.rsa)
    note = scene.host.note(stranger, scene.group.uri) | {"id": "https://unknown.example/posts/1"}
    create = scene.host.submit("Create", stranger, scene.group.uri, note) | {"id": "https://unknown.example/a/1"}
    return scene.host.prove(create | more, stranger)


def _as_ben(scene: Scene) -> dict[str, Any]:
    """Return a post in the name of our own ben."""
    ben = ForeignActor(scene.b.person("ben"), "Person", "Ben", scene.eve.rsa)
    note = scene.host.note(ben, scene.group.uri) | {"id": f"{scene.b.origin}/posts/{'b' * 26}"}
    create = scene.host.submit("Create", ben, scene.group.uri, note)
    return scene.host.prove(create | {"id": f"{scene.b.origin}/activities/{'b' * 26}"}, ben)


def _forged(scene: Scene, uri: str) -> dict[str, Any]:
    """Return a card that gives somebody else's actor a key of the host's."""
    return scene.card(ForeignActor(uri, "Person", "Forged", scene.eve.rsa))


_Lie = Callable[[Scene], dict[str, Any]]
LIES: dict[str, _Lie] = {
    "a number is left out": lambda s: s.log.make("create", s.words(), seq=s.log.seq + 2),
    "a far number": lambda s: s.log.make("create", s.words(), seq=10_000),
    "prev is altered": lambda s: s.log.make("create", s.words(), prev="f" * 64),
    "a new epoch that does not follow": lambda s: s.log.make("create", s.words(), epoch=2, prev="f" * 64),
    "an epoch before the first": lambda s: s.log.make("create", s.words(), epoch=0),
    "a held number with other content": lambda s: s.log.make("create", s.words("Other"), seq=1,
                                                            prev=s.log.announces[0]["logEntry"]["prev"]),
    "the author's proof is the host's": lambda s: _resigned(s, s.group.uri),
    "the author's proof is the host's under her name": lambda s: _resigned(s, s.eve.uri),
    "there is no proof": lambda s: s.log.make("create", s.host.submit(
        "Create", s.eve, s.group.uri, s.host.note(s.eve, s.group.uri), proved=False)),
    "the words were changed afterwards": lambda s: _with_object(s.log.make("create", s.words()), content="<p>No</p>"),
    "the words were changed and committed to": lambda s: s.log.make("create", _with_object(
        {"object": s.words()}, content="<p>No</p>")["object"]),
    "the entry is signed by another key": lambda s: s.log.make("create", s.words(), key=Ed25519PrivateKey.generate()),
    "the commitment is to something else": lambda s: s.log.make("create", s.words(), commit="a" * 64),
    "the entry names another activity": lambda s: s.log.make("create", s.words(), activity=f"{s.host.origin}/a/1"),
    "the entry is of another group": lambda s: s.log.make("create", s.words(), group=f"{s.host.origin}/groups/other"),
    "the words were said in another group": lambda s: s.log.make(
        "create", s.host.create(s.eve, f"{s.host.origin}/groups/other")),
    "the words were said in another group and this one is named besides": lambda s: s.log.make(
        "create", s.host.create(s.eve, s.group.uri, audience=f"{s.host.origin}/groups/other")),
    "the words were a private message": lambda s: s.log.make("create", s.host.message(s.eve, [s.b.person("ben")])),
    "the words name the public": lambda s: s.log.make("create", s.words(cc=[PUBLIC])),
    "an author without a card": lambda s: s.log.make("create", _by_stranger(s)),
    "a post in the name of our own member": lambda s: s.log.make("create", _as_ben(s)),
    "a card for our own member": lambda s: s.log.make("author", _forged(s, s.b.person("ben"))),
    "a card for nobody of ours": lambda s: s.log.make("author", _forged(s, s.b.person("nobody"))),
    "a card for another peer's member": lambda s: s.log.make("author", _forged(s, s.carol.uri)),
    "a card without a key for another peer's member": lambda s: s.log.make(
        "author", s.card(s.carol, assertionMethod=[])),
    "a card without a key for the host's own member": lambda s: s.log.make(
        "author", s.card(s.eve, assertionMethod=[])),
    "a card that a member gives": lambda s: s.log.make("author", s.host.activity(
        "Add", s.eve, s.eve.card, target=f"{s.group.uri}/authors", to=[s.group.uri])),
    "settings that a member gives": lambda s: s.log.make("settings", s.host.submit(
        "Update", s.eve, s.group.uri, s.group.document)),
    "a kind that does not fit": lambda s: s.log.make("delete", s.words()),
    "a kind that nobody knows": lambda s: s.log.make("surprise", s.words()),
    "words on another origin": lambda s: s.log.make("create", s.words(id=f"{s.other.origin}/posts/1")),
    "words attributed to another": lambda s: s.log.make("create", s.words(attributedTo=s.carol.uri)),
    "words attributed to two": lambda s: s.log.make("create", s.words(attributedTo=[s.eve.uri, s.carol.uri])),
    "the group's words under another's id": lambda s: s.log.make("create", s.host.activity(
        "Create", s.group, s.host.note(s.group, s.group.uri, "Taken") | {"id": f"{s.other.origin}/posts/1"},
        to=[s.group.uri], audience=s.group.uri)),
    "an edit of another's words": lambda s: s.log.make("update", s.host.submit(
        "Update", s.eve, s.group.uri, s.host.note(s.carol, s.group.uri))),
    "a withdrawal of another origin's words": lambda s: s.log.make("delete", s.host.submit(
        "Delete", s.eve, s.group.uri, f"{s.other.origin}/posts/1")),
}  # fmt: skip


async def test_no_lie_of_a_host_is_shown_and_the_truth_is_taken_after_each(village: Village) -> None:
    scene = await _scene(village)
    await scene.tell_the_truth("The first")
    texts = ["The first"]
    for name, lie in LIES.items():
        before = await scene.b.content()

        reply = await scene.bring(lie(scene))
        await village.rest()

        assert reply.status in (400, 409), f"{name}: answered {reply.status}"
        assert await scene.b.content() == before, f"{name}: something was written"
    await scene.tell_the_truth("The last")

    assert [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")] == [*texts, "The last"]


async def test_entries_that_overtake_each_other_are_put_in_order(village: Village) -> None:
    scene = await _scene(village)
    one, two = [scene.log.add("create", scene.words(text)) for text in ("one", "two")]

    alone = await scene.bring(two)
    second, first = await asyncio.gather(*(scene.host.send(f"{scene.b.origin}/inbox", each, scene.group)
                                           for each in (two, one)))  # fmt: skip
    await village.rest()

    assert (alone.status, alone.headers["rounds-log"]) == (409, scene.log.position(0))
    assert (first.status, second.status) == (202, 202)
    assert [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")] == ["one", "two"]


async def test_a_withheld_entry_is_asked_for_and_nothing_behind_it_is_taken(village: Village) -> None:
    scene = await _scene(village)
    one, two, three = [scene.log.add("create", scene.words(text)) for text in ("one", "two", "three")]

    first, third = await scene.bring(one), await scene.bring(three)
    await village.rest()
    meanwhile = [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")]
    answers = [await scene.bring(each) for each in (two, three)]
    await village.rest()

    assert (first.status, third.status) == (202, 409)
    assert third.headers["rounds-log"] == scene.log.position(1)
    assert meanwhile == ["one"]
    assert [answer.status for answer in answers] == [202, 202]
    assert [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")] == ["one", "two", "three"]


async def test_t09_a_replayed_entry_is_acknowledged_and_has_no_second_effect(village: Village) -> None:
    scene = await _scene(village)
    announce = scene.log.add("create", scene.words("once"))

    answers = [await scene.bring(announce) for _ in range(3)]
    await village.rest()

    assert [(answer.status, answer.headers["rounds-log"]) for answer in answers] == [(202, scene.log.position())] * 3
    assert [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")] == ["once"]


async def test_only_the_group_itself_announces_its_entries(village: Village) -> None:
    scene = await _scene(village)
    announce = scene.log.add("create", scene.words())
    before = await scene.b.content()

    replies = [await scene.bring(announce, by) for by in (scene.eve, scene.host.instance)]
    lying = announce | {"actor": scene.eve.uri}
    replies.append(await scene.bring(lying, scene.eve))
    from_elsewhere = await scene.other.send(f"{scene.b.origin}/inbox", announce, scene.carol)

    assert all(reply.status in (400, 403) for reply in [*replies, from_elsewhere])
    assert await scene.b.content() == before


async def test_a_host_speaks_for_none_of_another_hosts_groups(village: Village) -> None:
    scene = await _scene(village)
    circle, circle_log = scene.other.group("circle")
    await village.join_foreign(scene.b, "ben", scene.other, circle)
    carols = scene.other.create(scene.carol, circle.uri, "In the circle")
    announce = circle_log.add("create", carols)
    before = await scene.b.content()

    replies = [await scene.bring(announce, scene.group), await scene.bring(announce | {"actor": scene.group.uri})]
    brought_over = await scene.bring(scene.log.make("author", scene.card(scene.carol)))
    relabelled = await scene.bring(scene.log.make("create", carols))

    assert [reply.status in (400, 403) for reply in replies] == [True, True]
    assert brought_over.status in (202, 400, 409)
    assert relabelled.status in (400, 409)
    assert (await scene.b.content())["posts"] == before["posts"]


async def test_t13_only_the_group_that_was_asked_lets_in(village: Village) -> None:
    b = await village.node("hospital")
    await b.member("ben")
    host, other = await village.foreign_friend(b), await village.foreign_friend(b)
    group, _ = host.group("ward")
    fake, _ = other.group("ward")
    await b.join(group.uri, as_="ben")
    follow = (await host.wait_for("Follow")).document
    before = await b.content()

    for peer, by in ((host, host.person("eve")), (host, host.instance), (other, fake)):
        await peer.send(
            f"{b.origin}/inbox", peer.activity("Accept", by, follow, proved=False, to=[b.person("ben")]), by
        )
    await host.send(
        f"{b.origin}/inbox", host.accept(group, follow | {"id": f"{b.origin}/activities/{'z' * 26}"}), group
    )
    await village.rest()
    unchanged = await b.content()
    await host.send(f"{b.origin}/inbox", host.accept(group, follow), group)
    await village.rest()

    assert unchanged == before
    assert (await b.roster(group.uri))[b.person("ben")]["state"] == "member"


async def test_a_checkpoint_that_the_group_did_not_sign_lets_nobody_in(village: Village) -> None:
    b = await village.node("hospital")
    await b.member("ben")
    host = await village.foreign_friend(b)
    group, log = host.group("ward")
    await b.join(group.uri, as_="ben")
    follow = (await host.wait_for("Follow")).document
    good = log.checkpoint()

    for bad in (good | {"seq": 7}, good | {"chain": "f" * 64}, good | {"group": f"{host.origin}/groups/other"},
                {name: value for name, value in good.items() if name != "proof"}):  # fmt: skip
        await host.send(f"{b.origin}/inbox", host.accept(group, follow, checkpoint=bad), group)
        await village.rest()

        assert (await b.roster(group.uri))[b.person("ben")]["state"] == "requested", bad


PAGES: dict[str, Callable[[Scene, list[dict[str, Any]]], Any]] = {
    "an entry is missing": lambda s, items: [items[0], items[2]],
    "two are swapped": lambda s, items: [items[1], items[0], items[2]],
    "one is of another group": lambda s, items: [items[0] | {"actor": f"{s.host.origin}/groups/other"}, *items[1:]],
    "one has another's proof": lambda s, items: [_resigned(s, s.group.uri), *items[1:]],
    "the words were changed": lambda s, items: [_with_object(items[0], content="<p>No</p>"), *items[1:]],
    "there are far too many": lambda s, items: items * 17,
    "a full page says the same again and again (T40)": lambda s, items: [items[0]] * 50,
    "it is no list": lambda s, items: {"first": items[0]},
    "it holds something else": lambda s, items: ["entry", *items],
}  # fmt: skip


async def test_a_pulled_page_is_checked_like_what_is_delivered(village: Village) -> None:
    b = await village.node("hospital")
    await b.member("ben")
    for number, (name, lie) in enumerate(PAGES.items()):
        host = await village.foreign_friend(b)
        group, log = host.group(f"ward{number}")
        scene = Scene(village, b, host, group, log, host)
        entries = [log.add("create", scene.words(text)) for text in ("one", "two", "three")]
        host.answer_json(f"/groups/ward{number}/log", {"orderedItems": lie(scene, entries)})

        await village.join_foreign(b, "ben", host, group)
        shown = [text.strip() for text in await b.texts(group.uri, as_="ben")]
        asked = len([each for each in host.requests if "/log?" in each.path])
        host.answers.clear()
        await village.pass_time(60)
        again = [(await scene.bring(entry)).status for entry in entries]
        await scene.tell_the_truth("four")

        assert shown in ([], ["one"]), f"{name}: {shown} was shown"
        assert asked < 5, f"{name}: asked {asked} times"
        assert again == [202, 202, 202], f"{name}: {again} when told again"
        read = [text.strip() for text in await b.texts(group.uri, as_="ben")]
        assert read == ["one", "two", "three", "four"], f"{name}: {read} afterwards"


async def test_a_node_far_behind_pulls_page_by_page(village: Village) -> None:
    scene = await _scene(village)
    for number in range(120):
        scene.log.add("create", scene.words(str(number)))

    reply = await scene.host.send(f"{scene.b.origin}/inbox", scene.log.announces[-1], scene.group,
                                  headers={"rounds-log": scene.log.position()})  # fmt: skip
    await village.rest()

    assert reply.status == 409
    assert [text.strip() for text in await scene.b.texts(scene.group.uri, as_="ben")] == [str(n) for n in range(120)]
    pages = [each.path for each in scene.host.requests if "/log?" in each.path]
    assert pages[-3:] == [f"/groups/ward/log?after={after}&limit=50" for after in (0, 50, 100)]
