"""The peers desk: the ledger of trusted nodes, and one node from the first call to the parting. For operators only."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.operating.checks import read_skews
from node.community.peering import lanes, rekey, roundtrip, service
from node.community.peering.countersigning import countersign_peer
from node.community.peering.importing import keep_peer
from node.community.peering.officers import wants_two
from node.community.peering.pages import read_ledger, read_peer
from node.domain.actors import ASSURANCE_LEVELS
from node.domain.peers import Peer, PeerPolicy
from node.federation.nodeinfo import CAPABILITIES
from node.foundation.errors import Invalid, NodeError
from node.foundation.text import clean_line

from .qr import draw_code
from .shell import Shell
from .visitor import Visitor, for_operators, read_form, see
from .words import Words, load_sentences

_SKEW_SECONDS = 60
_WORDS_LIMIT, _REASON_LIMIT, _NUMBER_LIMIT = 400, 500, 20
# What a peer may do, each a yes or no. Not `support`: there is no support desk that it could open.
SWITCHES = ("host_groups", "people_search", "accepts_relayed", "accepts_successor")


def build_peers(house: House, shell: Shell) -> Blueprint:
    """Return the routes of the peers desk."""
    pages = Blueprint("peers", __name__)
    _add_ledger(pages, house, shell)
    _add_ceremony(pages, house, shell)
    _add_agreement(pages, house, shell)
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
    found = await read_peer(house.core, host)
    values = {
        "problem": "",
        "words": "",
        "reason": "",
        "tried": None,
        "is_saved": "saved" in request.args,
        "wanted": None,
        "agreed": _list_agreed(found.peer),
        "switches": SWITCHES,
        "levels": ASSURANCE_LEVELS,
        "capabilities": CAPABILITIES,
        "needs_officers": wants_two(house.core),
        "draw_code": draw_code,
        "say": partial(say_action, visitor.words),
        "skew_minutes": _read_skew(house, found.peer),
        "certificate": house.core.pressure.certificates.get(found.peer.host),
    } | more
    return Response(shell.render(f"operating/{page}.html", visitor, place="peers", page=found, **values), status)


def _read_skew(house: House, peer: Peer) -> int:
    """Return by how many minutes a peer's clock is ahead of ours; 0 where they agree well enough, or none was heard."""
    seconds = read_skews(house.core, house.core.clock.now()).get(peer.peer_id, 0.0)
    return 0 if abs(seconds) < _SKEW_SECONDS else round(seconds / 60)


async def _act(
    house: House,
    shell: Shell,
    visitor: Visitor,
    host: str,
    act: Awaitable[Any],
    *,
    page: str = "peer",
    then: str = "",
    **typed: Any,
) -> Response:
    """Do something about a peer and show its page; if it cannot be done, show `page` with why, and with what was typed."""
    try:
        await act
    except NodeError as error:
        more: dict[str, Any] = {"status": status_of(error), "problem": error.safe} | typed
        return await _show_peer(house, shell, visitor, host, page=page, **more)
    return see(f"/peers/{host}{then}")


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
        service.require_peer(core, host)  # one that is not on the list is absent, not wrong
        words = await _read_words()
        act = service.verify_peer(
            core,
            host,
            fingerprint=words,
            activate=True,
            by=signed_as(house, visitor),
            officer_id=visitor.member.actor_id,
        )
        return await _act(house, shell, visitor, host, act, words=words)

    @pages.post("/peers/<host>/rekey")
    @for_operators(core)
    async def take_key(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        words = await _read_words()
        act = rekey.rekey_peer(
            core, host, fingerprint=words, by=signed_as(house, visitor), officer_id=visitor.member.actor_id
        )
        return await _act(house, shell, visitor, host, act, words=words)

    @pages.post("/peers/<host>/countersign")
    @for_operators(core)
    async def countersign(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        officer_id = visitor.member.actor_id
        act = countersign_peer(core, host, officer_id=officer_id, by=signed_as(house, visitor))
        return await _act(house, shell, visitor, host, act)

    @pages.post("/peers/<host>/again")
    @for_operators(core)
    async def again(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        return await _act(house, shell, visitor, host, rekey.begin_again(core, host, by=signed_as(house, visitor)))

    @pages.post("/peers/<host>/test")
    @for_operators(core)
    async def test(visitor: Visitor, host: str) -> ResponseReturnValue:
        return await _show_peer(house, shell, visitor, host, tried=await roundtrip.test_peer(core, host))


def _add_agreement(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.post("/peers/<host>/policy")
    @for_operators(core)
    async def agree(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        form = await read_form()
        numbers = {name: form.get(name, "").strip()[:_NUMBER_LIMIT] for name in ("retention_days", "agreement_version")}
        wanted: dict[str, Any] = {name: bool(form.get(name)) for name in SWITCHES}
        wanted |= {"minimum_assurance": form.get("minimum_assurance", "")} | numbers

        async def set_policy() -> None:
            values = {name: wanted[name] for name in (*SWITCHES, "minimum_assurance")}
            days = _read_count(visitor.words, numbers["retention_days"])
            agreed = service.require_peer(core, host).policy
            policy = PeerPolicy(**values, support=agreed.support, retention_days=days)
            version = _read_count(visitor.words, numbers["agreement_version"])
            by = signed_as(house, visitor)
            await service.set_policy(core, host, policy, by=by, agreement_version=version)

        return await _act(house, shell, visitor, host, set_policy(), then="?saved=1#policy", wanted=wanted)

    @pages.post("/peers/<host>/lanes")
    @for_operators(core)
    async def retry(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        act = lanes.retry_lanes(core, host, by=signed_as(house, visitor))
        return await _act(house, shell, visitor, host, act, then="#lanes")


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
        reason = _read_reason(await read_form())

        async def pause_peer() -> None:
            if not reason:
                raise Invalid(str(visitor.words("peer_desk.reason_missing")))
            await service.pause_peer(core, host, by=signed_as(house, visitor), reason=reason)

        return await _act(house, shell, visitor, host, pause_peer(), page="pause")

    @pages.post("/peers/<host>/keep")
    @for_operators(core)
    async def keep(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        return await _act(house, shell, visitor, host, keep_peer(core, host, by=signed_as(house, visitor)))

    @pages.post("/peers/<host>/resume")
    @for_operators(core)
    async def resume(visitor: Visitor, host: str) -> ResponseReturnValue:
        service.require_peer(core, host)
        reason = _read_reason(await read_form())
        act = service.resume_peer(core, host, by=signed_as(house, visitor), reason=reason)
        return await _act(house, shell, visitor, host, act)


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
        form = await read_form()
        reason = _read_reason(form)

        async def part_peer() -> None:
            if not form.get("confirm"):
                raise Invalid(str(visitor.words("peer_desk.part_unconfirmed")))
            await service.part_peer(core, host, by=signed_as(house, visitor), reason=reason)

        return await _act(house, shell, visitor, host, part_peer(), page="part", reason=reason)


def _list_agreed(peer: Peer) -> dict[str, Any]:
    """Return what is agreed with a peer as the form shows it."""
    policy = peer.policy
    return {name: getattr(policy, name) for name in SWITCHES} | {
        "minimum_assurance": policy.minimum_assurance,
        "retention_days": "" if policy.retention_days is None else str(policy.retention_days),
        "agreement_version": "" if peer.agreement_version is None else str(peer.agreement_version),
    }


def _read_reason(form: dict[str, str]) -> str:
    return clean_line(form.get("reason", ""), limit=_REASON_LIMIT)


async def _read_words() -> str:
    return (await read_form()).get("words", "").strip()[:_WORDS_LIMIT]


def _read_count(words: Words, text: str) -> int | None:
    """Return a number that was typed, or None where nothing was."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise Invalid(str(words("peer_desk.no_number", text=text)))
    return int(text)
