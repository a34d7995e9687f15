"""The Mastodon client API, as far as it is built: what a member's app reads and writes on their own node."""

from __future__ import annotations

from quart import Blueprint

from node.community.house import House


def build_api(house: House) -> Blueprint:
    """Return the routes of the client API."""
    return Blueprint("api", __name__)
