"""A key's word about the next one: it leads from the pinned key to the shown one, and by no other way."""

from __future__ import annotations

from typing import Any

from node.federation.message import KeyDocument
from node.federation.signatures.keys import PrivateKey, fingerprint_hex, format_multikey, generate_ed25519_key
from node.federation.succession import SUCCESSIONS, SUCCESSIONS_LIMIT, build_succession, leads_to

ACTOR = "https://a.example/actor"
_CREATED = "2026-12-01T00:00:00Z"


def _key(private: PrivateKey, owner: str = ACTOR) -> KeyDocument:
    text = format_multikey(private.public)
    return KeyDocument(f"{owner}#ed25519-{text[-8:]}", owner, "ed25519", text)


def _word(previous: PrivateKey, following: PrivateKey, *, signer: PrivateKey | None = None) -> dict[str, Any]:
    return build_succession(_key(previous), _key(following), signer or previous, created=_CREATED)


def _leads(words: list[Any], pinned: PrivateKey, shown: PrivateKey, **more: Any) -> bool:
    document = {"id": ACTOR, SUCCESSIONS: words} | more
    return leads_to(document, pinned=fingerprint_hex(pinned.public), shown=fingerprint_hex(shown.public))


def test_the_way_leads_over_several_keys_in_whatever_order_they_stand() -> None:
    first, second, third = (generate_ed25519_key() for _ in range(3))

    words = [_word(second, third), _word(first, second)]

    assert _leads(words, first, third)
    assert _leads(words, second, third)


def test_t62_nobody_leads_back_to_a_key_that_was_before() -> None:
    first, second = generate_ed25519_key(), generate_ed25519_key()

    assert not _leads([_word(first, second)], second, first)
    assert not _leads([_word(first, second), _word(second, first)], first, generate_ed25519_key())


def test_t62_a_key_that_names_two_others_leads_nowhere() -> None:
    pinned, one, other = (generate_ed25519_key() for _ in range(3))

    words = [_word(pinned, one), _word(pinned, other)]

    assert not _leads(words, pinned, one)
    assert not _leads(words, pinned, other)


def test_t62_only_the_pinned_key_itself_names_the_next() -> None:
    pinned, thief = generate_ed25519_key(), generate_ed25519_key()
    good = _word(pinned, thief)

    assert not _leads([_word(pinned, thief, signer=thief)], pinned, thief)
    assert not _leads([good | {"next": _word(pinned, pinned)["next"]}], pinned, thief)
    assert not _leads([good | {"actor": "https://b.example/actor"}], pinned, thief)
    assert not _leads([good], pinned, thief, id="https://b.example/actor")


def test_words_that_cannot_be_read_lead_nowhere() -> None:
    pinned, following = generate_ed25519_key(), generate_ed25519_key()
    good = _word(pinned, following)

    unreadable: list[Any] = [[], [None], [{}], ["x"], [good | {"previous": None}], [good | {"type": "Note"}], good]
    for wrong in unreadable:
        assert not _leads(wrong, pinned, following)
    assert not _leads([good] * (SUCCESSIONS_LIMIT + 1), pinned, following)
    assert _leads([{}, good], pinned, following)
