"""The scene of the route tests: one node with members in every state, peers in every state, and one of each private thing.

The group *ward* is listed; its hidden neighbour is *circle*. In both are Ana (owner), Moe (moderator), Mia, and Fay of
friend.example. Otto is a member of the node and of neither; Lena has left; Sven is suspended; Ola is the operator.
ally.example is an active peer without any member.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from node.community.apps.service import register_app
from node.community.groups import service as groups
from node.community.groups import staff
from node.community.members.service import make_reset_link, make_token, suspend_member
from node.community.members.sessions import cookie_name, open_session
from node.community.messages.service import send_message
from node.community.posts.service import create_post, withdraw_post
from node.community.posts.tending import pin_post
from node.community.reading.filters import FilterWish, add_post, create_filter
from node.community.verification.recording import verify_member
from node.community.verification.service import NewApplication, apply, read_own
from node.community.verification.vouching import show_code
from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer
from node.domain.polls import NewPoll
from node.domain.posts import Draft
from node.foundation.clock import Clock
from node.store.actors import get_actor_by_uri
from node.store.conversations import list_conversations
from node.store.engine import Tx
from node.store.files import save_file
from node.store.logs import get_entry
from node.store.media import MediaRow, insert_media
from node.store.notifications import tell
from node.store.objects import find_post
from node.store.probes import erase_probe, put_probe
from node.store.rosters import get_group_by_uri, get_staff_group
from tests.support.databases import Databases
from tests.support.group_life import let_in, make_group
from tests.support.lone_house import ORIGIN, LoneHouse, a_lone_house
from tests.support.requesters import ForeignActor, a_foreign_actor, know_actor, know_peer

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
UPLOAD = PNG + b"on no post"
ABSENT = "a" * 26
WARD, CIRCLE = f"{ORIGIN}/groups/ward", f"{ORIGIN}/groups/circle"
CANARY = "canary-3f9c1b"


@dataclass(slots=True)
class Scene:
    """What stands on the stage.

    post, activity, media: tokens (the R of their URLs) of a post of Mia in ward, of its activity, of its picture.
    upload: the token of a picture that Mia added and that is on no post yet.
    gone, gone_activity: of a post that Mia took back. message: of a private message from Mia to Moe.
    seq: the number of the post's entry. numbers: our own numbers of posts, by what they
    are called here. staff_id: our number of ward's staff room.
    hidden_post: the token of a post of Mia in circle. link: the secret of a one-time link for Otto.
    application: the number of Mia's application to be verified. code: what Otto, who applied too, shows to colleagues.
    wish: what an app asks for, as a query.
    tokens: bearer tokens by handle. cookies: `Cookie` headers of sessions by handle; Sven's is from before.
    """

    lone: LoneHouse
    ward: Group
    circle: Group
    members: dict[str, Member]
    tokens: dict[str, str]
    peers: dict[str, Peer]
    people: dict[str, ForeignActor]
    actors: dict[str, Actor]
    post: str = ""
    post_id: int = 0
    activity: str = ""
    media: str = ""
    upload: str = ""
    gone: str = ""
    gone_activity: str = ""
    message: str = ""
    hidden_post: str = ""
    link: str = ""
    seq: int = 0
    cookies: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    staff_id: int = 0
    application: int = 0
    code: str = ""
    wish: str = ""
    probe: str = ""
    gone_probe: str = ""

    @property
    def app(self) -> Any:
        """The application."""
        return self.lone.app


@asynccontextmanager
async def a_scene(databases: Databases, clock: Clock, **settings: Any) -> AsyncIterator[Scene]:
    """Set the scene on a new node."""
    async with a_lone_house(databases, clock, **settings) as lone:
        yield await furnish(lone)


async def furnish(lone: LoneHouse) -> Scene:
    """Put everybody and everything onto a node."""
    core = lone.core
    members = {handle: await lone.member(handle) for handle in ("ana", "moe", "mia", "otto", "lena", "sven")}
    members["ola"] = await lone.member("ola", role="operator")
    peers, people, actors = {}, {}, {}
    for name, state in _PEERS.items():
        host = f"{name}.example"
        peers[name] = await know_peer(core, host, state=state)
        people[name] = a_foreign_actor(host, "fay")
        actors[name] = await know_actor(core, people[name])
    people["stranger"] = a_foreign_actor("stranger.example", "fay")
    ward = await make_group(lone, "ward", members["ana"], is_hidden=False)
    circle = await make_group(lone, "circle", members["ana"], is_hidden=True)
    for group in (ward, circle):
        for handle in ("moe", "mia", "lena", "sven"):
            await let_in(lone, group, members[handle])
        await let_in(lone, group, actors["friend"], peers["friend"])
        await staff.set_role(
            core, lone.house.tables, owner=members["ana"], group_id=group.group_id,
            actor_id=members["moe"].actor_id, role="moderator", by="ana",
        )  # fmt: skip
    scene = Scene(lone, ward, circle, members, {}, peers, people, actors)
    await _write_posts(scene)
    room = await core.store.read(_staff_room, ward)
    scene.staff_id = room.group_id
    scene.probe, scene.gone_probe = core.ids.token(), core.ids.token()
    await core.store.write(_lay_probes, scene)
    for group in (ward, circle):
        await groups.leave_group(core, lone.house.tables, member=members["lena"], group_id=group.group_id)
    scene.tokens = {handle: await make_token(core, handle, "read write follow", by="a test") for handle in members}
    name = cookie_name(core)
    scene.cookies = {
        handle: f"{name}={await open_session(core, member, agent='')}" for handle, member in members.items()
    }
    scene.link = _token(await make_reset_link(core, "otto", by="a test"))
    await verify_member(core, "mia", "A3", methods=("register", "video"), by="a test", reason="seen")
    scene.numbers |= await _make_filter(core, members["mia"], scene.post_id)
    scene.numbers |= await core.store.write(_tell_moe, scene)
    scene.application = await _apply(core, members["mia"])
    await _apply(core, members["otto"])
    scene.code = _token((await show_code(core, members["otto"])).address)
    back = "elephant://back"
    made = await register_app(core, name="Elephant", redirect_uris=[back], scopes="read", website="")
    scene.wish = urlencode({"client_id": made.app.client_id, "redirect_uri": back, "response_type": "code"})
    await suspend_member(core, "sven", by="a test", reason="")
    members["sven"] = replace(members["sven"], state="suspended")
    return scene


_PEERS = {
    "friend": "active", "ally": "active", "paused": "paused", "parted": "parted", "draft": "draft",
    "verified": "verified",
}  # fmt: skip


async def _write_posts(scene: Scene) -> None:
    """Let Mia post a picture in ward, pin it, and take another post back."""
    lone, mia = scene.lone, scene.members["mia"]
    core, tables = lone.core, lone.house.tables
    scene.media, scene.upload = core.ids.token(), core.ids.token()
    for token, content in ((scene.media, PNG), (scene.upload, UPLOAD)):
        sha256, size = save_file(core, content), len(content)
        row = MediaRow(token, None, None, mia.actor_id, sha256, "image/png", size, 1, 1, "A dot", None, "ready")
        await core.store.write(_insert_media, row)
    draft = Draft(f"Nights are long. {CANARY}", title="Nights", images=(scene.media,))
    posted = await create_post(core, tables, author=mia, group_id=scene.ward.group_id, draft=draft)
    await pin_post(core, tables, staff=scene.members["moe"], post_id=posted.post_id, is_pinned=True)
    gone = await create_post(core, tables, author=mia, group_id=scene.ward.group_id, draft=Draft("Never mind."))
    scene.gone_activity = _token(await core.store.read(_activity_of, scene.ward.uri, gone.seq))
    await withdraw_post(core, tables, author=mia, post_id=gone.post_id)
    scene.post, scene.post_id, scene.seq, scene.gone = (
        _token(posted.uri),
        posted.post_id,
        posted.seq or 0,
        _token(gone.uri),
    )
    scene.activity = _token(await core.store.read(_activity_of, scene.ward.uri, posted.seq))
    hidden = await create_post(core, tables, author=mia, group_id=scene.circle.group_id, draft=Draft(f"Low. {CANARY}"))
    scene.hidden_post = _token(hidden.uri)
    moe = await core.store.read(_actor, scene.members["moe"].uri)
    message = await send_message(core, author=mia, people=[moe], text=f"Between us. {CANARY}")
    scene.message = _token(message)
    scene.numbers = {"": posted.post_id, "gone": gone.post_id, "message": await core.store.read(_number, message)}
    asked = Draft("Twelve hours?", poll=NewPoll(("Yes", "No"), 86_400))
    poll = await create_post(core, tables, author=mia, group_id=scene.circle.group_id, draft=asked)
    scene.numbers["poll"] = poll.post_id


async def _make_filter(core: Any, member: Member, post_id: int) -> dict[str, int]:
    """Make a filter with a keyword and a post; return their numbers."""
    made = await create_filter(core, owner=member, wish=FilterWish("Exams", ("home",), words=((None, "exam", False),)))
    mark = await add_post(core, owner=member, filter_id=made.filter_id, post_id=post_id)
    return {"filter": made.filter_id, "keyword": made.keywords[0].keyword_id, "mark": mark.mark_id}


async def _tell_moe(tx: Tx, scene: Scene) -> dict[str, int]:
    """Tell Moe two things; return their numbers, and that of Mia's conversation with Moe."""
    moe, mia = scene.members["moe"].actor_id, scene.members["mia"].actor_id
    told = {name: scene.lone.core.ids.number() for name in ("notification", "noticed")}
    for number in told.values():
        await tell(tx, notification_id=number, kind="named", actor_ids=[moe], from_id=mia, post_id=scene.post_id,
                   group_id=scene.ward.group_id)  # fmt: skip
    [conversation] = await list_conversations(tx, viewer_id=mia)
    return told | {"conversation": conversation.conversation_id}


async def _apply(core: Any, member: Member) -> int:
    new = NewApplication("physician", "US", "npi", "1234567893", ("video",), "Late evenings suit me.")
    await apply(core, member, new)
    own = await read_own(core, member)
    return own.application.application_id if own.application else 0


async def _lay_probes(tx: Tx, scene: Scene) -> None:
    """Lay the test objects of friend.example and, erased since, of ally.example here."""
    for name, token, text in (("friend", scene.probe, "Here."), ("ally", scene.gone_probe, None)):
        peer = scene.peers[name]
        uri = f"{peer.origin}/probes/{token}"
        await put_probe(tx, peer_id=peer.peer_id, uri=uri, text=text or "")
        if text is None:
            await erase_probe(tx, peer_id=peer.peer_id, uri=uri)


async def _insert_media(tx: Tx, row: MediaRow) -> None:
    await insert_media(tx, row=row)


async def _actor(tx: Tx, uri: str) -> Any:
    return await get_actor_by_uri(tx, uri=uri)


async def _staff_room(tx: Tx, group: Group) -> Any:
    return await get_staff_group(tx, group_id=group.group_id)


async def _number(tx: Tx, uri: str) -> int:
    post = await find_post(tx, uri=uri)
    return int(post.post_id) if post else 0


async def _activity_of(tx: Tx, group_uri: str, seq: int) -> str:
    group = await get_group_by_uri(tx, uri=group_uri)
    entry = await get_entry(tx, group_id=group.group_id if group else 0, seq=seq)
    return entry.activity_uri if entry else ""


def _token(uri: str) -> str:
    return uri.rpartition("/")[2]
