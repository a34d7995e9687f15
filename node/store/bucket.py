"""Pictures in a bucket that speaks S3: for nodes of several machines, which share no folder.

Where the bucket is and who may write into it says the environment, in the words that all such programs know (AWS_ENDPOINT,
AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ALLOW_HTTP); nothing of it is in the configuration or in a log.
Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store

from node.foundation.errors import Unavailable
from node.foundation.logs import get_logger

from .pressure import NO_PICTURES

_RETRY_SECONDS = 20
_AT_ONCE = 500
_HASH = re.compile("[0-9a-f]{64}")


class Bucket:
    """One bucket, or the part of it below a prefix: `s3://bucket/prefix`."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._store = S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            # What is given here counts instead of what the environment says of it.
            client_options={
                "timeout": "30s",
                "connect_timeout": "5s",
                "allow_http": os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true",
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
        )
        self._deleting = ThreadPoolExecutor(1, "bucket")
        self._waiting: set[Future[None]] = set()

    def save(self, sha256: str, data: bytes) -> None:
        """Keep bytes under their hash.

        Raises:
            Unavailable: They could not be kept.
        """
        try:
            obstore.put(self._store, _key(sha256), data)
        except (BaseError, OSError) as error:
            raise Unavailable(NO_PICTURES, internal=_describe(error)) from None

    def load(self, sha256: str) -> bytes:
        """Return the bytes under a hash.

        Raises:
            FileNotFoundError: There are none.
            Unavailable: The bucket does not answer.
        """
        try:
            return bytes(obstore.get(self._store, _key(sha256)).bytes())
        except (NotFoundError, FileNotFoundError):
            raise FileNotFoundError(sha256) from None
        except (BaseError, OSError) as error:
            raise Unavailable(internal=_describe(error)) from None

    def delete(self, hashes: Sequence[str]) -> None:
        """Delete what is under these hashes; what cannot be deleted now goes with the next sweep."""
        for sha256 in hashes:
            try:
                obstore.delete(self._store, _key(sha256))
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError) as error:
                get_logger().error("picture_not_deleted", sha256=sha256, reason=_describe(error))

    def delete_soon(self, hashes: Sequence[str]) -> None:
        """Delete in a thread of its own; whoever asks need not wait."""
        if hashes:
            future = self._deleting.submit(self.delete, list(hashes))
            self._waiting.add(future)
            future.add_done_callback(self._waiting.discard)

    def list_old(self, before: datetime) -> Iterator[list[str]]:
        """Yield the hashes of what was kept before an instant, some at a time.

        Raises:
            Unavailable: The bucket does not answer.
        """
        try:
            for some in obstore.list(self._store, chunk_size=_AT_ONCE):
                yield [each["path"].rpartition("/")[2] for each in some if each["last_modified"] < before]
        except (BaseError, OSError) as error:
            raise Unavailable(internal=_describe(error)) from None

    async def close(self) -> None:
        """Wait until what was to be deleted is."""
        if self._waiting:
            await asyncio.wait([asyncio.wrap_future(future) for future in self._waiting], timeout=_RETRY_SECONDS)
        self._deleting.shutdown(wait=False, cancel_futures=True)


def fill_bucket(bucket: Bucket, folder: Path) -> int:
    """Move the pictures of a folder into the bucket: it was the node's before, or a restore put them there. Return how many.

    Raises:
        Unavailable: The bucket does not answer; what is not there yet stays in the folder.
    """
    count = 0
    for path in folder.glob("*/*") if folder.is_dir() else ():
        if _HASH.fullmatch(path.name):
            bucket.save(path.name, path.read_bytes())
            path.unlink()
            count += 1
    if count:
        get_logger().info("bucket_filled", count=count)
    return count


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def _describe(error: Exception) -> str:
    """Say what went wrong, without the request: addresses that were signed are secrets."""
    return f"the bucket of pictures: {type(error).__name__}"
