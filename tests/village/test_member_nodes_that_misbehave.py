"""A member's node that submits what it may not: the host refuses with a reason, writes nothing, and tells nobody else.

The node is a `ForeignPeer`: it signs what it likes with the keys it really has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.foreign_papers import PUBLIC
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")


@dataclass
class Scene:
    """Our host with ana's group and a hidden one, a member node of ours, and the outside node of dora and others."""

    village: Village
    a: Node
    b: Node
    peer: ForeignPeer
    ward: str
    circle: str
    hidden: str
    anas: str
    ednas: str
    locked: str
    elsewhere: str

    @property
    def dora(self) -> ForeignActor:
        """A member of the group."""
        return self.peer.person("dora")

    @property
    def edna(self) -> ForeignActor:
        """Another member, on the same node."""
        return self.peer.person("edna")

    def post(self, **more: Any) -> dict[str, Any]:
        """Return a good Create of dora's, but for what is said otherwise in the post."""
        return self.peer.create(self.dora, self.ward, **more)

    def act(self, verb: str, about: Any, **more: Any) -> dict[str, Any]:
        """Return an activity of dora's for the group."""
        return self.peer.submit(verb, self.dora, self.ward, about, **more)

    def outer(self, **more: Any) -> dict[str, Any]:
        """Return a good Create of dora's, but for what is said otherwise in the activity."""
        return self.peer.prove(self.post() | more, self.dora)

    def changed(self, uri: str, by: ForeignActor | None = None) -> dict[str, Any]:
        """Return an Update of somebody's post by dora."""
        note = self.peer.note(by or self.dora, self.ward, "Changed") | {"id": uri}
        return self.act("Update", note)


async def _scene(village: Village) -> Scene:
    a, b, ward = await village.shared_ward()
    peer = await village.foreign_friend(a)
    people = [peer.person(handle) for handle in ("dora", "edna", "frank")]
    await village.let_foreign_in(a, ward, peer, *people)
    await a.run("group", "remove", ward, people[2].uri, "--reason", "left", "--yes")
    circle = await a.group("circle", owner="ana")
    hidden = await a.group("hidden", owner="ana", hidden=True)
    anas = await a.post(ward, "Ana's words", as_="ana")
    locked = await a.post(ward, "Locked", as_="ana", title="Locked")
    await a.run("post", "lock", locked["uri"], "--as", "ana")
    elsewhere = await a.post(circle, "In the circle", as_="ana")
    ednas = peer.create(people[1], ward, "Edna's words")
    await peer.send(f"{ward}/inbox", ednas, people[1])
    await village.rest()
    return Scene(village, a, b, peer, ward, circle, hidden, anas["uri"], ednas["object"]["id"], locked["uri"],
                 elsewhere["uri"])  # fmt: skip


def _unproved(s: Scene) -> dict[str, Any]:
    return s.peer.submit("Create", s.dora, s.ward, s.peer.note(s.dora, s.ward), proved=False)


def _wrongly_proved(s: Scene) -> dict[str, Any]:
    """Return a post proved by a key that dora's document does not list."""
    other = ForeignActor(s.dora.uri, "Person", "Dora", s.dora.rsa, Ed25519PrivateKey.generate())
    return s.peer.prove(s.post(), other)


_Lie = Callable[[Scene], dict[str, Any]]
# Answered with 202, then with a Reject and its reason.
REFUSED: dict[str, _Lie] = {
    "the public in the activity's to": lambda s: s.outer(to=[s.ward, PUBLIC]),
    "the public in the activity's cc": lambda s: s.outer(cc=[PUBLIC]),
    "the public, shortened": lambda s: s.outer(cc=["as:Public"]),
    "the public in the post's to": lambda s: s.post(to=[s.ward, PUBLIC]),
    "the public in the post's cc": lambda s: s.post(cc=[PUBLIC]),
    "somebody outside the group": lambda s: s.post(cc=["https://elsewhere.example/people/x"]),
    "dora's own followers": lambda s: s.outer(cc=[f"{s.dora.uri}/followers"]),
    "another group in the audience": lambda s: s.post(audience=s.circle),
    "a parent in another group": lambda s: s.post(inReplyTo=s.elsewhere),
    "a parent in a locked thread": lambda s: s.post(inReplyTo=s.locked),
    "an id that is taken": lambda s: s.post(id=s.ednas),
    "an edit of a neighbour's post (T12)": lambda s: s.changed(s.ednas),
    "a withdrawal of ana's post": lambda s: s.act("Delete", s.anas),
    "a removal of ana's post, with a reason": lambda s: s.act("Delete", s.anas, summary="I dislike it."),
    "a withdrawal of a neighbour's post (T12)": lambda s: s.act("Delete", s.ednas),
    "a lock": lambda s: s.act("Lock", s.anas),
    "an unlock": lambda s: s.act("Undo", s.act("Lock", s.locked)),
    "a pin": lambda s: s.act("Add", s.anas, target=f"{s.ward}/featured"),
    "a role": lambda s: s.act("Add", s.dora.uri, target=f"{s.ward}/moderators"),
    "a role taken": lambda s: s.act("Remove", s.a.person("ana"), target=f"{s.ward}/moderators"),
    "a node admitted": lambda s: s.act("Add", f"{s.peer.origin}/actor", target=f"{s.ward}/nodes"),
    "no proof": _unproved,
    "a proof by a key nobody published": _wrongly_proved,
    "a proof by a neighbour": lambda s: s.peer.prove(s.post(), s.edna),
    "a blind copy in the activity (T29)": lambda s: s.outer(bcc=["https://secret.example/people/x"]),
    "a blind copy in the post (T29)": lambda s: s.post(bto=["https://secret.example/people/x"]),
}
# Answered with 400 at once: nobody could have meant it well.
MALFORMED: dict[str, _Lie] = {
    "attributed to a number": lambda s: s.post(attributedTo=1),
    "attributed to a number in words (T2)": lambda s: s.post(attributedTo="1"),
    "attributed to our ana": lambda s: s.post(attributedTo=s.a.person("ana")),
    "attributed to a neighbour": lambda s: s.post(attributedTo=s.edna.uri),
    "attributed to somebody elsewhere": lambda s: s.post(attributedTo=s.b.person("ben")),
    "attributed to two": lambda s: s.post(attributedTo=[s.dora.uri, s.a.person("ana")]),
    "attributed to an object": lambda s: s.post(attributedTo={"type": "Person", "id": s.a.person("ana")}),
    "attributed to nobody": lambda s: s.post(attributedTo=None),
    "something other than a post": lambda s: s.act("Create", {"type": "Tombstone", "id": f"{s.peer.origin}/posts/t"}),
    "an id on our origin": lambda s: s.post(id=f"{s.a.origin}/posts/{'q' * 26}"),
    "an id on another origin": lambda s: s.post(id=f"{s.b.origin}/posts/{'q' * 26}"),
    "an activity's id on our origin": lambda s: s.outer(id=f"{s.a.origin}/activities/{'q' * 26}"),
    "an edit of ana's post": lambda s: s.changed(s.anas),
    "an edit of ana's post in her name": lambda s: s.changed(s.anas, ForeignActor(s.a.person("ana"), "Person", "A",
                                                                               s.dora.rsa)),
    "a neighbour's activity, handed on": lambda s: s.act("Announce", s.peer.create(s.edna, s.ward)),
    "ana's post, handed on": lambda s: s.act("Announce", {"type": "Note", "id": s.anas, "content": "x",
                                                         "attributedTo": s.a.person("ana")}),
}  # fmt: skip


async def test_every_lie_of_a_members_node_is_refused_with_a_reason_and_writes_nothing(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content(), await scene.b.content()
    for name, lie in REFUSED.items():
        activity = lie(scene)

        reply = await scene.peer.send(f"{scene.ward}/inbox", activity, scene.dora)
        await village.rest()

        assert reply.status == 202, f"{name}: answered {reply.status}"
        assert (await scene.a.content(), await scene.b.content()) == before, f"{name}: something was written"
        rejects = [each.document for each in scene.peer.received("Reject") if each.document["object"] == activity["id"]]
        assert [each["actor"] for each in rejects] == [scene.ward], f"{name}: {len(rejects)} refusals came"
        code, _, sentence = rejects[0]["summary"].partition(": ")
        assert code == "refused", name
        assert sentence.endswith("."), name


async def test_an_edit_of_a_post_that_is_not_there_is_refused_after_a_bounded_wait(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content(), await scene.b.content()
    activity = scene.changed(f"{scene.peer.origin}/posts/none")

    await scene.peer.send(f"{scene.ward}/inbox", activity, scene.dora)
    await village.rest()
    at_once = [each for each in scene.peer.received("Reject") if each.document["object"] == activity["id"]]
    for _ in range(9):
        await village.pass_time(13)

    assert at_once == []
    assert [each.document["object"] for each in scene.peer.received("Reject")][-1] == activity["id"]
    assert (await scene.a.content(), await scene.b.content()) == before


async def test_what_contradicts_itself_is_refused_at_once_and_writes_nothing(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content(), await scene.b.content()
    for name, lie in MALFORMED.items():
        reply = await scene.peer.send(f"{scene.ward}/inbox", lie(scene), scene.dora)
        await village.rest()

        assert reply.status == 400, f"{name}: answered {reply.status}"
        assert (await scene.a.content(), await scene.b.content()) == before, f"{name}: something was written"


async def test_the_group_goes_on_for_everybody_after_all_that(village: Village) -> None:
    scene = await _scene(village)
    for lie in [*REFUSED.values(), *MALFORMED.values()]:
        await scene.peer.send(f"{scene.ward}/inbox", lie(scene), scene.dora)
    await village.rest()

    await scene.peer.send(f"{scene.ward}/inbox", scene.post(content="<p>Well said</p>"), scene.dora)
    await village.rest()

    for node, handle in ((scene.a, "ana"), (scene.b, "ben")):
        assert (await node.texts(scene.ward, as_=handle))[-1].strip() == "Well said"
    assert all(lane["error"] is None for lane in (await scene.a.lanes(scene.b)).values())


async def test_t01_nobody_speaks_for_another(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content()
    eves = ForeignActor(scene.a.person("ana"), "Person", "Ana", scene.dora.rsa)
    activities = [
        scene.peer.create(scene.edna, scene.ward),
        scene.peer.create(eves, scene.ward),
        scene.post() | {"actor": scene.b.person("ben")},
        scene.post() | {"actor": [scene.dora.uri, scene.edna.uri]},
        scene.post() | {"actor": scene.ward},
    ]

    replies = [await scene.peer.send(f"{scene.ward}/inbox", activity, scene.dora) for activity in activities]
    await village.rest()

    assert [reply.status for reply in replies] == [403] * len(activities)
    assert await scene.a.content() == before


async def test_who_is_no_member_any_more_or_never_was_is_refused(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content()
    frank, nina = scene.peer.person("frank"), scene.peer.person("nina")

    replies = []
    for who in (frank, nina, scene.peer.instance):
        activity = scene.peer.create(who, scene.ward)
        replies.append(await scene.peer.send(f"{scene.ward}/inbox", activity, who))
        await village.rest()
        rejects = [each.document for each in scene.peer.received("Reject") if each.document["object"] == activity["id"]]

        assert [each["summary"] for each in rejects] == ["refused: Only members of the group write in it."], who.uri
    assert [reply.status for reply in replies] == [202] * 3
    assert await scene.a.content() == before


async def test_a_hidden_group_takes_nothing_and_says_nothing(village: Village) -> None:
    scene = await _scene(village)
    before = await scene.a.content()

    for inbox in (f"{scene.hidden}/inbox", f"{scene.a.origin}/inbox", f"{scene.ward}/inbox"):
        for activity in (scene.peer.create(scene.dora, scene.hidden),
                         scene.peer.activity("Follow", scene.dora, scene.hidden, to=[scene.hidden]),
                         scene.peer.activity("Flag", scene.dora, scene.elsewhere, to=[scene.hidden])):  # fmt: skip
            reply = await scene.peer.send(inbox, activity, scene.dora)
            assert reply.status == (404 if inbox.startswith(scene.hidden) else 202)
    await village.rest()

    assert await scene.a.content() == before
    assert not [each for each in scene.peer.deliveries if scene.hidden in each.body.decode()]


async def test_nobody_decides_in_a_staff_room_who_is_not_staff(village: Village) -> None:
    scene = await _scene(village)
    nina = scene.peer.person("nina")
    follow = scene.peer.activity("Follow", nina, scene.ward, to=[scene.ward])
    await scene.peer.send(f"{scene.ward}/inbox", follow, nina)
    await village.rest()
    before = await scene.a.content()
    staff = f"{scene.ward}/staff"

    for verb in ("Accept", "Reject"):
        decision = scene.peer.activity(verb, scene.dora, follow["id"], to=[staff, f"{staff}/followers"], audience=staff)
        await scene.peer.send(f"{scene.a.origin}/inbox", decision, scene.dora)
    await scene.peer.send(
        f"{scene.a.origin}/inbox", scene.peer.create(scene.dora, staff, "In the staff room"), scene.dora
    )
    await village.rest()

    assert await scene.a.content() == before
    assert (await scene.a.roster(scene.ward))[nina.uri]["state"] == "requested"


async def test_t13_nobody_accepts_their_own_request(village: Village) -> None:
    scene = await _scene(village)
    nina = scene.peer.person("nina")
    follow = scene.peer.activity("Follow", nina, scene.ward, to=[scene.ward])
    await scene.peer.send(f"{scene.ward}/inbox", follow, nina)
    await village.rest()

    for by, actor in ((nina, nina.uri), (scene.peer.instance, scene.peer.instance.uri), (nina, scene.ward)):
        accept = scene.peer.activity("Accept", by, follow, proved=False, to=[scene.ward]) | {"actor": actor}
        await scene.peer.send(f"{scene.a.origin}/inbox", accept, by)
    await village.rest()

    assert (await scene.a.roster(scene.ward))[nina.uri]["state"] == "requested"


async def test_t09_a_submission_sent_twice_is_taken_once(village: Village) -> None:
    scene = await _scene(village)
    create = scene.post()

    replies = [await scene.peer.send(f"{scene.ward}/inbox", create, scene.dora) for _ in range(3)]
    other = scene.peer.prove(create | {"object": create["object"] | {"content": "<p>Other</p>"}}, scene.dora)
    replies.append(await scene.peer.send(f"{scene.ward}/inbox", other, scene.dora))
    await village.rest()

    assert [reply.status for reply in replies] == [202] * 4
    assert [text.strip() for text in await scene.b.texts(scene.ward, as_="ben")].count("Hello") == 1
    assert "Other" not in "".join(await scene.b.texts(scene.ward, as_="ben"))


async def test_t14_deleting_unknown_people_costs_nobody_a_request(village: Village) -> None:
    scene = await _scene(village)
    scene.peer.requests.clear()

    for number in range(50):
        ghost = ForeignActor(f"{scene.peer.origin}/people/ghost{number}", "Person", "Ghost", scene.dora.rsa)
        delete = scene.peer.activity("Delete", ghost, ghost.uri, proved=False, to=[PUBLIC])
        reply = await scene.peer.send(f"{scene.a.origin}/inbox", delete, ghost)
        assert reply.status == 202
    await village.rest()

    assert scene.peer.requests == []
