"""What the signed client sends, and what it takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from loopback_peer import ACTIVITY, AS_PROFILE, NOTE, Peer, a_client, a_peer, a_redirect, an_answer, unsigned

from node.federation.client import USER_AGENT, SignedClient
from node.federation.egress import EgressRefused
from node.federation.mediatypes import is_activity_type
from node.federation.message import Request
from node.federation.signatures.cavage import read_cavage
from node.federation.signatures.keys import PrivateKey
from node.foundation.errors import Refusing, Unreachable

# Documents


async def test_a_document_is_fetched_with_a_signature_over_exactly_what_was_sent(
    client: SignedClient, friend: Peer, rsa_key: PrivateKey, signer: Callable[[Request], Request]
) -> None:
    target = "/people/a%2Fb/../c//d?page=%7e&q=+&r"

    final_url, body = await client.get_document(f"http://friend.test:{friend.port}{target}#main-key", signer=signer)

    assert (final_url, body) == (f"http://friend.test:{friend.port}{target}", NOTE)
    request = friend.requests[0]
    claim = read_cavage(request)
    assert request.target == target
    assert request.all("host") == [f"friend.test:{friend.port}"]
    assert claim.covered == ("(request-target)", "host", "date", "digest")
    assert rsa_key.public.verify(claim.signature, claim.base)


async def test_a_request_says_who_asks_and_what_is_understood(client: SignedClient, friend: Peer) -> None:
    await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    request = friend.requests[0]
    assert request.all("user-agent") == [USER_AGENT]
    assert request.all("accept") == [f"{ACTIVITY}, {AS_PROFILE}"]
    assert request.all("accept-encoding") == ["gzip, deflate"]
    assert request.one("content-type") is None


@pytest.mark.parametrize(
    "content_type", [ACTIVITY, f"{ACTIVITY}; charset=utf-8", "Application/Activity+JSON", AS_PROFILE]
)
async def test_t34_a_document_of_an_activitypub_type_is_taken(
    client: SignedClient, friend: Peer, content_type: str
) -> None:
    friend.otherwise = an_answer(content_type=content_type)

    _, body = await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert body == NOTE


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "application/json",
        "image/png",
        "application/ld+json",
        'application/ld+json; profile="https://www.w3.org/ns/json-ld#compacted"',
        "application/octet-stream",
        "application/activity+json, text/html",
        "text/html; x=application/activity+json",
        "image/png\r\ncontent-type: application/activity+json",
        "application/activity+json; charset=utf-8\r\ncontent-type: text/html",
    ],
)
async def test_t34_a_document_of_another_type_is_refused(client: SignedClient, friend: Peer, content_type: str) -> None:
    friend.otherwise = an_answer(content_type=content_type)

    with pytest.raises(Refusing):
        await client.get_document(f"http://friend.test:{friend.port}/media/upload", signer=unsigned)


def test_t34_a_profile_may_stand_among_others() -> None:
    assert is_activity_type(
        'Application/LD+JSON;charset=utf-8; Profile="http://a.example https://www.w3.org/ns/activitystreams"'
    )
    assert is_activity_type("application/ld+json;profile=https://www.w3.org/ns/activitystreams")
    assert not is_activity_type("application/ld+json; xprofile=https://www.w3.org/ns/activitystreams")
    assert not is_activity_type('application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil.example"')


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 204, 206, 304])
async def test_a_refusal_is_told_with_its_status(client: SignedClient, friend: Peer, status: int) -> None:
    friend.otherwise = an_answer(b"", status=status)

    with pytest.raises(Refusing) as refused:
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert refused.value.remote_status == status


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_an_answer_that_says_later_is_unreachable(client: SignedClient, friend: Peer, status: int) -> None:
    friend.otherwise = an_answer(status=status)

    with pytest.raises(Unreachable, match=f"status: .* {status}"):
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)


# Redirects


async def test_a_redirect_within_the_origin_is_followed_and_signed_again(
    client: SignedClient, friend: Peer, rsa_key: PrivateKey, signer: Callable[[Request], Request]
) -> None:
    friend.answers = {"/@ana": a_redirect("/people/ana?x=1#me"), "/people/ana?x=1": an_answer()}

    final_url, _ = await client.get_document(f"http://friend.test:{friend.port}/@ana", signer=signer)

    assert final_url == f"http://friend.test:{friend.port}/people/ana?x=1"
    assert [request.target for request in friend.requests] == ["/@ana", "/people/ana?x=1"]
    assert all(rsa_key.public.verify(claim.signature, claim.base) for claim in map(read_cavage, friend.requests))


@pytest.mark.parametrize("location", ["http://stranger.test:{port}/x", "//stranger.test:{port}/x"])
async def test_t03_a_stranger_sees_nothing_of_a_redirect_to_it(friend: Peer, location: str) -> None:
    async with a_peer() as stranger, a_client(stranger_port=stranger.port) as client:
        friend.otherwise = a_redirect(location.format(port=stranger.port))

        with pytest.raises(EgressRefused):
            await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

        assert stranger.connections == 0
        assert stranger.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "http://other.test:{port}/x",
        "http://friend.test:{port}@stranger.test/x",
        "https://friend.test:{port}/x",
        "http://127.0.0.1:{port}/x",
        "file:///etc/passwd",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://[::1",
        "http://friend.test:{port}/\xe4",
        "",
    ],
)
async def test_t03_a_redirect_to_another_origin_is_refused_even_when_that_is_a_friend(
    client: SignedClient, friend: Peer, location: str
) -> None:
    friend.otherwise = a_redirect(location.format(port=friend.port), status=307)

    with pytest.raises(Refusing):
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert len(friend.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_t33_a_loop_of_redirects_costs_four_requests(client: SignedClient, friend: Peer, status: int) -> None:
    friend.otherwise = a_redirect("/actor", status=status)

    with pytest.raises(Refusing, match="redirects"):
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert len(friend.requests) == 4


# Other fetches


async def test_json_is_fetched_unsigned_in_its_own_types_only(client: SignedClient, friend: Peer) -> None:
    friend.answers = {
        "/nodeinfo/2.1": an_answer(content_type="application/json; profile=x"),
        "/webfinger": an_answer(content_type="application/jrd+json"),
        "/html": an_answer(content_type="text/html"),
    }
    base = f"http://friend.test:{friend.port}"

    assert await client.get_json(f"{base}/nodeinfo/2.1") == (f"{base}/nodeinfo/2.1", NOTE)
    assert await client.get_json(f"{base}/webfinger") == (f"{base}/webfinger", NOTE)
    with pytest.raises(Refusing):
        await client.get_json(f"{base}/html")
    with pytest.raises(Refusing):
        await client.get_json(f"{base}/webfinger", content_types={"application/json"})

    assert friend.requests[0].one("accept") == "application/jrd+json, application/json"


async def test_a_file_is_fetched_with_the_type_it_claims(client: SignedClient, friend: Peer) -> None:
    friend.otherwise = an_answer(b"\x89PNG", content_type="Image/PNG; x=y")
    url = f"http://friend.test:{friend.port}/media/r"

    assert await client.get_bytes(url, signer=unsigned, limit_bytes=4) == ("image/png", b"\x89PNG")
    with pytest.raises(Refusing):
        await client.get_bytes(url, signer=unsigned, limit_bytes=3)


async def test_a_cookie_is_never_kept(client: SignedClient, friend: Peer) -> None:
    friend.otherwise = an_answer(more="set-cookie: a=b; path=/\r\n")

    for _ in range(2):
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert friend.requests[1].one("cookie") is None


# Deliveries


async def test_a_delivery_is_signed_over_the_exact_bytes(
    client: SignedClient, friend: Peer, rsa_key: PrivateKey, signer: Callable[[Request], Request]
) -> None:
    friend.otherwise = an_answer(b'{"have":3}', status=202, more="Rounds-Log: a\r\nRounds-Log: b\r\n")
    body = b'{"type":  "Create", "name": "\xc3\xa4"}'

    answer = await client.post(
        f"http://friend.test:{friend.port}/inbox", body, signer=signer, headers=(("rounds-log", "7"),)
    )

    assert (answer.status, answer.body, answer.one("rounds-log")) == (202, b'{"have":3}', "a")
    request = friend.requests[0]
    claim = read_cavage(request)
    assert (request.method, request.target, request.body) == ("POST", "/inbox", body)
    assert request.all("content-type") == [ACTIVITY]
    assert request.all("rounds-log") == ["7"]
    assert claim.covered == ("(request-target)", "host", "date", "digest", "content-type")
    assert rsa_key.public.verify(claim.signature, claim.base)


@pytest.mark.parametrize("status", [200, 202, 301, 307, 401, 404, 409, 410, 429, 500, 503])
async def test_a_delivery_returns_every_status_and_follows_nothing(
    client: SignedClient, friend: Peer, status: int
) -> None:
    friend.otherwise = an_answer(b"", status=status, more="location: /elsewhere\r\nretry-after: 7\r\n")

    answer = await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert (answer.status, answer.one("retry-after")) == (status, "7")
    assert len(friend.requests) == 1


async def test_deliveries_to_a_peer_share_a_connection(client: SignedClient, friend: Peer) -> None:
    for _ in range(3):
        await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert len(friend.requests) == 3
    assert friend.connections == 1


async def test_a_delivery_to_an_address_not_on_the_list_leaves_nothing_behind() -> None:
    async with a_peer() as stranger, a_client(stranger_port=stranger.port) as client:
        with pytest.raises(EgressRefused):
            await client.post(f"http://stranger.test:{stranger.port}/inbox", b"{}", signer=unsigned)

        assert stranger.connections == 0
