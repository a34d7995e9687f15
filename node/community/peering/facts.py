"""What another node says of itself: its instance actor with its key, and its software. Asked at an operator's word only."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from node.domain.peers import NOTHING_TOLD, PeerTold
from node.federation.integrity import proof_method, verify_proof
from node.federation.jsonld import normalize_document, parse_document
from node.federation.message import KeyDocument
from node.federation.nodeinfo import Software, choose_nodeinfo_link, read_claims, read_nodeinfo
from node.federation.origin import check_actor_origins, parse_origin
from node.federation.signatures.keys import fingerprint_hex, load_key_document
from node.federation.vocabulary import ActorView, understand
from node.foundation.config import is_loopback
from node.foundation.errors import Invalid, NodeError, OriginMismatch, RemoteMalformed
from node.foundation.text import clean_line
from node.store.core import Core


@dataclass(frozen=True, slots=True)
class Facts:
    """What a node told: instance actor, fingerprint of its key, name, software (None when it has no NodeInfo), claims, keys."""

    instance_uri: str
    fingerprint: str
    name: str
    software: Software | None
    told: PeerTold = NOTHING_TOLD
    keys: tuple[KeyDocument, ...] = ()


def parse_peer(core: Core, text: str) -> str:
    """Return the origin that an operator means by a host or a URL.

    Raises:
        Invalid: It is neither, or not permitted here, or our own.
    """
    text = text.strip().rstrip("/")
    if "://" not in text:
        host = text.partition(":")[0]
        scheme = "http" if core.allow_insecure and is_loopback(host) else "https"
        text = f"{scheme}://{text}"
    try:
        origin = parse_origin(text, allow_insecure=core.allow_insecure)
    except OriginMismatch as error:
        raise Invalid(f"{text} is not the address of a node: {error.safe}") from None
    if urlsplit(text).path or urlsplit(text).query:
        raise Invalid("A peer is named by its host or base URL, such as b.example.")
    if origin == core.origin:
        raise Invalid("This node is always its own peer.")
    if origin.startswith("http://") and not is_loopback(urlsplit(origin).hostname or ""):
        raise Invalid("Only nodes on loopback are talked to by http.")
    return origin


async def ask_facts(core: Core, origin: str) -> Facts:
    """Ask a node for its instance actor and its software.

    Raises:
        Unreachable, Refusing: It does not answer.
        RemoteMalformed, OriginMismatch, SignatureInvalid: What it says of itself does not hold together.
    """
    with core.peers.introducing(origin):
        view = await _ask_instance(core, origin)
        software, told = await _ask_software(core, origin)
    name = clean_line(view.name or "") or urlsplit(origin).netloc
    keys = tuple(key for key in view.keys if key.owner == view.id)
    return Facts(view.id, _fingerprint(view), name, software, told, keys)


async def _ask_instance(core: Core, origin: str) -> ActorView:
    keys = await core.keyring.own(core.instance_id)
    uri = f"{origin}/actor"
    _, raw = await core.client.get_document(uri, signer=core.sign_rsa(keys))
    document = parse_document(raw)
    view = understand(normalize_document(document))
    if not isinstance(view, ActorView) or view.id != uri:
        raise RemoteMalformed(internal=f"{uri} is not an instance actor")
    check_actor_origins(view, expected_origin=origin, allow_insecure=core.allow_insecure)
    method = proof_method(document)
    if method is not None:
        key = next((each for each in view.keys if each.key_id == method), None)
        if key is None:
            raise RemoteMalformed(internal=f"{uri} is proved by a key it does not list")
        verify_proof(document, load_key_document(key), now=core.clock.now())
    return view


async def _ask_software(core: Core, origin: str) -> tuple[Software | None, PeerTold]:
    try:
        _, discovery = await core.client.get_json(f"{origin}/.well-known/nodeinfo")
        _, raw = await core.client.get_json(choose_nodeinfo_link(discovery, origin=origin))
        software, claims = read_nodeinfo(raw), read_claims(raw)
    except NodeError:
        return None, NOTHING_TOLD
    return software, PeerTold(claims.operator, claims.contact, claims.capabilities)


def _fingerprint(view: ActorView) -> str:
    """Return the fingerprint of the Ed25519 key; of the RSA key where there is no other."""
    keys: dict[str, KeyDocument] = {}
    for key in view.keys:
        keys.setdefault(key.algorithm, key)
    chosen = keys.get("ed25519") or keys.get("rsa")
    if chosen is None:
        raise RemoteMalformed(internal=f"{view.id} has no key")
    return fingerprint_hex(load_key_document(chosen))
