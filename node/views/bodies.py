"""How much of a request's body is read: everybody may send one, and whoever has no session or token yet as well (T44, T45).

Quart counts what waits to be parsed, so a file in pieces of an unknown number would have no end; and of a form by itself it
limits neither the bytes nor the fields, each of which costs more than a byte of a picture.
"""

from __future__ import annotations

from typing import IO, Any
from urllib.parse import parse_qsl

from quart import Request
from quart.datastructures import FileStorage
from quart.formparser import FormDataParser, ParserFunc
from quart.wrappers.request import Body
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from node.foundation.text import WRITTEN_LIMIT_BYTES

FIELDS_LIMIT = 1000
_WORDS = ("application/x-www-form-urlencoded", "application/x-url-encoded")


class _CountedBody(Body):
    """A body that ends with an error once more has come than we read, however much of it has been parsed already."""

    _come_bytes = 0

    def append(self, data: bytes) -> None:
        """Take the next piece."""
        self._come_bytes += len(data)
        limit = self._max_content_length
        if limit is not None and self._come_bytes > limit and self._must_raise is None:
            self._must_raise = RequestEntityTooLarge()
            self.set_complete()
        super().append(data)

    async def __anext__(self) -> bytes:
        """Return what has come since; what was cut off is not taken for a whole."""
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            if self._must_raise is not None:
                raise self._must_raise from None
            raise


class _BoundedParser(FormDataParser):
    """Reads forms of so many bytes and fields; those in parts have limits of their own, and leave no file behind."""

    async def parse(
        self, body: Body, mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Return the fields and the files of a form."""
        opened: list[IO[bytes]] = []
        open_file = self.stream_factory

        def note_file(*about: Any) -> IO[bytes]:
            opened.append(open_file(*about))
            return opened[-1]

        self.stream_factory = note_file
        try:
            return await super().parse(body, mimetype, content_length, options)
        except BaseException:
            for file in opened:
                file.close()
            raise

    def get_parse_func(self, mimetype: str, options: dict[str, str]) -> ParserFunc | None:
        """Return what reads a form of this type."""
        return _parse_words if mimetype in _WORDS else super().get_parse_func(mimetype, options)


async def _parse_words(
    parser: FormDataParser, body: Body, mimetype: str, content_length: int | None, options: dict[str, str]
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    said = await body
    if len(said) > WRITTEN_LIMIT_BYTES or said.count(b"&") >= FIELDS_LIMIT:
        raise RequestEntityTooLarge
    return MultiDict(parse_qsl(said.decode(), keep_blank_values=True)), MultiDict()


class BoundedRequest(Request):
    """A request whose body has an end."""

    body_class = _CountedBody
    form_data_parser_class = _BoundedParser
