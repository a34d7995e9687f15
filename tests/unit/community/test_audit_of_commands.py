"""Each thing an operator does by a command stands in the audit log exactly once; looking at things does not (T59)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from node.cli.commands import COMMANDS
from node.cli.runner import run_command
from node.community.hosting import own_arrival
from node.federation.signatures.keys import fingerprint_hex
from node.outbox.publish import DIRECT
from node.store.activities import bury_activity, insert_activity
from node.store.audit import find_first_bad, list_audit
from node.store.engine import Tx
from node.store.streams import append_to_stream
from tests.support.clock import FrozenClock
from tests.support.databases import Databases
from tests.support.lone_house import LoneHouse, a_lone_house
from tests.support.requesters import ForeignActor, a_foreign_actor

NODE = a_foreign_actor("friend.example", kind="Application")
PASSWORD = "correct horse battery"
_PRINT = fingerprint_hex(NODE.ed25519.public)
_WRONG = "ab" * 32
NEXT = a_foreign_actor("friend.example", kind="Application", key="next")
_NEXT_PRINT = fingerprint_hex(NEXT.ed25519.public)

# What is run, what comes on stdin, and what then stands in the audit log, in order. {post}: the id of the newest post.
# {announced}: the number of what is announced.
STORY: tuple[tuple[str, str, list[str]], ...] = (
    ("member add ana --name Ana --password-stdin", PASSWORD, ["member.add"]),
    ("member add ben --name Ben --password-stdin", PASSWORD, ["member.add"]),
    ("member add eva --name Eva --password-stdin", PASSWORD, ["member.add"]),
    ("member add ida --name Ida", "", ["member.add"]),
    ("member list", "", []),
    ("member show ana", "", []),
    ("member verify ana --assurance A3", "", ["member.verify"]),
    ("member reset ida", "", ["member.reset"]),
    ("member suspend eva --reason leave", "", ["member.suspend"]),
    ("member restore eva", "", ["member.restore"]),
    ("member token ana --scopes read", "", ["member.token"]),
    ("group create ward --title Ward --owner ana", "", ["group.create"]),
    ("group create ward --title Ward --owner ana", "", []),
    ("group list", "", []),
    ("group show ward", "", []),
    ("group roster ward", "", []),
    ("group join ward --as ben --reason nights", "", ["as.group.join"]),
    ("group approve ward ben", "", ["group.let_in"]),
    ("group role ward ben moderator", "", ["group.role", "group.let_in"]),  # and into the staff's room
    ("group role ward ben member", "", ["group.role", "group.removed"]),
    ("group join ward --as eva", "", ["as.group.join"]),
    ("group reject ward eva --reason full", "", ["group.rejected"]),
    ("group invite ward eva", "", ["group.invite"]),
    ("group leave ward --as ben", "", ["group.left", "as.group.leave"]),
    ("group join ward --as ben", "", ["as.group.join"]),
    ("group approve ward ben", "", ["group.let_in"]),
    ("group remove ward ben --reason x", "", ["group.removed"]),
    ("group ban ward ben --reason x", "", ["group.banned"]),
    ("group unban ward ben", "", ["group.unbanned"]),
    ("group change ward --title Wards", "", ["group.settings"]),
    ("peer add friend.example", "", ["peer.draft"]),
    (f"peer verify friend.example --fingerprint {_PRINT}", "", ["peer.verified"]),
    (f"peer add friend.example --fingerprint {_WRONG} --yes", "", ["peer.wrong_fingerprint"]),
    (f"peer add friend.example --fingerprint {_PRINT} --yes", "", ["peer.active"]),
    (f"peer add friend.example --fingerprint {_PRINT} --yes", "", []),
    ("peer import", "listed.example", []),
    ("peer import --yes", "listed.example", ["peer.draft"]),
    ("peer list", "", []),
    ("peer show friend.example", "", []),
    ("peer test friend.example", "", []),
    ("peer policy friend.example --people-search yes", "", ["peer.policy"]),
    ("group admit ward friend.example", "", ["group.admit"]),
    ("group admit ward friend.example", "", []),
    ("peer pause friend.example --reason x", "", ["peer.paused"]),
    ("peer pause friend.example --reason x", "", []),
    ("peer resume friend.example", "", ["peer.active"]),
    ("peer pause friend.example --reason key", "", ["peer.paused"]),
    (f"peer rekey friend.example --fingerprint {_NEXT_PRINT}", "", ["peer.rekeyed"]),
    ("post add ward --as ana --title Hello", "Text.", ["as.post.add"]),
    ("post list ward --as ana", "", ["as.post.list"]),
    ("post reach {post} --as ana", "", ["as.post.reach"]),
    ("post edit {post} --as ana", "Other text.", ["as.post.edit"]),
    ("post pin {post} --as ana", "", ["as.post.pin"]),
    ("post unpin {post} --as ana", "", ["as.post.pin"]),
    ("post lock {post} --as ana", "", ["as.post.lock"]),
    ("post unlock {post} --as ana", "", ["as.post.lock"]),
    ("post remove {post} --as ana --reason x", "", ["as.post.remove"]),
    ("post add ward --as ana", "Text.", ["as.post.add"]),
    ("post withdraw {post} --as ana", "", ["as.post.withdraw"]),
    ("message send eva --as ana", "Text.", ["as.message.send"]),
    ("message list --as ana", "", ["as.message.list"]),
    ("key list", "", []),
    ("key fingerprint", "", []),
    ("key rotate --group ward --ed25519", "", ["key.rotate", "key.rotate"]),
    ("key revoke http://localhost:9001/groups/ward#ed25519 --yes", "", ["key.revoke"]),
    ("key recovery", "", ["key.recovery"]),
    ("key recovery", "", []),  # there is one
    ("backup list", "", []),
    ("backup send", "", []),  # nobody takes it
    ("backup kept", '{"taken_at": "2026-11-21T12:00:00Z", "size_bytes": 1}', ["backup.made"]),
    ("backup drilled", '{"taken_at": "2026-11-21T12:00:00Z", "ok": false}', ["backup.drilled"]),
    ("backup drilled", '{"taken_at": "2026-11-21T12:00:00Z", "ok": true, "signature": null}', []),  # not signed by us
    ("lane list", "", []),
    ("lane retry friend.example", "", ["lane.retry"]),
    ("deadletter list", "", []),
    ("deadletter retry 77", "", ["deadletter.retry"]),
    ("recovering list", "", []),
    ("recovering end ward", "", []),  # it does not wait
    ("announce Quiet --until 2099-01-01T00:00:00Z", "", ["announcement.make"]),
    ("announce Quiet --until yesterday", "", []),
    ("announcement list", "", []),
    ("announcement end {announced}", "", ["announcement.end"]),
    ("announcement end 77", "", []),
    ("maintenance off", "", []),
    ("maintenance on", "", ["maintenance.begin"]),
    ("maintenance off", "", ["announcement.end"]),
    ("clock accept", "", ["clock.accept"]),
    ("audit list", "", []),
    ("audit verify", "", []),
    ("status", "", []),
    ("setup", "", []),  # there is an operator
    ("peer part friend.example --reason x", "", ["peer.parted"]),
)  # fmt: skip

REFUSED = (
    "member add ana --name Another",
    "member add UPPER --name x",
    "member suspend nobody",
    "member suspend ola",
    "member verify nobody --assurance A3",
    "group create ward --title Other --owner ana",
    "group remove ward ana",
    "group admit ward stranger.example",
    "group approve nothing ana",
    "peer pause stranger.example",
    "peer add friend.example --fingerprint nonsense --yes",
    "peer verify stranger.example --fingerprint " + _PRINT,
    "post remove https://home.example/posts/x --as ana",
    "lane retry stranger.example",
    "deadletter retry 78",
    "nonsense",
)


@dataclass(slots=True)
class Shell:
    """A node that takes commands."""

    lone: LoneHouse
    said: list[str] = field(default_factory=list)

    async def run(self, line: str, text: str = "") -> int:
        """Run a command and return its exit code."""
        post = await self.lone.core.store.read(
            lambda tx: tx.value("SELECT uri FROM posts ORDER BY post_id DESC LIMIT 1")
        )
        announced = self.lone.core.pressure.announcements
        number = str(announced[0].announcement_id) if announced else ""
        argv = [word.replace("{post}", post or "").replace("{announced}", number) for word in line.split()]
        return await run_command(self.lone.house, argv, text, self.said.append, self.said.append)

    async def audited(self) -> list[Any]:
        """Return the audit log."""
        return await self.lone.core.store.read(list_audit)


@pytest.fixture
async def shell(databases: Databases, clock: FrozenClock) -> AsyncIterator[Shell]:
    settings = {"origin": "http://localhost:9001", "federation": {"insecure_loopback": True}}
    async with a_lone_house(databases, clock, **settings) as lone:  # type: ignore[arg-type]
        await lone.member("ola", role="operator")
        lone.wire.documents = {NODE.uri: _instance_document(lone, NODE)}
        yield Shell(lone)


async def test_t59_every_command_writes_exactly_what_it_did_into_the_audit_log(shell: Shell) -> None:
    wrong = []

    for line, text, expected in STORY:
        if line.startswith(("lane retry", "deadletter retry")):
            await shell.lone.core.store.write(_leave_something_waiting, shell.lone)
        if line.startswith("peer rekey"):
            shell.lone.wire.documents = {NEXT.uri: _instance_document(shell.lone, NEXT)}
        before = len(await shell.audited())
        await shell.run(line, text)
        found = [row.action for row in (await shell.audited())[before:]]
        if found != expected:
            wrong.append((line, found, shell.said[-1:]))

    assert wrong == []


def test_t59_every_command_is_in_the_story() -> None:
    without_verb = {command.noun for command in COMMANDS if not command.verb}
    words = [line.split() for line, _, _ in STORY]
    told = {(noun, "" if noun in without_verb else more[0]) for noun, *more in words}

    assert {(command.noun, command.verb) for command in COMMANDS} == told


async def test_t59_a_refused_command_leaves_no_row(shell: Shell) -> None:
    for line, text, _ in STORY[:12]:
        await shell.run(line, text)
    before = await shell.audited()

    codes = {line: await shell.run(line) for line in REFUSED}

    assert {line: code for line, code in codes.items() if code == 0} == {}
    assert await shell.audited() == before


async def test_t59_the_log_says_who_did_what_to_whom_and_why_and_holds_no_words(shell: Shell) -> None:
    await shell.run("member add ben --name Ben --password-stdin", PASSWORD)
    await shell.run("member suspend ben --reason on-leave")

    rows = await shell.audited()
    last = rows[-1]
    assert (last.actor, last.action, last.target, last.reason) == ("operator", "member.suspend", "ben", "on-leave")
    assert PASSWORD not in str(rows)


async def test_t59_the_chain_fits_after_all_of_it(shell: Shell) -> None:
    for line, text, _ in STORY[:20]:
        await shell.run(line, text)

    counted, first_bad = await shell.lone.core.store.read(find_first_bad)

    assert first_bad is None
    assert counted == len(await shell.audited())


def _instance_document(lone: LoneHouse, node: ForeignActor) -> dict[str, Any]:
    return node.prove(node.document(), lone.clock.now())


async def _leave_something_waiting(tx: Tx, lone: LoneHouse) -> None:
    """Let something wait for a peer, and let something of it have failed."""
    peer = lone.core.peers.by_host("friend.example")
    assert peer is not None
    view = {"type": "View", "id": f"{NODE.origin}/activities/77", "actor": NODE.uri, "object": NODE.uri}
    arrival = own_arrival(view)
    if await insert_activity(
        tx, activity_id=77, uri=arrival.uri, peer_id=peer.peer_id, actor_uri=NODE.uri, type="View", digest="",
        document=arrival.text,
    ):  # fmt: skip
        await bury_activity(tx, activity_id=77, reason="a test")
        await append_to_stream(
            tx, peer_id=peer.peer_id, stream=DIRECT, actor_id=1, activity_uri=arrival.uri,
            inbox_uri=f"{NODE.origin}/inbox", document=arrival.text,
        )  # fmt: skip
