"""Origins: who may speak of what, told from the ids alone.

The inbox calls `check_activity_origins` between the signature and the transaction; a member's node calls
`check_announced_origins` on what its group's host has announced; whoever dereferences an actor calls
`check_actor_origins`. All are pure. They rest on one rule: an id belongs to the origin in it, and only the actor who
signed, or a host inside its own group, speaks for it. Who is a member or a moderator is asked elsewhere.

An origin is "https://host" with the host in lower case and letters beyond ASCII as A-labels. `allow_insecure` is for
nodes with `insecure_loopback`; it permits http, ports and loopback addresses, and nothing else.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Collection
from typing import Any, Final

import idna
import msgspec

from ..foundation.errors import OriginMismatch
from .vocabulary import ActivityView, ActorView, Document, ObjectView
from .vocabulary.values import URI_LIMIT_CHARACTERS

HOST_LIMIT_CHARACTERS: Final = 253

_AUTHORITY = re.compile(r"(https?)://([^/?#]*)")
_PORT = re.compile(r"(.*):([0-9]{1,5})")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Resolvers take these for addresses: "127.1", "0x7f000001", "2130706433".
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}

# What only the author may do.
_AUTHORED: Final = frozenset({"Create", "Update", "Delete"})
# What answers or hands on something that another has done, and may therefore carry it.
_ANSWERS: Final = frozenset({"Accept", "Reject", "TentativeAccept", "TentativeReject", "Offer"})


def parse_origin(uri: str, *, allow_insecure: bool = False) -> str:
    """Return the origin of an id, key id or inbox, such as "https://society.example".

    >>> parse_origin("https://society.example/people/ana#main-key")
    'https://society.example'

    Args:
        uri: As received. Nothing is repaired: what would have to be changed to be compared is refused.
        allow_insecure: Permit http, explicit ports (default ones are dropped) and loopback addresses.

    Raises:
        OriginMismatch: Another scheme, user information, a port, a literal address, a backslash or blank anywhere, or a
            host that is not in its one normal form.

    Spec: RFC 6454 §4; RFC 5891, strict, without the mappings of UTS 46; signatures.md T11, T32. An explicit `:443` is
    refused too: one actor must not have two spellings.
    """
    if len(uri) > URI_LIMIT_CHARACTERS or " " in uri or "\\" in uri or not uri.isprintable():
        raise OriginMismatch("A URI is too long, or has characters that do not belong there.")
    match = _AUTHORITY.match(uri)
    if match is None or (match[1] == "http" and not allow_insecure):
        raise OriginMismatch("A URI does not begin with https://.")
    return _parse_authority(match[1], match[2], allow_insecure)


@functools.lru_cache(maxsize=1024)
def _parse_authority(scheme: str, authority: str, allow_insecure: bool) -> str:
    if "@" in authority:
        raise OriginMismatch("A URI has user information.")
    port = _PORT.fullmatch(authority)
    if port is None:
        return f"{scheme}://{_check_host(authority, allow_insecure=allow_insecure)}"
    if not allow_insecure or not 0 < int(port[2]) < 65_536 or port[2].startswith("0"):
        raise OriginMismatch("A URI has a port.")
    host = _check_host(port[1], allow_insecure=True)
    return f"{scheme}://{host}" if int(port[2]) == _DEFAULT_PORTS[scheme] else f"{scheme}://{host}:{port[2]}"


def same_origin(first: str, second: str, *, allow_insecure: bool = False) -> bool:
    """Return whether two ids have the same origin; false where one of them has none that we accept."""
    try:
        origin = parse_origin(first, allow_insecure=allow_insecure)
        return origin == parse_origin(second, allow_insecure=allow_insecure)
    except OriginMismatch:
        return False


def check_activity_origins(
    activity: ActivityView,
    *,
    signer: str,
    is_from_group: bool = False,
    moderators: Collection[str] = (),
    allow_insecure: bool = False,
) -> None:
    """Raise unless the signer may say everything that an activity says.

    Args:
        activity: As understood from the body that was signed.
        signer: The owner of the key that verified, from `verify_request`.
        is_from_group: Whether we know the signer as a group whose posts we follow. Only then may its Announce carry
            what others wrote; otherwise use `without_foreign_object`, or have it refused.
        moderators: Ids of those who may delete what others wrote in the group concerned.
        allow_insecure: As in `parse_origin`.

    Raises:
        OriginMismatch: With the rule that was broken.

    Spec: signatures.md T1, T2, T12, T20; wire.md §4.3; FEP-fe34. Ids cannot tell neighbours on one origin apart: the
    handler of an Update, Delete or Undo compares with the author that is stored here.

    Stops: speaking for others.
    """
    check_actor_is_signer(activity, signer)
    check_id_is_of_actor(activity, allow_insecure=allow_insecure)
    if activity.type == "Announce" and is_from_group and isinstance(activity.inner, ActivityView | ObjectView):
        check_announced_origins(activity.inner, moderators=moderators, allow_insecure=allow_insecure)
    else:
        check_object_is_of_actor(activity, moderators=moderators, allow_insecure=allow_insecure)


def check_announced_origins(
    inner: ActivityView | ObjectView, *, moderators: Collection[str] = (), allow_insecure: bool = False
) -> None:
    """Raise unless what a group announced could have come from the one it names, had they sent it themselves.

    That the group's host has checked a signature over it is believed (wire.md §4.5); this finds what no signature can
    make right. An `Update` of an actor passes only if it is their own.

    Stops: a host that takes words of one origin for those of another.
    """
    if isinstance(inner, ObjectView):
        check_object_is_of_author(inner, allow_insecure=allow_insecure)
        return
    check_id_is_of_actor(inner, allow_insecure=allow_insecure)
    check_object_is_of_actor(inner, moderators=moderators, allow_insecure=allow_insecure)


def check_actor_origins(actor: ActorView, *, expected_origin: str, allow_insecure: bool = False) -> None:
    """Raise unless an actor, its inboxes and its keys are all of the origin that served the document.

    Stops: a document on one origin that speaks for an actor on another (T3), or has their post sent elsewhere (T11).
    """
    addresses = [actor.id, actor.inbox, actor.shared_inbox, *(key.key_id for key in actor.keys)]
    for uri in addresses:
        if uri is not None and parse_origin(uri, allow_insecure=allow_insecure) != expected_origin:
            raise OriginMismatch("An actor has an id, inbox or key on another origin.")
    if any(key.owner != actor.id for key in actor.keys):
        raise OriginMismatch("An actor lists the key of another.")


def check_actor_is_signer(activity: ActivityView, signer: str) -> None:
    """Raise unless the actor is exactly who signed; the same origin is not enough.

    Stops: one user of a node acting for another (T1).
    """
    if activity.actor != signer:
        raise OriginMismatch(
            "The activity is not by the one who signed it.", internal=f"{activity.actor} is not signer {signer}"
        )


def check_id_is_of_actor(activity: ActivityView, *, allow_insecure: bool = False) -> None:
    """Raise unless the activity's id is on its actor's origin.

    Stops: taking the id of somebody else's activity before they have used it, so that theirs counts as a repeat.
    """
    if not _is_on_same_origin(activity.id, activity.actor, allow_insecure):
        raise OriginMismatch("The activity's id is not on its actor's origin.", internal=f"{activity.id} by another")


def check_object_is_of_actor(
    activity: ActivityView, *, moderators: Collection[str] = (), allow_insecure: bool = False
) -> None:
    """Raise unless the actor may do this to the object, as far as ids can tell.

    Stops: writing, changing, deleting or undoing what others wrote or did (T2, T12); words put into others' mouths by
    embedding them (T20).
    """
    if activity.type in _AUTHORED:
        check_actor_is_author(activity, moderators=moderators, allow_insecure=allow_insecure)
    elif activity.type == "Undo":
        check_undoes_own(activity, allow_insecure=allow_insecure)
    elif activity.type == "Move":
        check_moves_itself(activity)
    else:
        check_carries_own(activity, allow_insecure=allow_insecure)


def check_actor_is_author(
    activity: ActivityView, *, moderators: Collection[str] = (), allow_insecure: bool = False
) -> None:
    """Raise unless what is created, updated or deleted is the actor's own, or deleted by a moderator.

    `attributedTo` must be exactly the actor: no list of two, no object, no number (T2). A list of one passes, as Plume
    writes it. What is deleted needs no `attributedTo`, and an actor is attributed to nobody but is itself.

    Stops: posts in another's name, and changing or deleting another's post or key (T2, T5, T12).
    """
    if activity.type == "Delete" and activity.actor in moderators:
        return
    if activity.object_id is None or not _is_on_same_origin(activity.object_id, activity.actor, allow_insecure):
        raise OriginMismatch("The object is not on its actor's origin.")
    if activity.object is None:
        return
    if isinstance(activity.inner, ActorView):
        if activity.object_id != activity.actor:
            raise OriginMismatch("An actor's document is changed by another actor.")
        return
    attributed = _unwrap(activity.object.get("attributedTo"))
    if attributed != activity.actor and not (activity.type == "Delete" and attributed is None):
        raise OriginMismatch("The object is not attributed to the actor.")


def check_undoes_own(activity: ActivityView, *, allow_insecure: bool = False) -> None:
    """Raise unless what is undone was done by the same actor; known by its id alone, unless it is on their origin.

    Stops: ending another's membership, or lifting a ban one did not impose.
    """
    if activity.object_id is None or not _is_on_same_origin(activity.object_id, activity.actor, allow_insecure):
        raise OriginMismatch("What is undone is not on its actor's origin.")
    done_by: Any = (activity.object or {}).get("actor")
    if isinstance(activity.inner, ActivityView):
        done_by = activity.inner.actor
    if done_by is not None and done_by != activity.actor:
        raise OriginMismatch("What is undone was done by another actor.")


def check_moves_itself(activity: ActivityView) -> None:
    """Raise unless an actor moves itself.

    Stops: leading another's followers away.
    """
    if activity.object_id != activity.actor:
        raise OriginMismatch("An actor is moved by another actor.")


def check_carries_own(activity: ActivityView, *, allow_insecure: bool = False) -> None:
    """Raise if an activity carries what another wrote or did, where its id would do.

    Answers carry what they answer; whoever handles them compares it with what is stored here. Actors are carried by
    invitations and author cards (wire.md §4.9); nobody's stored document is changed by those.

    Stops: showing words as another's that only the sender has seen (T20).
    """
    inner = activity.inner
    if isinstance(inner, ActivityView) and inner.actor != activity.actor and activity.type not in _ANSWERS:
        raise OriginMismatch("The activity carries what another actor has done.")
    if not isinstance(inner, ObjectView):
        return
    if not _is_on_same_origin(inner.id, activity.actor, allow_insecure):
        raise OriginMismatch("The activity carries an object of another origin.")
    check_object_is_of_author(inner, allow_insecure=allow_insecure)


def check_object_is_of_author(view: ObjectView, *, allow_insecure: bool = False) -> None:
    """Raise unless an object is on the origin of all its authors.

    A Tombstone says nothing in anybody's name. What Mobilizon's groups announce of members elsewhere does not pass: it
    is attributed to the group.

    Stops: a post on one origin that says it was written on another (T2).
    """
    if view.type == "Tombstone":
        return
    if not view.authors or not all(_is_on_same_origin(view.id, author, allow_insecure) for author in view.authors):
        raise OriginMismatch("The object is not on its author's origin.")


def without_foreign_object(
    activity: ActivityView, *, is_from_group: bool = False, allow_insecure: bool = False
) -> ActivityView:
    """Return an activity in which posts of other origins that would be refused are only named, not carried.

    For whoever would rather dereference them than refuse the activity: NodeBB's likes carry the whole post. What a
    group announces stays, and the same is done inside it.
    """
    inner = activity.inner
    if activity.type == "Announce" and is_from_group:
        if not isinstance(inner, ActivityView):
            return activity
        inside = without_foreign_object(inner, allow_insecure=allow_insecure)
        return activity if inside is inner else _with_object(activity, inside.document, inside)
    if not isinstance(inner, ObjectView) or activity.type in _AUTHORED:
        return activity
    if _is_on_same_origin(inner.id, activity.actor, allow_insecure):
        return activity
    return _with_object(activity, inner.id, None)


def _with_object(activity: ActivityView, value: str | Document, inner: ActivityView | None) -> ActivityView:
    return msgspec.structs.replace(
        activity,
        object=value if isinstance(value, dict) else None,
        inner=inner,
        document={**activity.document, "object": value},
    )


def _is_on_same_origin(uri: str, actor: str, allow_insecure: bool) -> bool:
    return parse_origin(uri, allow_insecure=allow_insecure) == parse_origin(actor, allow_insecure=allow_insecure)


def _check_host(host: str, *, allow_insecure: bool) -> str:
    """Return a host in its one normal form, or refuse it."""
    labels = host.split(".")
    if host.startswith("[") or _NUMERIC_LABEL.fullmatch(labels[-1]):
        if allow_insecure and _is_loopback(host):
            return host
        raise OriginMismatch("A URI has a literal address.")
    if len(host) > HOST_LIMIT_CHARACTERS:
        raise OriginMismatch("A URI has a host that is too long.")
    if all(_LABEL.fullmatch(label) and label[2:4] != "--" for label in labels):
        return host
    return _encode_host(host, labels)


def _encode_host(host: str, labels: list[str]) -> str:
    """Return a host with A-labels; strict, so that nothing is mapped, dropped or folded on the way."""
    try:
        encoded = [idna.encode(label, strict=True).decode("ascii") for label in labels]
    except (idna.IDNAError, UnicodeError):
        raise OriginMismatch("A URI has a host that is not a valid name.") from None
    # idna takes other full stops for dots, and lets ASCII pass in any case.
    if (
        any("." in label or label != label.lower() for label in encoded)
        or len(".".join(encoded)) > HOST_LIMIT_CHARACTERS
    ):
        raise OriginMismatch("A URI has a host that is not a valid name.")
    return ".".join(encoded)


def _is_loopback(host: str) -> bool:
    """Return whether a host is a loopback address in its usual spelling; mapped and shortened ones are not."""
    if host.startswith("["):
        return host == "[::1]"
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _unwrap(value: Any) -> Any:
    return value[0] if type(value) is list and len(value) == 1 else value
