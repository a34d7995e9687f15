"""Write what operators read about settings from the settings themselves: `make reference`.

Makes `deploy/rounds.example.toml` and `docs/reference/configuration.md` from the fields, defaults and docstrings of
`Config`. A test fails when either differs from what this would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from node.foundation.config import Config

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "deploy" / "rounds.example.toml"
REFERENCE = ROOT / "docs" / "reference" / "configuration.md"
_MEANING = re.compile(r"^([a-z0-9_]+): (.+)$")
_BASE_URL = "https://rounds.example.org"

_EXAMPLE_HEAD = """\
# Every setting of a Rounds node with its default. `rounds init` writes a short `rounds.toml` into the data directory;
# copy from here what you want to change. A variable goes before the file: ROUNDS_NAME, ROUNDS_LIMITS__DELIVERIES.
# Written by `make reference`.
"""
_REFERENCE_HEAD = """\
# Configuration

A node reads `rounds.toml` in its data directory, then variables of its environment, which go before the file. An unknown
setting or a wrong value stops the start with a list of everything that is wrong (exit 2). `rounds config show` prints
what is in force, with secrets as "set". All settings with their defaults stand in `deploy/rounds.example.toml`.

Written by `make reference` from `node/foundation/config.py`."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One field of the configuration. table: empty for the first ones. default: None when it has none."""

    table: str
    name: str
    type_name: str
    default: Any
    meaning: str

    @property
    def variable(self) -> str:
        """The variable of the environment that goes before the file."""
        path = f"{self.table.replace('.', '__')}__{self.name}" if self.table else self.name
        return f"ROUNDS_{path.upper()}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file with its settings. heading: what it is about."""

    name: str
    heading: str
    settings: tuple[Setting, ...]


def list_tables() -> list[Table]:
    """Return the settings in the order of the file: those without a table first."""
    first, inner = [], []
    for field in msgspec.structs.fields(Config):
        if _family(field.type) is not None:
            continue
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            inner.append(Table(field.name, _heading(field.type), tuple(_settings(field.name, field.type))))
        else:
            first.append(field.name)
    plain = tuple(setting for setting in _settings("", Config) if setting.name in first)
    return [Table("", "The node itself.", plain), *inner]


def list_families() -> list[Table]:
    """Return the tables of which there may be any number, each under a name that the operator gives."""
    found = []
    for field in msgspec.structs.fields(Config):
        if (struct := _family(field.type)) is not None:
            name = f"{field.name}.NAME"
            found.append(Table(name, _heading(struct), tuple(_settings(name, struct))))
    return found


def render_example() -> str:
    """Return the example file."""
    parts = [_EXAMPLE_HEAD]
    for table in list_tables():
        if table.name:
            parts.append(f"\n# {table.heading}\n[{table.name}]")
        for setting in table.settings:
            value = _BASE_URL if setting.name == "base_url" else setting.default
            parts.append(f"\n# {_sentence(setting.meaning)}\n{setting.name} = {_toml(value)}")
    for family in list_families():
        parts.append(f"\n# {family.heading}\n# [{family.name}]")
        for setting in family.settings:
            parts.append(f"#\n# {_sentence(setting.meaning)}\n# {setting.name} = {_toml(setting.default or '')}")
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


def render_reference() -> str:
    """Return the page for operators."""
    parts = [_REFERENCE_HEAD]
    for table in (*list_tables(), *list_families()):
        title = f"`[{table.name}]`" if table.name else "The first lines"
        parts.append(f"\n## {title}\n\n{table.heading}\n")
        parts.append("| setting | variable | type | default | meaning |\n|---|---|---|---|---|")
        for setting in table.settings:
            default = "required" if setting.default is None else f"`{_toml(setting.default)}`"
            row = (
                f"`{setting.name}`",
                f"`{setting.variable}`",
                setting.type_name,
                default,
                _sentence(setting.meaning).replace("|", "\\|"),
            )
            parts.append(f"| {' | '.join(row)} |")
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write both files."""
    EXAMPLE.write_text(render_example(), "utf-8")
    REFERENCE.write_text(render_reference(), "utf-8")


def _settings(table: str, struct: type[msgspec.Struct]) -> Iterator[Setting]:
    meanings = dict(_meanings(struct))
    for field in msgspec.structs.fields(struct):
        is_table = isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        if is_table or _family(field.type) is not None:
            continue
        default = None if field.default is msgspec.NODEFAULT else field.default
        yield Setting(table, field.name, _type_name(field.type), default, meanings[field.name])


def _family(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct of which a setting holds any number by name, or None for other settings."""
    inside = get_args(kind)
    return inside[1] if get_origin(kind) is dict else None


def _meanings(struct: type[msgspec.Struct]) -> Iterator[tuple[str, str]]:
    for line in (struct.__doc__ or "").splitlines():
        if found := _MEANING.match(line.strip()):
            yield found[1], found[2]


def _heading(struct: type[msgspec.Struct]) -> str:
    return (struct.__doc__ or "").splitlines()[0]


def _sentence(meaning: str) -> str:
    return meaning[0].upper() + meaning[1:]


def _type_name(kind: Any) -> str:
    return {str: "text", int: "number", bool: "true or false"}[kind]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    return f'"{value}"'


if __name__ == "__main__":
    main()
