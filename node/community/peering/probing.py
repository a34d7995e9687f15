"""Try whether a peer erases what it is told to erase, and takes reports: with a test object that is of nobody.

A node that does not know these tests answers them as it answers any activity that means nothing to it; then the line says
that it does not offer this, never that it is good. How they look on the wire: federation/probes.py.
"""

from __future__ import annotations

from node.domain.peers import Peer
from node.federation.jsonld import parse_document
from node.federation.message import Answer
from node.federation.probes import HEADER, Probe, build_probe
from node.foundation.errors import NodeError, Refusing, RemoteFailure
from node.outbox.publish import encode
from node.store.core import Core

from .steps import Step

_NAMES = ("report", "erasure")
_TEXT = "A test of the way between our two nodes. It is of nobody, and is erased at once."


async def probe_peer(core: Core, peer: Peer, *, is_listed: bool) -> list[Step]:
    """Return two lines: whether the peer takes reports, and whether it erases.

    Args:
        core: This node.
        peer: Who is tried.
        is_listed: Whether its inbox takes anything from us.

    Cost: five requests.
    """
    if not is_listed:
        return [Step(name, None, "probe_untried") for name in _NAMES]
    uri = f"{core.origin}/probes/{core.ids.token()}"
    try:
        laid = await _say(core, peer, Probe("Create", uri, _TEXT))
        if not _is_taken(laid, uri):
            code = "probe_busy" if laid.status == 429 else "probe_unknown"
            return [Step(name, None, code) for name in _NAMES]
        reported = await _say(core, peer, Probe("Flag", uri, _TEXT))
        is_good = _is_taken(reported, uri)
        report = Step("report", is_good, "report_yes" if is_good else "report_no")
        return [report, await _erase(core, peer, uri)]
    except RemoteFailure as error:
        return [Step(name, False, "probe_no", {"why": error.internal}) for name in _NAMES]


async def _erase(core: Core, peer: Peer, uri: str) -> Step:
    """See the test object there, have it erased, and see that it is gone."""
    was_there = await _look(core, peer, uri)
    await _say(core, peer, Probe("Delete", uri))
    if was_there != 200:
        return Step("erasure", False, "erasure_unheld")
    found = await _look(core, peer, uri)
    if found == 410:
        return Step("erasure", True, "erasure_yes")
    return Step("erasure", False, "erasure_kept" if found == 200 else "erasure_silent")


async def _say(core: Core, peer: Peer, probe: Probe) -> Answer:
    keys = await core.keyring.own(core.instance_id)
    activity = build_probe(
        probe,
        activity_uri=f"{core.origin}/activities/{core.ids.token()}",
        actor=core.instance_uri,
        reader=peer.instance_uri or f"{peer.origin}/actor",
    )
    return await core.client.post(f"{peer.origin}/inbox", encode(activity), signer=core.sign_for(keys, peer.origin))


async def _look(core: Core, peer: Peer, uri: str) -> int:
    """Return 200 where the peer gives the test object, the status where it refuses, and 0 where it gives something else.

    Raises:
        RemoteFailure: It cannot be asked.
    """
    keys = await core.keyring.own(core.instance_id)
    url = f"{peer.origin}/probes/{uri.rpartition('/')[2]}"
    try:
        _, body = await core.client.get_document(url, signer=core.sign_for(keys, peer.origin))
        document = parse_document(body)
    except Refusing as error:
        return error.remote_status if error.remote_status >= 400 else 0
    except RemoteFailure:
        raise
    except NodeError:
        return 0
    return 200 if (document.get("id"), document.get("content")) == (uri, _TEXT) else 0


def _is_taken(answer: Answer, uri: str) -> bool:
    return answer.status == 202 and answer.one(HEADER) == uri
