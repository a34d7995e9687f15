"""A group as commands print it."""

from __future__ import annotations

from typing import Any

from node.domain.groups import Group
from node.foundation.errors import NotFound
from node.store.engine import Tx
from node.store.readers import list_readers
from node.store.rosters import count_in_state, get_group, list_admissions, list_hosts

from .context import Context, instant


async def describe_group(context: Context, group: Group) -> dict[str, Any]:
    """Return a group as `group show` prints it."""
    return await context.house.core.store.read(_describe, group.group_id, context.house.core)


async def _describe(tx: Tx, group_id: int, core: Any) -> dict[str, Any]:
    group = await get_group(tx, group_id=group_id)
    if group is None:
        raise NotFound("There is no such group.")
    admitted = {}
    for each in await list_admissions(tx, group_id=group_id):
        peer = core.peers.by_id(each.peer_id)
        admitted[peer.host if peer else "?"] = each.admitted_at
    if group.is_local:
        hosts = {row.host: int(row.members) for row in await list_hosts(tx, group_id=group_id)}
    else:
        hosts = {reader.host: reader.members for reader in await list_readers(tx, group_id=group_id)}
    nodes = [
        {"host": host, "members": hosts.get(host, 0), "admitted_at": instant(admitted.get(host))}
        for host in sorted({*hosts, *admitted})
    ]
    return {
        "handle": group.handle,
        "uri": group.uri,
        "title": group.title,
        "host": group.host,
        "local": group.is_local,
        "policy": group.policy,
        "hidden": group.is_hidden,
        "history": group.history,
        "new_node_approvals": group.new_node_approvals,
        "required_assurance": group.required_assurance,
        "members": sum(hosts.values()),
        "nodes": nodes,
        "pending": await count_in_state(tx, group_id=group_id, state="requested"),
        "log": {"epoch": group.epoch, "base": group.base_seq, "seq": group.head_seq, "chain": group.head_chain},
    }
