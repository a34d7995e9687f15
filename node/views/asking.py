"""Polls on pages: the part of the write form that asks, and the part of a post that is voted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.community.reading.thread import ThreadPage
from node.domain.polls import ANSWER_CHARACTERS, ANSWERS_OFFERED, LONGEST_SECONDS, NewPoll, Poll
from node.domain.posts import page_token

from .visitor import Visitor, read_number

# How long a poll may last, in seconds, as the form offers it.
LASTS = (3600, 21_600, 86_400, 259_200, 604_800, 1_209_600, LONGEST_SECONDS)
_USUAL_SECONDS = 259_200
_OPEN_FIELDS = 4


@dataclass(frozen=True, slots=True)
class PollOnCard:
    """A poll as a post shows it to one reader.

    token: of the post. action: where the vote goes. csrf: of the reader's forms. host: what the node is called that counts;
    is_host_here: whether that is ours. may_vote: whether the form is there. is_waiting: whether the group's host does not have
    the post yet. problem: why a vote was not taken just now.
    """

    poll: Poll
    token: str
    action: str
    csrf: str
    host: str
    is_host_here: bool
    may_vote: bool
    is_waiting: bool
    problem: str

    @property
    def rows(self) -> list[tuple[int, str, int, int, bool]]:
        """(place, answer, votes, percent of the voters, whether the reader chose it) of each answer."""
        whole = self.poll.voters
        return [
            (place, answer.name, answer.votes, _percent(answer.votes, whole), place in self.poll.own)
            for place, answer in enumerate(self.poll.answers)
        ]


@dataclass(frozen=True, slots=True)
class PollForm:
    """The part of the write form that asks. answers: as typed, filled up with empty ones; the first `open` are in sight."""

    answers: tuple[str, ...]
    open: int
    limit: int
    lasts: tuple[int, ...]
    chosen_seconds: int
    is_multiple: bool
    is_hidden: bool
    is_open: bool


def read_poll(form: Mapping[str, str], answers: list[str]) -> NewPoll | None:
    """Return what the write form asks, as typed; None where no answer is given.

    Args:
        form: Its other fields.
        answers: Its `answers[]`.
    """
    typed = tuple(text for answer in answers[:ANSWERS_OFFERED] if (text := answer.replace("\0", "").strip()))
    if not typed:
        return None
    seconds = read_number(form.get("poll_lasts", ""))
    return NewPoll(
        typed,
        lasts_seconds=seconds if seconds in LASTS else _USUAL_SECONDS,
        is_multiple=bool(form.get("poll_multiple")),
        is_hidden=bool(form.get("poll_hidden")),
    )


def fill_form(poll: NewPoll | None, *, is_open: bool = False) -> PollForm:
    """Return the part of the write form that asks, with what was typed before; folded away unless there is something."""
    answers = poll.answers if poll is not None else ()
    return PollForm(
        answers=answers + ("",) * (ANSWERS_OFFERED - len(answers)),
        open=max(_OPEN_FIELDS, len(answers)),
        limit=ANSWER_CHARACTERS,
        lasts=LASTS,
        chosen_seconds=poll.lasts_seconds if poll is not None else _USUAL_SECONDS,
        is_multiple=poll is not None and poll.is_multiple,
        is_hidden=poll is not None and poll.is_hidden,
        is_open=is_open or poll is not None,
    )


def list_polls_on_cards(
    page: ThreadPage,
    visitor: Visitor,
    *,
    path: str,
    host: str,
    may_vote: bool,
    refused: tuple[int, str] | None,
) -> dict[int, PollOnCard]:
    """Return {post: what it asks} of a part of a thread.

    Args:
        page: The part of the thread.
        visitor: Who reads.
        path: The group's.
        host: What the node is called that counts.
        may_vote: Whether the reader may write in the group, and so vote.
        refused: (the poll, why) of a vote that was not taken just now.
    """
    found = {}
    for post in (*page.posts, *page.waiting):
        if (poll := page.polls.get(post.post_id)) is None:
            continue
        token, is_waiting = page_token(post.uri), post.seq is None
        found[post.post_id] = PollOnCard(
            poll=poll,
            token=token,
            action=f"{path}/threads/{token}/vote",
            csrf=visitor.csrf,
            host=host,
            is_host_here=page.group.is_local,
            may_vote=may_vote and not (is_waiting or poll.has_voted or poll.is_over),
            is_waiting=is_waiting,
            problem=visitor.words.said(refused[1]) if refused is not None and refused[0] == post.post_id else "",
        )
    return found


def _percent(votes: int, voters: int) -> int:
    return min(100, round(100 * votes / voters)) if voters else 0
