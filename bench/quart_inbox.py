"""A node whose inbox lies inside Quart, to measure what it costs there: `python -m bench.quart_inbox …` as `rounds …`."""

from __future__ import annotations

import sys

from quart import Response, request

from node.__main__ import main
from node.app import Application, Scope
from node.cli import serve
from node.community.house import House
from node.federation.message import Request
from node.inbox.routes import answer_inbox, is_inbox


class InsideQuart(Application):
    """The same application, but that a POST to an inbox goes to Quart, which calls the same handler."""

    def __init__(self, house: House) -> None:
        super().__init__(house)

        self._site.add_url_rule("/inbox", view_func=self._inbox, methods=["POST"])

    async def _inbox(self) -> Response:
        headers = tuple((name.lower(), value.strip()) for name, value in request.headers.items())
        taken = Request("POST", request.full_path.rstrip("?"), headers, bytes(await request.get_data(as_text=False)))
        answer = await answer_inbox(self._core, self._house.receiver, taken)
        return Response(answer.body, answer.status, dict(answer.headers))

    def _is_for_corridor(self, scope: Scope) -> bool:
        return not (scope["method"] == "POST" and is_inbox(scope["path"])) and super()._is_for_corridor(scope)


if __name__ == "__main__":
    setattr(serve, "Application", InsideQuart)  # noqa: B010 the module does not offer the name
    sys.exit(main())
