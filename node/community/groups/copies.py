"""What groups take from the wire, at a member's node: Accept, Reject, Block, Invite, and log entries about the group.

A follow is accepted only by the group itself, for a request that we have on record (T13); a group speaks only for
itself. What the host says of people is kept with the group and never overwrites what their own nodes say.
"""

from __future__ import annotations

from typing import Any

import msgspec

from node.community.purge import purge_group
from node.domain.actors import Actor
from node.domain.groups import HISTORIES, POLICIES, ROLES, Group, Membership, may_become
from node.federation.grouplog.checkpoint import checkpoint_method, read_checkpoint, verify_checkpoint
from node.federation.grouplog.entry import chain_zero
from node.federation.grouplog.position import Position
from node.federation.signatures.keys import load_multikey
from node.federation.vocabulary import ActivityView
from node.foundation.errors import NodeError
from node.foundation.text import clean_line, clean_text
from node.inbox.attested import learn_relayed
from node.inbox.dispatch import Arrival, Done, Dropped, Need, Outcome
from node.inbox.entries import PULL_BELL
from node.store.actors import get_actor_by_uri, insert_actor, list_keys_of, rename_card_actor
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import pull_at
from node.store.notifications import tell_staff
from node.store.objects import find_post
from node.store.readers import Reader, replace_readers
from node.store.rosters import (
    get_group_by_uri,
    get_membership,
    get_membership_by_request,
    has_local_members,
    let_in,
    put_request,
    set_base,
    take_group,
    update_group_settings,
    update_membership_state,
    update_role,
)

from .stubs import ensure_group, learn_card, read_required

NODES_LIMIT = 2000


async def on_accept(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host lets a member of ours in: our copy starts after the checkpoint and is pulled."""
    group = await _group_that_speaks(tx, core, arrival)
    if group is None:
        main = await get_group_by_uri(tx, uri=arrival.actor_uri.removesuffix("/staff"))
        if main is None or main.peer_id != arrival.peer_id or not arrival.actor_uri.endswith("/staff"):
            return None
        group = await ensure_group(tx, core, uri=arrival.actor_uri)
        if group is None:
            return Need(arrival.actor_uri)
    membership = await _membership_accepted(tx, group, arrival)
    if membership is None and group.staff_of is not None:
        membership = await _staff_place(tx, group, arrival)
    if membership is None:
        return Dropped("Nobody here asked to join this group.")
    if membership.is_member:
        return Done()
    if membership.state != "requested":
        # Left, removed, or invited and never asked: nobody is brought in who does not want to be (T13).
        return Dropped("The request was taken back, or never made.")
    try:
        base = await _base(tx, group, arrival)
    except NodeError as error:
        return Dropped(error.safe)
    result = arrival.document.get("result")
    place = result if isinstance(result, dict) else {}
    if not await has_local_members(tx, group_id=group.group_id):
        await set_base(tx, group_id=group.group_id, epoch=base.epoch, seq=base.seq, chain=base.chain)
    role = place.get("role")
    await let_in(
        tx,
        group_id=group.group_id,
        actor_id=membership.actor_id,
        role=role if role in ROLES else "member",
        joined_seq=_number(place.get("joinedSeq"), base.seq),
        visible_after=_number(place.get("visibleAfter"), base.seq),
        decided_by=group.uri,
    )
    await pull_at(tx, group_id=group.group_id, due_at=tx.now)
    tx.after_commit(lambda: core.bell.ring(PULL_BELL))
    return Done()


async def on_reject(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host says no, or not any more: the membership ends, and with the last one our copy of the group."""
    group = await _group_that_speaks(tx, core, arrival)
    if group is None:
        return None
    membership = await _membership_accepted(tx, group, arrival)
    if membership is None:
        return None  # a submission, perhaps: the posts room is asked next
    code, _, sentence = (arrival.view.summary or "").partition(": ")
    state = "banned" if code == "banned" else "removed" if membership.is_member else "rejected"
    if not may_become(membership.state, state):
        return Dropped("The membership is over already.")
    await _end(tx, core, group, membership, state=state, reason=sentence or code)
    return Done()


async def on_block(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """The host bans a member of ours."""
    group = await _group_that_speaks(tx, core, arrival)
    if group is None:
        return None
    actor = await get_actor_by_uri(tx, uri=arrival.view.object_id or "")
    membership = None
    if actor is not None and actor.is_local:
        membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    if membership is None or not may_become(membership.state, "banned"):
        return Dropped("This person is not in the group.")
    await _end(tx, core, group, membership, state="banned", reason=arrival.view.summary or "")
    return Done()


async def on_invite(tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
    """A member of ours is invited into a group; the group itself, or its host, speaks."""
    group_uri = arrival.view.object_id or ""
    peer = core.peers.by_id(arrival.peer_id or 0)
    if peer is None or not group_uri.startswith(f"{peer.origin}/"):
        return Dropped("A group is offered by its own node.")
    invited = await get_actor_by_uri(tx, uri=arrival.view.target or next(iter(arrival.view.to), ""))
    if invited is None or not invited.is_local:
        return Dropped("Nobody here is invited.")
    group = await ensure_group(tx, core, uri=group_uri)
    if group is None:
        return Need(group_uri)
    membership = await get_membership(tx, group_id=group.group_id, actor_id=invited.actor_id)
    if not may_become(membership.state if membership else None, "invited"):
        return Dropped("This person is in the group already, or asked for it.")
    await put_request(
        tx,
        group_id=group.group_id,
        actor_id=invited.actor_id,
        state="invited",
        request_uri=arrival.uri,
        request_document=arrival.text,
    )
    return Done()


async def on_author_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A card makes an author known through the host, unless we know them better."""
    card = arrival.view.object
    if not group.is_local and card is not None:
        await learn_author(tx, core, group=group, card=card)


async def learn_author(tx: Tx, core: Core, *, group: Group, card: dict[str, Any]) -> None:
    """Keep a card's author as "known through" the group's host."""
    uri = str(card["id"])
    handle = clean_line(str(card.get("preferredUsername") or ""), limit=100)
    actor = Actor(
        actor_id=core.ids.number(),
        uri=uri,
        kind="person",
        handle=handle or uri.rpartition("/")[2],
        host=uri.partition("://")[2].partition("/")[0],
        is_local=False,
        known_through=group.host,
        name=clean_line(str(card.get("name") or "")) or handle or uri,
        summary="",
        inbox_uri=None,
    )
    if not await insert_actor(tx, actor=actor) and card.get("name"):
        await rename_card_actor(tx, uri=uri, name=actor.name)
    known = await get_actor_by_uri(tx, uri=uri)
    if known is not None and "assertionMethod" in card:  # a card, not only somebody's id
        await learn_relayed(tx, core, actor=known, card=card, through=group.host)


async def on_readers_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """The host names the nodes that hold the group."""
    target = arrival.document.get("object")
    nodes = target.get("nodes") if isinstance(target, dict) else None
    if not isinstance(nodes, list):
        return
    readers: dict[str, Reader] = {}
    for node in nodes[:NODES_LIMIT]:
        if isinstance(node, dict) and isinstance(node.get("host"), str):
            host = clean_line(node["host"])
            name, operator = clean_line(str(node.get("name") or host)), clean_line(str(node.get("operator") or ""))
            readers[host] = Reader(host, name, operator, _number(node.get("members"), 0))
    await replace_readers(tx, group_id=group.group_id, readers=list(readers.values()))


async def on_settings_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """The host tells the group's settings anew."""
    document = arrival.document.get("object")
    if group.is_local or not isinstance(document, dict):
        return
    policy, history = document.get("joinPolicy"), document.get("historyVisibility")
    await update_group_settings(
        tx,
        group_id=group.group_id,
        title=clean_line(str(document.get("name") or group.title)),
        policy=policy if policy in POLICIES else group.policy,
        is_hidden=document.get("hidden") is True,
        history="since_join" if history == "sinceJoin" else "all" if history in HISTORIES else group.history,
        required_assurance=read_required(document.get("requiredAssurance")),
    )
    await learn_card(tx, group=group, document=document)


async def on_role_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """The owner gave somebody a role; our own members learn theirs from it."""
    actor = await get_actor_by_uri(tx, uri=arrival.view.object_id or "")
    if group.is_local or actor is None:
        return
    role = arrival.document.get("role", "moderator") if arrival.type == "Add" else "member"
    if role in ROLES:
        await update_role(tx, group_id=group.group_id, actor_id=actor.actor_id, role=role)


async def on_offer_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """A request or a report was laid before the staff: staff here hear of it, and can decide about a request too."""
    main = await get_group_by_uri(tx, uri=arrival.actor_uri)
    inner = arrival.view.inner
    if main is None or not isinstance(inner, ActivityView):
        return
    subject = arrival.document.get("subject")
    if not isinstance(subject, dict) or subject.get("id") != inner.actor:
        subject = {"id": inner.actor}
    if not group.is_local:
        await learn_author(tx, core, group=group, card=subject)
    asker = await get_actor_by_uri(tx, uri=inner.actor)
    if asker is None:
        return
    await _tell_staff(tx, core, main, arrival, inner, by=asker)
    if group.is_local or asker.is_local or inner.type not in ("Follow", "Join"):
        return
    await put_request(
        tx,
        group_id=main.group_id,
        actor_id=asker.actor_id,
        state="requested",
        reason=clean_text(inner.content or "", limit=2000),
        request_uri=inner.id,
        request_document=msgspec.json.encode(inner.document).decode(),
    )


async def _tell_staff(tx: Tx, core: Core, group: Group, offer: Arrival, inner: ActivityView, *, by: Actor) -> None:
    kind = {"Follow": "request", "Join": "request", "Flag": "report"}.get(inner.type)
    if kind is None:
        return
    posts = [await find_post(tx, uri=uri) for uri in inner.object_ids[:5]] if kind == "report" else []
    await tell_staff(
        tx,
        notification_id=core.ids.number(),
        kind=kind,
        group_id=group.group_id,
        from_id=by.actor_id,
        activity_uri=offer.uri,
        post_id=next((post.post_id for post in posts if post is not None), None),
    )


async def on_decision_entry(tx: Tx, core: Core, group: Group, seq: int, arrival: Arrival) -> None:
    """Somebody of the staff decided about a request: it is open no more here either."""
    if group.is_local or group.staff_of is None:
        return
    request = await get_membership_by_request(tx, group_id=group.staff_of, request_uri=arrival.view.object_id or "")
    if request is not None and request.state == "requested":
        state = "rejected" if arrival.type == "Reject" else "left"
        await update_membership_state(
            tx, group_id=group.staff_of, actor_id=request.actor_id, state=state, decided_by=arrival.actor_uri
        )


async def _group_that_speaks(tx: Tx, core: Core, arrival: Arrival) -> Group | None:
    """Return the group elsewhere whose own words these are, its row taken."""
    group = await get_group_by_uri(tx, uri=arrival.actor_uri)
    if group is None or group.peer_id is None or group.peer_id != arrival.peer_id:
        return None
    return await take_group(tx, group_id=group.group_id)


async def _membership_accepted(tx: Tx, group: Group, arrival: Arrival) -> Membership | None:
    """Return the membership of ours that an Accept or Reject is about, by the request's id on record here."""
    membership = await get_membership_by_request(tx, group_id=group.group_id, request_uri=arrival.view.object_id or "")
    if membership is None:
        actor = await get_actor_by_uri(tx, uri=arrival.view.object_id or "")
        if actor is not None and actor.is_local and arrival.type == "Reject":
            return await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
    return membership


async def _staff_place(tx: Tx, group: Group, arrival: Arrival) -> Membership | None:
    """A member of a group may be brought into its staff unasked; return their place there, begun now."""
    place = arrival.document.get("result")
    actor = await get_actor_by_uri(tx, uri=str(place.get("object")) if isinstance(place, dict) else "")
    if actor is None or not actor.is_local:
        return None
    main = await get_membership(tx, group_id=group.staff_of or 0, actor_id=actor.actor_id)
    if main is None or not main.is_member:
        return None
    await put_request(tx, group_id=group.group_id, actor_id=actor.actor_id, state="requested")
    return await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)


async def _base(tx: Tx, group: Group, arrival: Arrival) -> Position:
    """Return where our copy begins: at the signed checkpoint, or at the very start where there is none."""
    document = arrival.document.get("checkpoint")
    if document is None:
        return Position(1, 0, chain_zero(group.uri))
    base = read_checkpoint(document, group.uri)
    rows = [row for row in await list_keys_of(tx, actor_id=group.group_id) if row.algorithm == "ed25519"]
    keys = {row.key_id: row.public_key for row in rows if row.state not in ("retired", "revoked")}
    if rows:
        verify_checkpoint(document, load_multikey(keys.get(checkpoint_method(document, group.uri), "")))
    return base


async def _end(tx: Tx, core: Core, group: Group, membership: Membership, *, state: str, reason: str) -> None:
    await update_membership_state(
        tx,
        group_id=group.group_id,
        actor_id=membership.actor_id,
        state=state,
        decided_by=group.uri,
        reason=clean_text(reason, limit=2000),
    )
    if not await has_local_members(tx, group_id=group.group_id):
        await purge_group(tx, core, group_id=group.group_id)


def _number(value: object, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value < 2**53 else otherwise
