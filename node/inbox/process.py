"""Process: act on what was acknowledged. Order is kept per actor and per group; nothing is swallowed.

*How it works.* A round reads what waits: activities by their number, groups whose log has entries that are not posts
yet. Activities of one actor are handled one after the other, those of different actors side by side. A handler and the
mark that it ran are one transaction. A handler that fails is tried again after 1, 5 and 25 minutes, then the activity
becomes a dead letter, kept whole for the operator. Log entries are applied in order, up to 50 in one transaction; an
entry that cannot be applied is tried likewise and then passed over, so that it never blocks a group: a dead letter, too.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import msgspec

from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.integrity import proof_method, verify_proof
from node.foundation.errors import Conflict, KeyOutOfReach, NodeError, Recovering, SignatureInvalid, StoreError
from node.foundation.logs import get_logger
from node.store.activities import (
    WaitingActivity,
    bury_activity,
    finish_activity,
    list_waiting,
    postpone_activity,
)
from node.store.core import Core
from node.store.engine import Tx
from node.store.logs import StoredEntry, apply_later, count_apply_try, list_entries, list_unapplied, mark_applied
from node.store.media import MediaRow, insert_media
from node.store.rosters import get_group

from .arrival import read_arrival
from .dereference import Dereferencer, parse_origin_of
from .dispatch import Arrival, Done, Dropped, Later, Need, NeedPicture, Outcome, Tables, dispatch
from .passed_over import ENTRY, apply_again, pass_over, read_passed_over
from .pictures import PictureFetcher
from .receive import INBOX_BELL, Receiver

LOOK_SECONDS = 1.0
SIDE_BY_SIDE = 16
GROUPS_AT_ONCE = 20
# As many as the store returns at once.
_JOBS_AT_ONCE, _ENTRIES_AT_ONCE = 200, 50
TRIES = 3
_FETCHES = 20
_PICTURE_WAIT_SECONDS = 30.0
_RECOVERING_WAIT_SECONDS = 30.0
_KEY_WAIT_SECONDS = 30.0
_Backlog = tuple[Group, list[StoredEntry]]
_DELAYS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25))


class Processor:
    """Acts on arrivals for one process."""

    def __init__(
        self,
        core: Core,
        tables: Tables,
        receiver: Receiver,
        dereferencer: Dereferencer,
        pictures: PictureFetcher,
    ) -> None:
        self._core = core
        self._tables = tables
        self._receiver = receiver
        self._dereferencer = dereferencer
        self._pictures = pictures
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._stopping = False
        self._may_be_more = False
        self.is_busy = False

    async def run(self) -> None:
        """Process until `stop` is called."""
        while not self._stopping:
            try:
                while self._core.pressure.may_work and await self.round() and self._may_be_more and not self._stopping:
                    pass
            except NodeError as error:
                get_logger().error("round_failed", code=error.code, reason=error.internal)
            await self._core.bell.wait(INBOX_BELL, at_most_seconds=LOOK_SECONDS)

    def stop(self) -> None:
        """End after the present round."""
        self._stopping = True
        self._core.bell.ring(INBOX_BELL)

    async def round(self) -> bool:
        """Handle what waits now; return whether anything was there."""
        self.is_busy = True
        try:
            frozen_ids = [peer.peer_id for peer in self._core.peers.all() if peer.state == "paused"]
            jobs, backlogs, self._may_be_more = await self._core.store.read(_read_waiting, frozen_ids)
            by_actor: defaultdict[str, list[WaitingActivity]] = defaultdict(list)
            for job in jobs:
                by_actor[job.actor_uri].append(job)
            chains = [self._handle_chain(chain) for chain in by_actor.values()]
            await asyncio.gather(*chains, *(self._apply(group, entries) for group, entries in backlogs))
            return bool(by_actor or backlogs)
        finally:
            self.is_busy = False

    async def _handle_chain(self, jobs: list[WaitingActivity]) -> None:
        async with self._side_by_side:
            for job in jobs:
                try:
                    await self._handle(job)
                except Exception as error:  # the one place that catches everything: no arrival may stop the others
                    get_logger().exception("handler_failed", activity=job.uri, type=job.type)
                    await self._core.store.write(_fail, job, type(error).__name__)

    async def _handle(self, job: WaitingActivity) -> None:
        if job.type == ENTRY:
            found = await self._core.store.read(read_passed_over, job)
            said = self._read_entry(*found) if found else None
            await self._core.write(apply_again, self._core, self._tables, job, found, said)
            return
        arrival = self._receiver.take_fresh(job.activity_id) or self._read(job)
        outcome: Outcome = Dropped("The peer is not active any more.")
        peer = self._core.peers.by_id(job.peer_id)
        if arrival is None:
            outcome = Dropped("The activity cannot be read.")
        elif peer is not None and peer.state == "active":
            outcome = await self._act_on(job, arrival, peer)
        if isinstance(outcome, Need):
            outcome = Dropped(f"{outcome.uri} cannot be known here.")
        elif isinstance(outcome, NeedPicture):
            outcome = Later("A picture could not be fetched yet.", _PICTURE_WAIT_SECONDS)
        if isinstance(outcome, Dropped):
            get_logger().info("activity_dropped", activity=job.uri, type=job.type, reason=outcome.reason)
        if not isinstance(outcome, Done):
            await self._core.store.write(_finish, job, outcome)

    async def _act_on(self, job: WaitingActivity, arrival: Arrival, peer: Peer) -> Outcome:
        """Let the handler act, and fetch what it says it needs as long as that can be had."""
        try:
            is_proved = await self._is_proved(arrival, peer)
        except KeyOutOfReach as error:
            get_logger().info("proof_waits", activity=arrival.uri, reason=error.internal)
            return Later("Its author's node cannot be asked for their key now.", _KEY_WAIT_SECONDS)
        arrival = replace(arrival, is_proved=is_proved, tries=job.tries)
        for _ in range(_FETCHES):
            outcome = await self._act(job, arrival)
            if isinstance(outcome, Need):
                if not await self._fetch(outcome.uri):
                    break
            elif isinstance(outcome, NeedPicture):
                if not await self._fetch_picture(outcome, peer):
                    break
            else:
                break
        return outcome

    async def _act(self, job: WaitingActivity, arrival: Arrival) -> Outcome:
        try:
            return await self._core.write(_handle, self._core, self._tables, job, arrival)
        except Recovering as error:  # the group it goes to gives no numbers now
            return Later(error.safe, _RECOVERING_WAIT_SECONDS)

    async def _is_proved(self, arrival: Arrival, peer: Peer) -> bool:
        """Say whether what goes to a group of ours is proved by its author: no member's node takes it without.

        Raises:
            KeyOutOfReach: That cannot be said before its author's node answers.
        """
        if not self._receiver.is_for_our_group(arrival):
            return False
        try:
            method = proof_method(arrival.document)
            known = await self._dereferencer.get_proving_key(method, peer) if method else None
            for _ in range(2):
                if method is None or known is None or known.actor_uri != arrival.actor_uri:
                    return False
                try:
                    verify_proof(arrival.document, known.key)
                except SignatureInvalid:
                    known = await self._dereferencer.get_key_again(method, peer)
                else:
                    return True
        except (StoreError, KeyOutOfReach):  # nothing may be refused because a database or a node is away
            raise
        except NodeError as error:
            get_logger().info("proof_unavailable", activity=arrival.uri, reason=error.internal)
        return False

    def _read(self, job: WaitingActivity) -> Arrival | None:
        try:
            return read_arrival(msgspec.json.decode(job.document), job.document, peer_id=job.peer_id)
        except NodeError:
            return None

    async def _fetch(self, uri: str) -> bool:
        """Fetch an actor that a handler needs; False when no active peer has it."""
        peer = self._core.peers.active(parse_origin_of(self._core, uri))
        if peer is None:
            return False
        try:
            await self._dereferencer.fetch_actor(uri, peer)
        except NodeError as error:
            get_logger().info("actor_unavailable", actor=uri, reason=error.internal)
            return False
        return True

    async def _fetch_picture(self, wanted: NeedPicture, peer: Peer) -> bool:
        """Fetch a submission's picture from its author's node; False when it cannot be had now."""
        try:
            media_type, size_bytes = await self._pictures.fetch(wanted.url, peer, wanted.sha256)
        except NodeError as error:
            get_logger().info("picture_unavailable", peer=peer.host, reason=error.internal)
            return False
        row = MediaRow(
            token=self._core.ids.token(),
            post_id=None,
            group_id=wanted.group_id,
            owner_id=None,
            sha256=wanted.sha256,
            media_type=media_type,
            size_bytes=size_bytes,
            width=0,
            height=0,
            alt=wanted.alt,
            source_uri=wanted.url,
            state="ready",
        )
        await self._core.store.write(_insert_mirror, row)
        return True

    async def _apply(self, group: Group, entries: list[StoredEntry]) -> None:
        """Apply the next entries of a group: all in one transaction, or one by one after a failure."""
        arrivals = [self._read_entry(group, entry) for entry in entries]
        steps = list(zip(entries, arrivals, strict=True))
        try:
            await self._core.write(_apply, self._core, self._tables, group, steps)
        except Exception:
            get_logger().exception("entries_failed", group=group.uri, first=entries[0].seq)
            await self._apply_one_by_one(group, steps)

    async def _apply_one_by_one(self, group: Group, steps: list[tuple[StoredEntry, Arrival | None]]) -> None:
        for step in steps:
            try:
                await self._core.write(_apply, self._core, self._tables, group, [step])
            except Exception as error:
                letter = self._core.ids.number()
                tries = await self._core.store.write(_apply_failed, group, step[0], letter, type(error).__name__)
                get_logger().error("entry_failed", group=group.uri, seq=step[0].seq, tries=tries, reason=repr(error))
                return

    def _read_entry(self, group: Group, entry: StoredEntry) -> Arrival | None:
        """Return what an entry says, or None when it was erased or says nothing we understand."""
        if entry.salt is None:
            return None
        if (fresh := self._receiver.entries.take_fresh(entry.chain)) is not None:
            return fresh
        try:
            return read_arrival(msgspec.json.decode(entry.document), entry.document, peer_id=group.peer_id)
        except NodeError as error:
            get_logger().info("entry_not_understood", group=group.uri, seq=entry.seq, reason=error.internal)
            return None


async def apply_entry(
    tx: Tx, core: Core, tables: Tables, group: Group, entry: StoredEntry, arrival: Arrival | None
) -> None:
    """Let an entry become what it means, once, and say so in the same transaction."""
    is_first = await mark_applied(tx, group_id=group.group_id, seq=entry.seq)
    handler = tables.entries.get((entry.kind, arrival.type)) if arrival is not None else None
    if is_first and handler is not None and arrival is not None:
        await handler(tx, core, group, entry.seq, arrival)


async def _read_waiting(tx: Tx, frozen_ids: list[int]) -> tuple[list[WaitingActivity], list[_Backlog], bool]:
    """Return what waits: activities, groups with their next entries, and whether more of either may be due already."""
    jobs = await list_waiting(tx, frozen_ids=frozen_ids)
    group_ids = await list_unapplied(tx)
    backlogs = []
    for group_id in group_ids[:GROUPS_AT_ONCE]:
        group = await get_group(tx, group_id=group_id)
        assert group is not None  # listed in this snapshot
        entries = await list_entries(tx, group_id=group_id, after=group.applied_seq, last=group.head_seq)
        backlogs.append((group, entries))
    is_cut = len(jobs) >= _JOBS_AT_ONCE or len(group_ids) > GROUPS_AT_ONCE
    return jobs, backlogs, is_cut or any(len(entries) >= _ENTRIES_AT_ONCE for _, entries in backlogs)


async def _insert_mirror(tx: Tx, row: MediaRow) -> None:
    await insert_media(tx, row=row)


async def _handle(tx: Tx, core: Core, tables: Tables, job: WaitingActivity, arrival: Arrival) -> Outcome:
    """Mark an activity done and let its handler act, in one transaction; anything but Done leaves both undone."""
    outcome = await dispatch(tx, core, tables, arrival)
    if isinstance(outcome, Done) and not await finish_activity(tx, activity_id=job.activity_id, state="done"):
        raise Conflict(internal=f"{job.uri} was handled by somebody else")
    return outcome


async def _finish(tx: Tx, job: WaitingActivity, outcome: Outcome) -> None:
    if isinstance(outcome, Dropped):
        await finish_activity(tx, activity_id=job.activity_id, state="dropped", reason=outcome.reason)
    elif isinstance(outcome, Later):
        if job.tries >= 60:
            await bury_activity(tx, activity_id=job.activity_id, reason=outcome.reason)
            return
        due_at = tx.now + timedelta(seconds=outcome.wait_seconds)
        await postpone_activity(tx, activity_id=job.activity_id, due_at=due_at, reason=outcome.reason)


async def _fail(tx: Tx, job: WaitingActivity, reason: str) -> None:
    if job.tries >= TRIES:
        await bury_activity(tx, activity_id=job.activity_id, reason=f"Its handler failed: {reason}.")
        return
    due_at = tx.now + _DELAYS[min(job.tries, len(_DELAYS) - 1)]
    await postpone_activity(tx, activity_id=job.activity_id, due_at=due_at, reason=reason)


async def _apply(
    tx: Tx, core: Core, tables: Tables, group: Group, steps: list[tuple[StoredEntry, Arrival | None]]
) -> None:
    for entry, arrival in steps:
        await apply_entry(tx, core, tables, group, entry, arrival)


async def _apply_failed(tx: Tx, group: Group, entry: StoredEntry, letter_id: int, reason: str) -> int:
    tries = await count_apply_try(tx, group_id=group.group_id)
    if tries > TRIES:
        await pass_over(tx, group, entry, letter_id=letter_id, reason=f"Its handler failed: {reason}.")
    else:
        await apply_later(tx, group_id=group.group_id, due_at=tx.now + _DELAYS[tries - 1])
    return tries
