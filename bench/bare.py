"""The smallest application a server can run: read the body, answer 202. What it costs is the floor of any inbox.

`python -m bench.bare PORT` serves it exactly as `rounds serve` serves a node.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

Message = MutableMapping[str, Any]


async def application(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
    """Take whatever comes."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvloop.run(uvicorn.Server(config).serve())
