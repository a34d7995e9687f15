"""Audiences: exactly four, and how they stand in `to` and `cc`.

    group      the members of one group          to: [G, G/followers]
    people     the people named                  to: [A, B]
    draft      the author alone                  never sent
    article    anybody; an author's own decision to: [as:Public]

An audience is decided once, by our own side, and never widened afterwards (T18).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

PUBLIC = frozenset({"https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"})
PEOPLE_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Addressed:
    """Whom a received activity names: `to` and `cc` together, and `audience`."""

    uris: frozenset[str]
    audience: str | None

    @property
    def is_public(self) -> bool:
        """Whether it is addressed to everybody."""
        return bool(self.uris & PUBLIC) or self.audience in PUBLIC  # callers bring every spelling to one of these


def group_addresses(group_uri: str) -> list[str]:
    """Return `to` for everything said in a group. Spec: wire.md 2.3."""
    return [group_uri, f"{group_uri}/followers"]


def fits_group(addressed: Addressed, group_uri: str, *, named: Collection[str] = ()) -> str | None:
    """Return why an activity may not go into a group, or None when its audience fits.

    Args:
        addressed: Whom it names.
        group_uri: The group it was sent to.
        named: Members that may be named besides (mentions).

    Spec: wire.md 4.3.
    """
    if addressed.is_public:
        return "A group is never addressed together with the public."
    if addressed.audience not in (None, group_uri):
        return "The activity is meant for another group."
    allowed = {group_uri, f"{group_uri}/followers", f"{group_uri}/members", *named}
    if not addressed.uris <= allowed:
        return "The activity names somebody outside the group."
    if group_uri not in addressed.uris and f"{group_uri}/followers" not in addressed.uris and addressed.uris:
        return "The activity does not name the group."
    return None


def fits_people(addressed: Addressed) -> str | None:
    """Return why a private message may not be taken, or None when it names only people."""
    if addressed.is_public:
        return "A private message is never addressed to the public."
    if not addressed.uris:
        return "A private message names nobody."
    if len(addressed.uris) > PEOPLE_LIMIT:
        return f"A private message goes to at most {PEOPLE_LIMIT} people."
    if any(uri.endswith("/followers") for uri in addressed.uris):
        return "A private message is not for followers."
    return None
