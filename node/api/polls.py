"""`/api/v1/polls`: look at a poll, vote in it; and what a status may ask. Spec: Mastodon API, methods/polls."""

from __future__ import annotations

from quart import Blueprint, request

from node.community.house import House
from node.community.polls.service import read_poll, vote
from node.domain.polls import NewPoll, Poll
from node.foundation.errors import Invalid, NotFound

from .auth import Caller, needs
from .entities import Entity
from .entities.ids import parse_status_id
from .entities.polls import build_poll
from .parameters import Parameters, is_true, read_parameters

_DIGITS_LIMIT = 9


def add_polls(routes: Blueprint, house: House) -> None:
    """Add the routes of polls."""
    core = house.core

    @routes.get("/api/v1/polls/<poll_id>")
    @needs(core, "read:statuses")
    async def read(caller: Caller, poll_id: str) -> Entity | None:
        return build_poll(await read_poll(core, viewer=caller.member, post_id=_number(poll_id)))

    @routes.post("/api/v1/polls/<poll_id>/votes")
    @needs(core, "write:statuses")
    async def cast(caller: Caller, poll_id: str) -> Entity | None:
        post_id = _number(poll_id)
        choices = [_read_number(text, _NO_CHOICE) for text in (await read_parameters(request)).texts("choices")]
        return build_poll(await vote(core, voter=caller.member, post_id=post_id, choices=choices))


def read_new_poll(parameters: Parameters) -> NewPoll | None:
    """Return what a new status asks; None where it asks nothing.

    Raises:
        Invalid: It says no time, or one that is no number.
    """
    asked = parameters.inside("poll")
    answers = tuple(asked.texts("options"))
    if not answers:
        return None
    return NewPoll(
        answers,
        lasts_seconds=_read_number(asked.text("expires_in") or "", "A poll says in how many seconds it ends."),
        is_multiple=is_true(asked.text("multiple")),
        is_hidden=is_true(asked.text("hide_totals")),
    )


def check_unchanged(parameters: Parameters, poll: Poll | None) -> None:
    """Raise unless a status that is changed asks what it asked; apps send the answers along with other words.

    Raises:
        Invalid: It asks something else.
    """
    answers = parameters.inside("poll").texts("options")
    if answers and (poll is None or answers != [answer.name for answer in poll.answers]):
        raise Invalid("What a poll asks cannot be changed once it was posted. Take it back and ask anew.")


_NO_CHOICE = "A choice is the number of an answer."


def _read_number(text: str, problem: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_LIMIT):
        raise Invalid(problem)
    return int(text)


def _number(poll_id: str) -> int:
    number = parse_status_id(poll_id)
    if number is None:
        raise NotFound
    return number
