"""Where apps may send a browser, what they may ask for, and how a challenge is answered (T54)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.apps import (
    OUT_OF_BAND,
    App,
    NotGranted,
    Wish,
    add_answer,
    challenge_of,
    check_wish,
    is_redirect,
    is_website,
    policy_source,
    read_redirects,
)
from node.domain.scopes import KNOWN, are_within, covers, read_scopes, without_repetition
from node.foundation.errors import Invalid

_CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
_APP = App(1, "client", "Elephant", "", ("elephant://back",), ("read", "write:statuses"))


def _wish(**more: str | None) -> Wish:
    asked: dict[str, str | None] = {
        "response_type": "code", "scope": "read", "state": None, "challenge": None, "challenge_method": None,
    }  # fmt: skip
    return check_wish(_APP, redirect_uri="elephant://back", **(asked | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        OUT_OF_BAND,
        "https://app.example",
        "https://app.example:8443/back?to=1&x=%2F",
        "https://elk.example/api/node.example/oauth/https%3A%2F%2Felk.example",
        "http://localhost:4002/",
        "http://127.0.0.1:8080/oauth",
        "elephant://back",
        "com.elephant.app:/back",
        "mastodon-android-auth://callback",
        "Elephant+2://x",
    ],
)
def test_a_browser_may_be_sent_back_to(address: str) -> None:
    assert is_redirect(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "app.example/back",
        "/back",
        "//app.example/back",
        "http://app.example/back",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://",
        "https:///back",
        "https://app.example/back#part",
        "https://home.example@evil.example/",
        "https://:@evil.example/",
        "https://app.example\\@evil.example/",
        "https://app.example:99999/",
        "https://app.example:x/",
        "https://[::1]/",
        "https://app.exämple/",
        "https://app.example/ back",
        "https://app.example/\r\nSet-Cookie: a=b",
        "https://app.example;script-src *",
        "https://app.example,*",
        "javascript:alert(1)",
        "JavaScript://home.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://home.example/x",
        "about:blank",
        "intent://scan/#Intent;scheme=x;end",
        "ms-msdt:/id%20PCWDiagnostic",
        "search-ms:query=x",
        "mailto:a@b.example",
        "tel:112",
        "urn:ietf:wg:oauth:2.0:oob:auto",
        "elephant:",
        "1phone://back",
        "https://app.example/" + "a" * 2000,
    ],
)
def test_t54_t58_a_browser_may_not_be_sent_to(address: str) -> None:
    assert not is_redirect(address)


def test_on_a_test_node_any_host_may_be_plain() -> None:
    assert is_redirect("http://app.test:3000/back", may_be_plain=True)


@given(st.text(max_size=40) | st.from_regex(r"(https?|[a-z]{1,5}):/{0,3}[ -~]{0,20}", fullmatch=True))
def test_no_text_breaks_the_rule_and_what_it_takes_is_safe_in_a_header_and_in_a_policy(text: str) -> None:
    if is_redirect(text):
        assert text.isascii() and text.isprintable() and " " not in text
        assert not set(policy_source(text)) & set(" ;,'\"")


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["elephant://a"], ("elephant://a",)),
        (["elephant://a\nelephant://b\r\n"], ("elephant://a", "elephant://b")),
        (["elephant://a", "elephant://b", "elephant://a"], ("elephant://a", "elephant://b")),
        ([OUT_OF_BAND], (OUT_OF_BAND,)),
    ],
)
def test_addresses_come_as_a_list_or_as_lines(texts: list[str], read: tuple[str, ...]) -> None:
    assert read_redirects(texts, may_be_plain=False) == read


@pytest.mark.parametrize("texts", [[], [""], ["\n"], ["elephant://a", "javascript:x"], [f"e://{n}" for n in range(21)]])
def test_t54_one_wrong_address_spoils_all(texts: list[str]) -> None:
    with pytest.raises(Invalid):
        read_redirects(texts, may_be_plain=False)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"scope": "read write"}, "invalid_scope"),
        ({"scope": "write"}, "invalid_scope"),
        ({"scope": "read admin:read"}, "invalid_scope"),
        ({"scope": "   "}, "invalid_scope"),
        ({"state": "x" * 2001}, "invalid_request"),
        ({"challenge": _CHALLENGE}, "invalid_request"),
        ({"challenge": _CHALLENGE, "challenge_method": "plain"}, "invalid_request"),
        ({"challenge": _CHALLENGE, "challenge_method": "s256"}, "invalid_request"),
        ({"challenge": "short", "challenge_method": "S256"}, "invalid_request"),
        ({"challenge": None, "challenge_method": "S256"}, "invalid_request"),
    ],
)
def test_t54_an_app_may_not_ask_for(asked: dict[str, str | None], code: str) -> None:
    with pytest.raises(NotGranted) as refused:
        _wish(**asked)

    assert refused.value.code == code


def test_an_app_may_ask_for_less_than_it_registered() -> None:
    assert _wish(scope="read:lists write:statuses").scopes == ("read:lists", "write:statuses")
    assert _wish(scope=None).scopes == ("read",)
    assert _wish(challenge=_CHALLENGE, challenge_method="S256").challenge == _CHALLENGE


def test_an_app_that_says_no_scope_and_may_not_read_gets_what_it_registered_for() -> None:
    app = App(1, "client", "Camera", "", ("camera://back",), ("write:media",))

    wish = check_wish(
        app, redirect_uri="camera://back", response_type="code", scope=None, state=None, challenge=None,
        challenge_method=None,
    )  # fmt: skip

    assert wish.scopes == ("write:media",)


@pytest.mark.parametrize("verifier", ["", "short", "a" * 42, "a" * 129, "a" * 42 + "é", "a" * 42 + "+"])
def test_t54_what_cannot_be_a_verifier_answers_no_challenge(verifier: str) -> None:
    with pytest.raises(NotGranted):
        challenge_of(verifier)


def test_an_answer_is_added_to_what_stands_there_already() -> None:
    assert add_answer("elephant://back", {"code": "a", "state": "é&="}) == "elephant://back?code=a&state=%C3%A9%26%3D"
    assert add_answer("https://a.example/?x=1", {"code": "a", "state": None}) == "https://a.example/?x=1&code=a"


@pytest.mark.parametrize("text", ["", " ", "all", "read:", "read:everything", "admin", "READ", "read,write"])
def test_t54_a_scope_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_scopes(text)


def test_scopes_are_read_in_their_order_and_once() -> None:
    assert read_scopes(" write  read:lists\nwrite ") == ("write", "read:lists")


@pytest.mark.parametrize(
    ("granted", "wanted", "is_covered"),
    [
        ("read", "read:statuses", True),
        ("read", "write:statuses", False),
        ("read:statuses", "read", False),
        ("read:statuses", "read:lists", False),
        ("write", "read:statuses", False),
        ("follow", "write:blocks", True),
        ("follow", "write:statuses", False),
        ("follow", "read:statuses", False),
        ("profile", "profile", True),
        ("profile", "read:accounts", False),
        ("read", "profile", True),
        ("push", "read", False),
    ],
)
def test_t54_a_scope_covers_what_it_says_and_nothing_else(granted: str, wanted: str, *, is_covered: bool) -> None:
    assert covers({granted}, wanted) is is_covered


@given(st.sets(st.sampled_from(KNOWN)))
def test_what_people_are_told_stands_for_everything_that_is_granted(granted: set[str]) -> None:
    told = without_repetition(sorted(granted))

    assert are_within(granted, told) and set(told) <= granted


def test_a_website_is_an_address_of_the_web() -> None:
    assert is_website("https://elephant.example/about") and is_website("http://elephant.example")
    assert not is_website("elephant://about") and not is_website("javascript:x") and not is_website("elephant.example")
