"""The group log's entries: chains, commitments, salts, erasure; any changed byte is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from node.federation.grouplog.entry import (
    KINDS,
    LogEntry,
    build_announce,
    build_tombstone,
    chain_zero,
    commit_of,
    format_salt,
    parse_salt,
    read_announce,
    seal_entry,
    verify_entry,
)
from node.federation.signatures.keys import generate_ed25519_key
from node.foundation.errors import NodeError, RemoteMalformed, SignatureInvalid

WARD = "https://a.example/groups/ward"
KEY = generate_ed25519_key()
OTHER_KEY = generate_ed25519_key()
SALT = bytes(range(32))
ACTIVITY = {
    "id": "https://b.example/activities/1",
    "type": "Create",
    "actor": "https://b.example/people/ben",
    "object": {
        "id": "https://b.example/posts/1",
        "type": "Note",
        "content": "<p>Hello ☤</p>",
        "n": [1, 2.5, None, True],
    },
}
ENTRY = LogEntry(WARD, 1, 1, chain_zero(WARD), ACTIVITY["id"], "create", commit_of(SALT, ACTIVITY))
_HEX_CHAINS = st.integers(0, 2**256 - 1).map("{:064x}".format)


def an_announce(entry: LogEntry = ENTRY, *, activity: Any = ACTIVITY, salt: bytes | None = SALT) -> dict[str, Any]:
    """Return the Announce of an entry, as it travels: through JSON."""
    announce = build_announce(
        entry, proof=seal_entry(entry, KEY), activity=activity, salt=None if salt is None else format_salt(salt)
    )
    return json.loads(json.dumps(announce))  # type: ignore[no-any-return]


def believe(document: dict[str, Any]) -> LogEntry:
    """Read and verify an Announce; return the entry."""
    received = read_announce(document)
    verify_entry(received, KEY.public)
    return received.entry


def test_the_chain_before_the_first_entry_is_the_hash_of_the_groups_id() -> None:
    assert chain_zero(WARD) == hashlib.sha256(b"https://a.example/groups/ward").hexdigest()


def test_the_chain_is_the_hash_of_the_entry_in_canonical_form_without_its_proof() -> None:
    entry = LogEntry("https://a.example/g", 1, 412, "0" * 64, "https://b.example/1", "create", "f" * 64)
    canonical = (
        '{"activity":"https://b.example/1","commit":"' + "f" * 64 + '","epoch":1,"group":"https://a.example/g",'
        '"kind":"create","prev":"' + "0" * 64 + '","seq":412,"type":"LogEntry"}'
    )

    assert entry.chain == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_commitment_is_the_hash_of_salt_and_canonical_content() -> None:
    content = {"b": "☤", "a": 1}

    assert commit_of(SALT, content) == hashlib.sha256(SALT + '{"a":1,"b":"☤"}'.encode()).hexdigest()


def test_the_order_of_members_does_not_matter_to_chain_or_commitment() -> None:
    turned = dict(reversed(list(ACTIVITY.items())))

    assert commit_of(SALT, turned) == ENTRY.commit
    assert believe(dict(reversed(list(an_announce(activity=turned).items())))) == ENTRY


def test_an_entry_comes_back_from_the_wire_as_it_was() -> None:
    received = read_announce(an_announce())

    verify_entry(received, KEY.public)

    assert (received.entry, received.object, received.salt) == (ENTRY, ACTIVITY, SALT)


def test_the_seal_carries_no_time_and_is_the_same_each_time() -> None:
    seal = seal_entry(ENTRY, KEY)

    assert seal == seal_entry(ENTRY, KEY)
    assert "created" not in seal
    assert seal["verificationMethod"] == f"{WARD}#ed25519"


def test_an_erased_entry_still_verifies_and_still_chains() -> None:
    erased = an_announce(activity=build_tombstone(ACTIVITY["id"]), salt=None)

    received = read_announce(erased)
    verify_entry(received, KEY.public)

    assert received.entry.chain == ENTRY.chain
    assert (received.salt, received.object) == (None, {"type": "Tombstone", "id": ACTIVITY["id"]})
    assert "logSalt" not in erased


def test_nothing_in_an_erased_entry_tells_what_it_said_or_when() -> None:
    text = json.dumps(an_announce(activity=build_tombstone(ACTIVITY["id"]), salt=None))

    assert "ben" not in text
    assert "Hello" not in text
    assert format_salt(SALT) not in text
    assert not any(word in text for word in ("published", "created", "updated"))


def test_a_guess_at_erased_words_cannot_be_checked_without_the_salt() -> None:
    guesses = {hashlib.sha256(prefix + json.dumps(ACTIVITY).encode()).hexdigest() for prefix in (b"", b"\0" * 32)}

    assert ENTRY.commit not in guesses
    assert commit_of(b"\1" * 32, ACTIVITY) != ENTRY.commit


def test_an_erased_entry_with_a_salt_and_a_whole_one_without_are_refused() -> None:
    with_salt = an_announce(activity=build_tombstone(ACTIVITY["id"]), salt=None) | {"logSalt": format_salt(SALT)}
    without = an_announce()
    del without["logSalt"]

    for document in (with_salt, without):
        with pytest.raises(RemoteMalformed):
            read_announce(document)


def test_other_content_under_the_same_seal_is_refused() -> None:
    changed = an_announce()
    changed["object"]["object"]["content"] = "<p>Goodbye</p>"

    with pytest.raises(RemoteMalformed):
        believe(changed)


def test_another_salt_is_refused() -> None:
    with pytest.raises(RemoteMalformed):
        believe(an_announce() | {"logSalt": format_salt(bytes(32))})


def test_the_seal_of_another_key_or_in_anothers_name_is_refused() -> None:
    forged = an_announce()
    forged["logEntry"]["proof"] = seal_entry(ENTRY, OTHER_KEY)
    renamed = an_announce()
    renamed["logEntry"]["proof"]["verificationMethod"] = "https://b.example/groups/ward#ed25519"

    with pytest.raises(SignatureInvalid):
        believe(forged)
    with pytest.raises(NodeError):
        believe(renamed)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("logEntry", "seq"), 0),
        (("logEntry", "seq"), -1),
        (("logEntry", "seq"), True),
        (("logEntry", "seq"), 1.0),
        (("logEntry", "seq"), "1"),
        (("logEntry", "seq"), 2**53),
        (("logEntry", "epoch"), 0),
        (("logEntry", "kind"), "anything"),
        (("logEntry", "prev"), "0" * 63),
        (("logEntry", "prev"), "0" * 63 + "A"),
        (("logEntry", "prev"), None),
        (("logEntry", "commit"), "g" * 64),
        (("logEntry", "group"), ""),
        (("logEntry", "type"), "Note"),
        (("logEntry", "more"), 1),
        (("logEntry",), []),
        (("object",), "https://b.example/activities/1"),
        (("object", "id"), "https://b.example/activities/2"),
        (("actor",), "https://a.example/groups/other"),
        (("id",), f"{WARD}/log/2"),
        (("id",), None),
        (("logSalt",), "short"),
        (("logSalt",), 7),
        (("logSalt",), "!" * 43),
        (("logMedia",), {}),
        (("logMedia",), [1]),
        (("logMedia",), [{}] * 17),
    ],
)
def test_an_announce_whose_form_is_wrong_is_refused(place: tuple[str, ...], value: Any) -> None:
    document = an_announce()
    target = document
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = value

    with pytest.raises(RemoteMalformed):
        read_announce(document)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every text and number in a document."""
    if isinstance(value, dict):
        return [found for name, member in value.items() for found in _paths(member, (*path, name))]
    if isinstance(value, list):
        return [found for place, member in enumerate(value) for found in _paths(member, (*path, place))]
    return [path]


# What the seal does not cover: who else is told, and how JSON-LD would read it. The host may change these, and nothing here
# believes them.
_NOT_COVERED = {"@context", "to", "cc", "type"}


@given(data=st.data())
@settings(deadline=None)
def test_any_changed_value_is_refused(data: st.DataObject) -> None:
    document = an_announce()
    path = data.draw(st.sampled_from([path for path in _paths(document) if path[0] not in _NOT_COVERED]))
    target = document
    for step in path[:-1]:
        target = target[step]
    before = target[path[-1]]
    target[path[-1]] = data.draw(st.text() | st.integers() | st.booleans() | st.none())
    assume(target[path[-1]] != before or type(target[path[-1]]) is not type(before))

    with pytest.raises(NodeError):
        believe(document)


@given(data=st.data())
@settings(deadline=None)
def test_any_missing_or_added_member_is_refused(data: st.DataObject) -> None:
    document = an_announce()
    holders = [document["logEntry"], document["object"], document["object"]["object"], document["logEntry"]["proof"]]
    holder = data.draw(st.sampled_from(holders))
    if data.draw(st.booleans()):
        del holder[data.draw(st.sampled_from(sorted(holder)))]
    else:
        name = data.draw(st.text().filter(lambda name: name not in holder and name != "@context"))
        holder[name] = data.draw(st.text() | st.none())

    with pytest.raises(NodeError):
        believe(document)


@given(raw=st.binary(min_size=0, max_size=40))
@settings(deadline=None)
def test_only_32_bytes_are_a_salt(raw: bytes) -> None:
    text = format_salt(raw)

    if len(raw) == 32:
        assert parse_salt(text) == raw
    else:
        with pytest.raises(RemoteMalformed):
            parse_salt(text)


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(junk=_JUNK)
@settings(deadline=None)
def test_nothing_raises_anything_but_our_errors(junk: Any) -> None:
    for name in ("logEntry", "object", "logSalt", "logMedia", "actor", "id"):
        document = an_announce()
        document[name] = junk
        try:
            believe(document)
        except NodeError:
            continue
        assert document == an_announce() or name == "logMedia"


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 2**53 - 1), _HEX_CHAINS)
@settings(deadline=None)
def test_every_kind_at_every_place_goes_over_the_wire(kind: str, seq: int, prev: str) -> None:
    entry = replace(ENTRY, kind=kind, seq=seq, prev=prev)

    assert believe(an_announce(entry)) == entry
