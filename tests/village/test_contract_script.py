"""The script of contract.md 2.8, as an operator types it: real processes, real directories, nothing asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import CommandRefused
from tests.support.databases import Databases
from tests.support.process_node import ProcessNode
from tests.support.village import Village
from tests.support.waiting import until_true

_STATUS = {
    "state", "version", "base_url", "database", "stored", "waiting", "at_rest", "peers",
}  # fmt: skip
_PEER = {
    "host", "base_url", "name", "state", "fingerprint", "pinned", "software", "policy", "agreement_version",
    "last_received_at", "last_delivered_at", "queued", "oldest_queued_at", "error", "members_here", "groups_shared",
}  # fmt: skip
_MEMBER = {
    "handle", "name", "uri", "class", "assurance", "role", "state", "created_at", "last_seen_at", "groups",
}  # fmt: skip
_GROUP = {
    "handle", "uri", "title", "host", "local", "policy", "hidden", "history", "new_node_approvals", "members", "nodes",
    "pending", "log",
}  # fmt: skip
_LANE = {
    "peer", "stream", "state", "cursor", "head", "queued", "fails", "due_at", "oldest_at", "last_success_at", "error",
}  # fmt: skip
_POST = {
    "uri", "author", "host", "title", "text", "in_reply_to", "seq", "published_at", "edited_at", "state",
}  # fmt: skip


@pytest.fixture
async def two(databases: Databases, tmp_path: Path) -> AsyncIterator[tuple[ProcessNode, ProcessNode]]:
    """Give a society and a hospital that serve and know each other, as the script leaves them before its groups."""
    addresses = [await databases.new_address(), await databases.new_address()]
    a, b = await asyncio.gather(
        ProcessNode.make(tmp_path / "A", name="Society", database=addresses[0]),
        ProcessNode.make(tmp_path / "B", name="Hospital", database=addresses[1]),
    )
    try:
        await asyncio.gather(a.start(), b.start())
        await asyncio.gather(a.add_peer(b), b.add_peer(a))
        yield a, b
    finally:
        await a.close()
        await b.close()


async def _a_ward(a: ProcessNode, b: ProcessNode) -> str:
    await a.member("ana")
    await b.member("ben")
    ward = await a.group("ward", owner="ana")
    await b.run("group", "join", f"ward@{a.host}", "--as", "ben", "--reason", "night shifts")
    await a.run("group", "approve", "ward", f"ben@{b.host}", "--admit-node", "--yes")
    return ward


async def test_two_nodes_from_nothing_exchange_posts_and_lose_none_when_one_is_killed(
    two: tuple[ProcessNode, ProcessNode],
) -> None:
    a, b = two
    ward = await _a_ward(a, b)
    await a.post(ward, "one", as_="ana", title="Welcome")
    await until_true(lambda: _reads(b, ward, ["one"]))

    await b.kill()
    for text in ("two", "three", "four"):
        await a.post(ward, text, as_="ana")
    await until_true(lambda: _waits_for(a, b, ward))
    lane = (await a.lanes(b))[ward]
    await b.start()

    assert lane["queued"] == lane["head"] - lane["cursor"] == 3
    assert lane["oldest_at"] is not None
    assert lane["error"]["code"] == "unreachable"
    await until_true(lambda: _reads(b, ward, ["one", "two", "three", "four"]), seconds=40)
    read_by_b, read_by_a = await b.posts(ward, as_="ben"), await a.posts(ward, as_="ana")
    assert [(post["uri"], post["seq"]) for post in read_by_b] == [(post["uri"], post["seq"]) for post in read_by_a]
    assert [post["host"] for post in read_by_b] == [a.host] * 4
    await a.rest()
    await b.rest()
    assert (await a.stop(), await b.stop()) == (0, 0)


async def _reads(node: ProcessNode, ward: str, texts: list[str]) -> bool:
    try:
        return await node.texts(ward, as_="ben") == texts
    except CommandRefused:
        return False


async def _waits_for(a: ProcessNode, b: ProcessNode, ward: str) -> bool:
    lane = (await a.lanes(b))[ward]
    return lane["state"] == "backoff" and lane["queued"] == 3


async def test_every_command_prints_the_keys_that_the_contract_lists(two: tuple[ProcessNode, ProcessNode]) -> None:
    a, b = two
    ward = await _a_ward(a, b)

    posted = await a.post(ward, "Hello", as_="ana", title="Welcome")
    shown = {name: await a.run(*name.split()) for name in (
        "status", "key list", "key fingerprint", "peer list", "member list", "member show ana",
        "member token ana --scopes read", "group list", "group show ward", "group roster ward", "lane list",
        "deadletter list", "audit list", "audit verify", "post list ward --as ana", f"peer show {b.host}",
        f"peer test {b.host}",
    )}  # fmt: skip

    assert set(posted) >= {"uri", "state", "seq"}
    for name, wanted in _expected(shown, b.host):
        assert wanted[1] <= set(wanted[0]), f"{name} lacks {wanted[1] - set(wanted[0])}"
    assert shown["audit verify"]["ok"] is True
    assert shown[f"peer test {b.host}"]["ok"] is True
    assert shown["key fingerprint"]["key_id"] == f"{a.origin}/actor#ed25519"


def _expected(shown: dict[str, Any], peer: str) -> list[tuple[str, tuple[dict[str, Any], set[str]]]]:
    """Return (what, (a document, the keys it must have))."""
    status, test = shown["status"], shown[f"peer test {peer}"]
    return [
        ("status", (status, _STATUS)),
        ("status.database", (status["database"], {"kind", "version", "synchronous"})),
        ("status.stored", (status["stored"], {"members", "groups", "posts", "activities", "media"})),
        ("status.waiting", (status["waiting"], {"inbox", "jobs", "lanes_due", "submissions"})),
        ("status.peers", (status["peers"], {"active", "paused"})),
        ("key", (shown["key list"]["keys"][0], {"key_id", "owner", "algorithm", "state", "created_at", "expires_at"})),
        ("fingerprint", (shown["key fingerprint"], {"algorithm", "hex", "words", "key_id"})),
        ("peer in list", (shown["peer list"]["peers"][0], _PEER)),
        ("peer", (shown[f"peer show {peer}"], _PEER)),
        ("peer.policy", (shown[f"peer show {peer}"]["policy"],
                         {"host_groups", "people_search", "support", "minimum_assurance", "retention_days"})),
        ("peer test", (test, {"host", "ok", "steps"})),
        ("step", (test["steps"][0], {"name", "ok", "sentence"})),
        ("member in list", (shown["member list"]["members"][0], _MEMBER)),
        ("member", (shown["member show ana"], _MEMBER)),
        ("token", (shown["member token ana --scopes read"],
                   {"access_token", "token_type", "scope", "created_at", "member"})),
        ("group in list", (shown["group list"]["groups"][0], _GROUP)),
        ("group", (shown["group show ward"], _GROUP)),
        ("group.log", (shown["group show ward"]["log"], {"epoch", "base", "seq", "chain"})),
        ("group.nodes", (shown["group show ward"]["nodes"][0], {"host", "members", "admitted_at"})),
        ("roster", (shown["group roster ward"]["members"][0],
                    {"uri", "name", "host", "role", "state", "joined_seq", "joined_at", "reason"})),
        ("lane", (shown["lane list"]["lanes"][0], _LANE)),
        ("deadletters", (shown["deadletter list"], {"deadletters"})),
        ("audit", (shown["audit list"]["entries"][0], {"n", "at", "actor", "action", "target", "reason", "hash"})),
        ("audit verify", (shown["audit verify"], {"ok", "entries", "first_bad"})),
        ("post", (shown["post list ward --as ana"]["posts"][0], _POST)),
    ]  # fmt: skip


async def test_adding_what_is_there_already_succeeds_and_a_wrong_word_ends_with_two(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await a.add_peer(b)
    await a.member("ana")
    await a.group("ward", owner="ana")

    again = [await a.member("ana"), await a.group("ward", owner="ana"), (await a.add_peer(b))["state"]]
    codes = []
    for words in ("member show nobody", "group show nowhere", "peer fly x"):
        with pytest.raises(CommandRefused) as refused:
            await a.run(*words.split())
        codes.append(refused.value.code)

    assert again == [a.person("ana"), f"{a.origin}/groups/ward", "active"]
    assert codes == [1, 1, 2]


async def test_the_fingerprint_is_printed_while_the_node_is_stopped(databases: Databases, tmp_path: Path) -> None:
    a = await ProcessNode.make(tmp_path / "A", name="Society", database=await databases.new_address())

    code, out, _ = await a.run_raw("key", "fingerprint")
    shown = await a.run("key", "fingerprint")
    await a.close()

    assert code == 0
    assert out.splitlines()[:2] == [" ".join(shown["words"]), shown["hex"]]
    assert len(shown["words"]) == 8
