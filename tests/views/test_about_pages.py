"""What a member says of themselves, by pages: kept as typed, read by whoever may see them."""

from __future__ import annotations

from tests.support.reading_room import Ward


async def test_what_one_says_of_oneself_stands_on_the_card_that_others_see(ward: Ward) -> None:
    ana, ben = await ward.browser("ana"), await ward.browser("ben")

    await ana.get("/me")
    await ana.submit("in-your-words", about="Nights & days.\nOften <b>both</b>.")
    await ben.get("/people/ana")

    assert "Nights & days. Often <b>both</b>." in " ".join(ben.words.split())
    await ana.get("/me")
    assert "Nights &amp; days.\nOften &lt;b&gt;both&lt;/b&gt;." in ana.text
