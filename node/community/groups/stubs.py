"""Groups hosted elsewhere: the card by which we know them before and while a member of ours is in."""

from __future__ import annotations

from typing import Any

import msgspec

from node.domain.actors import ASSURANCE_LEVELS
from node.domain.groups import BANDS, POLICIES, Group, GroupPaper
from node.federation.grouplog.entry import chain_zero
from node.foundation.text import clean_line, clean_text, sanitize_html
from node.store.actors import (
    get_actor,
    get_actor_by_uri,
    get_actor_document,
    update_group_card,
    update_group_document,
)
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_group, get_group_by_uri, insert_group

_STAFF = "/staff"
_PAPER_CHARACTERS = 2000
_PAPER_LINES = 50
_SUMMARY_CHARACTERS = 10_000


async def ensure_group(tx: Tx, core: Core, *, uri: str) -> Group | None:
    """Return a group hosted elsewhere, made from its actor's document; None when that actor must be fetched first."""
    known = await get_group_by_uri(tx, uri=uri)
    if known is not None:
        return known
    actor = await get_actor_by_uri(tx, uri=uri)
    row = await get_actor_document(tx, uri=uri)
    if actor is None or row is None or actor.kind != "group" or actor.is_local or not row.document:
        return None
    peer = core.peers.by_host(actor.host)
    if peer is None:
        return None
    document: dict[str, Any] = msgspec.json.decode(row.document)
    policy = document.get("joinPolicy")
    staff_of = None
    if uri.endswith(_STAFF):
        main = await get_group_by_uri(tx, uri=uri.removesuffix(_STAFF))
        staff_of = main.group_id if main is not None else None
    group = Group(
        group_id=actor.actor_id,
        uri=uri,
        handle=actor.handle,
        host=actor.host,
        is_local=False,
        peer_id=peer.peer_id,
        staff_of=staff_of,
        title=actor.name,
        policy=policy if policy in POLICIES else "request" if document.get("manuallyApprovesFollowers") else "open",
        is_hidden=document.get("hidden") is True,
        history="since_join" if document.get("historyVisibility") == "sinceJoin" else "all",
        new_node_approvals=1,
        epoch=1,
        base_seq=0,
        base_chain=chain_zero(uri),
        head_seq=0,
        head_chain=chain_zero(uri),
        applied_seq=0,
        required_assurance=read_required(document.get("requiredAssurance")),
    )
    await insert_group(tx, group=group)
    return await get_group(tx, group_id=group.group_id)


async def learn_card(tx: Tx, *, group: Group, document: dict[str, Any]) -> None:
    """Take from a group elsewhere what it is called, what it is for, its rules and questions; its keys stay as they are.

    The group's host says so in the log, under the group's key; addresses and keys come from its actor alone.
    """
    actor, row = await get_actor(tx, actor_id=group.group_id), await get_actor_document(tx, uri=group.uri)
    if actor is None or document.get("id") != group.uri:
        return
    name, summary = document.get("name"), document.get("summary")
    name = clean_line(name) if isinstance(name, str) and clean_line(name) else actor.name
    summary = sanitize_html(summary[:_SUMMARY_CHARACTERS]) if isinstance(summary, str) else actor.summary
    await update_group_card(tx, actor_id=group.group_id, name=name, summary=summary)
    if row is None or not row.document:
        return
    paper, known = read_paper(document), msgspec.json.decode(row.document)
    told = {"name": name, "summary": summary, "rules": paper.rules, "questions": list(paper.questions)}
    text = msgspec.json.encode(known | told).decode()
    await update_group_document(tx, actor_id=group.group_id, document=text)


def read_paper(document: dict[str, Any]) -> GroupPaper:
    """Return what a group elsewhere tells those who may ask to join it, cleaned and within bounds."""
    rules, band = document.get("rules"), document.get("sizeBand")
    nodes = [(node.get("host"), node.get("name")) for node in _items(document, "nodes") if isinstance(node, dict)]
    return GroupPaper(
        rules=clean_text(rules, limit=_PAPER_CHARACTERS) if isinstance(rules, str) else "",
        questions=tuple(clean_line(text) for text in _items(document, "questions") if isinstance(text, str)),
        nodes=tuple(
            (clean_line(host), clean_line(name))
            for host, name in nodes
            if isinstance(host, str) and isinstance(name, str)
        ),
        band=band if isinstance(band, str) and band in BANDS else "",
    )


def _items(document: dict[str, Any], name: str) -> list[Any]:
    value = document.get(name)
    return value[:_PAPER_LINES] if isinstance(value, list) else []


def read_required(value: object) -> str:
    """Return the level that a group elsewhere says it asks for; A0 where it says nothing: its host decides anyway."""
    return value if isinstance(value, str) and value in ASSURANCE_LEVELS else "A0"
