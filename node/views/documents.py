"""Documents by which others find this node: health, the instance actor, NodeInfo, WebFinger. Nothing private in any.

WebFinger tells everybody about the node itself; about people and groups it tells signed peers what they may know anyway.
"""

from __future__ import annotations

from quart import Blueprint, Response, jsonify, request
from quart.typing import ResponseReturnValue

from node import __version__
from node.community.house import House
from node.federation.message import Request
from node.federation.nodeinfo import build_discovery, build_features, build_nodeinfo
from node.federation.webfinger import JRD_TYPE, build_jrd, parse_account
from node.foundation.errors import NodeError, NotFound, Unavailable
from node.outbox.answers import CONTENT_TYPE
from node.outbox.permitted import visible_group, visible_person
from node.outbox.publish import encode
from node.outbox.telling import instance_document
from node.store.core import Core


def build_documents(house: House) -> Blueprint:
    """Return the routes of discovery and health."""
    pages = Blueprint("documents", __name__)
    core = house.core

    @pages.get("/health")
    async def health() -> ResponseReturnValue:
        return jsonify({"alive": True})

    @pages.get("/ready")
    async def ready() -> ResponseReturnValue:
        return jsonify({"ready": house.is_ready}), 200 if house.is_ready else 503

    @pages.get("/actor")
    async def actor() -> Response:
        keys = await core.keyring.own(core.instance_id)
        document = await core.store.read(instance_document, core, keys)
        return Response(encode(document), content_type=CONTENT_TYPE)

    @pages.get("/.well-known/nodeinfo")
    async def discovery() -> ResponseReturnValue:
        return jsonify(build_discovery(core.origin))

    @pages.get("/nodeinfo/2.0")
    @pages.get("/nodeinfo/2.1")
    async def nodeinfo() -> ResponseReturnValue:
        features = build_features(operator=core.config.operator, contact=core.config.contact)
        if request.path.endswith("2.0"):
            return jsonify(build_nodeinfo("2.0", __version__, features=features))
        return jsonify(build_nodeinfo("2.1", __version__, features=features))

    @pages.get("/.well-known/webfinger")
    async def webfinger() -> ResponseReturnValue:
        try:
            uri = await _find_account(house, request.args.get("resource", ""))
        except Unavailable as paused:
            return Response(status=503, headers={"Retry-After": str(paused.retry_after_seconds)})
        if uri is None:
            return Response(b'{"error":"not found"}', status=404, content_type="application/json")
        handle = _own_name(core) if uri == core.instance_uri else uri.rpartition("/")[2]
        return Response(encode(build_jrd(f"{handle}@{core.host}", uri)), content_type=JRD_TYPE)

    @pages.get("/.well-known/host-meta")
    async def host_meta() -> Response:
        template = f"{core.origin}/.well-known/webfinger?resource={{uri}}"
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
            f'<Link rel="lrdd" type="{JRD_TYPE}" template="{template}"/></XRD>'
        )
        return Response(body, content_type="application/xrd+xml")

    return pages


def _own_name(core: Core) -> str:
    """Return the node's own handle: its host, without the port that a test node has, for none can stand in a handle."""
    return core.host.partition(":")[0]


async def _find_account(house: House, resource: str) -> str | None:
    """Return the actor of an account that the asker may know: everybody the instance, signed peers what they may see."""
    core = house.core
    if resource in (core.origin, f"{core.origin}/", core.instance_uri):
        return core.instance_uri
    try:
        handle, host = parse_account(resource)
    except NodeError:
        return None
    if host != core.host:
        return None
    if handle.lower() == _own_name(core):
        return core.instance_uri
    return await _find_for_peer(house, handle.lower())


async def _find_for_peer(house: House, handle: str) -> str | None:
    core = house.core
    raw_target = request.scope.get("raw_path", b"").decode("latin-1")
    query = request.query_string.decode("latin-1")
    target = f"{raw_target}?{query}" if query else raw_target
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    signed = Request(request.method, target, headers)
    try:
        claim, peer = house.receiver.identify(signed)
        await house.receiver.verify(signed, claim, peer)
    except Unavailable:
        raise
    except NodeError:
        return None
    try:
        group, _ = await core.store.read(visible_group, core, peer, handle)
        return group.uri
    except NotFound:
        pass
    try:
        return (await core.store.read(visible_person, core, peer, handle)).uri
    except NotFound:
        return None
