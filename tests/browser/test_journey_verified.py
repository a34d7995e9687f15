"""J-01: an unaffiliated physician joins a society's node and is verified, at a desk that needs no mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.support.commands import PASSWORD
from tests.support.lab import Lab, a_lab, see
from tests.support.square import read_square

NPI, WRONG_NPI = "1234567893", "1234567898"
_WORDS = "Dee and Mo know me from the spring meeting."


async def _invite(lab: Lab, page: Page, whom: str) -> str:
    """Let a member invite a colleague; return the link's secret."""
    await page.goto(f"{lab.a.origin}/me/invitations")
    await page.fill("#invitation-create [name=note]", whom)
    await page.click("#invitation-create button")
    return (await page.input_value("#link")).rpartition("/")[2]


async def _enter(lab: Lab, link: str, name: str, handle: str) -> Page:
    """Let somebody open an invitation, say who they are and choose a password; return their window."""
    page = await lab.window()
    await page.goto(f"{lab.a.origin}/invitations/{link}")
    await page.fill("#enter [name=name]", name)
    await page.fill("#enter [name=handle]", handle)
    await page.fill("#enter [name=password]", PASSWORD)
    await page.fill("#enter [name=again]", PASSWORD)
    await page.click("#enter button")
    return page


async def _vouch(lab: Lab, applicant: Page, colleague: Page, *, by_camera: bool) -> None:
    """Let an applicant show a code, and a colleague open it on their own phone and confirm."""
    await applicant.goto(f"{lab.a.origin}/me/verification")
    await applicant.click("#vouch-code button")
    await expect(applicant.locator("svg.qr")).to_be_visible()
    words = " ".join(await applicant.locator(".words li").all_inner_texts())
    if by_camera:
        await colleague.goto(read_square(await applicant.content()))
    else:
        await colleague.goto(f"{lab.a.origin}/vouch")
        await colleague.fill("#vouch-words [name=words]", words)
        await colleague.click("#vouch-words button")
    await expect(colleague.locator("main")).to_contain_text(words)
    await expect(colleague.locator("h1")).to_have_text("Ana Moreau")
    await colleague.check("#vouch [name=known]")
    await colleague.click("#vouch button")
    await expect(colleague.locator("main")).to_contain_text("The desk has not decided yet")


async def _apply(lab: Lab, page: Page, number: str) -> None:
    """Let somebody state who they are and how they can prove it."""
    await page.goto(f"{lab.a.origin}/me/verification")
    await page.select_option("#apply [name=class]", "physician")
    await page.select_option("#apply [name=specialty]", "general")
    await page.check("#apply [name=specialty_shown]")
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
        await lab.a.member("dee", name="Dee Marsh")
        await lab.a.member("mo", name="Mo Adeyemi")
        await lab.b.member("ben", name="Ben Okafor")
        vera, dee, mo = [await lab.sit(lab.a, handle) for handle in ("vera", "dee", "mo")]

        with lab.step("Given an invitation from a verified colleague; when Ana opens it, she states her name."):
            link = await _invite(lab, dee, "Ana, whom I met in spring")
            ana = await _enter(lab, link, "Ana Moreau", "ana")
            await ana.wait_for_url(f"{lab.a.origin}/me/verification")
        with lab.step("The invitation cannot be used twice."):
            again = await lab.window()
            await again.goto(f"{lab.a.origin}/invitations/{link}")
            await expect(again.locator("form")).to_have_count(0)
            await expect(again.locator("main")).to_contain_text("cannot be used")
            await dee.goto(f"{lab.a.origin}/me/invitations")
            await expect(dee.locator("main")).to_contain_text("Ana Moreau")

        with lab.step("Check digits and formats are validated with plain errors; a wrong digit is caught."):
            await _apply(lab, ana, WRONG_NPI)
            await expect(ana.get_by_role("alert")).to_contain_text("digit")
            await expect(ana.locator("#apply [name=words]")).to_have_value(_WORDS)
        with lab.step("She states stage, specialty, jurisdiction and registration number."):
            await expect(ana.locator("#apply [name=specialty]")).to_have_value("general")
            await _apply(lab, ana, NPI)
        with lab.step("Ana is told the expected wait and can read the charter meanwhile."):
            await expect(ana.locator("main")).to_contain_text("days")
            await ana.click("main a[href='/charter']")
            await expect(ana.locator("h1")).to_be_visible()
        with lab.step("She completes one possession proof: two vouches by QR at a meeting."):
            await _vouch(lab, ana, dee, by_camera=True)
            await _vouch(lab, ana, mo, by_camera=False)
            await ana.goto(f"{lab.a.origin}/me/verification")
            for words in ("Dee Marsh", "Mo Adeyemi", "That is enough"):
                await expect(ana.locator("main")).to_contain_text(words)

        with lab.step("Vera sees one page with evidence and a keyboard-only approve or decline with recorded reason."):
            await vera.goto(f"{lab.a.origin}/node/verification")
            await vera.goto(f"{lab.a.origin}/node/verification/next")
            for words in (NPI, "US-VT", _WORDS, "Family medicine", "2 of 2", "Dee Marsh", "Mo Adeyemi"):
                await expect(vera.locator("main")).to_contain_text(words)
            await expect(vera.locator("#decide-verification [name=method-vouch2]")).to_be_checked()
            await _tab_to(vera, "method-register")
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
            assert "vouched for by dee, mo" in decided[-1]["reason"]

        with lab.step('On approval the profile shows "verified physician, by A, method, since".'):
            await ana.goto(f"{lab.a.origin}/people/ana@{lab.a.host}")
            for words in ("Physician", "Family medicine", "by Society", "vouch", "register", "since"):
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
            link = await _invite(lab, await lab.sit(lab.a, "mo"), "Mal")
            mallory = await _enter(lab, link, "Mal Roy", "mallory")
            await _apply(lab, mallory, NPI)
            await expect(mallory.get_by_role("alert")).to_have_count(0)
            await expect(mallory.locator("main")).not_to_contain_text("Ana")
            desk = await lab.sit(lab.a, "vera")
            await desk.goto(f"{lab.a.origin}/node/verification/next")
            await expect(desk.locator("div.notice.warn")).to_contain_text("ana")
