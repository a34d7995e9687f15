"""Notes, pages, events, polls, files and collections as each software writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sample_documents import load_document, understand_own

from node.federation.vocabulary import (
    PUBLIC,
    ActivityView,
    Attachment,
    CollectionView,
    ObjectView,
    Option,
    Tag,
    understand,
)
from node.foundation.errors import RemoteMalformed, UnsupportedActivity

OBJECTS = [
    "Note",
    "Page",
    "Article",
    "Event",
    "Question",
    "Document",
    "Image",
    "Video",
    "Audio",
    "ChatMessage",
    "Tombstone",
]


def a_note(**members: Any) -> dict[str, Any]:
    return {
        "id": "https://a.example/posts/1",
        "type": "Note",
        "attributedTo": "https://a.example/people/ana",
        "content": "<p>Hello</p>",
        **members,
    }


def understand_note(**members: Any) -> ObjectView:
    view = understand(a_note(**members))
    assert isinstance(view, ObjectView)
    return view


def read_inner(name: str) -> ObjectView:
    view = understand_own(name)
    assert isinstance(view, ActivityView)
    assert isinstance(view.inner, ObjectView)
    return view.inner


@pytest.mark.parametrize("type_name", OBJECTS)
def test_every_kind_of_object_is_understood(type_name: str) -> None:
    assert understand_note(type=type_name).type == type_name


@pytest.mark.parametrize(
    "type_name", ["as:Note", "https://www.w3.org/ns/activitystreams#Note", ["Thing", "Note"], ["Note"]]
)
def test_a_type_may_be_spelled_out_or_stand_among_others(type_name: Any) -> None:
    assert understand_note(type=type_name).type == "Note"


@pytest.mark.parametrize("type_name", ["Conversation", "note", "", [], None, 5, {}, ["Thing"], [[]]])
def test_other_types_are_refused(type_name: Any) -> None:
    with pytest.raises((UnsupportedActivity, RemoteMalformed)):
        understand(a_note(type=type_name))


def test_mastodon_note_has_warning_mention_hashtag_and_picture() -> None:
    note = read_inner("mastodon/create_note")

    assert (note.warning, note.sensitive, note.language) == ("night shift", True, "en")
    assert note.mentions == (Tag("Mention", "@ana@node.example", "https://node.example/people/ana"),)
    assert note.tags == (Tag("Hashtag", "#rounds", "https://mastodon.example/tags/rounds"),)
    assert note.attachments == (
        Attachment(
            type="Document",
            url="https://files.mastodon.example/1.jpg",
            media_type="image/jpeg",
            description="A corridor at dawn",
            width=1200,
            height=800,
        ),
    )


def test_content_in_one_language_only_is_read() -> None:
    note = read_inner("mastodon/create_note_in_one_language")

    assert (note.content, note.language) == ("<p>Rounds start at eight.</p>", "en")


def test_gotosocial_single_values_in_place_of_lists_are_read() -> None:
    note = read_inner("gotosocial/create_note")

    assert note.to == ("https://gts.example/users/gun/followers",)
    assert note.cc == ("https://node.example/people/ana",)
    assert len(note.mentions) == 1
    assert note.published_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_kroeg_hashtag_outside_a_list_is_read() -> None:
    note = understand(load_document("kroeg/create_with_one_hashtag")["object"])

    assert isinstance(note, ObjectView)
    assert [tag.name for tag in note.tags] == ["#test"]


def test_lemmy_page_has_title_markdown_group_and_link() -> None:
    page = read_inner("lemmy/create_page")

    assert (page.title, page.source) == ("Rota for May", "The rota is **out**.")
    assert page.audience == ("https://lemmy.example/c/ward",)
    assert [(entry.type, entry.url) for entry in page.attachments] == [("Link", "https://rota.example/may")]
    assert page.published_at == datetime(2026, 3, 3, 7, 0, 0, 654321, tzinfo=UTC)


def test_lemmy_comment_replies_to_its_parent() -> None:
    assert read_inner("lemmy/create_comment").in_reply_to == "https://lemmy.example/post/1"


def test_only_markdown_counts_as_source() -> None:
    assert read_inner("friendica/create_note").source is None
    assert read_inner("misskey/create_note").source is None
    assert read_inner("pleroma/create_note").source is None


def test_a_summary_of_an_article_is_an_excerpt_and_no_warning() -> None:
    article = understand_own("nodebb/article")

    assert (article.summary, article.warning) == ("The first lines of it", None)
    assert understand_own("wordpress/article").warning is None


def test_a_summary_of_a_sensitive_article_is_a_warning() -> None:
    assert understand_note(type="Article", summary="graphic", sensitive=True).warning == "graphic"


def test_plume_list_of_one_author_is_read() -> None:
    article = understand_own("plume/article")

    assert (article.author, article.authors) == ("https://plume.example/@/plu/", ("https://plume.example/@/plu/",))


def test_peertube_video_has_two_authors_and_a_page_for_people() -> None:
    video = understand_own("peertube/video")

    assert video.authors == ("https://peertube.example/accounts/pea", "https://peertube.example/video-channels/ward")
    assert video.url == "https://peertube.example/w/1"
    assert video.media_type == "text/markdown"


def test_mobilizon_event_has_times_place_and_files() -> None:
    event = read_inner("mobilizon/create_event")

    assert event.starts_at == datetime(2026, 5, 1, 16, 0, tzinfo=UTC)
    assert event.ends_at == datetime(2026, 5, 1, 18, 0, tzinfo=UTC)
    assert event.location == "Library"
    assert [entry.description for entry in event.attachments] == ["The paper", None]


def test_gancio_event_has_no_end() -> None:
    event = read_inner("gancio/create_event")

    assert (event.location, event.ends_at) == ("Courtyard", None)


def test_mastodon_poll_has_options_votes_and_an_end() -> None:
    poll = read_inner("mastodon/create_question")

    assert poll.options == (Option("Tea", 2), Option("Coffee", 1))
    assert (poll.is_multiple_choice, poll.ends_at) == (False, datetime(2026, 3, 2, 8, 0, tzinfo=UTC))


def test_pleroma_poll_is_closed_at_a_time_without_zone() -> None:
    poll = understand_own("pleroma/question")

    assert poll.ends_at == datetime(2026, 3, 5, 14, 32, 36, 785333, tzinfo=UTC)
    assert [option.name for option in poll.options] == ["the first", "the second"]


def test_a_poll_with_any_of_takes_several_answers() -> None:
    poll = understand_note(type="Question", anyOf=[{"type": "Note", "name": "a"}], oneOf=[])

    assert (poll.options, poll.is_multiple_choice) == ((Option("a", None),), True)


def test_a_question_that_somebody_asks_without_create_is_an_activity() -> None:
    document = {"id": "https://a.example/q", "type": "Question", "actor": "https://a.example/u", "content": "Well?"}

    view = understand(document)

    assert isinstance(view, ActivityView)
    assert (view.actor, view.object_id) == ("https://a.example/u", None)
    assert isinstance(view.inner, ObjectView)
    assert (view.inner.author, view.inner.content) == ("https://a.example/u", "Well?")


def test_a_tombstone_says_when_and_what_it_was() -> None:
    tombstone = understand_note(type="Tombstone", formerType="Note", deleted="2026-03-01T10:00:00Z")

    assert (tombstone.former_type, tombstone.deleted_at) == ("Note", datetime(2026, 3, 1, 10, 0, tzinfo=UTC))
    assert understand_own("lotide/tombstone").deleted_at is None


@pytest.mark.parametrize(
    "spelling",
    [PUBLIC, "as:Public", "Public", "http://www.w3.org/ns/activitystreams#Public", {"id": PUBLIC}, ["as:Public"]],
)
def test_t18_everybody_is_everybody_in_any_spelling(spelling: Any) -> None:
    note = understand_note(to=spelling, cc=["https://a.example/x", PUBLIC], audience=spelling)

    assert note.to == (PUBLIC,)
    assert PUBLIC in note.cc and PUBLIC in note.audience


def test_the_context_is_the_thread() -> None:
    note = understand_note(context=["https://a.example/threads/1", "https://a.example/threads/2"])

    assert note.context == "https://a.example/threads/1"
    assert understand_note(context={"id": "https://a.example/threads/1"}).context == "https://a.example/threads/1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-07-12T19:30:38.560996451Z", datetime(2026, 7, 12, 19, 30, 38, 560996, tzinfo=UTC)),
        ("2026-03-01T10:00:00+0000", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("", None),
        (1772352000, None),
        (["2026-03-01T10:00:00Z"], None),
    ],
)
def test_times_are_instants_in_utc_or_nothing(value: Any, expected: datetime | None) -> None:
    assert understand_note(published=value).published_at == expected


@pytest.mark.parametrize("empty", [None, "", [], {}, {"name": "no id"}])
def test_an_empty_link_is_none(empty: Any) -> None:
    note = understand_note(inReplyTo=empty, context=empty, to=empty, cc=empty, url=empty)

    assert (note.in_reply_to, note.context, note.to, note.cc, note.url) == (None, None, (), (), None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 5),
        ("id", "two words"),
        ("id", "line\nbreak"),
        ("id", "https://a.example/\u200b"),
        ("inReplyTo", 5),
        ("inReplyTo", True),
        ("inReplyTo", {"id": 5}),
        ("to", [[["https://a.example/x"]]]),
        ("attributedTo", 1),
        ("attributedTo", {"id": {"id": "x"}}),
        ("content", 5),
        ("content", {"en": "Hello"}),
        ("content", [["Hello"]]),
        ("name", ["a", 5][1:]),
        ("summary", False),
    ],
)
def test_t02_values_of_the_wrong_kind_are_refused_and_never_converted(name: str, value: Any) -> None:
    with pytest.raises(RemoteMalformed):
        understand(a_note(**{name: value}))


def test_what_leads_nowhere_is_no_attachment() -> None:
    note = understand_note(
        attachment=[{"type": "PropertyValue", "name": "Site", "value": "x"}, "https://a.example/1.jpg", None, 5]
    )

    assert note.attachments == ()


def test_an_attachment_with_several_links_has_the_first() -> None:
    links = [{"type": "Link", "href": f"https://a.example/{n}.mp4", "mediaType": "video/mp4"} for n in (1, 2)]

    note = understand_note(attachment=[{"type": "Video", "url": links}])

    assert note.attachments[0].url == "https://a.example/1.mp4"


def test_no_text_of_an_object_appears_in_its_repr() -> None:
    note = understand_note(content="a secret", name="a secret", summary="a secret")

    assert repr(note) == "<ObjectView Note https://a.example/posts/1>"


def test_a_collection_of_ids_is_read() -> None:
    moderators = understand_own("lemmy/moderators")

    assert isinstance(moderators, CollectionView)
    assert moderators.items == ("https://lemmy.example/u/moe", "https://node.example/people/ana")


def test_a_collection_of_documents_is_read() -> None:
    featured = understand_own("mastodon/featured")

    assert isinstance(featured, CollectionView)
    assert [item["id"] for item in featured.items if isinstance(item, dict)] == [
        "https://mastodon.example/users/mara/statuses/101"
    ]
    assert featured.total_items == 1


def test_our_own_log_page_leads_to_the_next() -> None:
    page = understand_own("rounds/log_page")

    assert isinstance(page, CollectionView)
    assert page.part_of == "https://node.example/groups/ward/log"
    assert page.next == "https://node.example/groups/ward/log?after=412"


def test_the_embedded_first_page_of_a_collection_is_read_with_it() -> None:
    first = {"type": "CollectionPage", "next": "https://a.example/r?page=2", "items": ["https://b.example/1"]}

    replies = understand({"id": "https://a.example/r", "type": "Collection", "first": first})

    assert isinstance(replies, CollectionView)
    assert (replies.items, replies.next) == (("https://b.example/1",), "https://a.example/r?page=2")


@pytest.mark.parametrize("claimed", [-1, "many", 2.5, None, True])
def test_t40_an_impossible_total_is_none(claimed: Any) -> None:
    view = understand({"id": "https://a.example/c", "type": "Collection", "totalItems": claimed})

    assert isinstance(view, CollectionView)
    assert view.total_items is None


def test_t40_a_page_that_leads_to_itself_says_so_and_nothing_more() -> None:
    uri = "https://a.example/c?page=1"

    view = understand({"id": uri, "type": "CollectionPage", "next": uri, "items": []})

    assert isinstance(view, CollectionView)
    assert (view.id, view.next, view.items) == (uri, uri, ())
