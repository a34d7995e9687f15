"""Every library has one home, so that replacing it changes one file (style.md §1)."""

from __future__ import annotations

import sys
from functools import cache

import pytest

from tests.support.house import NODE, list_imports, list_python, short

# Where each library may be imported: the beginning of a path below `node/`. None at all: tests only.
HOMES: dict[str, tuple[str, ...]] = {
    "aiosqlite": ("store/sqlite.py",),
    "sqlite3": ("store/sqlite.py", "store/backup/"),
    "asyncpg": ("store/postgres.py", "store/backup/tables.py"),
    "obstore": ("store/bucket.py",),
    "pyld": ("federation/jsonld.py", "federation/contexts/"),
    "rfc8785": ("federation/integrity.py",),
    "cryptography": ("federation/signatures/", "store/backup/sealing.py"),
    "idna": ("federation/origin.py",),
    "aiohttp": ("federation/client.py",),
    "yarl": ("federation/client.py",),
    "markdown_it": ("foundation/text.py",),
    "linkify_it": ("foundation/text.py",),
    "nh3": ("foundation/text.py",),
    "structlog": ("foundation/logs.py",),
    "argon2": ("community/members/service.py",),
    "PIL": ("community/posts/cleaner.py",),
    "jinja2": ("views/shell.py",),
    "markupsafe": ("views/markup.py",),
    "segno": ("views/qr.py",),
    "quart": ("views/", "api/", "app.py", "inbox/routes.py", "outbox/routes.py"),
    "werkzeug": ("views/", "api/", "app.py"),
    "uvicorn": ("cli/serve.py",),
    "uvloop": ("cli/serve.py", "cli/worker.py"),
    "httpsig": (),
    "http_message_signatures": (),
    "pytest": (),
    "hypothesis": (),
}
_EVERYWHERE = {"msgspec", "node", "__future__"}


@cache
def _found() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in list_python("node"):
        for name in list_imports(path):
            found.setdefault(name.partition(".")[0], set()).add(path.relative_to(NODE).as_posix())
    return found


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_imported_at_home_only(library: str) -> None:
    strays = {path for path in _found().get(library, ()) if not path.startswith(HOMES[library] or ("nowhere",))}

    assert strays == set()


def test_every_library_has_a_home() -> None:
    homeless = set(_found()) - set(HOMES) - _EVERYWHERE - set(sys.stdlib_module_names)

    assert homeless == set()


def test_tests_are_never_imported_by_the_node() -> None:
    importing = [
        short(path) for path in list_python("node") if any(name.startswith("tests") for name in list_imports(path))
    ]

    assert importing == []


def test_the_web_framework_stays_out_of_everything_below_the_doors() -> None:
    below = ("foundation", "domain", "federation", "store", "community")

    importing = [
        short(path)
        for path in list_python(*(f"node/{floor}" for floor in below))
        if {"quart", "werkzeug", "jinja2"} & {name.partition(".")[0] for name in list_imports(path)}
    ]

    assert importing == []
