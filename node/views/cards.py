"""Posts as a thread shows them. A card is made from what it shows and nothing else, so that it can be kept.

What a thread of forty costs is the forty cards. Colleagues who read the same thread see the same cards, but for their own
posts; so those made lately are kept, by everything that stands in them. Who may read a post was decided before.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from node.community.reading.quotes import Quote
from node.community.reading.reach import Reach
from node.community.reading.thread import ThreadPage
from node.domain.posts import Image, Post

from .asking import PollOnCard
from .markup import Markup
from .visitor import Visitor
from .words import Words

_CARDS_KEPT = 2048
_KEPT_CHARACTERS = 8000


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of a post.

    number: its place in the thread. here: its page. tick: the stage its author is attested at, or nothing.
    answers: (page, author) of the post it answers, where that is not the first one.
    reach: where it is, for its author; for staff, where it is not on every node yet.
    poll: what it asks, with the reader's own form.
    is_bookmarked, is_thanked: what the reader did about it. thanked_by: for its author, who thanked.
    is_folded: its author is kept at a distance by the reader.
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
    reach: Reach | None = None
    poll: PollOnCard | None = None
    is_bookmarked: bool = False
    is_thanked: bool = False
    thanked_by: tuple[str, ...] = ()
    is_folded: bool = False


class KeptCards:
    """Cards made lately, with what they show; long ones are made anew each time: memory has a bound.

    They are found by a few numbers and compared in full, which costs half of what hashing all of a card does.
    """

    def __init__(self, make: Callable[[Card], Markup]) -> None:
        self._make = make
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[Card, Markup]] = OrderedDict()

    def show(self, card: Card) -> Markup:
        """Return a card as HTML; one that asks is made anew each time, as the form in it is its reader's own."""
        if card.poll is not None:
            return self._make(card)
        reader = card.words.preferences
        key = (card.post.post_id, card.number, card.is_own, card.is_staff, reader.language, reader.time_zone)
        kept = self._kept.get(key)
        if kept is not None and kept[0] == card:
            self._kept.move_to_end(key)
            return kept[1]
        made = self._make(card)
        if len(card.post.html) + len(card.post.source) <= _KEPT_CHARACTERS:
            self._kept[key] = card, made
            if len(self._kept) > _CARDS_KEPT:
                self._kept.popitem(last=False)
        return made


def list_cards(
    page: ThreadPage,
    posts: Iterable[Post],
    *,
    first: int,
    visitor: Visitor,
    page_of: Callable[[Post], str],
    name_of: Callable[[str], str],
    ticks: dict[int, str],
    polls: Mapping[int, PollOnCard],
) -> list[Card]:
    """Return the cards of some posts of a thread.

    Args:
        page: The part of the thread.
        posts: Its posts, in order, or those of the reader that wait.
        first: The place of the first of them.
        visitor: Who reads.
        page_of: From a post to its page.
        name_of: From a host to what its node is called.
        ticks: {author: stage} of those whose attestation counts here.
        polls: {post: what it asks}.
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
            reach=_find_reach(page, post, reader_id),
            poll=polls.get(post.post_id),
            is_bookmarked=post.post_id in page.marked.flags.bookmarked,
            is_thanked=post.post_id in page.marked.flags.thanked,
            thanked_by=page.marked.thanked_by.get(post.post_id, ()),
            is_folded=post.author_id in page.marked.folded,
        )
        made.append(card)
    return made


def _find_reach(page: ThreadPage, post: Post, reader_id: int) -> Reach | None:
    """Return where a post is, if it is worth a line to whoever reads."""
    reach = page.reaches.get(post.post_id)
    return reach if reach is not None and (post.author_id == reader_id or reach.missing) else None
