"""What apps ask for that does not exist here. They are told that there is nothing: an error would make a whole tab fail.

Nobody is made popular, so nothing trends; people are not followed, so nobody is suggested; one node is never hidden from
one member alone, so no domain is blocked.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint

from node.community.house import House

from .accounts import require_account
from .auth import Caller, Handler, needs

# (path, scope, what there is).
_NOTHING: tuple[tuple[str, str, Any], ...] = (
    ("/api/v1/trends", "read:statuses", []),
    ("/api/v1/trends/tags", "read:statuses", []),
    ("/api/v1/trends/statuses", "read:statuses", []),
    ("/api/v1/trends/links", "read:statuses", []),
    ("/api/v1/followed_tags", "read:follows", []),
    ("/api/v1/suggestions", "read:accounts", []),
    ("/api/v2/suggestions", "read:accounts", []),
    ("/api/v1/directory", "read:accounts", []),
    ("/api/v1/endorsements", "read:accounts", []),
    ("/api/v1/featured_tags", "read:accounts", []),
    ("/api/v1/featured_tags/suggestions", "read:accounts", []),
    ("/api/v1/domain_blocks", "read:blocks", []),
    ("/api/v1/scheduled_statuses", "read:statuses", []),
    ("/api/v1/custom_emojis", "read:accounts", []),
    ("/api/v1/instance/peers", "read:accounts", []),
    ("/api/v1/instance/activity", "read:accounts", []),
    ("/api/v1/instance/domain_blocks", "read:accounts", []),
    ("/api/v1/instance/translation_languages", "read:accounts", {}),
)
_NOTHING_OF_ACCOUNTS = ("featured_tags", "endorsements", "identity_proofs")


def add_empty(routes: Blueprint, house: House) -> None:
    """Add the routes of what there is nothing of."""
    for path, scope, nothing in _NOTHING:
        view = needs(house.core, scope)(_say(nothing))
        routes.add_url_rule(path, _name(path), view, methods=["GET"])
    for what in _NOTHING_OF_ACCOUNTS:
        view = needs(house.core, "read:accounts")(_say_of_account(house))
        routes.add_url_rule(f"/api/v1/accounts/<account_id>/{what}", f"empty_of_account_{what}", view, methods=["GET"])


def _say(nothing: Any) -> Handler:
    async def say(caller: Caller) -> Any:
        return nothing

    return say


def _say_of_account(house: House) -> Handler:
    async def say(caller: Caller, account_id: str) -> Any:
        await require_account(house, caller.member, account_id)
        return []

    return say


def _name(path: str) -> str:
    return "empty_" + path.removeprefix("/api/").replace("/", "_")
