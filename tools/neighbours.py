"""Small nodes on loopback for pictures and browser tests: each says who it is, takes whatever comes, and keeps nothing.

A neighbour is there to be met by an operator's desk: it has a key, says what it runs and who answers for it, and can be
shut, so that it is not reached any more.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from node.federation.nodeinfo import build_discovery, build_features, build_nodeinfo
from node.federation.signatures.keys import fingerprint_hex, format_multikey, generate_ed25519_key
from node.federation.webfinger import build_jrd

_CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/multikey/v1"]
_ACTIVITY_JSON, _JSON = "application/activity+json", "application/json"


class Neighbour:
    """One node. name: what it calls itself; operator: who answers for it, as it says."""

    def __init__(self, name: str, *, operator: str = "Per Nystrand") -> None:
        self._key = generate_ed25519_key()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.origin = f"http://localhost:{self._server.server_port}"
        self._server.RequestHandlerClass = _handler_for(self._documents(name, operator))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """The authority in its ids."""
        return urlsplit(self.origin).netloc

    @property
    def fingerprint(self) -> str:
        """The fingerprint of its key in hex, as its operator reads it out."""
        return fingerprint_hex(self._key.public)

    def shut(self) -> None:
        """Answer nobody any more; shutting twice does no harm."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _documents(self, name: str, operator: str) -> dict[str, tuple[str, Any]]:
        """Return what it says, by path: (media type, document)."""
        features = build_features(operator=operator, contact="+00 5550 100")
        uri = f"{self.origin}/actor"
        return {
            "/actor": (_ACTIVITY_JSON, self._actor(uri, name)),
            "/.well-known/nodeinfo": (_JSON, build_discovery(self.origin)),
            "/nodeinfo/2.1": (_JSON, build_nodeinfo("2.1", "0.1.0", features=features)),
            "/.well-known/webfinger": ("application/jrd+json", build_jrd(f"localhost@{self.host}", uri)),
        }

    def _actor(self, uri: str, name: str) -> dict[str, Any]:
        key = {
            "id": f"{uri}#ed25519",
            "type": "Multikey",
            "controller": uri,
            "publicKeyMultibase": format_multikey(self._key.public),
        }
        return {
            "@context": _CONTEXT,
            "type": "Application",
            "id": uri,
            "preferredUsername": self.host,
            "name": name,
            "inbox": f"{self.origin}/inbox",
            "outbox": f"{uri}/outbox",
            "endpoints": {"sharedInbox": f"{self.origin}/inbox"},
            "assertionMethod": [key],
        }


class _Handler(BaseHTTPRequestHandler):
    """Gives the documents of a neighbour, and takes what is brought."""

    protocol_version = "HTTP/1.0"  # a connection ends with its answer, so whoever is shut is silent at once
    documents: dict[str, tuple[str, Any]] = {}

    def do_GET(self) -> None:  # the library's name
        """Give a document."""
        found = self.documents.get(urlsplit(self.path).path)
        media_type, document = found or (_JSON, {})
        self._answer(200 if found else 404, media_type, json.dumps(document).encode())

    def do_POST(self) -> None:
        """Take whatever comes."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer(202, _JSON, b"")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _handler_for(documents: dict[str, tuple[str, Any]]) -> type[_Handler]:
    return type("_NeighbourHandler", (_Handler,), {"documents": documents})
