"""Votes and counts on the wire.

A vote goes from its member's node to the group's host and to nobody else; it never stands in the log:

    {"type": "Create", "id": …, "actor": A, "to": ["G"], "object":
      {"type": "Note", "id": …, "attributedTo": A, "to": ["G"], "inReplyTo": P, "name": "Yes", "published": …}}

It carries no proof of its author, only the signature of the request: nobody who keeps it can show others how somebody
voted. The host answers `Accept` (with the epoch of its log) or `Reject`. What it counts it tells in the log, by place and
without words, so that nothing of a poll is left in it when the poll is taken away:

    {"type": "Update", "actor": G, "object": {"type": "Question", "id": P, "votersCount": 5, "oneOf":
      [{"type": "Note", "replies": {"type": "Collection", "totalItems": 3}}, …], "endTime": …, "closed": …, "updated": …}}

`closed` says that this is the last count. Spec: FEP-9967; the voter's author there is the group's host here, as it orders
everything else. Decision 0024.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.groups import Group
from node.domain.polls import ANSWER_LIMIT_CHARACTERS, Poll
from node.federation.vocabulary import ActivityView, ObjectView
from node.foundation.clock import format_instant
from node.foundation.text import clean_line
from node.store.core import Core
from node.store.polls import Counted

_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/data-integrity/v1"]
_LARGEST_COUNT = 2**53 - 1


def build_vote(
    core: Core, *, voter_uri: str, group: Group, poll_uri: str, name: str, vote_uri: str | None, voted_at: datetime
) -> dict[str, Any]:
    """Return the Create of a vote. vote_uri: the vote's id when it is sent once more; None for a new vote."""
    activity_uri = f"{core.origin}/activities/{core.ids.token()}"
    vote = {
        "type": "Note",
        "id": vote_uri or f"{activity_uri}#vote",
        "attributedTo": voter_uri,
        "to": [group.uri],
        "inReplyTo": poll_uri,
        "name": name,
        "published": format_instant(voted_at),
    }
    return {
        "@context": _CONTEXT,
        "type": "Create",
        "id": activity_uri,
        "actor": voter_uri,
        "object": vote,
        "to": [group.uri],
    }


def is_vote(view: ActivityView) -> bool:
    """Say whether an activity is a vote by its form: a Note with a name, that answers something and says nothing.

    The form decides, not what it answers: a vote for a poll that is not here may never be taken for a post.
    """
    inner = view.inner
    if view.type != "Create" or not isinstance(inner, ObjectView) or inner.type != "Note":
        return False
    return bool(inner.title and inner.in_reply_to and not inner.content and not inner.source)


def read_choice(vote: ObjectView) -> str:
    """Return the answer that a vote names."""
    return clean_line(vote.title or "", limit=ANSWER_LIMIT_CHARACTERS)


def build_accept(core: Core, group: Group, *, vote_activity: str, to: str) -> dict[str, Any]:
    """Return the host's word that it has counted a vote. logEpoch: of the log in which it did."""
    return {
        "@context": _CONTEXT,
        "type": "Accept",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": group.uri,
        "object": vote_activity,
        "to": [to],
        "logEpoch": group.epoch,
    }


def read_epoch(document: dict[str, Any]) -> int:
    """Return the epoch in which a vote was counted; the first where it is not told."""
    epoch = document.get("logEpoch")
    return epoch if type(epoch) is int and 0 < epoch < _LARGEST_COUNT else 1


def build_count(core: Core, group: Group, *, poll_uri: str, poll: Poll, is_last: bool) -> dict[str, Any]:
    """Return the group's word on how a poll stands; of a hidden one before its end, how many have voted."""
    tells = is_last or not poll.is_hidden
    options: list[dict[str, Any]] = [{"type": "Note"} for _ in poll.answers]
    if tells:
        options = [
            {"type": "Note", "replies": {"type": "Collection", "totalItems": answer.votes}} for answer in poll.answers
        ]
    question: dict[str, Any] = {
        "type": "Question",
        "id": poll_uri,
        "anyOf" if poll.is_multiple else "oneOf": options,
        "votersCount": poll.voters,
        "endTime": format_instant(poll.ends_at),
        "updated": format_instant(core.clock.now()),
    }
    if is_last:
        question["closed"] = format_instant(poll.ends_at)
    return {
        "@context": _CONTEXT,
        "type": "Update",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": group.uri,
        "object": question,
        "to": [f"{group.uri}/followers"],
        "cc": [],
    }


def read_count(document: dict[str, Any], *, answers: int) -> tuple[Counted, bool] | None:
    """Return what a count tells and whether it is the last; None where it does not fit a poll of so many answers."""
    question = document.get("object")
    if not isinstance(question, dict):
        return None
    options = question.get("anyOf") or question.get("oneOf")
    voters = _count(question.get("votersCount"))
    if voters is None or not isinstance(options, list) or len(options) != answers:
        return None
    votes = [_votes(option) for option in options]
    told = tuple(each for each in votes if each is not None)
    is_last = isinstance(question.get("closed"), str)
    if (told and len(told) < answers) or (is_last and not told):
        return None
    return Counted(told or None, voters), is_last


def _votes(option: Any) -> int | None:
    replies = option.get("replies") if isinstance(option, dict) else None
    return _count(replies.get("totalItems")) if isinstance(replies, dict) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _LARGEST_COUNT else None
