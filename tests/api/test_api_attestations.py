"""The tick in members' apps: `fields[].verified_at`, for what counts here and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from node.api.entities import Setting
from node.api.entities.accounts import build_account
from node.community.verification.recording import change_state, verify_member
from node.domain.attestations import Attested, Standing
from node.store.profiles import Profile
from tests.support.practice import Practice

SAID = Attested(
    "current", "A3", "physician", ("register",), (), "2026-11", "2027-01", datetime(2027, 2, 1, tzinfo=UTC), "b.example"
)
BEN = Profile(
    7, "https://b.example/people/ben", "person", "ben", "b.example", False, None, "Ben", "", SAID.ends_at, None
)


async def field_of(practice: Practice) -> list[Any]:
    """Return the fields of Ben's account."""
    found = (await practice.cy.get("/api/v1/accounts/lookup?acct=ben")).json
    return list(found["fields"])


async def test_a_verified_colleague_has_a_tick_and_it_goes_with_the_verification(practice: Practice) -> None:
    core = practice.lone.core
    assert await field_of(practice) == []

    await verify_member(core, "ben", "A3", methods=("register", "video"), by="a test", reason="seen")
    verified = await field_of(practice)
    await change_state(core, "ben", "revoked", by="a test", reason="a letter")
    revoked = await field_of(practice)

    month = core.clock.now().strftime("%Y-%m")
    value = f"Physician, level A3, by home.example, since {month}"
    assert verified == [{"name": "Verified", "value": value, "verified_at": f"{month}-01T00:00:00.000Z"}]
    assert revoked == [{"name": "Verified", "value": "Revoked by home.example", "verified_at": None}]


async def test_the_author_of_a_status_has_the_same_tick(practice: Practice) -> None:
    await verify_member(practice.lone.core, "ana", "A3", methods=("register", "video"), by="a test", reason="seen")
    posted = (await practice.ana.post("/api/v1/statuses", {"status": "@ward Nights are long."})).json

    found = (await practice.ben.get(f"/api/v1/statuses/{posted['id']}")).json

    assert [field["verified_at"] is not None for field in found["account"]["fields"]] == [True]


@pytest.mark.parametrize("verdict", ["ended", "suspended", "revoked", "expired", "below", "relayed", "refused"])
def test_what_does_not_count_here_has_words_and_no_tick(verdict: str) -> None:
    setting = Setting("https://home.example", "home.example", "Home", "1", 500, 1, 1)
    profile = replace(BEN, standing=Standing(verdict, attested=SAID))

    [field] = build_account(profile, setting)["fields"]

    assert (field["verified_at"], "b.example" in field["value"]) == (None, True)
