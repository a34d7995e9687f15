"""Search in an app: people, groups, posts and tags, and only what the member may see."""

from __future__ import annotations

from typing import Any

from tests.support.practice import Practice
from tests.support.requesters import a_foreign_actor, know_peer

SEARCH = "/api/v2/search"


async def _search(phone: Any, query: str) -> Any:
    reply = await phone.get(f"{SEARCH}?{query}")
    assert reply.status == 200, reply.body
    return reply.json


async def test_words_find_posts_and_names_find_accounts(practice: Practice) -> None:
    topic = await practice.say(practice.ana, "@ward The new rota is out")
    answer = await practice.say(practice.ben, "Which rota?", in_reply_to_id=topic["id"])

    found = await _search(practice.ben, "q=rota")

    assert [each["id"] for each in found["statuses"]] == [answer["id"], topic["id"]]
    assert (found["accounts"], [tag["name"] for tag in found["hashtags"]]) == ([], ["rota"])
    assert [each["acct"] for each in (await _search(practice.ben, "q=ward&type=accounts"))["accounts"]] == ["ward"]
    of_ben = f"q=rota&type=statuses&account_id={practice.ben.member.actor_id}"
    assert [each["id"] for each in (await _search(practice.ben, of_ben))["statuses"]] == [answer["id"]]
    in_ward = f"q=rota&type=statuses&account_id={practice.ward.group_id}&limit=1&offset=1"
    assert [each["id"] for each in (await _search(practice.ben, in_ward))["statuses"]] == [topic["id"]]
    assert [each["id"] for each in (await _search(practice.ben, f"q=rota&max_id={answer['id']}"))["statuses"]] == [
        topic["id"]
    ]


async def test_t27_an_outsider_finds_nothing_of_a_group(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Canary #canary")

    for query in ("q=canary", "q=%23canary", f"q={said['uri']}", f"q={said['url']}", f"q={said['url']}&resolve=true"):
        found = await _search(practice.cy, f"{query}&type=statuses")
        assert found == {"accounts": [], "statuses": [], "hashtags": []}, query


async def test_a_post_is_found_by_its_id_and_by_its_page(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward Here")

    for address in (said["uri"], said["url"]):
        found = await _search(practice.ben, f"q={address}&resolve=true")
        assert [each["id"] for each in found["statuses"]] == [said["id"]], address
    for address in ("https://home.example/people/ana", "https://home.example/groups/ward", "https://home.example/@ana"):
        found = await _search(practice.ben, f"q={address}&resolve=true&type=accounts")
        assert [each["url"].rpartition("/")[2] for each in found["accounts"]] == [address.rpartition("/")[2].strip("@")]


async def test_a_tag_finds_what_has_it(practice: Practice) -> None:
    said = await practice.say(practice.ana, "@ward About #rota")
    await practice.say(practice.ana, "@ward about rota")

    found = await _search(practice.ben, "q=%23Rota")

    assert [each["id"] for each in found["statuses"]] == [said["id"]]
    assert [tag["name"] for tag in found["hashtags"]] == ["rota"]


async def test_only_nodes_on_the_list_are_asked_for_a_group(practice: Practice) -> None:
    await know_peer(practice.lone.core, "far.example")
    clinic = a_foreign_actor("far.example", "clinic", kind="Group")
    documents = practice.lone.wire.documents
    documents["https://far.example/.well-known/webfinger?resource=acct:clinic@far.example"] = {
        "subject": "acct:clinic@far.example",
        "links": [{"rel": "self", "type": "application/activity+json", "href": clinic.uri}],
    }
    documents[clinic.uri] = clinic.document(manuallyApprovesFollowers=True)

    unasked = await _search(practice.cy, "q=clinic@far.example")
    nowhere = await _search(practice.cy, "q=ward@nowhere.example&resolve=true")
    found = await _search(practice.cy, "q=@clinic@far.example&resolve=true")

    assert (unasked["accounts"], nowhere["accounts"]) == ([], [])
    assert [each["acct"] for each in found["accounts"]] == ["clinic@far.example"]
    assert not [url for url in practice.lone.wire.asked if "nowhere" in url]


async def test_anything_may_be_typed(practice: Practice) -> None:
    for typed in (
        "",
        "%22",
        "NEAR(",
        "%F0%9F%99%82",
        "a" * 3000,
        "https://[",
        "@@@",
        "%00",
        "q&type=nonsense&offset=-1",
    ):
        assert (await practice.ben.get(f"{SEARCH}?q={typed}")).status == 200, typed
