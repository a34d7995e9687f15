"""J-03: follow a group of a society from one's own hospital's node, and talk in it (the part with an app comes later)."""

from __future__ import annotations

import time
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.support.commands import CommandRefused
from tests.support.lab import Lab, a_lab, see

_REASON = "The county hospital. Nights, mostly."


async def _a_group_with_a_facilitator_elsewhere(lab: Lab) -> str:
    """Make Ana's group on A, in which two people admit a node, with Dee of D as facilitator; return its id."""
    await lab.befriend(lab.a, lab.b)
    await lab.befriend(lab.a, lab.d)
    await lab.a.member("ana", name="Ana Moreau")
    await lab.b.member("ben", name="Ben Okafor")
    await lab.d.member("dee", name="Dee Lindqvist")
    words = ["--title", "On the ward", "--policy", "request", "--owner", "ana", "--purpose", "Nights, and who to call.",
             "--rules", "Sources, not rumours.", "--question", "Where do you work?", "--new-node-approvals", "2"]  # fmt: skip
    ward = str((await lab.a.run("group", "create", "ward", *words))["uri"])
    await lab.d.join(ward, as_="dee")
    await lab.rest()
    return ward


async def test_j03_follow_a_group_from_ones_own_institutions_node(chromium: Browser, tmp_path: Path) -> None:
    async with a_lab(chromium, tmp_path, "abcd") as lab:
        ward = await _a_group_with_a_facilitator_elsewhere(lab)
        ana, ben, dee = await lab.sit(lab.a, "ana"), await lab.sit(lab.b, "ben"), await lab.sit(lab.d, "dee")
        elsewhere = f"/groups/ward@{lab.a.host}"
        await _admit_dee(lab, ward)

        with lab.step("Ben on B searches a group of A by handle."):
            await ben.goto(f"{lab.b.origin}/groups/find")
            await ben.fill("[name=address]", f"ward@{lab.a.host}")
            await ben.click("#find-group button")
        with lab.step("He sees name, purpose, who hosts it, who can read it, rules, and questions."):
            for words in ("On the ward", "Nights, and who to call.", "hosted by Society", "1–9 members",
                          f"College ({lab.d.host})", "Sources, not rumours.", "Where do you work?"):  # fmt: skip
                await expect(ben.locator("main")).to_contain_text(words, ignore_case=True)
        with lab.step("He requests."):
            await ben.fill("#join [name=reason]", _REASON)
            await ben.click("#join button")
            await expect(ben.locator("main")).to_contain_text("You asked")

        with lab.step("Dee (home D, facilitator) gets the request."):
            await see(dee, f"{lab.d.origin}{elsewhere}/requests", _REASON)
        with lab.step("The page says that B's operators would technically hold its content from then on."):
            await expect(dee.locator("main")).to_contain_text("will technically hold this group's content")
            await expect(dee.locator("main")).to_contain_text(lab.b.host)
            await expect(dee.locator("main h2").first).to_have_text("Ben Okafor")
            await dee.check("#admit-node [name=confirm]")
            await dee.click("#admit-node button")
            await dee.click("#decide button[value=approve]")
            await lab.rest()
            assert (await lab.a.roster(ward))[lab.b.person("ben")]["state"] == "requested"
        with lab.step("A second person confirms."):
            await see(ana, f"{lab.a.origin}/groups/ward/requests", f"dee@{lab.d.host} has agreed")
            await ana.check("#admit-node [name=confirm]")
            await ana.click("#admit-node button")
        with lab.step("Ben receives Accept."):
            await see(ben, f"{lab.b.origin}/groups", "On the ward")
            await see(ben, f"{lab.b.origin}{elsewhere}", "Write")

        with lab.step("He sees its posts and opens a thread with its context."):
            await ana.goto(f"{lab.a.origin}/groups/ward/write")
            await ana.fill("#title", "Nights")
            await ana.fill("#write [name=text]", "How do you sleep?")
            await ana.click("#write button[value=send]")
            thread = ana.url
            await see(ben, lab.b.origin, "Nights")
            await ben.click("text=Nights")
            await expect(ben.locator("article.post")).to_contain_text("How do you sleep?")
        with lab.step("He replies; Ana on A sees the reply as Ben with B's tick within 10 s."):
            await ben.fill("#reply [name=text]", "Badly, thank you.")
            await ben.click("#reply button[value=send]")
            sent = time.monotonic()
            await see(ana, thread, "Badly, thank you.", seconds=10)
            assert time.monotonic() - sent < 10
            reply = ana.locator("article.post").last
            await expect(reply.locator("h2")).to_contain_text("Ben Okafor")
            await expect(reply.locator(".byline")).to_contain_text("Hospital")
            await expect(reply.locator(".attested")).to_be_visible()

        with lab.step("/api/v1/instance and /api/v2/instance answer 200 without a token."):
            async with aiohttp.ClientSession() as session:
                for version in ("v1", "v2"):
                    async with session.get(f"{lab.b.origin}/api/{version}/instance") as answer:
                        assert answer.status == 200
        with lab.step("A search from C for the same URI returns 401/404."):
            with pytest.raises(CommandRefused):
                await lab.c.run("group", "join", ward, "--as", "op", "--reason", "Curious")
            async with aiohttp.ClientSession() as session:
                for accept in ("application/activity+json", "application/ld+json"):
                    async with session.get(ward, headers={"Accept": accept}) as answer:
                        assert answer.status == 401


async def _admit_dee(lab: Lab, ward: str) -> None:
    """Let D hold the group: its operator and Ana agree; then Dee comes in as facilitator."""
    await lab.a.run("group", "admit", ward, lab.d.host, "--yes")
    page = await lab.sit(lab.a, "ana")
    await page.goto(f"{lab.a.origin}/groups/ward/requests")
    await page.check("#admit-node [name=confirm]")
    await page.click("#admit-node button")
    await page.click("#decide button[value=approve]")
    await lab.rest()
    await lab.a.run("group", "role", ward, lab.d.person("dee"), "facilitator")
    await lab.rest()
