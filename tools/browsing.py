"""A real browser, Debian's, for pictures of the pages and for the tests that use them as people do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from playwright.async_api import Browser, Page, async_playwright

from node.views.pages import State

CHROMIUM = "/usr/bin/chromium"
# It asks nothing of the network on its own account. Root, as in a container, cannot have its sandbox.
_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
WIDE, NARROW, NARROWEST = (1280, 900), (390, 844), (320, 640)


@asynccontextmanager
async def open_chromium() -> AsyncIterator[Browser]:
    """Start the browser; it ends with the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


async def sign_in(page: Page, origin: str, handle: str, password: str) -> None:
    """Sign in by the form."""
    await page.goto(f"{origin}/sign-in")
    await page.fill("#sign-in [name=handle]", handle)
    await page.fill("#sign-in [name=password]", password)
    await page.click("#sign-in button")
    await page.wait_for_url(f"{origin}/")


async def apply_as(browser: Browser, origin: str, handle: str, password: str, *, number: str = "1234567893") -> None:
    """Ask to be verified as a member, so that the verification desk has something to decide."""
    context = await browser.new_context()
    page = await context.new_page()
    await sign_in(page, origin, handle, password)
    await page.goto(f"{origin}/me/verification")
    await page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
    await page.fill("#apply [name=jurisdiction]", "US-VT")
    await page.select_option("#apply [name=register]", "npi")
    await page.fill("#apply [name=number]", number)
    await page.check("#apply [name=offer-video]")
    await page.fill("#apply [name=words]", "Late evenings suit me best; my colleagues at the clinic know me.")
    await page.click("#apply .button")
    await page.wait_for_url(f"{origin}/me/verification?sent=1")
    await context.close()


async def find_names(page: Page, origin: str, group: str) -> dict[str, str]:
    """Return what stands in the braces of the register's paths, as a member finds it in a group of theirs.

    Raises:
        LookupError: The group has no thread with a post of the member's and one of somebody else's.
    """
    await page.goto(f"{origin}/groups/{group}")
    links = await page.eval_on_selector_all("main a[href*='/threads/']", "all => all.map(a => a.getAttribute('href'))")
    names = {"group": group}
    for link in dict.fromkeys(link.partition("#")[0] for link in links):
        await page.goto(f"{origin}{link}")
        text = await page.content()
        own = re.search(r"/threads/(\w+)/edit\"", text)
        theirs = re.search(r"/threads/(\w+)/report\"", text)
        people = re.findall(r"href=\"/people/([^\"]+)\"", text)
        if own and theirs and people:
            found = {"thread": link.rpartition("/")[2], "own": own[1], "theirs": theirs[1], "person": people[-1]}
            return names | found
    raise LookupError(f"no thread of {group} has a post of the member's and another one")


async def introduce_app(page: Page, origin: str) -> str:
    """Let an app introduce itself, and return what it asks for, as a query without the scope."""
    told = {"client_name": "Elephant for Phones", "redirect_uris": "elephant://back", "scopes": "read write push"}
    answer = await page.request.post(f"{origin}/api/v1/apps", form=told | {"website": "https://elephant.example"})
    app = await answer.json()
    return urlencode({"client_id": app["client_id"], "redirect_uri": "elephant://back", "response_type": "code"})


async def act_as_staff(page: Page, origin: str, names: dict[str, str]) -> None:
    """Report somebody's post, mark it, make it the summary of its thread, quote it, and write to somebody: to be seen then.

    The number of the conversation is put among the names.
    """
    theirs = f"{origin}/groups/{names['group']}/threads/{names['theirs']}"
    await page.goto(f"{theirs}/report")
    await page.check("#report [name=rule][value=source]")
    await page.fill("#report [name=note]", "Where is this from? Somebody may act on it.")
    await page.click("#report button")
    for mark in ("bookmark", "thank"):
        await page.goto(theirs)
        await page.click(f"button[name={mark}][value='{names['theirs']}']")
        await page.wait_for_selector(f"button[name=un{mark}][value='{names['theirs']}']")
    await page.goto(f"{theirs}/tend")
    await page.click("#sum-up button")
    await page.wait_for_selector("#summary")
    await page.goto(f"{origin}/groups/{names['group']}/threads/{names['thread']}?quote={names['theirs']}")
    await page.click("#reply button[value=send]")
    await page.wait_for_selector(".quote-card")
    await page.goto(f"{origin}/messages/write?to=@{names['person']}")
    await page.fill(
        "#message [name=text]", "Could we talk this over before Friday? I would rather not do it in the group."
    )
    await page.click("#message button")
    await page.wait_for_selector("#answer")
    names["conversation"] = page.url.rpartition("/")[2].partition("#")[0]
    await ask_polls(page, origin, names)


async def ask_polls(page: Page, origin: str, names: dict[str, str]) -> None:
    """Ask twice in a group and vote in one of the polls; their tokens are put among the names, as "poll" and "voted"."""
    for name in ("poll", "voted"):
        await page.goto(f"{origin}/groups/{names['group']}/write?poll=1")
        await page.fill("#write [name=title]", "Which warning would you switch off first?")
        await page.fill("#write [name=text]", "The committee meets on Thursday. One table, one proposal.")
        for number, answer in enumerate(("Duplicate analgesic", "Renal dose", "Allergy, unconfirmed"), 1):
            await page.fill(f"#answer{number}", answer)
        await page.click("#write button[value=send]")
        await page.wait_for_selector("form.vote")
        names[name] = page.url.rpartition("/")[2].partition("#")[0]
    await page.check("form.vote [name=choice][value='0']")
    await page.click("form.vote button")
    await page.wait_for_selector(".result .is-own")


def path_of(state: State, names: dict[str, str]) -> str:
    """Return the path of a state with everything filled in."""
    return state.path.format_map(names)
