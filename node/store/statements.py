"""One SQL text for both databases: how values go in and rows come out.

The *name* says the type (style.md §8): `…_at` is an instant, kept as microseconds in a BIGINT; `is_…` a bool, kept as
0 or 1; `…_json` a value kept as JSON text. Everything else goes through as it is. `IN :ids` takes a list.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from node.foundation.clock import from_micros, to_micros

_NAME = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_IN = re.compile(r"\bIN :([a-z_][a-z0-9_]*)")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Plan:
    """One statement made ready for one database.

    sql: the text to send.
    names: the parameters in the order of their first appearance.
    """

    __slots__ = ("_convert", "_row", "dialect", "names", "sql")

    def __init__(self, sql: str, dialect: str) -> None:
        self.dialect = dialect
        self.names = tuple(dict.fromkeys(_NAME.findall(sql)))
        lists = set(_IN.findall(sql))
        if dialect == "postgresql":
            places = {name: f"${place}" for place, name in enumerate(self.names, 1)}
            with_lists = _IN.sub(lambda found: f"= ANY({places[found[1]]})", sql)
            self.sql = _NAME.sub(lambda found: places[found[1]], with_lists)
        else:
            self.sql = _IN.sub(lambda found: f"IN (SELECT value FROM json_each(:{found[1]}))", sql)
        self._convert = {name: _list_converter(dialect) if name in lists else _to_store(name) for name in self.names}
        self._row: tuple[type, Sequence[Callable[[Any], Any] | None]] | None = None

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in order, each in the form the database keeps."""
        convert = self._convert
        try:
            return [convert[name](values[name]) for name in self.names]
        except KeyError as missing:
            raise TypeError(f"the statement needs :{missing.args[0]}") from None

    def rows(self, columns: Callable[[], Sequence[str]], found: Sequence[Any]) -> list[Any]:
        """Return rows as named tuples, with instants, bools and JSON as Python values."""
        if not found:
            return []
        if self._row is None:
            names = columns()
            # A column may be called `class`, which Python cannot: such ones are reached by their place.
            self._row = namedtuple("Row", names, rename=True), [_from_store(name) for name in names]
        make, converters = self._row
        if not any(converters):
            return [make(*row) for row in found]
        return [make(*[c(v) if c else v for c, v in zip(converters, row, strict=True)]) for row in found]


class Plans:
    """The plans of one database, made once per statement."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self._made: dict[str, Plan] = {}

    def plan(self, sql: str) -> Plan:
        """Return the plan of a statement."""
        made = self._made.get(sql)
        if made is None:
            made = self._made[sql] = Plan(sql, self.dialect)
        return made


def _to_store(name: str) -> Callable[[Any], Any]:
    if name.endswith("_json"):
        return lambda value: None if value is None else _encode(value).decode()
    return _plain


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if kind is bool:
        return int(value)
    if isinstance(value, datetime):
        return to_micros(value)
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{kind.__name__} is not kept in the store")


def _list_converter(dialect: str) -> Callable[[Any], Any]:
    if dialect == "postgresql":
        return list
    return lambda values: _encode(list(values)).decode()


def _from_store(name: str) -> Callable[[Any], Any] | None:
    if name.endswith("_at"):
        return lambda value: None if value is None else from_micros(value)
    if name.startswith("is_"):
        return lambda value: None if value is None else bool(value)
    if name.endswith("_json"):
        return lambda value: None if value is None else _decode(value)
    return None
