"""Every statement of the node: the module constants of `store` and of rooms' repositories that hold SQL."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

_SQL = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\b")
_NODE = Path(__file__).parents[2] / "node"


def list_statements() -> dict[str, str]:
    """Return {"objects._BY_ID": "SELECT …"} of every statement, each named by its module and constant."""
    found = {}
    for path in [*sorted(_NODE.glob("store/*.py")), *sorted(_NODE.glob("community/*/repository.py"))]:
        module = importlib.import_module(".".join(path.relative_to(_NODE.parent).with_suffix("").parts))
        short = module.__name__.removeprefix("node.store.").removeprefix("node.community.")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str) and _SQL.match(value):
                found[f"{short}.{name}"] = value
    return found
