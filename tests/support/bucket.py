"""A bucket that speaks S3, in a process of its own on an address of ours."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_START_SECONDS = 60
# The server asks that requests are signed, and does not compare.
_SOMEBODY = "AWS4-HMAC-SHA256 Credential=rounds/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@dataclass(frozen=True, slots=True)
class BucketServer:
    """A running server with an empty bucket. address: as `media` names it."""

    host: str
    port: int
    address: str = "s3://pictures/node"

    @property
    def environment(self) -> dict[str, str]:
        """What tells a node where it is, and who the node is to it."""
        return {
            "AWS_ENDPOINT": f"http://{self.host}:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "rounds",
            "AWS_SECRET_ACCESS_KEY": "a secret that is never shown",
        }

    def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """Ask the server itself, past all that the node does."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Authorization": _SOMEBODY})
            answer = connection.getresponse()
            return answer.status, answer.read()


@contextmanager
def a_bucket_server(host: str = "127.0.0.1") -> Iterator[BucketServer]:
    """Give a running server, and end it."""
    with socket.socket() as free:
        free.bind((host, 0))
        server = BucketServer(host, int(free.getsockname()[1]))
    program = "from moto.server import main; import sys; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", program, "-H", host, "-p", str(server.port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                status, _ = server.ask("PUT", "/pictures")
            except OSError:
                assert process.poll() is None, "the server of the bucket ended"
                assert time.monotonic() < deadline, "the server of the bucket does not answer"
                time.sleep(0.05)
            else:
                assert status == 200
                break
        yield server
    finally:
        process.terminate()
        process.wait()
