"""J-01: an unaffiliated physician joins a society's node and is verified, at a desk that needs no mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.support.commands import PASSWORD
from tests.support.lab import Lab, a_lab, see

NPI, WRONG_NPI = "1234567893", "1234567898"
_WORDS = "Family medicine. Dee and Mo met me at the spring meeting."


async def _invite(lab: Lab, ola: Page, name: str, handle: str) -> str:
    """Let the operator invite somebody whom a colleague vouches for; return the link."""
    await ola.goto(f"{lab.a.origin}/node/members")
    await ola.fill("#member-add [name=name]", name)
    await ola.fill("#member-add [name=handle]", handle)
    await ola.select_option("#member-add [name=assurance]", "A0")
    await ola.click("#member-add button")
    return (await ola.input_value("#link")).rpartition("/")[2]


async def _enter(lab: Lab, link: str) -> Page:
    """Let somebody open an invitation and choose a password; return their window."""
    page = await lab.window()
    await page.goto(f"{lab.a.origin}/invitations/{link}")
    await page.fill("#invitation [name=password]", PASSWORD)
    await page.fill("#invitation [name=again]", PASSWORD)
    await page.click("#invitation button")
    return page


async def _apply(lab: Lab, page: Page, number: str) -> None:
    """Let somebody state who they are and how they can prove it."""
    await page.goto(f"{lab.a.origin}/me/verification")
    await page.select_option("#apply [name=class]", "physician")
    await page.fill("#apply [name=jurisdiction]", "US-VT")
    await page.select_option("#apply [name=register]", "npi")
    await page.fill("#apply [name=number]", number)
    await page.check("#apply [name=offer-vouch2]")
    await page.fill("#apply [name=words]", _WORDS)
    await page.click("#apply .buttons button")


async def _tab_to(page: Page, name: str, value: str | None = None) -> None:
    """Go on by the Tab key until a field has the focus; nothing else is touched."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        found = await page.evaluate("[document.activeElement.name, document.activeElement.value]")
        if found[0] == name and value in (None, found[1]):
            return
    raise AssertionError(f"the keyboard does not come to {name}")


async def test_j01_join_a_society_node_as_an_unaffiliated_physician(chromium: Browser, tmp_path: Path) -> None:
    async with a_lab(chromium, tmp_path, "ab") as lab:
        await lab.befriend(lab.a, lab.b)
        await lab.a.member("vera", name="Vera Brandt", role="verifier")
        await lab.b.member("ben", name="Ben Okafor")
        ola, vera = await lab.sit(lab.a, "op"), await lab.sit(lab.a, "vera")

        with lab.step("Given an invitation; when Ana opens it."):
            link = await _invite(lab, ola, "Ana Moreau", "ana")
            ana = await _enter(lab, link)
        with lab.step("The invitation cannot be used twice."):
            again = await lab.window()
            await again.goto(f"{lab.a.origin}/invitations/{link}")
            await expect(again.locator("#invitation")).to_have_count(0)

        with lab.step("Check digits and formats are validated with plain errors; a wrong digit is caught."):
            await _apply(lab, ana, WRONG_NPI)
            await expect(ana.get_by_role("alert")).to_contain_text("digit")
            await expect(ana.locator("#apply [name=words]")).to_have_value(_WORDS)
        with lab.step("She states stage, jurisdiction, registration number, and one possession proof: two vouches."):
            await _apply(lab, ana, NPI)
        with lab.step("Ana is told the expected wait and can read the charter meanwhile."):
            await expect(ana.locator("main")).to_contain_text("days")
            await ana.click("main a[href='/charter']")
            await expect(ana.locator("h1")).to_be_visible()

        with lab.step("Vera sees one page with evidence and a keyboard-only approve or decline with recorded reason."):
            await vera.goto(f"{lab.a.origin}/node/verification")
            await vera.goto(f"{lab.a.origin}/node/verification/next")
            for words in (NPI, "US-VT", "Dee and Mo met me at the spring meeting."):
                await expect(vera.locator("main")).to_contain_text(words)
            for name in ("method-register", "method-vouch2"):
                await _tab_to(vera, name)
                await vera.keyboard.press("Space")
            await _tab_to(vera, "assurance")
            await vera.keyboard.type("A3")
            await _tab_to(vera, "decision")
            await vera.keyboard.press("Space")
            await _tab_to(vera, "reason")
            await vera.keyboard.type("Found in the register; Dee and Mo vouch")
            await vera.keyboard.press("Enter")
            await vera.wait_for_url(f"{lab.a.origin}/node/verification")
            decided = [row for row in await lab.a.audit() if row["action"] == "verification.verified"]
            assert decided[-1]["actor"].startswith("vera") and "Dee and Mo vouch" in decided[-1]["reason"]

        with lab.step('On approval the profile shows "verified physician, by A, method, since".'):
            await ana.goto(f"{lab.a.origin}/people/ana@{lab.a.host}")
            for words in ("Physician", "by Society", "vouch", "register", "since"):
                await expect(ana.locator("main")).to_contain_text(words, ignore_case=True)

        with lab.step("The number itself appears in no federated object, no log line and no export but Ana's."):
            await lab.a.group("ward", owner="ana")
            await lab.b.join(f"{lab.a.origin}/groups/ward", as_="ben")
            await lab.rest()
            await lab.a.approve(f"{lab.a.origin}/groups/ward", lab.b.person("ben"))
            ben = await lab.sit(lab.b, "ben")
            await ana.goto(f"{lab.a.origin}/groups/ward/write")
            await ana.fill("#title", "Hello")
            await ana.fill("#write [name=text]", "Glad to be here.")
            await ana.click("#write button[value=send]")
            await see(ben, f"{lab.b.origin}/groups/ward@{lab.a.host}", "Hello")
            await lab.rest()
            assert NPI not in str(await lab.a.audit())
            for node in (lab.a, lab.b):
                await node.stop()
                held = [path for path in node.data.rglob("*") if path.is_file()] + [node.log_path]
                assert [path.name for path in held if NPI.encode() in path.read_bytes()] == []
                await node.start()

        with lab.step("Same number twice gives a private conflict case, not an error that reveals the other person."):
            mallory = await _enter(lab, await _invite(lab, await lab.sit(lab.a, "op"), "Mal Roy", "mallory"))
            await _apply(lab, mallory, NPI)
            await expect(mallory.get_by_role("alert")).to_have_count(0)
            await expect(mallory.locator("main")).not_to_contain_text("Ana")
            desk = await lab.sit(lab.a, "vera")
            await desk.goto(f"{lab.a.origin}/node/verification/next")
            await expect(desk.locator("div.notice.warn")).to_contain_text("ana")
