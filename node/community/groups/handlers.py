"""What groups take from the wire, at the host: Follow, Join, Undo, Leave, and what staff elsewhere decide.

Every refusal goes back as a Reject with a reason, never as silence (wire.md 4.3), but to somebody who may not know that
the group exists.
"""

from __future__ import annotations

from node.community.hosting import judge_level, own_arrival, record
from node.domain.access import may_admit_node, may_moderate, may_own, may_request
from node.domain.actors import Actor, Viewer
from node.domain.audience import Addressed, fits_group
from node.domain.groups import ROLES, Group, may_become
from node.federation.vocabulary import ActivityView
from node.foundation.errors import Conflict
from node.foundation.text import clean_text, html_to_text
from node.inbox.dispatch import Arrival, Done, Dropped, Need, Outcome, Tables
from node.outbox.publish import prove
from node.store.actors import get_actor, get_actor_by_uri
from node.store.assents import give_assent
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import (
    get_group_by_uri,
    get_membership,
    get_membership_by_request,
    get_staff_group,
    has_members_at_host,
    list_groups_of,
    put_request,
    take_group,
)

from . import activities
from .admission import admit, is_admitted
from .hosting import bring_in, find_flaw, give_role, is_known_to, let_in_approved, put_out, refuse

REASON_LIMIT_CHARACTERS = 2000


class GroupHost:
    """The handlers of groups that we host. Holds the tables because what is accepted is applied at once."""

    def __init__(self) -> None:
        self.tables = Tables({}, {})

    async def on_follow(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """Somebody asks to join: let in where the policy is open and their node admitted, else wait for the staff."""
        found = await self._find(tx, core, arrival, arrival.view.object_id)
        if not isinstance(found, tuple):
            return found
        group, actor = found
        if group.is_staff_room:
            return Dropped("Nobody asks to join a staff group.")
        membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
        peer = core.peers.by_id(arrival.peer_id or 0)
        decision = may_request(group, membership, shares_groups=peer is not None and peer.policy.host_groups)
        if not decision:
            if membership is not None and membership.state in ("member", "requested"):
                return Done()  # asked again: the answer they have still stands
            await self._refuse(tx, core, group, actor, arrival, decision.reason)
            return Done()
        level = await judge_level(tx, core, group=group, actor_id=actor.actor_id, is_member=False)
        if not level:
            await self._refuse(tx, core, group, actor, arrival, level.reason)
            return Done()
        was_invited = membership is not None and membership.state == "invited"
        await put_request(
            tx,
            group_id=group.group_id,
            actor_id=actor.actor_id,
            state="requested",
            reason=clean_text(html_to_text(arrival.view.content or ""), limit=REASON_LIMIT_CHARACTERS),
            request_uri=arrival.uri,
            request_document=arrival.text,
        )
        if (group.policy == "open" or was_invited) and await is_admitted(tx, core, group=group, actor=actor):
            await bring_in(tx, core, self.tables, group=group, actor=actor, by="policy")
        else:
            await self.offer_to_staff(tx, core, group, arrival, by=actor)
        return Done()

    async def on_leave(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """A member of a peer leaves: `Undo{Follow}` or `Leave`."""
        target = arrival.view.object_id
        if arrival.type == "Undo":
            inner = arrival.view.inner
            if isinstance(inner, ActivityView) and inner.type in ("Follow", "Join"):
                target = inner.object_id
        found = await self._find(tx, core, arrival, target)
        if not isinstance(found, tuple):
            return None if arrival.type == "Undo" else found
        group, actor = found
        membership = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
        if membership is None or not may_become(membership.state, "left"):
            return Dropped("This person is not in the group.")
        await put_out(tx, core, self.tables, group=group, actor=actor, state="left", by=actor.address, reason="")
        return Done()

    async def on_staff_decision(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """Staff elsewhere accept or reject a request that was laid before them (wire.md 4.12)."""
        staff = await self._staff_addressed(tx, arrival)
        if staff is None or staff.staff_of is None:
            return await self._on_declined(tx, core, arrival) if arrival.type == "Reject" else None
        group = await take_group(tx, group_id=staff.staff_of)
        actor = await get_actor_by_uri(tx, uri=arrival.actor_uri)
        if group is None or actor is None or not await is_known_to(tx, group, actor.host):
            return Dropped("There is no such group for this node.")
        place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
        decision = may_moderate(Viewer(actor.actor_id, actor.uri), place)
        problem = await self._problem(tx, staff, actor, arrival) if decision else decision.reason
        if problem is not None:
            await self._refuse(tx, core, group, actor, arrival, problem)
            return Done()
        request = await get_membership_by_request(tx, group_id=group.group_id, request_uri=arrival.view.object_id or "")
        if request is None or request.state != "requested":
            await self._refuse(tx, core, group, actor, arrival, "This request was decided already.")
            return Done()
        asker = await self._actor(tx, request.actor_id)
        if arrival.type == "Reject":
            note = clean_text(arrival.view.summary or "", limit=REASON_LIMIT_CHARACTERS)
            await put_out(
                tx, core, self.tables, group=group, actor=asker, state="rejected", by=actor.address, reason=note
            )
        elif not (level := await judge_level(tx, core, group=group, actor_id=asker.actor_id, is_member=False)):
            await self._refuse(tx, core, group, actor, arrival, level.reason)
            return Done()
        elif not await is_admitted(tx, core, group=group, actor=asker):
            # Kept until the node is admitted: that is for the owner and facilitators, and may need two of them.
            await give_assent(tx, group_id=group.group_id, subject=asker.uri, voter=actor.uri)
        else:
            await bring_in(tx, core, self.tables, group=group, actor=asker, by=actor.address)
        await self._record_in_staff(tx, core, staff, arrival, kind="update")
        return Done()

    async def _on_declined(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """Somebody elsewhere does not take an invitation: the place that was kept for them goes."""
        for uri in arrival.view.to:
            found = await self._find(tx, core, arrival, uri)
            if not isinstance(found, tuple):
                continue
            group, actor = found
            place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
            if place is not None and place.state == "invited" and place.request_uri == arrival.view.object_id:
                await put_out(
                    tx, core, self.tables, group=group, actor=actor, state="left", by=actor.address, reason=""
                )
                return Done()
        return None

    async def on_staff_change(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """The owner, elsewhere, gives a role or admits a node: `Add` to G/moderators or G/nodes, `Remove` from it."""
        target = arrival.view.target or ""
        group_uri, _, collection = target.rpartition("/")
        if collection not in ("moderators", "nodes"):
            return None
        found = await self._find(tx, core, arrival, group_uri)
        if not isinstance(found, tuple):
            return found
        group, actor = found
        viewer = Viewer(actor.actor_id, actor.uri)
        place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
        decision = may_own(viewer, place) if collection == "moderators" else may_admit_node(viewer, place)
        if not decision:
            await self._refuse(tx, core, group, actor, arrival, decision.reason)
            return Done()
        if collection == "nodes":
            return await self._admit_elsewhere(tx, core, group, actor, arrival)
        return await self._change_role(tx, core, group, actor, arrival)

    async def _admit_elsewhere(self, tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival) -> Outcome:
        origin = (arrival.view.object_id or "").removesuffix("/actor")
        peer = core.peers.active(origin)
        if peer is None or not peer.policy.host_groups or arrival.type != "Add":
            await self._refuse(tx, core, group, actor, arrival, "That node is not a peer of the group's host.")
            return Done()
        who = {"by": actor.address, "because_of": actor.uri, "voter": actor.uri}
        if await admit(tx, core, group=group, peer=peer, **who) == "admitted":
            await let_in_approved(tx, core, self.tables, group=group, peer=peer, by=actor.address)
        return Done()

    async def _change_role(self, tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival) -> Outcome:
        subject = await get_actor_by_uri(tx, uri=arrival.view.object_id or "")
        place = None
        if subject is not None:
            place = await get_membership(tx, group_id=group.group_id, actor_id=subject.actor_id)
        role = arrival.document.get("role", "moderator") if arrival.type == "Add" else "member"
        if subject is None or place is None or not place.is_member or role not in ROLES or place.role == "owner":
            await self._refuse(tx, core, group, actor, arrival, "This role cannot be given.")
            return Done()
        if (problem := await self._problem(tx, group, actor, arrival)) is not None:
            await self._refuse(tx, core, group, actor, arrival, problem)
            return Done()
        await give_role(
            tx, core, self.tables, group=group, actor=subject, membership=place, role=role, by=actor.address
        )
        current = await take_group(tx, group_id=group.group_id)
        assert current is not None
        await record(tx, core, self.tables, group=current, kind="role", arrival=arrival)
        return Done()

    async def on_person_gone(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """Somebody's account on a peer is gone: they leave every group hosted here; their posts stay under their name."""
        if arrival.view.object_id != arrival.actor_uri:
            return None
        actor = await get_actor_by_uri(tx, uri=arrival.actor_uri)
        if actor is None or actor.is_local:
            return None
        for group in await list_groups_of(tx, actor_id=actor.actor_id):
            held = await take_group(tx, group_id=group.group_id) if group.is_local else None
            place = await get_membership(tx, group_id=group.group_id, actor_id=actor.actor_id)
            if held is not None and place is not None and place.is_member:
                await put_out(tx, core, self.tables, group=held, actor=actor, state="left", by=actor.address, reason="")
        return Done()

    async def on_flag(self, tx: Tx, core: Core, arrival: Arrival) -> Outcome | None:
        """A report goes before the staff of the group it is about."""
        for uri in (*arrival.view.audience, *arrival.view.to):
            found = await self._find(tx, core, arrival, uri)
            if not isinstance(found, tuple) and found is not None:
                return found
            if found is None or found[0].is_staff_room:
                continue
            group, actor = found
            if not await has_members_at_host(tx, group_id=group.group_id, host=actor.host):
                await self._refuse(tx, core, group, actor, arrival, "Only members of the group report in it.")
            else:  # the node itself may speak for a reporter, as Mastodon's does
                await self.offer_to_staff(tx, core, group, arrival, by=actor)
            return Done()
        return None

    async def offer_to_staff(self, tx: Tx, core: Core, group: Group, arrival: Arrival, *, by: Actor) -> None:
        """Lay something before the staff: an `Offer` in the log of the companion group, with the name of who it is by."""
        staff = await get_staff_group(tx, group_id=group.group_id)
        if staff is None:
            return
        held = await take_group(tx, group_id=staff.group_id)
        assert held is not None
        offered = {name: value for name, value in arrival.document.items() if name != "proof"}
        offer = activities.build_offer(core, group, offered, held.uri, by=by)
        proved = prove(core, core.keyring.at_hand(group.group_id), offer)
        await record(tx, core, self.tables, group=held, kind="create", arrival=own_arrival(proved))

    async def _record_in_staff(self, tx: Tx, core: Core, staff: Group, arrival: Arrival, *, kind: str) -> None:
        held = await take_group(tx, group_id=staff.group_id)
        assert held is not None
        await record(tx, core, self.tables, group=held, kind=kind, arrival=arrival)

    async def _problem(self, tx: Tx, group: Group, actor: Actor, arrival: Arrival) -> str | None:
        """Return why an activity cannot stand in a group's log, where every member's node judges it again."""
        view = arrival.view
        addressed = Addressed(frozenset((*view.to, *view.cc)), next(iter(view.audience), None))
        return fits_group(addressed, group.uri) or await find_flaw(tx, arrival, actor)

    async def _staff_addressed(self, tx: Tx, arrival: Arrival) -> Group | None:
        for uri in (*arrival.view.audience, *arrival.view.to):
            group = await get_group_by_uri(tx, uri=uri)
            if group is not None and group.is_local and group.is_staff_room:
                return group
        return None

    async def _find(
        self, tx: Tx, core: Core, arrival: Arrival, group_uri: str | None
    ) -> tuple[Group, Actor] | Outcome | None:
        """Return the group hosted here with its row taken, and the actor; None when the activity is for no such group."""
        group = await get_group_by_uri(tx, uri=group_uri or "")
        if group is None or not group.is_local:
            return None
        actor = await get_actor_by_uri(tx, uri=arrival.actor_uri)
        if actor is None:
            return Need(arrival.actor_uri)
        if not await is_known_to(tx, group, actor.host):
            return Dropped("A hidden group is not known to this node.")
        held = await take_group(tx, group_id=group.group_id)
        return None if held is None else (held, actor)

    async def _actor(self, tx: Tx, actor_id: int) -> Actor:
        actor = await get_actor(tx, actor_id=actor_id)
        if actor is None:
            raise Conflict(internal=f"no actor {actor_id}")
        return actor

    async def _refuse(self, tx: Tx, core: Core, group: Group, actor: Actor, arrival: Arrival, reason: str) -> None:
        await refuse(tx, core, group=group, actor=actor, arrival=arrival, code="refused", reason=reason)
