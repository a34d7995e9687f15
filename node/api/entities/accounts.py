"""Account, CredentialAccount and Relationship. Spec: Mastodon API, entities Account, CredentialAccount, Relationship.

A group is an account with `group` and `locked`: following it is asking to join. Nobody's popularity is counted: people
have no followers here, and a group shows how many members it has.
"""

from __future__ import annotations

from datetime import datetime
from html import escape

from node.domain.actors import Member
from node.domain.attestations import Standing
from node.domain.groups import Membership
from node.foundation.text import text_to_html
from node.store.distance import NEAR, Distance
from node.store.profiles import Profile

from . import Entity, Setting

_POLICIES = {
    "open": "Open to every member of this node and of its trusted nodes.",
    "request": "Ask to join; the group's staff decides.",
    "invite": "By invitation only.",
}
_STAGES = {
    "physician": "Physician",
    "resident": "Resident",
    "student": "Student",
    "retired": "Retired physician",
    "guest": "Colleague",
}
_NOT_ACCEPTED = {
    "ended": "No longer: ended, says {}",
    "suspended": "Suspended by {}",
    "revoked": "Revoked by {}",
    "expired": "Not now: what {} said has lapsed",
    "below": "Not accepted here: less than this node asks of {}",
    "relayed": "Not accepted here: said to be verified by {}",
    "refused": "Not accepted here: what {} says could not be checked",
}
_MEMBERS_ONLY = "What is said here stays with the group's members."


def build_account(profile: Profile, setting: Setting) -> Entity:
    """Return the Account of a person or group."""
    address = format_address(profile, setting)
    url = _page(profile, setting)
    avatar = f"{setting.origin}/static/{'group' if profile.is_group else 'person'}.png"
    header = f"{setting.origin}/static/header.png"
    return {
        "id": str(profile.actor_id),
        "username": profile.handle,
        "acct": address,
        "display_name": profile.name,
        "locked": True,
        "bot": False,
        "group": profile.is_group,
        "discoverable": False,
        "indexable": False,
        "noindex": True,
        "created_at": _midnight(profile.created_at),
        "note": text_to_html(profile.summary) if profile.is_local else profile.summary,
        "url": url,
        "uri": profile.uri,
        "avatar": avatar,
        "avatar_static": avatar,
        "header": header,
        "header_static": header,
        "followers_count": profile.members,
        "following_count": 0,
        "statuses_count": 0,
        "last_status_at": None,
        "hide_collections": True,
        "emojis": [],
        "roles": [],
        "fields": _fields(profile),
    }


def build_group_account(profile: Profile, setting: Setting, *, rules: str, staff: list[str]) -> Entity:
    """Return the Account of a group by itself, with its rules and, for its members, who looks after it."""
    account = build_account(profile, setting)
    said = [("Moderators", escape(", ".join(staff))), ("Rules", text_to_html(rules))]
    account["fields"] += [{"name": name, "value": value, "verified_at": None} for name, value in said if value]
    return account


def build_credential_account(profile: Profile, member: Member, setting: Setting, *, requests: int = 0) -> Entity:
    """Return the member's own account, with how their apps should compose: for the group's members alone.

    Args:
        profile: The member's.
        member: Whose it is.
        setting: What entities say of the node.
        requests: How many requests to join groups the member may decide.
    """
    account = build_account(profile, setting)
    account["source"] = {
        "privacy": "private",
        "sensitive": False,
        "language": None,
        "note": profile.summary,
        "fields": [],
        "follow_requests_count": requests,
        "hide_collections": True,
        "discoverable": False,
        "indexable": False,
    }
    account["role"] = {"id": "-99", "name": "", "color": "", "permissions": "0", "highlighted": False}
    return account


def build_asking(account: Entity, wanted: list[tuple[str, str]]) -> Entity:
    """Return an account that asks to join groups, with fields that say which and why: (title of the group, reason) each."""
    asked = [
        {"name": "Asks to join", "value": escape(f"{title}: {reason}" if reason else title), "verified_at": None}
        for title, reason in wanted
    ]
    return {**account, "fields": [*asked, *account["fields"]]}


def build_mention(profile: Profile, setting: Setting) -> Entity:
    """Return the Mention of a person or group."""
    return {
        "id": str(profile.actor_id),
        "username": profile.handle,
        "acct": format_address(profile, setting),
        "url": _page(profile, setting),
    }


def build_relationship(actor_id: int, place: Membership | None, *, note: str = "", distance: Distance = NEAR) -> Entity:
    """Return how a member stands to an account: in a group is following, an open request is requested.

    Args:
        actor_id: The account.
        place: The member's place in it, where it is a group.
        note: What the member noted about it.
        distance: How the member keeps it at a distance. What it does about the member is told to nobody.
    """
    is_member = place is not None and place.is_member
    return {
        "id": str(actor_id),
        "following": is_member,
        "showing_reblogs": is_member,
        "notifying": False,
        "languages": [],
        "followed_by": False,
        "blocking": distance.is_blocked,
        "blocked_by": False,
        "muting": distance.is_muted,
        "muting_notifications": distance.is_hushed,
        "requested": place is not None and place.state == "requested",
        "requested_by": False,
        "domain_blocking": False,
        "endorsed": False,
        "note": note,
    }


def format_address(profile: Profile, setting: Setting) -> str:
    """Return `handle` for our own, `handle@host` for others."""
    return profile.handle if profile.host == setting.host else f"{profile.handle}@{profile.host}"


def _page(profile: Profile, setting: Setting) -> str:
    """Return the page on this node, where the member is signed in; never one on another node."""
    folder = "groups" if profile.is_group else "people"
    return f"{setting.origin}/{folder}/{format_address(profile, setting)}"


def _fields(profile: Profile) -> list[Entity]:
    found: list[tuple[str, str]] = []
    if profile.is_group:
        found += [("Members only", _MEMBERS_ONLY), ("Joining", _POLICIES.get(profile.policy or "", ""))]
    if profile.known_through is not None:
        found.append(("Known through", profile.known_through))
    fields: list[Entity] = [{"name": name, "value": value, "verified_at": None} for name, value in found]
    return fields if profile.is_group or profile.standing.attested is None else [_attested(profile.standing), *fields]


def _attested(standing: Standing) -> Entity:
    """Return what is said of somebody's verification. Apps draw a tick for `verified_at`: only what counts here has one.

    To the month: days are nobody's business.
    """
    said = standing.attested
    assert said is not None
    if not standing.is_accepted:
        return {"name": "Verified", "value": _NOT_ACCEPTED[standing.verdict].format(said.issuer), "verified_at": None}
    through = f", passed on by {said.through}" if said.through else ""
    value = f"{_STAGES.get(said.stage, 'Colleague')}, level {said.level}, by {said.issuer}{through}, since {said.since}"
    return {"name": "Verified", "value": value, "verified_at": f"{said.checked}-01T00:00:00.000Z"}


def _midnight(instant: datetime) -> str:
    """Return the day of an instant: when exactly somebody joined is nobody's business."""
    return f"{instant.date().isoformat()}T00:00:00.000Z"
