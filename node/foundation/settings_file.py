"""Change one setting in the text of `rounds.toml`, and leave every other line as its operator wrote it."""

from __future__ import annotations

import json
import re
import tomllib

from .errors import ConfigError

_DATABASE = re.compile(r"^[ \t]*database[ \t]*=.*$", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


def set_database(text: str, address: str) -> str:
    """Return the configuration with another `database`.

    Raises:
        ConfigError: It cannot be changed without changing something else: the operator has to.
    """
    line = f"database = {json.dumps(address, ensure_ascii=False)}"
    table = _TABLE.search(text)
    top = text[: table.start()] if table else text
    rest = text[len(top) :]
    changed = _DATABASE.sub(lambda _: line, top, count=1) if _DATABASE.search(top) else f"{line}\n{top}"
    try:
        before, after = tomllib.loads(text), tomllib.loads(changed + rest)
    except tomllib.TOMLDecodeError:
        before, after = {}, {}
    if after != {**before, "database": address}:
        raise ConfigError(f"Change the line of `database` in rounds.toml by hand: {line}")
    return changed + rest
