"""Certificates: what other nodes show when we connect to them anyway, and what ours shows to whoever connects to us.

Nothing is looked up for this: a TLS connection notes the certificate that it has checked. Only for our own we connect on
purpose, to our own public address, as a peer would.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OWN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A certificate that was seen. ends_at: when it ends; None where it was refused. problem: why it was."""

    ends_at: datetime | None
    problem: str = ""


class CertificateNotes:
    """The certificates that connections have seen, by the name of the host."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}

    def watch(self, context: ssl.SSLContext) -> None:
        """Note the certificates of every connection that is made with a context."""
        notes = self

        class Noting(ssl.SSLObject):
            """Shakes hands as usual, and notes with whom."""

            def do_handshake(self) -> None:
                """Shake hands."""
                try:
                    super().do_handshake()
                except ssl.SSLCertVerificationError as error:
                    notes.refuse(self.server_hostname, error)
                    raise
                notes.take(self.server_hostname, self.getpeercert())

        context.sslobject_class = Noting

    def take(self, host: str | None, shown: Any) -> None:
        """Note a certificate that was good."""
        ends_at = _read_end(shown)
        if host and ends_at is not None:
            self.seen[host] = Seen(ends_at)

    def refuse(self, host: str | None, error: ssl.SSLCertVerificationError) -> None:
        """Note that a certificate was not good, and why."""
        if host:
            self.seen[host] = Seen(None, error.verify_message)


async def look_at_own(host: str, port: int, context: ssl.SSLContext) -> Seen | None:
    """Return the certificate that our public address shows; None where it cannot be reached from here."""
    try:
        async with asyncio.timeout(OWN_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return Seen(None, error.verify_message)
    except (OSError, TimeoutError):
        return None
    try:
        ends_at = _read_end(writer.get_extra_info("peercert"))
        return None if ends_at is None else Seen(ends_at)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _read_end(shown: Any) -> datetime | None:
    text = shown.get("notAfter") if shown else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC) if text else None
