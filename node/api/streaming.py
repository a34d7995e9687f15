"""`/api/v1/streaming`: what comes, told as it comes, by websocket or as an event stream.

A websocket carries several streams, which an app asks for in its address or later:

    {"type": "subscribe", "stream": "list", "list": "g5"}
    {"stream": ["list", "g5"], "event": "update", "payload": "{…}"}

A stream of a tag is asked for with `tag`, and tells `["hashtag", "rota"]`.

The token comes in the sub-protocol, which is then echoed, in the address or in a header; browsers can send no header. Neither
is ever logged. Where nothing can be asked for without a member, one is asked for here too.

Spec: Mastodon API, methods/streaming; RFC 6455 §4.2.2; WHATWG HTML, Server-sent events; decision 0025.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import msgspec
from quart import Blueprint, Response, request, websocket

from node.community.house import House
from node.community.posts.listening import Happening, Listener, Noted, Said, Talked
from node.domain.scopes import covers
from node.domain.streams import DIRECT, HASHTAG, LIST, NOTIFICATIONS, SCOPES, USER, Stream
from node.foundation.errors import Forbidden, Invalid, NodeError, NotFound, Unavailable
from node.foundation.logs import get_logger
from node.store.core import Core

from .auth import Caller, admit, authenticate
from .browsing import read_tag
from .entities import Setting
from .entities.ids import list_id, parse_list_id, shared_id, status_id
from .entities.notifications import build_conversation
from .entities.statuses import Shelf
from .errors import OUTSIDE_SCOPE, translate
from .notifications import show_notifications
from .tickets import Tickets

STREAMING_PATH = _PATH = "/api/v1/streaming"
_TYPE = "text/event-stream"
# Nobody between us and the app may gather what is to be passed on at once.
_HEADERS = {"X-Accel-Buffering": "no"}
_BEGIN, _HEARTBEAT = b":)\n\n", b":thump\n\n"
_POLICY_VIOLATION, _GOING_AWAY = 1008, 1001
_UNKNOWN = "This stream is not known here."
_NO_TAG = "Say which tag, without the mark before it."
_MESSAGES_A_MINUTE = 120
_MINUTE_SECONDS = 60.0

Encode = Callable[[Caller, Happening], Any]


class _Wish(msgspec.Struct):
    """What an app says through a websocket."""

    type: str = ""
    stream: str = ""
    list: str | None = None
    tag: str | None = None


def add_streaming(routes: Blueprint, house: House, setting: Setting, tickets: Tickets) -> None:
    """Add the routes of streaming."""
    encode = partial(_encode, house, setting, tickets)
    _add_socket(routes, house, encode)
    _add_events(routes, house, encode)


def _add_socket(routes: Blueprint, house: House, encode: Encode) -> None:
    @routes.websocket(_PATH)
    async def socket() -> Response | None:
        try:
            caller = await _find_caller(house.core)
            listener = await _open(house, caller, is_lasting=True)
        except NodeError as error:
            return translate(error)
        try:
            asked = websocket.args.get("stream", "")
            if asked:
                try:
                    wish = _Wish("subscribe", asked, websocket.args.get("list"), websocket.args.get("tag"))
                    await house.streams.subscribe(listener, _read_stream(caller, wish))
                except NodeError as error:
                    return translate(error)
            offered = websocket.requested_subprotocols
            await websocket.accept(subprotocol=offered[0] if offered else None)
            await _talk(house, caller, listener, encode)
        finally:
            house.streams.close(listener)
        return None


def _add_events(routes: Blueprint, house: House, encode: Encode) -> None:
    @routes.get(f"{_PATH}/health")
    async def health() -> Response:
        await admit(house.core)
        return Response("OK", content_type="text/plain; charset=utf-8")

    @routes.get(_PATH)
    async def chosen() -> Response:
        return await answer(request.args.get("stream", ""))

    @routes.get(f"{_PATH}/user")
    async def user() -> Response:
        return await answer(USER)

    @routes.get(f"{_PATH}/user/notification")
    async def user_notification() -> Response:
        return await answer(NOTIFICATIONS)

    @routes.get(f"{_PATH}/direct")
    async def direct() -> Response:
        return await answer(DIRECT)

    @routes.get(f"{_PATH}/list")
    async def group_list() -> Response:
        return await answer(LIST)

    @routes.get(f"{_PATH}/hashtag")
    async def hashtag() -> Response:
        return await answer(HASHTAG)

    async def answer(name: str) -> Response:
        """Return an event stream."""
        caller = await admit(house.core, authorization=_find_authorization(request))
        stream = _read_stream(caller, _Wish("", name, request.args.get("list"), request.args.get("tag")))
        await house.streams.admit(token_hash=caller.token_hash, viewer_id=caller.member.actor_id, stream=stream)
        if request.method == "HEAD":
            head = Response(b"", content_type=_TYPE, headers=_HEADERS)
            del head.headers["Content-Length"]
            return head
        response = Response(_write(house, caller, stream, encode), content_type=_TYPE, headers=_HEADERS)
        response.timeout = None
        return response


async def _find_caller(core: Core) -> Caller:
    """Return whose token a handshake carries: in a header, in the address, or as its sub-protocol.

    Raises:
        Unauthenticated: None, or one that is not alive.
        Unavailable: The node is away for maintenance; a websocket passes no gate before this.
    """
    if core.pressure.find_maintenance(core.clock.now()) is not None:
        raise Unavailable(internal="maintenance", retry_after_seconds=60)
    header = _find_authorization(websocket)
    if header is None and (offered := websocket.requested_subprotocols):
        header = f"Bearer {offered[0]}"
    return await authenticate(core, header)


def _find_authorization(asked: Any) -> str | None:
    """Return what a handshake or a request says of its token in a header or in its address."""
    token = asked.args.get("access_token")
    return asked.headers.get("Authorization") or (f"Bearer {token}" if token else None)


async def _open(house: House, caller: Caller, *, is_lasting: bool) -> Listener:
    return await house.streams.open(
        token_hash=caller.token_hash,
        viewer_id=caller.member.actor_id,
        hears_notifications=covers(caller.scopes, SCOPES[NOTIFICATIONS]),
        is_lasting=is_lasting,
    )


def _read_stream(caller: Caller, wish: _Wish) -> Stream:
    """Return the stream that an app asks for, if its token may have it.

    Raises:
        Invalid: There is no such stream.
        Forbidden: It is outside the token's scopes.
    """
    scope = SCOPES.get(wish.stream)
    group_id = parse_list_id(wish.list or "") if wish.stream == LIST else None
    if scope is None or (wish.stream == LIST and group_id is None):
        raise Invalid(_UNKNOWN)
    tag = _read_tag(wish.tag or "") if wish.stream == HASHTAG else None
    if not covers(caller.scopes, scope):
        raise Forbidden(OUTSIDE_SCOPE)
    return Stream(wish.stream, group_id, tag)


def _read_tag(text: str) -> str:
    try:
        return read_tag(text)
    except NotFound:
        raise Invalid(_NO_TAG) from None


def _name(stream: Stream) -> list[str]:
    """Return what an app knows a stream by."""
    if stream.group_id is not None:
        return [stream.name, list_id(stream.group_id)]
    return [stream.name] if stream.tag is None else [stream.name, stream.tag]


async def _talk(house: House, caller: Caller, listener: Listener, encode: Encode) -> None:
    """Tell an app of its streams, and hear what it wants, until it goes or is told nothing more."""
    hearing = asyncio.create_task(_hear(house, caller, listener))
    try:
        while not listener.is_over:
            for happening in await listener.wait(at_most_seconds=house.streams.heartbeat_seconds, at_most=1):
                for event, payload in await encode(caller, happening):
                    if not listener.is_over:
                        await _say({"stream": _name(happening.stream), "event": event, "payload": payload})
    finally:
        hearing.cancel()
        await asyncio.wait({hearing})
        if not hearing.cancelled():
            hearing.exception()  # whoever left while we spoke has left
    await websocket.close(_GOING_AWAY if house.streams.is_stopped else _POLICY_VIOLATION)


async def _hear(house: House, caller: Caller, listener: Listener) -> None:
    """Do what an app asks for through its websocket; one that never stops asking is told nothing more."""
    clock = house.core.clock
    began, heard = clock.monotonic(), 0
    while not listener.is_over:
        said = await websocket.receive()
        if clock.monotonic() - began > _MINUTE_SECONDS:
            began, heard = clock.monotonic(), 0
        heard += 1
        if heard > _MESSAGES_A_MINUTE:
            listener.end()
            return
        try:
            wish = msgspec.json.decode(said, type=_Wish)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        try:
            if wish.type == "subscribe":
                await house.streams.subscribe(listener, _read_stream(caller, wish))
            elif wish.type == "unsubscribe":
                listener.drop(_read_stream(caller, wish))
        except NodeError as error:
            await _say({"error": error.safe, "status": 400 if error.status == 422 else error.status})


async def _say(message: dict[str, Any]) -> None:
    await websocket.send(msgspec.json.encode(message).decode())


async def _write(house: House, caller: Caller, stream: Stream, encode: Encode) -> AsyncGenerator[bytes, None]:
    """Return the bytes of an event stream."""
    listener = await _open(house, caller, is_lasting=False)
    try:
        await house.streams.subscribe(listener, stream)
        yield _BEGIN
        while not listener.is_over:
            lines = b""
            for happening in await listener.wait(at_most_seconds=house.streams.heartbeat_seconds):
                for event, payload in await encode(caller, happening):
                    lines += f"event: {event}\ndata: {payload}\n\n".encode()
            if not listener.is_over:
                yield lines or _HEARTBEAT
    finally:
        house.streams.close(listener)


async def _encode(
    house: House, setting: Setting, tickets: Tickets, caller: Caller, happening: Happening
) -> list[tuple[str, str]]:
    """Return (event, payload) of something that happened; nothing where it went away meanwhile."""
    what, picture_url = happening.what, tickets.for_caller(caller)
    if isinstance(what, Said):
        shelf = Shelf(what.reading, setting, picture_url)
        if what.is_change:
            return [("status.update", _as_text(shelf.build_status(what.post)))]
        build = shelf.build_status if what.is_plain else shelf.build_shared
        return [("update", _as_text(build(what.post)))]
    if isinstance(what, Noted):
        shelf = Shelf(what.told.reading, setting, picture_url)
        try:
            shown = await show_notifications(house, caller, what.told, shelf)
        except NodeError as error:
            get_logger().info("streaming_unsaid", code=error.code)
            return []
        return [("notification", _as_text(entity)) for entity in shown]
    if isinstance(what, Talked):
        shelf = Shelf(what.reading, setting, picture_url)
        entity = build_conversation(what.conversation, what.message, shelf, viewer_id=caller.member.actor_id)
        return [("conversation", _as_text(entity))]
    gone = [("delete", status_id(what.post_id))]
    return [("delete", shared_id(what.post_id)), *gone] if what.is_topic else gone


def _as_text(entity: Any) -> str:
    return msgspec.json.encode(entity).decode()
