"""The peers desk: the ledger of trusted nodes, and one node from the first call to the parting. For operators only."""

from __future__ import annotations

from functools import partial
from typing import Any

from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.peering import service
from node.community.peering.pages import read_ledger, read_peer
from node.foundation.errors import Invalid, NodeError
from node.foundation.text import clean_line

from .shell import Shell
from .visitor import Visitor, for_operators, read_form, see
from .words import Words, load_sentences

_WORDS_LIMIT, _REASON_LIMIT = 400, 500


def build_peers(house: House, shell: Shell) -> Blueprint:
    """Return the routes of the peers desk."""
    pages = Blueprint("peers", __name__)
    _add_ledger(pages, house, shell)
    _add_ceremony(pages, house, shell)
    _add_pauses(pages, house, shell)
    _add_parting(pages, house, shell)
    return pages


def signed_as(house: House, visitor: Visitor) -> str:
    """Return how the audit log names an operator: their address."""
    return f"{visitor.member.handle}@{house.core.host}"


def status_of(error: NodeError) -> int:
    """Return the status of a form that could not be done: 422, unless it was another node that failed."""
    return error.status if error.status >= 500 else 422


def say_action(words: Words, action: str) -> str:
    """Return what an audit row says was done, in words; its code where we have none."""
    if action.startswith("as."):
        return str(words("audit_actions.as", command=action.removeprefix("as.").replace(".", " ")))
    key = f"audit_actions.{action.replace('.', '_')}"
    return str(words(key)) if key in load_sentences("en") else action


async def _show_peer(
    house: House, shell: Shell, visitor: Visitor, host: str, *, page: str = "peer", status: int = 200, **more: Any
) -> Response:
    """Return a page about one peer: "peer", "pause" or "part"."""
    values = {"problem": "", "words": "", "reason": "", "tried": None, "say": partial(say_action, visitor.words)} | more
    found = await read_peer(house.core, host)
    return Response(shell.render(f"operating/{page}.html", visitor, place="peers", page=found, **values), status)


def _add_ledger(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(visitor: Visitor, *, status: int = 200, problem: str = "", host: str = "") -> Response:
        lines = await read_ledger(core)
        text = shell.render(
            "operating/peers.html", visitor, place="peers", lines=lines, problem=problem, wanted_host=host
        )
        return Response(text, status)

    @pages.get("/peers")
    @for_operators(core)
    async def ledger(visitor: Visitor) -> ResponseReturnValue:
        return await show(visitor)

    @pages.post("/peers")
    @for_operators(core)
    async def add(visitor: Visitor) -> ResponseReturnValue:
        host = (await read_form()).get("host", "").strip()[:300]
        try:
            peer = await service.propose_peer(core, host, by=signed_as(house, visitor))
        except NodeError as error:
            return await show(visitor, status=status_of(error), problem=error.safe, host=host)
        return see(f"/peers/{peer.host}")


def _add_ceremony(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/peers/<host>")
    @for_operators(core)
    async def peer(visitor: Visitor, host: str) -> ResponseReturnValue:
        return await _show_peer(house, shell, visitor, host)

    @pages.post("/peers/<host>/confirm")
    @for_operators(core)
    async def confirm(visitor: Visitor, host: str) -> ResponseReturnValue:
        words = (await read_form()).get("words", "").strip()[:_WORDS_LIMIT]
        try:
            await service.verify_peer(core, host, fingerprint=words, activate=True, by=signed_as(house, visitor))
        except NodeError as error:
            service.require_peer(core, host)  # one that is not on the list is absent, not wrong
            return await _show_peer(
                house, shell, visitor, host, status=status_of(error), problem=error.safe, words=words
            )
        return see(f"/peers/{host}")

    @pages.post("/peers/<host>/test")
    @for_operators(core)
    async def test(visitor: Visitor, host: str) -> ResponseReturnValue:
        return await _show_peer(house, shell, visitor, host, tried=await service.test_peer(core, host))


def _add_pauses(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/peers/<host>/pause")
    @for_operators(core)
    async def pause_page(visitor: Visitor, host: str) -> ResponseReturnValue:
        return await _show_peer(house, shell, visitor, host, page="pause")

    @pages.post("/peers/<host>/pause")
    @for_operators(core)
    async def pause(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        _, reason = await _read_reason()
        try:
            if not reason:
                raise Invalid(str(visitor.words("peer_desk.reason_missing")))
            await service.pause_peer(core, host, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            return await _show_peer(house, shell, visitor, host, page="pause", status=422, problem=error.safe)
        return see(f"/peers/{host}")

    @pages.post("/peers/<host>/resume")
    @for_operators(core)
    async def resume(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        _, reason = await _read_reason()
        try:
            await service.resume_peer(core, host, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            return await _show_peer(house, shell, visitor, host, status=422, problem=error.safe)
        return see(f"/peers/{host}")


def _add_parting(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/peers/<host>/part")
    @for_operators(core)
    async def part_page(visitor: Visitor, host: str) -> ResponseReturnValue:
        return await _show_peer(house, shell, visitor, host, page="part")

    @pages.post("/peers/<host>/part")
    @for_operators(core)
    async def part(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        form, reason = await _read_reason()
        try:
            if not form.get("confirm"):
                raise Invalid(str(visitor.words("peer_desk.part_unconfirmed")))
            await service.part_peer(core, host, by=signed_as(house, visitor), reason=reason)
        except NodeError as error:
            return await _show_peer(
                house, shell, visitor, host, page="part", status=422, problem=error.safe, reason=reason
            )
        return see(f"/peers/{host}")


async def _read_reason() -> tuple[dict[str, str], str]:
    form = await read_form()
    return form, clean_line(form.get("reason", ""), limit=_REASON_LIMIT)
