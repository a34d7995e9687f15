"""The signed client against peers that are slow, loud or forgetful, and the memory of failures."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
from loopback_peer import NOTE, Peer, a_client, a_redirect, an_answer, unsigned

from node.federation.bodies import BodyTooLarge, BodyUnreadable, read_body
from node.federation.client import ANSWER_LIMIT_BYTES, SignedClient
from node.federation.message import Request
from node.federation.negativecache import NegativeCache
from node.foundation.errors import Refusing, Unreachable

# Slow, large and broken answers


@pytest.mark.parametrize("manner", ["drip", "drip_body", "stay_silent"])
async def test_t35_a_peer_that_drips_is_left_at_the_deadline(friend: Peer, manner: str) -> None:
    friend.handler = getattr(friend, manner)
    started = time.monotonic()

    async with a_client(seconds=0.2) as client:
        with pytest.raises(Unreachable, match=r"^timeout: "):
            await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)
        with pytest.raises(Unreachable, match=r"^timeout: "):
            await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert time.monotonic() - started < 2


async def test_t35_all_hops_together_have_one_deadline(friend: Peer) -> None:
    async def redirect_slowly(request: Request, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(friend.stopping.wait(), 0.15)
        writer.write(a_redirect("/actor"))

    friend.handler = redirect_slowly

    async with a_client(seconds=0.25) as client:
        with pytest.raises(Unreachable, match=r"^timeout: "):
            await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)

    assert len(friend.requests) == 2


def a_gzip_bomb() -> bytes:
    """Return about a megabyte of gzip that holds a gigabyte of zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packer.compress(b"\0" * 1024)
    packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * 1_048_576) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * 1024


async def test_t35_a_zip_bomb_costs_neither_memory_nor_time(client: SignedClient, friend: Peer) -> None:
    bomb = a_gzip_bomb()
    friend.otherwise = an_answer(bomb, more="content-encoding: gzip\r\n")
    started = time.process_time()
    tracemalloc.start()

    try:
        with pytest.raises(Refusing, match="more than 262144 bytes"):
            await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(bomb) > 900_000
    assert peak_bytes < 8_000_000
    assert time.process_time() - started < 1


async def test_t35_a_bomb_bursts_just_beyond_the_limit() -> None:
    asked = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal asked
        for start in range(0, len(bomb), 4096):
            asked += 1
            yield bomb[start : start + 4096]

    bomb = a_gzip_bomb()

    with pytest.raises(BodyTooLarge):
        await read_body(pieces(), encoding="gzip", limit_bytes=8_000_000)

    assert asked < 4


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_t35_a_body_may_be_as_large_as_the_limit_and_no_larger(
    client: SignedClient, friend: Peer, encoding: str
) -> None:
    for size_bytes in (4096, 4097):
        body = b"[" * size_bytes
        packed = gzip.compress(body, mtime=0) if encoding == "gzip" else body
        friend.answers[f"/{size_bytes}"] = an_answer(packed, more=f"content-encoding: {encoding}\r\n")
    base = f"http://friend.test:{friend.port}"

    _, fits = await client.get_document(f"{base}/4096", signer=unsigned, limit_bytes=4096)
    with pytest.raises(Refusing, match="more than 4096 bytes"):
        await client.get_document(f"{base}/4097", signer=unsigned, limit_bytes=4096)

    assert fits == b"[" * 4096


async def one_piece(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def test_a_deflated_body_is_unpacked() -> None:
    assert await read_body(one_piece(zlib.compress(NOTE)), encoding=" Deflate ", limit_bytes=100) == NOTE


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(NOTE, mtime=0)[:-1], "gzip"),
        (gzip.compress(NOTE, mtime=0) + b"more", "gzip"),
        (gzip.compress(NOTE, mtime=0) + gzip.compress(NOTE, mtime=0), "gzip"),
        (NOTE, "gzip"),
        (b"", "gzip"),
        (NOTE, "br"),
        (NOTE, "zstd"),
        (gzip.compress(NOTE, mtime=0), "gzip, gzip"),
    ],
)
async def test_t35_a_body_packed_in_another_way_or_broken_is_refused(packed: bytes, encoding: str) -> None:
    with pytest.raises(BodyUnreadable):
        await read_body(one_piece(packed), encoding=encoding, limit_bytes=1000)


async def test_t35_packed_bytes_that_never_become_anything_are_limited_too() -> None:
    empty_block = b"\0\0\0\xff\xff"
    packed = gzip.compress(b"")[:10] + empty_block * 2000

    with pytest.raises(BodyTooLarge):
        await read_body(one_piece(packed), encoding="gzip", limit_bytes=1000)


async def test_t35_a_broken_body_is_a_refusal(client: SignedClient, friend: Peer) -> None:
    friend.otherwise = an_answer(NOTE, more="content-encoding: br\r\n")

    with pytest.raises(Refusing, match="not offered"):
        await client.get_document(f"http://friend.test:{friend.port}/actor", signer=unsigned)


async def test_t35_a_long_answer_to_a_delivery_is_cut(client: SignedClient, friend: Peer) -> None:
    friend.otherwise = an_answer(b"a" * 3_000_000, status=202)

    answer = await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)
    again = await client.post(f"http://friend.test:{friend.port}/inbox", b"{}", signer=unsigned)

    assert (answer.status, answer.body) == (202, b"a" * ANSWER_LIMIT_BYTES)
    assert (again.status, again.body) == (202, b"a" * ANSWER_LIMIT_BYTES)
    assert friend.connections == 2


# What failed a short while ago


def test_t33_a_failure_is_remembered_for_ten_minutes() -> None:
    now = 1000.0
    cache = NegativeCache(lambda: now)

    cache.remember("https://friend.example/actor#key", "it answered 404")

    now = 1599.9
    assert cache.find("https://friend.example/actor#key") == "it answered 404"
    assert cache.find("https://friend.example/actor") is None
    now = 1600.0
    assert cache.find("https://friend.example/actor#key") is None
    assert len(cache) == 0


def test_t33_a_failure_can_be_forgotten() -> None:
    cache = NegativeCache(lambda: 0.0)
    cache.remember("https://friend.example/a", "gone")

    cache.forget("https://friend.example/a")
    cache.forget("https://friend.example/b")

    assert cache.find("https://friend.example/a") is None


def test_t33_remembered_failures_are_bounded() -> None:
    cache = NegativeCache(lambda: 0.0, limit=100)

    for number in range(10_000):
        cache.remember(f"https://friend.example/{number}", "gone")
    cache.remember("https://friend.example/9900", "gone again")
    cache.remember("https://friend.example/new", "gone")

    assert len(cache) == 100
    assert cache.find("https://friend.example/9900") == "gone again"
    assert cache.find("https://friend.example/9901") is None
