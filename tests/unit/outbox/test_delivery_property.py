"""Whatever joins, leaves, kicks and partings come between writing and sending: entries go to nodes of current members."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.domain.actors import Actor, Member
from node.domain.groups import Group
from node.domain.peers import Peer
from node.federation.message import Answer
from node.store.engine import Tx
from node.store.logs import get_position
from tests.support.group_life import let_in, make_group, put_out, say
from tests.support.lone_house import Delivery, LoneHouse
from tests.support.requesters import a_foreign_actor, know_actor, know_peer, put_peer_into

_PEOPLE = (("friend.example", "fay"), ("friend.example", "finn"), ("ally.example", "abe"))
_HOSTS = ("friend.example", "ally.example")
_numbers = itertools.count()
_steps = st.one_of(
    st.tuples(st.just("toggle"), st.integers(0, len(_PEOPLE) - 1)),
    st.tuples(
        st.just("peer"), st.sampled_from([(host, state) for host in _HOSTS for state in ("paused", "parted", "active")])
    ),
    st.tuples(st.just("say"), st.just(0)),
    st.tuples(st.just("deliver"), st.just(0)),
    # The step happens while the next entry is on its way.
    st.tuples(st.just("meanwhile"), st.integers(0, len(_PEOPLE) - 1)),
)


@dataclass(slots=True)
class Model:
    """What the test knows: who is in, and in which state each peer is."""

    lone: LoneHouse
    group: Group
    writer: Member
    actors: dict[int, Actor]
    peers: dict[str, Peer]
    inside: set[int] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_HOSTS, "active"))
    waiting: list[int] = field(default_factory=list)
    sent: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def may_have(self) -> set[str]:
        """Return the hosts that may be sent the group's words now."""
        hosts = {_PEOPLE[number][0] for number in self.inside}
        return {host for host in hosts if self.states[host] == "active"}

    async def toggle(self, number: int) -> None:
        """Let somebody in, or out; in only while their node is an active peer."""
        host = _PEOPLE[number][0]
        if number in self.inside:
            self.inside.discard(number)
            await put_out(self.lone, self.group, self.actors[number])
        elif self.states[host] == "active":
            await let_in(self.lone, self.group, self.actors[number], self.peers[host])
            self.inside.add(number)

    async def reply(self, delivery: Delivery) -> Answer:
        """Take a delivery as a peer would, and check that it may come."""
        if delivery.document.get("actor") != self.group.uri or "logEntry" not in delivery.document:
            return Answer(202)
        host = delivery.url.split("/")[2]
        assert host in self.may_have()
        self.sent[host].append(delivery.document["logEntry"]["seq"])
        while self.waiting:
            await self.toggle(self.waiting.pop())
        return Answer(202)


@given(steps=st.lists(_steps, min_size=3, max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_t17_entries_go_to_nodes_of_current_members_and_to_all_of_them(
    lone: LoneHouse, steps: list[tuple[str, object]]
) -> None:
    model = await _a_model(lone)
    lone.wire.reply = model.reply

    for verb, detail in [*steps, ("peer", ("friend.example", "active")), ("peer", ("ally.example", "active"))]:
        if verb == "toggle":
            await model.toggle(detail)  # type: ignore[arg-type]
        elif verb == "meanwhile":
            model.waiting = [detail]  # type: ignore[list-item]
        elif verb == "peer":
            host, state = detail  # type: ignore[misc]
            model.states[host] = state
            put_peer_into(lone.core, model.peers[host], state)
        elif verb == "say":
            await say(lone, model.group, model.writer, "Hello")
        else:
            await lone.deliver()
    model.waiting = []
    await say(lone, model.group, model.writer, "To all who are in")
    await lone.deliver()

    head = await lone.core.store.read(
        lambda tx: tx.value("SELECT head_seq FROM groups WHERE group_id = :g", g=model.group.group_id)
    )
    for host in _HOSTS:
        assert (model.sent[host][-1:] == [head]) == (host in model.may_have())


async def _head(tx: Tx, group: Group) -> int:
    position = await get_position(tx, group_id=group.group_id)
    return position.head.seq if position else 0


async def _a_model(lone: LoneHouse) -> Model:
    number = next(_numbers)
    writer = await lone.member(f"writer_{number}")
    peers = {host: lone.core.peers.by_host(host) or await know_peer(lone.core, host) for host in _HOSTS}
    for peer in peers.values():
        put_peer_into(lone.core, peer, "active")
    people = [a_foreign_actor(host, f"{handle}_{number}") for host, handle in _PEOPLE]
    actors = {place: await know_actor(lone.core, person) for place, person in enumerate(people)}
    group = await make_group(lone, f"ward_{number}", writer)
    return Model(lone, group, writer, actors, peers)
