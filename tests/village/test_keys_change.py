"""Keys change: nothing that is under way is refused, what was said before stays proved, and who is told follows."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.support.commands import CommandRefused
from tests.support.foreign_papers import is_signed_by
from tests.support.snapshots import go_back, take_snapshot
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

_DAY = 86_400.0


async def _settle(village: Village, *nodes: Node) -> None:
    """Let the nodes do what is due of their keys."""
    for node in nodes:
        await node.house.key_keeper.look()
    await village.rest()


async def _states(node: Node, owner: str, algorithm: str) -> list[str]:
    keys = (await node.run("key", "list"))["keys"]
    return sorted(key["state"] for key in keys if key["owner"] == owner and key["algorithm"] == algorithm)


async def _methods(node: Node) -> set[str]:
    rows = await node.select("SELECT proof FROM log_entries ORDER BY seq")
    return {row.proof.partition('"verificationMethod":"')[2].partition('"')[0] for row in rows}


async def _refusals(node: Node) -> list[str]:
    rows = await node.select("SELECT error_code FROM lanes WHERE error_code IS NOT NULL")
    return [row.error_code for row in rows]


def _count_refused(*nodes: Node) -> int:
    """Return how many requests between nodes were answered with 401 or 403."""
    answers = [bytes(talk.answered) for node in nodes for talk in node.proxy.conversations]
    return sum(answer.count(b"HTTP/1.1 401") + answer.count(b"HTTP/1.1 403") for answer in answers)


async def test_every_key_changes_and_people_go_on_talking(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.post(ward, "before", as_="ana")
    await village.rest()

    before = _count_refused(a, b)
    for node in (a, b):
        await node.run("key", "rotate", "--all")
    await b.post(ward, "meanwhile", as_="ben")
    await village.rest()
    await _settle(village, a, b)
    await a.post(ward, "after", as_="ana")
    await b.post(ward, "answer", as_="ben")
    await village.rest()

    texts = ["before", "meanwhile", "after", "answer"]
    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben") == texts
    assert len(await _methods(b)) == 2
    assert await _refusals(a) == await _refusals(b) == []
    assert _count_refused(a, b) == before
    assert (await a.run("status"))["state"] == (await b.run("status"))["state"] == "ready"


async def test_software_that_reads_only_rsa_signatures_follows_a_new_key(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    peer = await village.foreign_friend(a)
    await village.let_foreign_in(a, ward, peer, peer.person("fay"))
    await a.run("key", "rotate", "--group", "ward")
    await village.rest()
    told = next(each for each in peer.received("Update") if isinstance(each.document["object"].get("publicKey"), list))
    during = told.document["object"]["publicKey"]

    await _settle(village, a)
    await a.post(ward, "after", as_="ana")
    await village.rest()

    after = (await peer.get(ward)).document["publicKey"]
    said = peer.received("Announce")[-1]
    assert [key["id"] for key in during] == [key["id"] for key in reversed(after)]
    assert (told.key_id, said.key_id) == (during[0]["id"], after[0]["id"])
    for request, keys in ((told, during), (said, after)):
        pem = load_pem_public_key(keys[0]["publicKeyPem"].encode())
        assert isinstance(pem, RSAPublicKey)
        assert is_signed_by(pem, "POST", request.path, request.headers, request.body)


async def test_a_node_that_joins_later_can_prove_what_was_said_under_former_keys(village: Village) -> None:
    a, _, ward = await village.shared_ward(history="all")
    await a.post(ward, "under the first key", as_="ana")
    for _ in range(2):
        await a.run("key", "rotate", "--group", "ward", "--ed25519")
        await a.run("key", "rotate", "--actor", "ana", "--ed25519")
        await village.rest()
        await _settle(village, a)
        await a.post(ward, "under another", as_="ana")
        await village.pass_time(9 * _DAY)
        await _settle(village, a)
    c = await village.node("practice")
    await village.befriend(a, c)
    await c.member("cleo")

    await village.let_in(a, ward, (c, "cleo"))
    await village.rest()

    assert await c.texts(ward, as_="cleo") == ["under the first key", "under another", "under another"]
    assert len(await _methods(c)) == 3
    assert await _states(a, ward, "ed25519") == ["current", "retired", "retired"]


async def test_t62_the_pinned_key_names_the_next_one_and_peers_follow_without_a_call(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    before = (await a.run("key", "fingerprint"))["hex"]

    await a.run("key", "rotate", "--instance")
    await village.rest()
    await _settle(village, a)
    await a.post(ward, "after", as_="ana")
    await village.rest()

    after = (await a.run("key", "fingerprint"))["hex"]
    [peer] = (await b.run("peer", "list"))["peers"]
    assert after != before
    assert (peer["state"], peer["fingerprint"]["hex"]) == ("active", after)
    assert await b.texts(ward, as_="ben") == ["after"]


async def test_t62_who_wants_to_compare_every_key_pauses_although_the_old_one_names_the_new(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await b.run("peer", "policy", a.host, "--accepts-successor", "no")
    before = (await a.run("key", "fingerprint"))["hex"]

    await a.run("key", "rotate", "--instance", "--ed25519")
    await village.rest()
    await _settle(village, a)

    [peer] = (await b.run("peer", "list"))["peers"]
    assert (peer["state"], peer["fingerprint"]["hex"]) == ("paused", before)


async def test_t62_a_revoked_instance_key_stops_both_until_operators_have_compared(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    key_id = (await a.run("key", "fingerprint"))["key_id"]

    with pytest.raises(CommandRefused, match="compared"):
        await a.run("key", "revoke", key_id)
    await a.run("key", "revoke", key_id, "--yes")
    await village.rest()
    [peer] = (await b.run("peer", "list"))["peers"]
    assert peer["state"] == "paused"
    assert "Call its operator" in peer["error"]["sentence"]
    await a.post(ward, "waits", as_="ana")
    await b.post(ward, "waits, too", as_="ben")
    words = (await a.run("key", "fingerprint"))["hex"]
    await b.run("peer", "rekey", a.host, "--fingerprint", words, "--yes")
    await village.pass_time(3600)

    assert sorted(await a.texts(ward, as_="ana")) == sorted(await b.texts(ward, as_="ben")) == ["waits", "waits, too"]


async def test_a_leaked_key_of_a_group_proves_nothing_more(village: Village) -> None:
    a, b, ward = await village.shared_ward(history="all")
    await a.post(ward, "before", as_="ana")
    await village.rest()
    leaked = await a.core.keyring.own(
        (await a.select("SELECT group_id FROM groups WHERE staff_of IS NULL"))[0].group_id
    )

    await a.run("key", "revoke", leaked.ed25519_key_id)
    await village.rest()
    await a.post(ward, "after", as_="ana")
    await village.rest()

    [row] = await b.select(
        "SELECT state, last_seq FROM actor_keys WHERE key_id = :key_id", key_id=leaked.ed25519_key_id
    )
    [head] = await b.select(
        "SELECT MAX(seq) AS seq FROM log_entries WHERE proof LIKE :name", name=f'%"{leaked.ed25519_key_id}"%'
    )
    assert (row.state, row.last_seq) == ("revoked", head.seq)
    assert await b.texts(ward, as_="ben") == ["before", "after"]
    c = await village.node("practice")
    await village.befriend(a, c)
    await c.member("cleo")
    await village.let_in(a, ward, (c, "cleo"))
    assert await c.texts(ward, as_="cleo") == ["before", "after"]


async def test_what_members_said_under_keys_that_leaked_later_is_read_by_who_joins_later(village: Village) -> None:
    a, b, ward = await village.shared_ward(history="all")
    await a.post(ward, "by ana", as_="ana")
    await b.post(ward, "by ben", as_="ben")
    await village.rest()
    for node, handle in ((a, "ana"), (b, "ben")):
        await node.run("key", "revoke", f"{node.person(handle)}#ed25519")
        await village.rest()
        await node.post(ward, f"by {handle} again", as_=handle)
        await village.rest()
    c = await village.node("practice")
    await village.befriend(a, b, c)
    await c.member("cleo")

    await village.let_in(a, ward, (c, "cleo"))

    said = ["by ana", "by ben", "by ana again", "by ben again"]
    assert await a.texts(ward, as_="ana") == await b.texts(ward, as_="ben") == await c.texts(ward, as_="cleo") == said


async def test_what_an_earlier_key_proved_comes_back_after_a_restore(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    await a.run("key", "rotate", "--group", "ward", "--ed25519")
    await village.rest()
    await _settle(village, a)
    await a.post(ward, "under the new key", as_="ana")
    await village.rest()

    await a.stop()
    await go_back(a, kept)
    await a.start()
    for _ in range(40):
        await village.pass_time(30)
        if (await a.run("status"))["state"] == "ready":
            break
    await village.rest()

    assert await a.texts(ward, as_="ana") == ["under the new key"]
    await a.post(ward, "and on", as_="ana")
    await village.rest()
    assert await b.texts(ward, as_="ben") == ["under the new key", "and on"]


async def test_what_a_revoked_key_proved_does_not_come_back_after_a_restore(village: Village) -> None:
    a, _, ward = await village.shared_ward()
    await a.stop()
    kept = await take_snapshot(a)
    await a.start()
    await a.post(ward, "under the leaked key", as_="ana")
    await village.rest()
    [row] = await a.select("SELECT group_id FROM groups WHERE staff_of IS NULL")
    leaked = (await a.core.keyring.own(row.group_id)).ed25519_key_id
    await a.run("key", "revoke", leaked)
    await village.rest()

    await a.stop()
    await go_back(a, kept)
    await a.start()
    for _ in range(40):
        await village.pass_time(30)
        if (await a.run("status"))["state"] == "ready":
            break
    await village.rest()

    states = {each["key_id"]: each for each in (await a.run("key", "list"))["keys"]}
    assert states[leaked]["is_revoked"]
    assert await a.texts(ward, as_="ana") == []


async def test_the_key_by_which_a_node_attests_changes_and_its_word_counts_on(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.run("member", "verify", "ben", "--assurance", "A3")
    await village.rest()

    await b.run("key", "rotate", "--attesting")
    await village.rest()
    await _settle(village, b)
    await b.run("member", "verify", "ben", "--assurance", "A2")
    await b.post(ward, "hello", as_="ben")
    await village.rest()

    [row] = await a.select("SELECT state, level FROM attestations WHERE document LIKE :who", who=f"%{b.person('ben')}%")
    assert (row.state, row.level) == ("current", "A2")
