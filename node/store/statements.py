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


class Pair(str):
    """A statement that differs: as a text it is the one for SQLite. All of them stand in `pairs`."""

    __slots__ = ("postgresql",)
    postgresql: str

    def __new__(cls, *, sqlite: str, postgresql: str) -> Pair:
        """Return the pair of two texts that return the same columns."""
        made = super().__new__(cls, sqlite)
        made.postgresql = postgresql
        return made


class Plan:
    """One statement made ready for one database.

    sql: the text to send.
    names: the parameters in the order of their first appearance.
    """

    __slots__ = ("_convert", "_row", "dialect", "names", "sql")

    def __init__(self, sql: str, dialect: str) -> None:
        self.dialect = dialect
        if dialect == "postgresql" and isinstance(sql, Pair):
            sql = sql.postgresql
        self.names = tuple(dict.fromkeys(_NAME.findall(sql)))
        lists = set(_IN.findall(sql))
        if dialect == "postgresql":
            places = {name: f"${place}" for place, name in enumerate(self.names, 1)}
            with_lists = _IN.sub(lambda found: f"= ANY({places[found[1]]})", sql)
            self.sql = _NAME.sub(lambda found: places[found[1]], with_lists)
        else:
            self.sql = _IN.sub(lambda found: f"IN (SELECT value FROM json_each(:{found[1]}))", sql)
        self._convert = [(name, _list_converter(dialect) if name in lists else _to_store(name)) for name in self.names]
        self._row: tuple[Any, list[tuple[int, Callable[[Any], Any]]]] | None = None

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in order, each in the form the database keeps."""
        return list(self.bind_by_name(values).values())

    def bind_by_name(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters by name, in order, each in the form the database keeps."""
        try:
            return {name: convert(values[name]) for name, convert in self._convert}
        except KeyError as missing:
            raise TypeError(f"the statement needs :{missing.args[0]}") from None

    def rows(self, columns: Callable[[], Sequence[str]], found: Sequence[Any]) -> list[Any]:
        """Return rows as named tuples, with instants, bools and JSON as Python values."""
        if not found:
            return []
        if self._row is None:
            names = columns()
            converters = [(place, convert) for place, name in enumerate(names) if (convert := _from_store(name))]
            # A column may be called `class`, which Python cannot: such ones are reached by their place.
            self._row = namedtuple("Row", names, rename=True)._make, converters  # type: ignore[attr-defined]
        make, converters = self._row
        if not converters:
            return [make(row) for row in found]
        return [make(_converted(row, converters)) for row in found]


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


def _converted(row: Sequence[Any], converters: list[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    """Return a row's values with those of the given places as Python values; what is NULL stays None."""
    values = list(row)
    for place, convert in converters:
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


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
        return from_micros
    if name.startswith("is_"):
        return bool
    if name.endswith("_json"):
        return _decode
    return None
