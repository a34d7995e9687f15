"""What may be named, looked up and connected to."""

from __future__ import annotations

import asyncio
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.federation.egress import (
    AddressBlocked,
    EgressPolicy,
    EgressRefused,
    is_loopback_address,
    is_public_address,
    look_up_addresses,
)

LOOKS_PUBLIC = [
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "::127.0.0.1",
    "::8.8.8.8",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff::1",
    "5f00::1",
    "fec0::1",
    "feff::1",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "2620:4f:8000::1",
    "224.0.0.1",
    "239.255.255.250",
    "233.252.0.1",
    "ff02::1",
    "ff0e::1",
    "::ffff:7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
]
PLAINLY_PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "100::1",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
]
NOT_AN_ADDRESS = ["", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "8.8.8.8 ", "8.8.8.8\n", "[::1]"]

TRICKS = [
    "http://friend.example/",
    "file:///etc/passwd",
    "file://friend.example/etc/passwd",
    "data:application/activity+json,{}",
    "gopher://friend.example/",
    "ftp://friend.example/",
    "ws://friend.example/",
    "javascript:alert(1)",
    "//friend.example/",
    "/people/ana",
    "",
    "https:friend.example",
    "https:///people/ana",
    "https://friend.example:22/",
    "https://friend.example:443/",
    "https://friend.example:0443/",
    "https://friend.example:8443/",
    "https://friend.example:/",
    "https://friend.example:99999/",
    "https://friend.example:-1/",
    "https://friend.example:a/",
    "https://ana@friend.example/",
    "https://ana:secret@friend.example/",
    "https://@friend.example/",
    "https://friend.example@stranger.example/",
    "https://friend.example\\@stranger.example/",
    "https://friend.example\\stranger.example/",
    "https://127.0.0.1/",
    "https://93.184.216.34/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://friend.example.1/",
    "https://[::1]/",
    "https://[::ffff:7f00:1]/",
    "https://[2606:4700::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[v1.friend]/",
    "https://[::1/",
    "https://friend.example./",
    "https://FRIEND.EXAMPLE./",
    "https://friend..example/",
    "https://-friend.example/",
    "https://friend_.example/",
    "https://fri%65nd.example/",
    "https://friend。example/",
    "https://fr\u200biend.example/",
    "https://ﬁrst.example/",
    "https://ⓔxample.example/",
    "https://bücher.example/",
    " https://friend.example/",
    "https://friend.example/\n",
    "https://friend.example/a b",
    "https://fri\tend.example/",
    "https://friend.example/\r\nhost: stranger.example",
    "https://friend.example/" + "a" * 2048,
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 127 + "example/",
]


class FakeLookup:
    """A resolver that gives one prepared answer after the other, and keeps the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self.answers.pop(0)


def a_policy(*answers: list[str], insecure_loopback: bool = False) -> EgressPolicy:
    return EgressPolicy(lambda origin: True, insecure_loopback, lookup=FakeLookup(*answers))


def an_address_info(address: str, port: int = 443) -> tuple[int, int, int, str, tuple[str, int]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


@pytest.mark.parametrize("address", LOOKS_PUBLIC + PLAINLY_PRIVATE + NOT_AN_ADDRESS)
def test_t31_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert is_public_address(address)


@given(st.one_of(st.text(), st.ip_addresses().map(str)))
def test_t31_no_text_is_both_loopback_and_public(text: str) -> None:
    assert not (is_public_address(text) and is_loopback_address(text))


@pytest.mark.parametrize(
    "addresses",
    [["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["2606:4700::1", "::1"], ["64:ff9b::7f00:1"]],
)
async def test_t31_one_private_address_among_the_answers_refuses_them_all(addresses: list[str]) -> None:
    policy = a_policy(addresses)

    with pytest.raises(EgressRefused) as refused:
        await policy.resolve("friend.example", 443)

    assert refused.value.code == "egress_refused"
    assert "10.0.0.1" not in refused.value.safe


async def test_t31_checked_addresses_come_from_one_question() -> None:
    lookup = FakeLookup(["93.184.216.34", "2606:4700::1"], ["127.0.0.1"])
    policy = EgressPolicy(lambda origin: True, insecure_loopback=False, lookup=lookup)

    addresses = await policy.resolve("friend.example", 443)

    assert addresses == ["93.184.216.34", "2606:4700::1"]
    assert lookup.asked == [("friend.example", 443)]


async def test_a_name_without_addresses_is_an_ordinary_failure_of_the_network() -> None:
    with pytest.raises(OSError):
        await a_policy([]).resolve("friend.example", 443)


@pytest.mark.parametrize("address", LOOKS_PUBLIC + PLAINLY_PRIVATE)
def test_t31_no_socket_is_opened_to_an_address_that_is_not_public(address: str) -> None:
    policy = a_policy()

    with pytest.raises(AddressBlocked):
        policy.open_socket(an_address_info(address))


@pytest.mark.parametrize("port", [22, 25, 80, 6379, 8443])
def test_t31_no_socket_is_opened_to_another_port_of_a_public_address(port: int) -> None:
    for insecure_loopback in (False, True):
        with pytest.raises(AddressBlocked):
            a_policy(insecure_loopback=insecure_loopback).open_socket(an_address_info("93.184.216.34", port))


def test_t31_no_socket_is_opened_that_is_not_of_the_internet() -> None:
    with pytest.raises(AddressBlocked):
        a_policy().open_socket((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("93.184.216.34", 443)))


def test_a_socket_is_opened_to_a_public_address() -> None:
    with a_policy().open_socket(an_address_info("93.184.216.34")) as opened:
        assert opened.family == socket.AF_INET


@pytest.mark.parametrize("url", TRICKS)
def test_t32_a_tricky_url_is_refused_before_any_name_is_looked_up(url: str) -> None:
    lookup = FakeLookup()
    policy = EgressPolicy(lambda origin: True, insecure_loopback=False, lookup=lookup)

    with pytest.raises(EgressRefused):
        policy.check_url(url)

    assert lookup.asked == []


@given(st.text(max_size=200))
def test_t32_any_text_is_refused_or_becomes_an_https_url(text: str) -> None:
    for url in (text, f"https://{text}", f"https://friend.example{text}"):
        try:
            checked = a_policy().check_url(url)
        except EgressRefused:
            continue
        assert checked.startswith("https://")
        assert checked.isascii()


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://friend.example", "https://friend.example/"),
        ("HTTPS://Friend.Example/People", "https://friend.example/People"),
        ("https://friend.example/people/ana#main-key", "https://friend.example/people/ana"),
        ("https://friend.example?page=1", "https://friend.example/?page=1"),
        ("https://friend.example/a%2fb/../c//d?q=%7e&r=+?", "https://friend.example/a%2fb/../c//d?q=%7e&r=+?"),
        ("https://friend.example/a?", "https://friend.example/a?"),
        ("https://friend.example/@ana", "https://friend.example/@ana"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_url_is_normalised_but_for_what_is_signed(url: str, checked: str) -> None:
    assert a_policy().check_url(url) == checked


def test_an_origin_that_is_not_on_the_list_is_refused() -> None:
    listed = {"https://friend.example", "http://localhost:9001"}
    policy = EgressPolicy(listed.__contains__, insecure_loopback=True, lookup=FakeLookup())

    assert policy.check_url("https://friend.example/actor") == "https://friend.example/actor"
    assert policy.check_url("http://localhost:9001/actor") == "http://localhost:9001/actor"
    for url in ("https://stranger.example/", "http://friend.example/", "http://localhost:9002/", "https://localhost/"):
        with pytest.raises(EgressRefused):
            policy.check_url(url)


def test_an_empty_list_is_nobody() -> None:
    policy = EgressPolicy(set[str]().__contains__, insecure_loopback=False)

    with pytest.raises(EgressRefused):
        policy.check_url("https://friend.example/")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9001/actor",
        "http://127.0.0.1:9001/actor",
        "http://[::1]:9001/actor",
        "https://localhost:9443/actor",
        "http://localhost/actor",
    ],
)
def test_a_test_node_may_name_http_ports_and_literals_of_loopback(url: str) -> None:
    assert a_policy(insecure_loopback=True).check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1:9001/",
        "http://93.184.216.34/",
        "http://127.1:9001/",
        "http://0.0.0.0:9001/",
        "http://[::ffff:127.0.0.1]:9001/",
        "http://[::]:9001/",
        "http://localhost:443/",
        "http://localhost:80/",
        "http://localhost:0/",
        "http://localhost:09001/",
        "http://ana@localhost:9001/",
        "file:///etc/passwd",
        "gopher://localhost:9001/",
    ],
)
def test_t32_a_test_node_refuses_tricks_as_well(url: str) -> None:
    with pytest.raises(EgressRefused):
        a_policy(insecure_loopback=True).check_url(url)


@pytest.mark.parametrize(
    ("addresses", "port"),
    [
        (["93.184.216.34"], 80),
        (["93.184.216.34"], 9001),
        (["127.0.0.1", "93.184.216.34"], 443),
        (["127.0.0.1", "10.0.0.1"], 9001),
        (["127.0.0.1", "0.0.0.0"], 9001),
        (["::ffff:127.0.0.1"], 9001),
    ],
)
async def test_t31_a_test_node_reaches_http_and_ports_on_loopback_only(addresses: list[str], port: int) -> None:
    policy = a_policy(addresses, insecure_loopback=True)

    with pytest.raises(EgressRefused):
        await policy.resolve("localhost.example", port)


async def test_a_test_node_reaches_a_name_that_is_loopback_in_both_families() -> None:
    policy = a_policy(["127.0.0.1", "::1"], insecure_loopback=True)

    assert await policy.resolve("localhost", 9001) == ["127.0.0.1", "::1"]


async def test_the_machines_own_resolver_knows_localhost() -> None:
    addresses = await asyncio.wait_for(look_up_addresses("localhost", 80), timeout=5)

    assert addresses
    assert all(map(is_loopback_address, addresses))


async def test_a_name_no_resolver_can_take_is_an_ordinary_failure_of_the_network() -> None:
    with pytest.raises(OSError):
        await look_up_addresses("a" * 300, 80)
