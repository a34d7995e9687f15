"""The inboxes: which paths take activities, and how a refusal looks from outside.

An error becomes a status without a body; what it was stands in the log alone (style.md §7).
"""

from __future__ import annotations

import re

from node.domain.access import may_node_see_card
from node.domain.peers import Peer
from node.federation.message import Answer, Request
from node.foundation.errors import NodeError, NotFound, ProtocolError, TooMany, Unauthenticated, Unavailable
from node.foundation.logs import get_logger
from node.store.core import Core
from node.store.engine import Tx
from node.store.rosters import get_admission, get_group_by_uri, has_interest_at_host

from .receive import Receiver

SHARED_INBOX = re.compile(r"/inbox")
PERSON_INBOX = re.compile(r"/people/[a-z0-9_]{2,30}/inbox")
GROUP_INBOX = re.compile(r"(?P<group>/groups/[a-z0-9_]{2,30}(?:/staff)?)/inbox")
INBOXES = ("/inbox", "/people/<handle>/inbox", "/groups/<handle>/inbox")

# A server that signs anew on 401 learns here what we accept (signatures.md 1.1).
_ACCEPT_SIGNATURE = 'sig1=("@method" "@target-uri" "content-digest");created;keyid'
# A refusal is as private as what it refuses: no cache may give it to another signer (T21).
_PRIVATE_HEADERS = (
    ("cache-control", "private, no-store"),
    ("vary", "Accept, Signature, Signature-Input, Authorization"),
)


def is_inbox(path: str) -> bool:
    """Return whether a path is an inbox, existing or not."""
    return any(pattern.fullmatch(path) for pattern in (SHARED_INBOX, PERSON_INBOX, GROUP_INBOX))


async def answer_inbox(core: Core, receiver: Receiver, request: Request) -> Answer:
    """Take a POST at an inbox and return the answer of contract.md 2.5; nothing is raised for remote mistakes."""
    try:
        group = GROUP_INBOX.fullmatch(request.path)
        if group is None:
            return await receiver.receive(request)

        async def check(peer: Peer) -> None:
            await core.store.read(_check_group_inbox, core, peer, core.origin + group["group"])

        return await receiver.receive(request, check=check)
    except NodeError as error:
        return refuse(request, error)


def refuse(request: Request, error: NodeError) -> Answer:
    """Return the bodyless answer of an error, and log why."""
    status = 400 if isinstance(error, ProtocolError) else error.status
    get_logger().info("request_refused", path=request.path, status=status, code=error.code, reason=error.internal)
    headers: tuple[tuple[str, str], ...] = _PRIVATE_HEADERS
    if isinstance(error, Unavailable | TooMany):
        headers = (*headers, ("retry-after", str(error.retry_after_seconds)))
    elif status == 503:
        headers = (*headers, ("retry-after", "5"))
    elif isinstance(error, Unauthenticated):
        headers = (*headers, ("accept-signature", _ACCEPT_SIGNATURE))
    return Answer(status, headers)


async def _check_group_inbox(tx: Tx, core: Core, peer: Peer, uri: str) -> None:
    """Raise unless a group hosted here may be known to the peer."""
    group = await get_group_by_uri(tx, uri=uri)
    if group is None or not group.is_local:
        raise NotFound
    interest = await has_interest_at_host(tx, group_id=group.group_id, host=peer.host)
    admitted = await get_admission(tx, group_id=group.group_id, peer_id=peer.peer_id) is not None
    if not may_node_see_card(group, has_member_or_invitation=interest or admitted):
        raise NotFound
