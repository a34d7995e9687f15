"""Live pages of a group that lives on another node, and quotations that cross over."""

from __future__ import annotations

from node.app import Application
from tests.support.browser_form import Browser
from tests.support.live_page import LivePage
from tests.support.reading_room import THREAD_LINK
from tests.support.village import Village


async def test_an_open_page_is_told_of_posts_that_come_from_the_groups_host(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    await b.member("bea")
    await village.let_in(a, ward, (b, "bea"))
    ben = await Browser(b).enter("ben")
    page = await LivePage.open(ben, Application(b.house))

    await a.post(ward, "From the host", as_="ana", title="One")
    await village.rest()
    from_host = await page.told()
    await b.post(ward, "By a colleague, by way of the host", as_="bea", title="Two")
    await village.rest()
    from_colleague = await page.told()
    await page.close()

    assert [each["new"] for each in (*from_host, *from_colleague)] == [1, 1]


async def test_a_quotation_is_a_card_on_every_node_that_has_the_post(village: Village) -> None:
    a, b, ward = await village.shared_ward()
    topic = await a.post(ward, "How do you sleep?", as_="ana", title="Nights")
    await village.rest()
    ben, ana = await Browser(b).enter("ben"), await Browser(a).enter("ana")
    await ben.get(f"/groups/ward@{a.host}")
    [(path, _)] = THREAD_LINK.findall(ben.text)
    await ben.get(f"{path}?quote={topic['uri'].rpartition('/')[2]}")

    text = dict(ben.find_form("reply").pairs)["text"]
    await ben.submit("reply", text=f"{text}Badly.", action="send")
    await village.rest()
    await ben.get(path)
    await ana.get("/groups/ward")
    [(path, _)] = THREAD_LINK.findall(ana.text)
    await ana.get(path)

    assert f"http://{b.host}/groups/ward@{a.host}/threads/" in text
    for browser in (ana, ben):
        card = browser.text.partition('class="quote-card"')[2].partition("</div>")[0]
        assert (
            "Ana" in card
            and "How do you sleep?" in card
            and f'href="{path if browser is ana else "/groups/ward@"}' in card
        )
