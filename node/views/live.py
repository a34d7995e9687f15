"""`/live`: what an open page is told without being loaded again. An event stream of numbers, no words and no names.

    retry: 5000

    data: {"group":"123","thread":"456","new":2}

    event: end
    data:

`group` and `thread` are what the page that asks has in its own attributes, and `new` how many posts were written there
since. After `end` a browser does not come back by itself. Lines that begin with `:` are for whoever stands between.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from importlib.resources import files

import msgspec
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.reading.live import News
from node.foundation.errors import Busy

from .shell import Shell
from .visitor import Visitor, for_members, read_number

_BEGIN = b"retry: 5000\n\n"
_HEARTBEAT = b":\n\n"
_END = b"event: end\ndata:\n\n"
_TYPE = "text/event-stream"
# Nobody between us and the browser may gather what is to be passed on at once.
_HEADERS = {"X-Accel-Buffering": "no"}


def build_live(house: House, shell: Shell) -> Blueprint:
    """Return the routes of live pages: the stream, and the script that listens."""
    pages = Blueprint("live", __name__)

    @pages.get("/live")
    @for_members(house.core)
    async def live(visitor: Visitor) -> ResponseReturnValue:
        assert visitor.session is not None
        viewer_id, group_id = visitor.member.actor_id, _number("group")
        try:
            await house.live.admit(viewer_id=viewer_id, group_id=group_id)
        except Busy:
            return Response(b"", 503, headers={"Retry-After": "60"})
        if request.method == "HEAD":
            answer = Response(b"", content_type=_TYPE, headers=_HEADERS)
            del answer.headers["Content-Length"]
            return answer
        news = house.live.follow(
            session_id=visitor.session.session_id,
            viewer_id=viewer_id,
            group_id=group_id,
            after_id=_number("after") or 0,
        )
        answer = Response(_write(news), content_type=_TYPE, headers=_HEADERS)
        answer.timeout = None
        return answer

    @pages.get("/static/live.js")
    async def script() -> Response:
        text = files("node.views").joinpath("static/live.js").read_text("utf-8")
        return Response(
            text, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"}
        )

    return pages


async def _write(rounds: AsyncGenerator[list[News] | None, None]) -> AsyncGenerator[bytes, None]:
    """Return the bytes of a stream."""
    begin = _BEGIN
    async with aclosing(rounds):
        async for news in rounds:
            yield begin + (_END if news is None else b"".join(map(_event, news)) or _HEARTBEAT)
            begin = b""


def _event(news: News) -> bytes:
    said = {"group": str(news.group_id), "thread": str(news.root_id), "new": news.posts}
    return b"data: " + msgspec.json.encode(said) + b"\n\n"


def _number(name: str) -> int | None:
    return read_number(request.args.get(name, ""))
