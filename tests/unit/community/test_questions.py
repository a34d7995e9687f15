"""Questions as they come: what can be voted on is a poll, whoever asks; everything else is a post that asks nothing."""

from __future__ import annotations

from typing import Any

import pytest

from node.community.posts.questions import read_question
from node.federation.vocabulary import ObjectView, understand

_QUESTION = {
    "type": "Question",
    "id": "https://a.example/posts/1",
    "attributedTo": "https://a.example/people/ana",
    "oneOf": [{"type": "Note", "name": name} for name in ("<b>Yes</b>", "No")],
    "endTime": "2026-12-01T12:00:00Z",
}


def _view(**more: Any) -> ObjectView:
    view = understand(_QUESTION | more)
    assert isinstance(view, ObjectView)
    return view


def test_a_question_is_read_as_it_was_asked() -> None:
    question = read_question(_view())

    assert question is not None
    assert question.answers == ("<b>Yes</b>", "No")


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_t42_an_end_that_no_clock_shows_makes_no_poll(end: str) -> None:
    assert read_question(_view(endTime=end)) is None


def test_t42_one_answer_makes_no_poll() -> None:
    assert read_question(_view(oneOf=[{"type": "Note", "name": "Yes"}])) is None
