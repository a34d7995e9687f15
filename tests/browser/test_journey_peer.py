"""J-13: two operators come to trust each other's node, on the phone and at their desks."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.support.commands import CommandRefused
from tests.support.lab import Lab, a_lab

_STEPS = ("Its actor", "Key", "WebFinger", "Pictures", "Its inbox", "Erasure", "Reports")


async def _words(page: Page, title: str) -> str:
    """Return the eight words under a title, as somebody reads them aloud."""
    panel = page.locator(".panel", has_text=title)
    return " ".join(await panel.locator("ol.words li").all_inner_texts())


async def _nothing_federates(lab: Lab, ward: str) -> bool:
    try:
        await lab.b.join(ward, as_="ben")
    except CommandRefused:
        return True
    return False


async def test_j13_add_a_trusted_peer(chromium: Browser, tmp_path: Path) -> None:
    async with a_lab(chromium, tmp_path, "ab") as lab:
        await lab.a.member("ana", name="Ana Moreau")
        await lab.b.member("ben", name="Ben Okafor")
        await lab.a.member("otto", name="Otto Weiss", role="operator")
        await lab.ask_for_two_officers(lab.a)
        ward = await lab.a.group("ward", owner="ana")
        ola, per, otto = await lab.sit(lab.a, "op"), await lab.sit(lab.b, "op"), await lab.sit(lab.a, "otto")

        with lab.step("An empty list denies everything; our own domain is implicitly allowed."):
            await ola.goto(f"{lab.a.origin}/peers")
            await expect(ola.locator(".empty")).to_be_visible()
            assert await _nothing_federates(lab, ward)
            await ola.fill("#peer-add [name=host]", lab.a.origin)
            await ola.click("#peer-add button")
            await expect(ola.get_by_role("alert")).to_be_visible()

        with lab.step("Ola enters b.example; A fetches B's node document."):
            await ola.fill("#peer-add [name=host]", lab.b.origin)
            await ola.click("#peer-add button")
            await ola.wait_for_url(f"{lab.a.origin}/peers/{lab.b.host}")
        with lab.step("It shows name, operator, contact, software, capability list, policies, fingerprint and QR."):
            for words in (
                "Hospital",
                "Its operator",
                "How to reach them",
                "rounds 0",
                "Keeps private groups private",
                "What is agreed",
            ):
                await expect(ola.locator("main")).to_contain_text(words, ignore_case=True)
            assert len((await _words(ola, "They should read to you")).split()) == 8
            await ola.locator(".panel", has_text="You read to them").locator("summary", has_text="code").click()
            await expect(ola.locator(".panel svg")).to_be_visible()
        with lab.step('State is "awaiting verification" and nothing federates yet.'):
            await expect(ola.locator(".steps [aria-current=step]")).to_have_text("Read the words aloud")
            assert await _nothing_federates(lab, ward)

        with lab.step("Fingerprint mismatch locks the attempt and writes audit."):
            await ola.fill("#peer-confirm [name=words]", " ".join(["acorn"] * 8))
            await ola.click("#peer-confirm button")
            await expect(ola.get_by_role("alert")).to_be_visible()
            await expect(ola.locator("#locked")).to_be_visible()
            await expect(ola.locator("#peer-confirm")).to_have_count(0)
            assert "peer.wrong_fingerprint" in [row["action"] for row in await lab.a.audit()]
            await ola.click("#peer-again button")

        with lab.step("Ola and Per read the words on the phone to each other and each confirms."):
            await per.goto(f"{lab.b.origin}/peers")
            await per.fill("#peer-add [name=host]", lab.a.origin)
            await per.click("#peer-add button")
            heard_by_ola, heard_by_per = await _words(per, "You read to them"), await _words(ola, "You read to them")
            for page, heard in ((ola, heard_by_ola), (per, heard_by_per)):
                await page.fill("#peer-confirm [name=words]", heard)
                await page.click("#peer-confirm button")
                await expect(page.locator("#peer-confirm")).to_have_count(0)

        with lab.step("A second officer on A countersigns if the policy asks."):
            await expect(ola.locator("#officers")).to_contain_text("You have confirmed this key")
            await expect(ola.locator("#peer-countersign")).to_have_count(0)
            assert await _nothing_federates(lab, ward)
            [waiting] = (await lab.a.run("peer", "list"))["peers"]
            assert (waiting["state"], waiting["confirmed_by"]) == ("verified", ["op"])
            await otto.goto(f"{lab.a.origin}/peers/{lab.b.host}")
            assert await _words(otto, "The words of this key") == heard_by_ola
            await otto.click("#peer-countersign button")
            await expect(otto.locator("#officers")).to_have_count(0)
            actions = [row["action"] for row in await lab.a.audit()]
            assert actions[-2:] == ["peer.countersigned", "peer.active"]
            await ola.reload()

        with lab.step(
            "Each side chooses what is allowed, the minimum attestation level, and signs the agreement version."
        ):
            for page in (ola, per):
                await page.click("#policy summary")
                await page.check("#peer-policy [name=people_search]")
                await page.select_option("#peer-policy [name=minimum_assurance]", "A3")
                await page.fill("#peer-policy [name=agreement_version]", "1")
                await page.click("#peer-policy button")
                await expect(page.locator("#policy [role=status]")).to_be_visible()
            [peer] = (await lab.a.run("peer", "list"))["peers"]
            assert (peer["policy"]["minimum_assurance"], peer["agreement_version"]) == ("A3", 1)
            assert peer["policy"]["people_search"] is True
            await expect(ola.locator("#policy")).to_contain_text("1, put on record by")

        with lab.step(
            "A signed test round-trip runs (WebFinger, actor, inbox, media, erasure receipt, report) with a green or red line "
            "each; then it is active."
        ):
            for page, other in ((ola, lab.b), (per, lab.a)):
                await page.click("#peer-test button")
                lines = page.locator("#test li")
                for step in _STEPS:
                    await expect(lines.filter(has_text=step)).to_have_count(1)
                await expect(lines.locator(".state.stop")).to_have_count(0)
                await expect(lines.locator(".state.good")).to_have_count(len(await lines.all()))
                shown = await (lab.a if page is ola else lab.b).run("peer", "show", other.host)
                assert (shown["state"], shown["pinned"]) == ("active", True)
            await lab.b.join(ward, as_="ben")
            await lab.rest()
            assert (await lab.a.roster(ward))[lab.b.person("ben")]["state"] == "requested"

        with lab.step("A peer added by list import starts as draft."):
            listed = f"host\n{lab.b.origin}\nhttp://localhost:1\n"
            assert (await lab.a.run("peer", "import", "--yes", text=listed))["drafts"] == ["localhost:1"]
            assert (await lab.a.run("peer", "show", "localhost:1"))["state"] == "draft"
        with lab.step("Removal from the shared list produces a proposed pause, not a silent drop."):
            found = await lab.a.run("peer", "import", "--yes", text="http://localhost:1\n")
            assert found["pause_proposed"] == [lab.b.host]
            await ola.goto(f"{lab.a.origin}/peers/{lab.b.host}")
            await expect(ola.locator("#peer-keep")).to_be_visible()
            assert (await lab.a.run("peer", "show", lab.b.host))["state"] == "active"
            await ola.click("#peer-keep button")
            await expect(ola.locator("#peer-keep")).to_have_count(0)
