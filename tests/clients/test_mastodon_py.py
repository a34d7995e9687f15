"""Mastodon.py: every step of signing in, and what a bot or a script would do with the token."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from mastodon import Mastodon, StreamListener
from mastodon.errors import MastodonAPIError, MastodonError, MastodonUnauthorizedError

from tests.clients.conftest import Town
from tests.support.waiting import until_true
from tests.village.test_pictures_travel import a_picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="session")]

_BACK = "https://app.example/back"
_SCOPES = ["read", "write", "follow", "push"]


def _session(town: Town) -> requests.Session:
    session = requests.Session()
    session.verify = str(town.authority)
    session.trust_env = False
    return session


def _app(town: Town, *, back: str | None = None, scopes: list[str] | None = None) -> Mastodon:
    """Return the library as an app that has introduced itself."""
    client_id, secret = Mastodon.create_app(
        "Script",
        scopes=scopes or _SCOPES,
        redirect_uris=back,
        api_base_url=town.hospital.origin,
        session=_session(town),
    )
    return Mastodon(client_id, secret, api_base_url=town.hospital.origin, session=_session(town))


async def _sign_in(town: Town, handle: str, scopes: list[str] | None = None) -> Mastodon:
    app = await asyncio.to_thread(_app, town, scopes=scopes)
    address = await asyncio.to_thread(app.auth_request_url, scopes=scopes or _SCOPES)
    code = await town.person(handle).decide(address)
    await asyncio.to_thread(app.log_in, code=code, scopes=scopes or _SCOPES)
    return app


class _Ear(StreamListener):  # type: ignore[misc]
    """Keeps what a stream tells."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.begun = threading.Event()

    def handle_heartbeat(self) -> None:
        """Note that the stream runs."""
        self.begun.set()

    def on_update(self, status: Any) -> None:
        """Keep a status."""
        self.heard.append(status)

    def on_abort(self, err: Exception) -> None:
        """The end is the test's own."""


async def test_who_says_no_on_the_consent_page_lets_nobody_in(town: Town) -> None:
    app = await asyncio.to_thread(_app, town, back=_BACK)
    address = await asyncio.to_thread(app.auth_request_url, redirect_uris=_BACK, scopes=_SCOPES, state="s 1")

    place = await town.person("ben").decide(address, decision="deny")

    answer = dict(parse_qsl(urlsplit(place).query))
    assert place.startswith(_BACK)
    assert (answer["error"], answer["state"], "code" in answer) == ("access_denied", "s 1", False)


async def test_a_code_works_once(town: Town) -> None:
    app = await asyncio.to_thread(_app, town, back=_BACK)
    address = await asyncio.to_thread(app.auth_request_url, redirect_uris=_BACK, scopes=_SCOPES)
    code = dict(parse_qsl(urlsplit(await town.person("ben").decide(address)).query))["code"]

    await asyncio.to_thread(app.log_in, code=code, redirect_uri=_BACK, scopes=_SCOPES)
    me = await asyncio.to_thread(app.me)
    with pytest.raises(MastodonError):
        await asyncio.to_thread(app.log_in, code=code, redirect_uri=_BACK, scopes=_SCOPES)

    assert me.acct == "ben"


async def test_a_token_to_read_does_not_write_and_one_given_back_does_nothing(town: Town) -> None:
    app = await _sign_in(town, "ben", ["read"])
    home = await asyncio.to_thread(app.timeline_home)

    with pytest.raises(MastodonAPIError, match="outside the authorized scopes"):
        await asyncio.to_thread(app.status_post, f"@{town.ward} Hello")
    token = app.access_token
    await asyncio.to_thread(app.revoke_access_token)
    again = Mastodon(access_token=token, api_base_url=town.hospital.origin, session=_session(town))
    with pytest.raises(MastodonUnauthorizedError):
        await asyncio.to_thread(again.timeline_home)

    assert isinstance(home, list)


async def test_mastodon_py_reads_writes_uploads_votes_pages_searches_and_reports(town: Town) -> None:
    ben = await _sign_in(town, "ben")
    do = asyncio.to_thread

    picture = await do(ben.media_post, a_picture(), "image/jpeg", description="A red field")
    said = await do(
        ben.status_post,
        f"@{town.ward} Avocet #avocet",
        media_ids=[picture],
        idempotency_key="once",
        visibility="public",
    )
    again = await do(
        ben.status_post,
        f"@{town.ward} Avocet #avocet",
        media_ids=[picture],
        idempotency_key="once",
        visibility="public",
    )
    asked = await do(ben.status_post, f"@{town.ward} When?", poll=ben.make_poll(["Early", "Late"], 3600))
    await town.pair.rest()
    [at_ana] = [each["reblog"] for each in await town.ana.ask("/api/v1/timelines/home") if "Avocet" in each["content"]]
    answer = await town.ana.say("I saw it too", to=at_ana["id"])
    await town.pair.rest()
    context = await do(ben.status_context, said)
    about = context.descendants[0]
    mine = await do(ben.status_reply, about, "So did we all", untag=True)
    await town.pair.rest()
    thread = await town.ana.ask(f"/api/v1/statuses/{at_ana['id']}/context")
    voted = await do(ben.poll_vote, asked.poll, [1])
    [ward] = await do(ben.lists)
    listed = await do(ben.timeline_list, ward)
    page = await do(ben.timeline_home, limit=1)
    older = await do(ben.fetch_next, page)
    found = await do(ben.search, "avocet")
    report = await do(ben.report, about.account, status_ids=[about.id], comment="Too loud", category="other")
    changed = await do(ben.status_update, said, f"@{town.ward} Avocets #avocet")
    history = await do(ben.status_history, said)

    assert (said.id, said.visibility) == (again.id, "private")
    assert at_ana["media_attachments"][0]["description"] == "A red field"
    assert [each.uri for each in context.descendants] == [answer["uri"]]
    assert (mine.in_reply_to_id, mine.visibility) == (about.id, "private")
    assert [each["uri"] for each in thread["descendants"]] == [answer["uri"], mine.uri]
    assert (voted.voted, list(voted.own_votes)) == (True, [1])
    assert said.uri in [each.reblog.uri for each in listed]
    assert (len(page), len(older)) == (1, 1)
    assert int(older[0].id) < int(page[0].id)
    assert said.uri in [each.uri for each in found.statuses]
    assert report.target_account.acct == f"ana@{town.pair.a.host}"
    assert "Avocets" in changed.content
    assert ["Avocets" in each.content for each in history][:1] == [False]


async def test_what_is_public_to_an_app_is_closed_to_a_member_outside_the_group(town: Town) -> None:
    words = ["--name", "Dee", "--assurance", "A3", "--password-stdin"]
    await town.hospital.tell("member", "add", "dee", *words, text="correct horse battery")
    ben, dee = await _sign_in(town, "ben"), await _sign_in(town, "dee")

    said = await asyncio.to_thread(ben.status_post, f"@{town.ward} Dunlin", visibility="public")

    with pytest.raises(MastodonAPIError, match="Record not found"):
        await asyncio.to_thread(dee.status, said)
    assert list(await asyncio.to_thread(dee.timeline_home)) == []
    assert list(await asyncio.to_thread(dee.timeline_public)) == []
    assert list((await asyncio.to_thread(dee.search, "dunlin")).statuses) == []


async def test_mastodon_py_hears_what_is_said_on_another_node(town: Town) -> None:
    ben, ear, tagged = await _sign_in(town, "ben"), _Ear(), _Ear()
    handle = await asyncio.to_thread(ben.stream_user, ear, run_async=True)
    other = await asyncio.to_thread(ben.stream_hashtag, "curlew", tagged, run_async=True)
    try:

        async def hears() -> bool:
            """Speak until it is heard: when a stream begins, nobody is told."""
            await town.ana.say("@ward #Curlew")
            await asyncio.sleep(2)
            return tagged.heard and any("Curlew" in each.reblog.content for each in ear.heard if each.reblog)

        await until_true(hears, seconds=60)
    finally:
        for each in (handle, other):
            closing = asyncio.create_task(asyncio.to_thread(each.close))  # it waits for the line that is being read
            await town.ana.say("@ward Godwit")
            await closing
            await asyncio.to_thread(each.join, 10)
