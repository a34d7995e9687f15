"""Try the way to a peer and back, step by step: what an operator asks for before trusting it, and when something is wrong.

Each step says what it found. Nothing of anybody is sent: what is asked for is absent, and what is posted means nothing, or is
a test object of ours (`probing`).
"""

from __future__ import annotations

import email.utils
from dataclasses import replace
from datetime import UTC, timedelta

from node.domain.peers import KEY_CHANGED, Peer
from node.federation.message import Answer
from node.federation.nodeinfo import refuse_software
from node.federation.webfinger import read_jrd
from node.foundation.errors import NodeError, Refusing, RemoteFailure
from node.outbox.publish import encode
from node.store.core import Core
from node.store.engine import Tx
from node.store.peers import get_peer, take_peer, update_peer_error, update_peer_facts, update_peer_offered

from .facts import Facts, ask_facts
from .probing import probe_peer
from .service import require_peer, with_facts
from .steps import Step

_CLOCKS_DIFFER = timedelta(minutes=1)
_ANOTHER_KEY = "This peer shows another key than the one you compared. Call its operator before you go on."


async def test_peer(core: Core, text: str) -> list[Step]:
    """Try the way to a peer; what it says of itself is kept, and another key is noted for the operator.

    Raises:
        NotFound: It is not on the list.
    """
    peer = require_peer(core, text)
    steps = [Step("state", peer.state == "active", f"state_{peer.state}")]
    try:
        facts = await ask_facts(core, peer.origin)
    except NodeError as error:
        return [*steps, Step("reach", False, "reach_no", {"why": error.internal})]
    steps.append(Step("reach", True, "reach_yes"))
    same = peer.fingerprint in (None, facts.fingerprint)
    steps.append(Step("key", same, "key_same" if same else "key_other"))
    steps.append(_judge_software(facts))
    with core.peers.introducing(peer.origin):
        steps.append(await _ask_webfinger(core, peer, facts))
        steps.append(await _ask_picture(core, peer))
        steps += await _knock(core, peer)
        steps += await probe_peer(core, peer, is_listed=steps[-1].ok is True)
    await core.store.write(_note, core, peer, facts)
    return steps


def _judge_software(facts: Facts) -> Step:
    if facts.software is None:
        return Step("software", True, "software_silent")
    reason = refuse_software(facts.software)
    if reason is not None:
        return Step("software", False, "software_refused", {"why": reason})
    return Step("software", True, "software_is", {"name": facts.software.name, "version": facts.software.version})


async def _ask_webfinger(core: Core, peer: Peer, facts: Facts) -> Step:
    """Ask for the node itself by its address; addresses of people are found the same way."""
    name = peer.host.partition(":")[0]  # a handle holds no port; only test nodes have one
    url = f"{peer.origin}/.well-known/webfinger?resource=acct:{name}@{peer.host}"
    try:
        _, raw = await core.client.get_json(url)
        found = read_jrd(raw, expected_origin=peer.origin)
    except NodeError as error:
        return Step("webfinger", False, "webfinger_no", {"why": error.internal})
    is_own = found == facts.instance_uri
    return Step("webfinger", is_own, "webfinger_yes" if is_own else "webfinger_other")


async def _ask_picture(core: Core, peer: Peer) -> Step:
    """Ask, signed, for a picture that is not there: the answer shows that the way of pictures is open."""
    keys = await core.keyring.own(core.instance_id)
    url = f"{peer.origin}/media/{core.ids.token()}"
    try:
        await core.client.get_bytes(url, signer=core.sign_for(keys, peer.origin), limit_bytes=65_536)
    except Refusing as error:
        if error.remote_status in (404, 410):
            return Step("media", True, "media_open")
        return Step("media", False, "media_closed", {"why": error.internal})
    except NodeError as error:
        return Step("media", False, "media_no", {"why": error.internal})
    return Step("media", False, "media_strange")


async def _knock(core: Core, peer: Peer) -> list[Step]:
    """Send something harmless with our signature: the answer tells whether the peer has us on its list, and its time.

    Whether we are on its list stands last.
    """
    keys = await core.keyring.own(core.instance_id)
    view = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "type": "View",
        "id": f"{core.origin}/activities/{core.ids.token()}",
        "actor": core.instance_uri,
        "object": f"{peer.origin}/actor",
    }
    try:
        answer = await core.client.post(f"{peer.origin}/inbox", encode(view), signer=core.sign_for(keys, peer.origin))
    except RemoteFailure as error:
        return [Step("listed", False, "listed_no", {"why": error.internal})]
    codes = {202: "listed_yes", 401: "listed_401", 403: "listed_403", 503: "listed_503"}
    code = codes.get(answer.status, "listed_strange")
    values = {"status": answer.status} if code == "listed_strange" else {}
    return [*_compare_clocks(core, answer), Step("listed", answer.status == 202, code, values)]


def _compare_clocks(core: Core, answer: Answer) -> list[Step]:
    try:
        said = email.utils.parsedate_to_datetime(answer.one("date") or "")
    except (ValueError, TypeError):
        return []
    offset = abs(core.clock.now() - (said if said.tzinfo else said.replace(tzinfo=UTC)))
    if offset <= _CLOCKS_DIFFER:
        return [Step("clock", True, "clock_same")]
    return [Step("clock", False, "clock_differs", {"seconds": round(offset.total_seconds())})]


async def _note(tx: Tx, core: Core, peer: Peer, facts: Facts) -> None:
    """Keep what the peer says of itself while its key is the known one; another key is kept apart, for people to compare."""
    current = await get_peer(tx, peer_id=peer.peer_id)
    if current is None or current.state in ("draft", "parted"):
        return
    if current.fingerprint == facts.fingerprint:
        told = with_facts(current, facts)
        if replace(told, offered=None) == replace(current, offered=None):
            return
        await take_peer(tx, peer_id=peer.peer_id)
        await update_peer_facts(tx, peer=told)
    elif current.fingerprint is not None and current.offered != facts.fingerprint:
        await take_peer(tx, peer_id=peer.peer_id)
        await update_peer_offered(tx, peer_id=peer.peer_id, fingerprint=facts.fingerprint)
        await update_peer_error(tx, peer_id=peer.peer_id, code=KEY_CHANGED, sentence=_ANOTHER_KEY)
    saved = await get_peer(tx, peer_id=peer.peer_id)
    if saved is not None:
        tx.after_commit(lambda: core.peers.put(saved))
