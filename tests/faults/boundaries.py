"""Every commit boundary of the node by its name: `node.inbox.receive._keep:before` and `…:after`.

A body that somebody hands to `store.write` or `core.write` becomes a transaction. A process can end with the body done and
nothing committed (`before`), or with everything committed and nobody told (`after`). The list is read from the source, so a
body that is written tomorrow is on it; `launcher` tells which were crossed, and ends the process at one of them.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIDES = ("before", "after")
# What a process does besides bodies: migrations of the schema, and lines of the journal, which is a file.
OTHERS = ("node.store.migrate.migrate", "node.store.journal.Journal.append")


@cache
def list_bodies() -> tuple[str, ...]:
    """Return the name of every body that is handed to a store for writing, in order."""
    found = set(OTHERS)
    for path in sorted((ROOT / "node").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text("utf-8"))
        imported = _list_imported(tree, module, is_package=path.name == "__init__.py")
        scopes = _list_scopes(tree, module)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and _is_write(call) and call.args:
                found |= _name(call.args[0], module, imported, scopes)
    return tuple(sorted(found))


def list_boundaries() -> list[str]:
    """Return every commit boundary."""
    return [f"{body}:{side}" for body in list_bodies() for side in SIDES]


def _is_write(call: ast.Call) -> bool:
    """Return whether this hands a body to a store; files are written with bytes or text, not with a name."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in ("write", "write_arrival"):
        return False
    owner = call.func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name.lstrip("_") in ("store", "core")


def _name(body: ast.expr, module: str, imported: dict[str, str], scopes: dict[str, str]) -> set[str]:
    """Return the name that the body will have when it runs; nothing for what is handed through by its name `body`."""
    if isinstance(body, ast.Name):
        if body.id in scopes:
            return {scopes[body.id]}
        return {imported[body.id]} if body.id in imported else set()
    if isinstance(body, ast.Attribute) and isinstance(body.value, ast.Name):
        if body.value.id == "self":
            return {name for short, name in scopes.items() if short == f"self.{body.attr}"}
        if body.value.id in imported:
            return {f"{imported[body.value.id]}.{body.attr}"}
    return set()


def _list_imported(tree: ast.Module, module: str, *, is_package: bool) -> dict[str, str]:
    """Return {name in this module: full name}."""
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        parts = module.split(".")
        home = parts[: len(parts) - node.level + is_package] if node.level else []
        source = ".".join([*home, *([node.module] if node.module else [])])
        for alias in node.names:
            found[alias.asname or alias.name] = f"{source}.{alias.name}"
    return found


def _list_scopes(tree: ast.Module, module: str) -> dict[str, str]:
    """Return {short name: full name} of each coroutine function in a module, those inside others and methods among them.

    A method is called by its object: its short name is `self.name`.
    """
    found: dict[str, str] = {}

    def walk(node: ast.AST, ahead: str, owner: str = "") -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.AsyncFunctionDef | ast.FunctionDef):
                if isinstance(child, ast.AsyncFunctionDef):
                    found.setdefault(f"{owner}{child.name}", f"{ahead}.{child.name}")
                walk(child, f"{ahead}.{child.name}.<locals>")
            elif isinstance(child, ast.ClassDef):
                walk(child, f"{ahead}.{child.name}", "self.")
            else:
                walk(child, ahead, owner)

    walk(tree, module)
    return found
