"""Parameters as apps send them: in the address, as a form, as multipart or as JSON; lists as `x[]`; booleans as words."""

from __future__ import annotations

from typing import Any

import msgspec
from quart import Request

from node.foundation.errors import Invalid

_TRUE = frozenset({"true", "1", "on", "t", "yes"})
_LIST_LIMIT = 200


class Parameters:
    """What a request asks for, under plain names: `id[]` and `id` are both `id`."""

    def __init__(self) -> None:
        self._values: dict[str, list[Any]] = {}

    def add(self, name: str, value: Any) -> None:
        """Add a value; a list adds each of its values."""
        values = value if isinstance(value, list) else [value]
        self._values.setdefault(name.removesuffix("[]"), []).extend(values[:_LIST_LIMIT])

    def has(self, name: str) -> bool:
        """Return whether a parameter is there, nested ones included, and is not null."""
        return any(
            (key == name or key.startswith(f"{name}[")) and any(value is not None for value in values)
            for key, values in self._values.items()
        )

    def text(self, name: str) -> str | None:
        """Return a parameter as text, or None when it is absent or null.

        Raises:
            Invalid: It is a structure.
        """
        texts = self.texts(name)
        return texts[-1] if texts else None

    def texts(self, name: str) -> list[str]:
        """Return all values of a parameter as text.

        Raises:
            Invalid: One is a structure.
        """
        return [_as_text(name, value) for value in self._values.get(name, ()) if value is not None]


def read_query(request: Request) -> Parameters:
    """Return the parameters in the address."""
    found = Parameters()
    for name, value in request.args.items(multi=True):
        found.add(name, value)
    return found


async def read_parameters(request: Request) -> Parameters:
    """Return the parameters in the address and in the body.

    Raises:
        Invalid: The body says it is JSON and is no JSON object.
    """
    found = read_query(request)
    if request.mimetype == "application/json":
        body = await request.get_data()
        for name, value in _read_json(body if isinstance(body, bytes) else body.encode()).items():
            found.add(name, value)
        return found
    form = await request.form
    for name, value in form.items(multi=True):
        found.add(name, value)
    return found


def is_true(text: str | None) -> bool:
    """Return whether a word means yes: true, 1, on."""
    return text is not None and text.lower() in _TRUE


def _read_json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid("The body of this request is not a JSON object.") from None


def _as_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Invalid(f"The parameter {name[:50]} cannot be a structure.")
