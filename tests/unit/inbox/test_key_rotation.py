"""Keys of peers that change: two beside each other, one whose time is over, one that was revoked, old papers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from node.federation.integrity import sign_document
from node.federation.message import Answer
from node.federation.signatures.keys import format_multikey, format_public_pem, generate_ed25519_key
from node.foundation.clock import format_instant
from node.store.activities import count_waiting
from tests.support.corridor import Corridor
from tests.support.lone_house import ORIGIN, rsa_key
from tests.support.requesters import a_post


def _pem(corridor: Corridor, name: str, key: str, **more: Any) -> dict[str, Any]:
    uri = corridor.fay.uri
    return {"id": f"{uri}#{name}", "owner": uri, "publicKeyPem": format_public_pem(rsa_key(key).public), **more}


async def _say(corridor: Corridor, name: str, key: str, number: int) -> Answer:
    """Let fay say something, signed by one of her keys."""
    fay = corridor.fay.__class__(corridor.fay.uri, rsa_key(key), corridor.fay.ed25519)
    request = a_post(fay.activity("View", ORIGIN, number=number))
    return await corridor.post(fay.sign(request, corridor.now, key_id=f"{fay.uri}#{name}"))


def _serve(corridor: Corridor, **more: Any) -> None:
    corridor.lone.wire.documents = {corridor.fay.uri: corridor.fay.document(**more)}


async def test_two_keys_beside_each_other_are_both_taken(corridor: Corridor) -> None:
    _serve(corridor, publicKey=[_pem(corridor, "main-key", "friend.example"), _pem(corridor, "main-key-2", "her next")])

    answers = [
        await _say(corridor, "main-key-2", "her next", 1),
        await _say(corridor, "main-key", "friend.example", 2),
    ]

    assert [answer.status for answer in answers] == [202, 202]
    assert len(corridor.lone.wire.asked) == 1


async def test_a_key_that_has_expired_is_refused_and_asked_for_once_a_minute(corridor: Corridor) -> None:
    end = format_instant(corridor.now - timedelta(minutes=1))
    _serve(
        corridor,
        publicKey=[_pem(corridor, "main-key-2", "her next"), _pem(corridor, "main-key", "friend.example", expires=end)],
    )
    await _say(corridor, "main-key-2", "her next", 1)
    asked = len(corridor.lone.wire.asked)

    answers = [await _say(corridor, "main-key", "friend.example", number) for number in range(2, 6)]

    assert {answer.status for answer in answers} == {401}
    assert len(corridor.lone.wire.asked) == asked + 1


async def test_t05_a_key_of_before_proves_what_was_said_and_signs_no_request(corridor: Corridor) -> None:
    former = generate_ed25519_key()
    past = {
        "id": f"{corridor.fay.uri}#ed25519-1",
        "type": "Multikey",
        "controller": corridor.fay.uri,
        "publicKeyMultibase": format_multikey(former.public),
    }
    _serve(corridor, pastAssertionMethod=[past], publicKey=[_pem(corridor, "main-key-2", "her next")])
    await _say(corridor, "main-key-2", "her next", 1)

    proving = await corridor.lone.core.keyring.proving(past["id"])

    assert proving is not None and proving.key == former.public
    assert await corridor.lone.core.keyring.known(past["id"]) is None


async def test_t09_an_old_document_does_not_bring_a_revoked_key_back(corridor: Corridor) -> None:
    listed = corridor.fay.document()["assertionMethod"][0]
    gone = listed | {"revoked": format_instant(corridor.now), "lastEntry": 7}
    _serve(
        corridor, assertionMethod=[], pastAssertionMethod=[gone], publicKey=[_pem(corridor, "main-key-2", "her next")]
    )
    await _say(corridor, "main-key-2", "her next", 1)

    _serve(corridor, publicKey=[_pem(corridor, "main-key-3", "and another")])
    await _say(corridor, "main-key-3", "and another", 2)

    keyring = corridor.lone.core.keyring
    assert await keyring.known(listed["id"]) is None
    proving = await keyring.proving(listed["id"])
    assert proving is not None and proving.last_seq == 7


async def test_what_a_key_proves_that_cannot_be_asked_for_now_waits_and_is_not_refused(corridor: Corridor) -> None:
    fay, wire = corridor.fay, corridor.lone.wire
    following = generate_ed25519_key()
    method = f"{fay.uri}#ed25519-2"
    said = sign_document(
        fay.post_in(corridor.ward.uri, "Hello"), following, method=method, created=format_instant(corridor.now)
    )
    wire.silent = True
    answer = await corridor.send(fay, said)
    before = await corridor.texts()
    waiting = await corridor.lone.core.store.read(count_waiting)

    wire.silent = False
    listed = {"id": method, "type": "Multikey", "controller": fay.uri}
    listed["publicKeyMultibase"] = format_multikey(following.public)
    _serve(corridor, assertionMethod=[listed])
    corridor.lone.clock.advance(60)
    await corridor.lone.work()

    assert (answer.status, before, waiting) == (202, [], 1)
    assert await corridor.texts() == ["<p>Hello</p>"]


async def test_what_nobodys_key_proves_is_dropped_at_once(corridor: Corridor) -> None:
    fay = corridor.fay
    said = sign_document(
        fay.post_in(corridor.ward.uri, "Hello"),
        generate_ed25519_key(),
        method=f"{fay.uri}#ed25519-2",
        created=format_instant(corridor.now),
    )

    await corridor.send(fay, said)

    assert await corridor.lone.core.store.read(count_waiting) == 0
    assert await corridor.texts() == []
