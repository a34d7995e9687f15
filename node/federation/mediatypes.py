"""The media types of ActivityPub: what a document must be called before it is read as one (T34).

The client asks it of what peers serve, the inbox of what they send, WebFinger of links.
"""

from __future__ import annotations

import re

ACTIVITY_JSON = "application/activity+json"
LD_JSON = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
ACCEPT_ACTIVITY = f"{ACTIVITY_JSON}, {LD_JSON}"

_AS_PROFILE = "https://www.w3.org/ns/activitystreams"
_PROFILE = re.compile(r'(?:^|;)\s*profile\s*=\s*("[^"]*"|[^\s;]+)', re.IGNORECASE)


def is_activity_type(content_type: str) -> bool:
    """Return whether a Content-Type names an ActivityPub document.

    >>> is_activity_type("application/activity+json; charset=utf-8"), is_activity_type("application/json")
    (True, False)

    Spec: ActivityPub §3.2; RFC 6906 for `profile`, which may list several URIs.
    """
    essence = get_essence(content_type)
    if essence == ACTIVITY_JSON:
        return True
    if essence != "application/ld+json":
        return False
    profiles = _PROFILE.findall(content_type.partition(";")[2])
    return any(_AS_PROFILE in profile.strip('"').split() for profile in profiles)


def get_essence(content_type: str) -> str:
    """Return type and subtype of a Content-Type, lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()
