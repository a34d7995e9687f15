"""Parameters as apps send them: in the address, as a form, as multipart or as JSON; lists as `x[]`; booleans as words."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from quart import Request

from node.foundation.errors import Invalid, TooLarge
from node.foundation.text import WRITTEN_LIMIT_BYTES

_TRUE = frozenset({"true", "1", "on", "t", "yes"})
_LIST_LIMIT = 200
# What stands behind the name of a list of objects in a form: `[][keyword]` or `[0][keyword]`.
_PART = re.compile(r"\[(\d{0,4})\]\[(\w{1,50})\]")
# A field of an object: `x[key]`; where it is a list, some write the places: `x[key][0]`.
_INSIDE = re.compile(r"(?P<name>\w+)\[(?P<key>\w+)\](?:\[\d{0,3}\])?")


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

    def is_named(self, name: str) -> bool:
        """Return whether a parameter was sent, if only to say that there is nothing: null in JSON."""
        return name in self._values

    def structures(self, name: str) -> list[Parameters]:
        """Return the objects of a list: from JSON, or from a form as `x[][a]` and `x[0][a]`.

        Raises:
            Invalid: One is no object.
        """
        found = []
        for value in self._values.get(name, ()):
            if isinstance(value, dict) and value and all(isinstance(each, dict) for each in value.values()):
                found += [_as_parameters(each) for each in value.values()]  # {"0": {…}, "1": {…}}
            elif isinstance(value, dict):
                found.append(_as_parameters(value))
            elif value is not None:
                raise Invalid(f"The parameter {name[:50]} is a list of objects.")
        numbered: dict[int, Parameters] = {}
        for key, values in self._values.items():
            part = _PART.fullmatch(key.removeprefix(name)) if key.startswith(f"{name}[") else None
            if part is not None:
                for place, value in enumerate(values):
                    numbered.setdefault(int(part[1] or place), Parameters()).add(part[2], value)
        return found + [numbered[place] for place in sorted(numbered)]

    def inside(self, name: str) -> Parameters:
        """Return what stands inside a parameter that is one object: `x[a]=1&x[b][]=2`, or {"x": {…}} in JSON.

        Raises:
            Invalid: It is something else.
        """
        found = Parameters()
        for value in self._values.get(name, ()):
            if value is not None and not isinstance(value, dict):
                raise Invalid(f"The parameter {name[:50]} is an object.")
            for key, each in (value or {}).items():
                found.add(key, each)
        for key, values in self._values.items():
            if (inner := _INSIDE.fullmatch(key)) is not None and inner["name"] == name:
                found.add(inner["key"], values)
        return found


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
        TooLarge: It is longer than any text; lists of nothing take twenty times their bytes in memory.
    """
    found = read_query(request)
    if request.mimetype == "application/json":
        body = await request.get_data()
        if len(body) > WRITTEN_LIMIT_BYTES:
            raise TooLarge
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


def _as_parameters(value: dict[str, Any]) -> Parameters:
    made = Parameters()
    for name, each in value.items():
        made.add(name, each)
    return made


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
