"""Posts as a thread shows them. A card is made from what it shows and nothing else, so that it can be kept.

What a thread of forty costs is the forty cards. Colleagues who read the same thread see the same cards, but for their own
posts; so those made lately are kept, by everything that stands in them. Who may read a post was decided before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from node.community.reading.quotes import Quote
from node.community.reading.service import ThreadPage
from node.domain.posts import Image, Post

from .visitor import Visitor
from .words import Words


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of a post.

    number: its place in the thread. here: its page. tick: the stage its author is attested at, or nothing.
    answers: (page, author) of the post it answers, where that is not the first one.
    """

    post: Post
    number: int
    here: str
    words: Words
    node: str
    tick: str
    is_own: bool
    is_staff: bool
    answers: tuple[str, str] | None
    quotes: tuple[Quote, ...]
    images: tuple[Image, ...]


def list_cards(
    page: ThreadPage,
    posts: Iterable[Post],
    *,
    first: int,
    visitor: Visitor,
    page_of: Callable[[Post], str],
    name_of: Callable[[str], str],
    ticks: dict[int, str],
) -> list[tuple[Post, Card]]:
    """Return some posts of a thread with their cards.

    Args:
        page: The part of the thread.
        posts: Its posts, in order, or those of the reader that wait.
        first: The place of the first of them.
        visitor: Who reads.
        page_of: From a post to its page.
        name_of: From a host to what its node is called.
        ticks: {author: stage} of those whose attestation counts here.
    """
    words = visitor.words.of_today()
    reader_id, is_staff = visitor.member.actor_id, page.place.is_staff
    made = []
    for number, post in enumerate(posts, first):
        parent = page.parents.get(post.parent_id) if post.parent_id is not None else None
        is_answer = parent is not None and post.parent_id != page.root_id
        card = Card(
            post=post,
            number=number,
            here=page_of(post),
            words=words,
            node=name_of(post.author_host),
            tick=ticks.get(post.author_id, ""),
            is_own=post.author_id == reader_id,
            is_staff=is_staff,
            answers=(page_of(parent), parent.author_name) if parent is not None and is_answer else None,
            quotes=page.quotes.get(post.post_id, ()),
            images=page.images.get(post.post_id, ()),
        )
        made.append((post, card))
    return made
