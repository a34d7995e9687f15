"""What a node states of its members, at the nodes that hear it: attested, renewed, lapsed, revoked, not accepted, relayed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.community.members.profiles import read_standing
from node.community.members.service import require_member
from node.community.verification.desk import Choice, decide, read_application
from node.community.verification.recording import change_state
from node.community.verification.service import NewApplication, apply, read_own
from node.domain.attestations import Standing
from node.store.actors import get_actor_by_uri
from node.store.engine import Tx
from tests.support.commands import CommandRefused
from tests.support.foreign import ForeignActor, ForeignPeer
from tests.support.foreign_papers import prove, sha256_hex
from tests.support.village import Node, Village

pytestmark = pytest.mark.long_on("postgresql")

DAY = 86_400
NPI = "1234567893"


async def standing(node: Node, uri: str) -> Standing:
    """Return what somebody's attestation counts for at a node."""

    async def find(tx: Tx) -> Any:
        return await get_actor_by_uri(tx, uri=uri)

    actor = await node.core.store.read(find)
    return await read_standing(node.core, actor.actor_id)


async def statement(node: Node, uri: str) -> dict[str, Any] | None:
    """Return the statement in the document that a node holds of somebody."""
    [row] = await node.select("SELECT document FROM actors WHERE uri = :uri", uri=uri)
    found: dict[str, Any] | None = msgspec.json.decode(row.document).get("attestation")
    return found


def foreign_statement(
    d: ForeignPeer, person: ForeignActor, key: ForeignActor, now: datetime, **more: Any
) -> dict[str, Any]:
    """Return what an outside node says of one of its people, by an attestation key that its instance actor lists."""
    method, today = f"{d.instance.uri}#attestation", now.strftime("%Y-%m-%dT00:00:00Z")
    d.instance.more["attestationMethod"] = [key.multikey | {"id": method, "controller": d.instance.uri}]
    said = {
        "type": ["VerifiableCredential", "PhysicianAttestation"],
        "issuer": d.instance.uri,
        "validFrom": today,
        "validUntil": (now + timedelta(days=20)).strftime("%Y-%m-%dT00:00:00Z"),
        "credentialSubject": {
            "id": person.uri, "profession": "physician", "stage": "physician", "assurance": "A3",
            "methods": ["register", "video"], "verifiedSince": "2026-01", "lastChecked": "2026-01",
        },
    }  # fmt: skip
    return prove(said | more, key.ed25519, method, created=today)


async def change(node: Node, handle: str, state: str) -> None:
    """End, suspend or revoke a verification, as the desk does."""
    await change_state(node.core, handle, state, by="vera", reason="a letter came")


async def test_f09_an_attestation_is_on_the_actors_document_and_is_accepted_by_a_peer(village: Village) -> None:
    a, b, _ = await village.shared_ward()

    found = await standing(a, b.person("ben"))

    assert (found.verdict, found.level) == ("accepted", "A3")
    assert found.attested is not None
    assert (found.attested.issuer, found.attested.methods, found.attested.stage) == (b.host, ("operator",), "physician")
    said = await statement(a, b.person("ben"))
    assert said is not None
    assert said["credentialSubject"].keys() == {
        "id", "profession", "stage", "assurance", "methods", "verifiedSince", "lastChecked",
    }  # fmt: skip
    assert said["proof"]["verificationMethod"] == f"{b.origin}/actor#attestation"


@pytest.mark.parametrize("state", ["ended", "suspended", "revoked"])
async def test_f09_an_end_is_pushed_and_the_three_are_never_confused(village: Village, state: str) -> None:
    a, b, _ = await village.shared_ward()

    await change(b, "ben", state)
    await village.rest()

    found = await standing(a, b.person("ben"))
    assert (found.verdict, found.level, found.is_accepted) == (state, "A0", False)


async def test_f09_a_suspension_that_is_settled_counts_again(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await change(b, "ben", "suspended")
    await village.rest()

    await change(b, "ben", "current")
    await village.rest()

    assert (await standing(a, b.person("ben"))).level == "A3"


async def test_f09_an_end_waits_for_a_peer_that_is_down(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await a.stop()
    await change(b, "ben", "revoked")

    await a.start()
    await village.pass_time(600)

    assert (await standing(a, b.person("ben"))).verdict == "revoked"


async def test_f09_without_renewal_an_attestation_lapses_and_with_it_it_lives(village: Village) -> None:
    a, b, _ = await village.shared_ward()

    village.clock.advance(16 * DAY)
    await b.house.rechecker.look()
    await village.rest()
    village.clock.advance(20 * DAY)
    renewed = await standing(a, b.person("ben"))
    village.clock.advance(11 * DAY)

    assert (renewed.verdict, (await standing(a, b.person("ben"))).verdict) == ("accepted", "expired")


async def test_a_peers_minimum_decides_what_counts(village: Village) -> None:
    a, b, _ = await village.shared_ward()

    await a.run("peer", "policy", b.host, "--minimum-assurance", "A4")

    found = await standing(a, b.person("ben"))
    assert (found.verdict, found.level, found.minimum) == ("below", "A0", "A4")


async def test_a_group_that_asks_for_a_level_refuses_who_has_less(village: Village) -> None:
    a, b = await village.node("society"), await village.node("hospital")
    await village.befriend(a, b)
    await a.member("ana")
    await a.member("abe")
    await b.member("ben")
    await b.run("member", "verify", "ben", "--assurance", "A2", "--method", "register", "--reason", "found")
    await a.run("member", "verify", "abe", "--assurance", "A0")
    ward = (await a.run("group", "create", "ward", "--title", "Ward", "--owner", "ana", "--assurance", "A3"))["uri"]

    await b.join(ward, as_="ben")
    await village.rest()

    row = (await b.roster(ward))[b.person("ben")]
    assert (row["state"], row["reason"]) == ("rejected", "This group asks for assurance A3. What is attested is A2.")
    with pytest.raises(CommandRefused, match="asks for assurance A3"):
        await a.join(ward, as_="abe")
    await b.run("member", "verify", "ben", "--assurance", "A3", "--method", "register", "--method", "video")
    await village.rest()
    await village.let_in(a, ward, (b, "ben"))
    assert (await b.roster(ward))[b.person("ben")]["state"] == "member"


async def test_p06_who_lapses_reads_on_and_what_they_write_comes_back_to_the_drafts(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "change", ward, "--assurance", "A3")
    await a.post(ward, "Still here", as_="ana")
    await change(b, "ben", "suspended")
    await village.rest()

    posted = await b.post(ward, "My long night", as_="ben")
    await village.rest()

    [row] = await b.select("SELECT state, reason, source FROM posts WHERE uri = :uri", uri=posted["uri"])
    assert (row.state, row.source.strip()) == ("draft", "My long night")
    assert row.reason == "Read-only: this group asks for assurance A3. The attestation is suspended."
    assert "Still here" in await b.texts(ward, as_="ben")
    assert "My long night" not in await a.texts(ward, as_="ana")


async def test_p06_a_member_here_who_lapses_may_take_back_and_not_write(village: Village) -> None:
    a, _, ward = await village.shared_ward()
    await a.run("group", "change", ward, "--assurance", "A3")
    posted = await a.post(ward, "Before", as_="ana")
    await change(a, "ana", "ended")

    with pytest.raises(CommandRefused, match=r"Read-only: .* The attestation has ended\."):
        await a.post(ward, "After", as_="ana")
    with pytest.raises(CommandRefused, match="Read-only"):
        await a.edit(posted["uri"], "Changed", as_="ana")
    await a.run("post", "withdraw", posted["uri"], "--as", "ana")

    assert await a.texts(ward, as_="ana") in ([], [""])


async def test_a_host_passes_attestations_on_and_they_count_only_where_that_is_accepted(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))
    await d.post(ward, "From afar", as_="dan")
    await village.rest()

    first = await standing(b, d.person("dan"))
    await b.run("peer", "policy", a.host, "--accepts-relayed", "yes")
    second = await standing(b, d.person("dan"))
    await change(d, "dan", "revoked")
    await village.rest()
    third = await standing(b, d.person("dan"))

    assert (first.verdict, first.level) == ("relayed", "A0")
    assert first.attested is not None
    assert (first.attested.issuer, first.attested.through) == (d.host, a.host)
    assert (second.verdict, second.level) == ("accepted", "A3")
    assert third.verdict == "revoked"
    assert {talk.client for talk in d.proxy.conversations} == {a.host}


async def test_what_was_relayed_goes_with_the_last_member(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))
    await d.post(ward, "From afar", as_="dan")
    await village.rest()

    await b.run("group", "leave", ward, "--as", "ben")
    await village.rest()

    assert await b.select("SELECT actor_id FROM attestations WHERE through_host <> ''") == []


async def test_t28_a_register_number_reaches_no_other_node_and_no_file(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("vera", role="verifier")
    ben, vera = [await require_member(b.core, handle) for handle in ("ben", "vera")]
    await apply(b.core, ben, NewApplication("physician", "US", "npi", NPI, ("video",), f"My number is {NPI}."))
    own = await read_own(b.core, ben)
    assert own.application is not None

    page = await read_application(b.core, vera, own.application.application_id)
    choice = Choice("verify", "A3", ("register", "video"), "physician", "card seen", "", f"Found {NPI}.", page.seen)
    await decide(b.core, vera, own.application.application_id, choice)
    await b.post(ward, "Good morning", as_="ben")
    await village.rest()

    found = await standing(a, b.person("ben"))
    assert found.attested is not None
    assert (found.level, found.attested.methods) == ("A3", ("register", "video"))
    assert await village.find_kept(NPI, a) + await village.find_kept(NPI, b) == []
    assert village.find_said(NPI, a) + village.find_said(NPI, b) == []


async def test_a_silent_member_is_told_to_the_groups_host_alone(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, b, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))

    await change(b, "ben", "revoked")
    await village.rest()

    assert await d.select("SELECT uri FROM actors WHERE uri = :uri", uri=b.person("ben")) == []
    assert not [talk for talk in d.proxy.conversations if talk.client == b.host and b"people/ben" in bytes(talk.sent)]


async def test_t05_a_statement_taken_from_a_colleague_or_signed_by_oneself_counts_as_nothing(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await a.run("group", "change", ward, "--assurance", "A3")
    taken = await statement(a, b.person("ben"))
    assert taken is not None
    d = await village.foreign_friend(a)
    eve, mal = d.person("eve"), d.person("mal")
    eve.more["attestation"] = taken
    own = taken | {"issuer": f"{d.origin}/actor", "credentialSubject": taken["credentialSubject"] | {"id": mal.uri}}
    own.pop("proof")
    mal.more["attestation"] = d.prove(own, mal)

    for person in (eve, mal):
        await d.send(f"{ward}/inbox", d.activity("Follow", person, ward, to=[ward]), person)
    await village.rest()

    found = [await standing(a, person.uri) for person in (eve, mal)]
    assert [each.verdict for each in found] == ["refused", "refused"]
    assert [each.attested and each.attested.problem for each in found] == ["somebody_else", "no_key"]
    assert {each.document["summary"] for each in d.received("Reject")} == {
        "refused: This group asks for assurance A3. The attestation could not be checked."
    }
    assert set(await a.roster(ward)) == {a.person("ana"), b.person("ben")}


async def test_taking_a_level_back_by_command_is_an_end(village: Village) -> None:
    a, b, _ = await village.shared_ward()
    await b.run("member", "verify", "ben", "--assurance", "A0")
    await village.rest()

    assert (await standing(a, b.person("ben"))).verdict == "ended"


async def test_f09_a_host_that_read_of_an_end_before_it_was_told_still_passes_it_on(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    d = await village.node("distant")
    await village.befriend(a, d)
    await d.member("dan")
    await village.let_in(a, ward, (d, "dan"))
    await d.post(ward, "From afar", as_="dan")
    await village.rest()
    await b.run("peer", "policy", a.host, "--accepts-relayed", "yes")
    a.proxy.cut()
    await change(d, "dan", "revoked")
    await village.rest()

    peer = a.core.peers.by_host(d.host)
    await a.house.dereferencer.fetch_actor(d.person("dan"), peer)
    a.proxy.mend()
    await village.pass_time(3600)

    assert (await standing(a, d.person("dan"))).verdict == "revoked"
    assert (await standing(b, d.person("dan"))).verdict == "revoked"


async def test_f09_an_end_is_not_undone_by_an_older_document_that_was_long_on_its_way(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _ = await village.shared_ward()
    uri, peer = b.person("ben"), a.core.peers.by_host(b.host)
    dereferencer = a.house.dereferencer
    fetch = dereferencer._get

    async def fetch_slowly(address: str, *args: Any, **more: Any) -> dict[str, object]:
        document: dict[str, object] = await fetch(address, *args, **more)
        if address == uri and (await standing(a, uri)).is_accepted:
            await change(b, "ben", "revoked")
            await village.rest()
        return document

    monkeypatch.setattr(dereferencer, "_get", fetch_slowly)
    await dereferencer.fetch_actor(uri, peer)

    assert (await standing(a, uri)).verdict == "revoked"


async def test_t62_what_a_node_said_by_its_old_key_counts_no_more_when_it_has_a_new_one(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    d = await village.foreign()
    old = sha256_hex(d.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "add", d.origin, "--fingerprint", old, "--yes")
    mal = d.person("mal")

    mal.more["attestation"] = foreign_statement(d, mal, d.person("first-key"), village.clock.now())
    await d.send(f"{ward}/inbox", d.activity("Follow", mal, ward, to=[ward]), mal)
    await village.rest()
    before = await standing(a, mal.uri)
    d.instance.ed25519 = Ed25519PrivateKey.generate()
    new = sha256_hex(d.instance.ed25519.public_key().public_bytes_raw())
    await a.run("peer", "pause", d.host, "--reason", "another key", "--yes")
    await a.run("peer", "rekey", d.host, "--fingerprint", new)
    between = await standing(a, mal.uri)
    mal.more["attestation"] = foreign_statement(d, mal, d.person("second-key"), village.clock.now())
    await d.send(f"{ward}/inbox", d.activity("Follow", mal, ward, to=[ward]), mal)
    await village.rest()
    after = await standing(a, mal.uri)

    assert (before.verdict, between.verdict) == ("accepted", "none")
    assert (after.verdict, after.attested and after.attested.problem) == ("accepted", "")


async def test_t15_who_was_banned_puts_nothing_into_the_log_but_the_end_of_what_was_attested(village: Village) -> None:
    a = await village.node("society")
    await a.member("ana")
    ward = await a.group("ward", owner="ana")
    d = await village.foreign_friend(a)
    mal, key, now = d.person("mal"), d.person("key"), village.clock.now()
    mal.more["attestation"] = foreign_statement(d, mal, key, now)
    await village.let_foreign_in(a, ward, d, mal)
    await d.send(f"{ward}/inbox", d.create(mal, ward), mal)
    await village.rest()
    await a.run("group", "ban", ward, mal.uri, "--reason", "insults", "--yes")

    for number, status in enumerate(("", "revoked", "ended", "", "suspended")):
        mal.name = f"Ana lies {number}"
        end = {"type": "PhysicianAttestationStatus", "status": status, "since": "2026-01"}
        mal.more["attestation"] = foreign_statement(d, mal, key, now, **({"credentialStatus": end} if status else {}))
        update = d.activity("Update", mal, mal.document, to=[f"{a.origin}/actor"])
        assert (await d.send(f"{a.origin}/inbox", update, mal)).status == 202
        await village.rest()

    rows = await a.select("SELECT document FROM log_entries WHERE kind = 'author' ORDER BY seq")
    cards = [msgspec.json.decode(row.document)["object"] for row in rows]
    cards = [card for card in cards if card["id"] == mal.uri]
    assert [card["name"] for card in cards] == ["Mal", "Mal"]
    assert [card["attestation"].get("credentialStatus", {}).get("status") for card in cards] == [None, "revoked"]
    assert (await standing(a, mal.uri)).verdict == "suspended"
