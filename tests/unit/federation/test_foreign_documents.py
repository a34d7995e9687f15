"""The documents of 27 kinds of software, where they are at hand: none is harmful, nearly all are understood.

They belong to other projects and are no part of this one. Where the folder is absent, everything here is skipped.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sample_documents import FOREIGN_FOLDER, list_facts

from node.federation.jsonld import normalize_document, normalize_unusual, parse_document
from node.federation.origin import check_activity_origins, check_announced_origins
from node.federation.vocabulary import ActivityView, ObjectView, View, understand
from node.foundation.errors import OriginMismatch, RemoteProtocolError

pytestmark = pytest.mark.skipif(not FOREIGN_FOLDER.is_dir(), reason="The documents of other projects are not here.")

REQUIRED_TYPES = frozenset(
    [
        "Follow",
        "Accept",
        "Reject",
        "Undo",
        "Create",
        "Update",
        "Delete",
        "Announce",
        "Add",
        "Remove",
        "Block",
        "Flag",
        "Group",
        "Person",
        "Note",
        "Page",
        "Article",
        "Event",
        "Question",
    ]
)
# Kinds of documents that are not ActivityPub, and examples from proposals, many of them fragments.
NOT_SENT_BY_SOFTWARE = {"fep", "nodeinfo", "signatures", "webfinger"}
RIGHTLY_REFUSED = {
    "polls/bonfire__poll_attachment.json": "name twice",
}
LEAST_UNDERSTOOD = 0.6


def list_foreign_files() -> list[Path]:
    return sorted(path for path in FOREIGN_FOLDER.rglob("*") if path.is_file())


def read_foreign(path: Path) -> View:
    return understand(normalize_document(parse_document(path.read_bytes())))


def name_of(path: Path) -> str:
    return str(path.relative_to(FOREIGN_FOLDER))


def load_foreign(name: str) -> Any:
    return read_foreign(FOREIGN_FOLDER / name)


def test_nearly_all_foreign_documents_are_understood_and_none_does_harm() -> None:
    understood: dict[str, View] = {}
    refused: dict[str, str] = {}
    files = list_foreign_files()

    for path in files:
        try:
            understood[name_of(path)] = read_foreign(path)
        except RemoteProtocolError as error:
            refused[name_of(path)] = error.internal

    print(f"\nunderstood: {len(understood)} of {len(files)} files")
    for (software, kind), count in sorted(_count_by_software(understood).items()):
        print(f"  {software:14} {kind:24} {count}")
    print(f"refused: {len(refused)}")
    for name, reason in sorted(refused.items()):
        print(f"  {name:60} {reason}")
    assert len(understood) >= LEAST_UNDERSTOOD * len(files)
    assert not {name: refused[name] for name in refused if _is_required(name)}
    for name, reason in RIGHTLY_REFUSED.items():
        assert reason in refused[name]


def _count_by_software(understood: dict[str, View]) -> Counter[tuple[str, str]]:
    return Counter((name.partition("/")[0], view.type) for name, view in understood.items())


def _is_required(name: str) -> bool:
    """Return whether a file is something that a software sends, of a type that must be understood."""
    if name in RIGHTLY_REFUSED or name.partition("/")[0] in NOT_SENT_BY_SOFTWARE or not name.endswith(".json"):
        return False
    document = json.loads((FOREIGN_FOLDER / name).read_bytes())
    kinds = document.get("type") if isinstance(document, dict) else None
    return not REQUIRED_TYPES.isdisjoint(kinds if isinstance(kinds, list) else [kinds])


def test_d10_both_ways_of_reading_a_foreign_document_agree() -> None:
    compared = 0
    differing: list[str] = []

    for path in list_foreign_files():
        try:
            document = parse_document(path.read_bytes())
            plain = understand(normalize_document(document))
        except RemoteProtocolError:
            continue
        compared += 1
        if list_facts(plain) != list_facts(understand(normalize_unusual(document))):
            differing.append(name_of(path))

    assert compared > 200
    assert differing == []


def test_t20_the_bogus_announce_is_refused_for_speaking_of_another_origin() -> None:
    announce = load_foreign("adversarial/bonfire__bogus-mastodon-announce.json")

    with pytest.raises(OriginMismatch):
        check_activity_origins(announce, signer=announce.actor)


def test_t02_the_spoofed_note_is_refused_for_its_author() -> None:
    note = load_foreign("adversarial/bonfire__spoofed_pleroma_note.json")

    with pytest.raises(OriginMismatch):
        check_announced_origins(note)


def test_t39_an_ld_signature_true_or_false_leaves_no_trace_in_a_view() -> None:
    for name in ("mastodon_signed_create", "mastodon_signed_create_tampered", "mastodon_signed_delete"):
        document = json.loads((FOREIGN_FOLDER / "ld-signature" / f"{name}.json").read_bytes())
        unsigned = {key: value for key, value in document.items() if key != "signature"}

        assert list_facts(understand(document)) == list_facts(understand(unsigned))


# Each of these breaks a rule, and the rule is right: see `origin` for why.
AGAINST_THE_RULES = {
    "adversarial/bonfire__bogus-mastodon-announce.json": "a post of another origin, by somebody who is no group",
    "fep/171b_01.json": "an Add that carries what another did",
    "fep/1b12_04.json": "an id without scheme",
    "kroeg/bonfire__kroeg-announce-with-inline-actor.json": "a post of another origin, by somebody who is no group",
    "kroeg/bonfire__kroeg-array-less-hashtag.json": "an author written as an object",
    "lemmy/activities__deletion__remove_note.json": "a removal, by somebody not known as a moderator",
    "mobilizon/mz__mobilizon-post-activity-group.json": "a person's post attributed to their group",
    "nodebb/thread_case_1__received_3.json": "a like that carries another's post",
    "nodebb/thread_case_1__received_6.json": "a like that carries another's post",
    "nodebb/thread_case_1__received_8.json": "a like that carries another's post",
    "nodebb/thread_case_1__received_9.json": "a like that carries another's post",
}


def test_foreign_activities_keep_to_the_origin_rules_but_for_these() -> None:
    refused: dict[str, str] = {}
    for path in list_foreign_files():
        name = name_of(path)
        # Mbin's snapshots have their ids blotted out.
        if path.suffix != ".json" or b"SCRUBBED_ID" in path.read_bytes():
            continue
        try:
            view = read_foreign(path)
        except RemoteProtocolError:
            continue
        if isinstance(view, ActivityView):
            is_from_group = not isinstance(view.inner, ObjectView) or name.startswith("nodebb/")
            try:
                check_activity_origins(view, signer=view.actor, is_from_group=is_from_group, allow_insecure=True)
            except OriginMismatch as error:
                refused[name] = str(error)

    print(f"\nagainst the rules: {json.dumps(refused, indent=2)}")
    assert refused.keys() == AGAINST_THE_RULES.keys()
