"""What stands in no file of ours: markup outside the pages, prints, secrets, addresses of registries, paths of a machine."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support.house import ROOT, list_files, list_python, list_texts, parse, short

_MARKUP = re.compile(
    r"</?(html|head|body|div|p|span|a|ul|ol|li|br|form|input|button|table|tr|td|img|script|style|h[1-6])\b[^<>]*>"
)
_MAKES_HTML = ("node/views/", "node/foundation/text.py")
_PRINTS = ("node/cli/", "node/__main__.py")
# Taken apart, so that this file does not name what it looks for.
_REGISTRIES = [
    "py" + "pi.org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "registry." + "yarnpkg", "ghcr" + ".io",
    "quay" + ".io", "docker" + ".io", "docker" + ".com", "crates" + ".io", "rubygems" + ".org", "proxy.golang" + ".org",
    "deb.debian" + ".org", "conda" + ".anaconda", "jsdelivr" + ".net", "unpkg" + ".com", "cdnjs" + ".cloudflare",
    "googleapis" + ".com", "index" + "-url =", "--index" + "-url", "extra-index" + "-url", "find" + "-links =",
]  # fmt: skip
_SECRETS = re.compile(
    r"-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{16}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_[A-Za-z0-9_]{30}|\bxox[baprs]-[A-Za-z0-9-]{10}"
    r"|\bsk_live_[A-Za-z0-9]{16}|\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20}"
)
_MACHINE = re.compile(
    r"(?<![\w.~/-])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "ho" + r"me/\w+", "Us" + r"ers/\w+"]) + r")/(?!\*)"
)
_PUBLISHED_KEYS = ("tests/vectors/",)
_TEXT = {
    ".py",
    ".toml",
    ".md",
    ".txt",
    ".lock",
    ".sql",
    ".json",
    ".html",
    ".css",
    ".js",
    ".sh",
    ".yml",
    ".yaml",
    ".cfg",
    ".service",
    "",
}


@cache
def _texts() -> list[tuple[Path, str]]:
    return [(path, path.read_text("utf-8", errors="replace")) for path in list_files() if path.suffix in _TEXT]


def test_markup_is_made_in_views_and_of_words_in_text_only() -> None:
    strays = [
        f"{short(path)}:{line}"
        for path in list_python("node")
        if not short(path).startswith(_MAKES_HTML)
        for line, text in list_texts(parse(path))
        if _MARKUP.search(text)
    ]

    assert strays == []


def test_only_commands_print() -> None:
    strays = [
        f"{short(path)}:{call.lineno}"
        for path in list_python("node")
        if not short(path).startswith(_PRINTS)
        for call in ast.walk(parse(path))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"
    ]

    assert strays == []


@pytest.mark.parametrize("host", _REGISTRIES)
def test_no_file_names_a_registry_or_where_to_download(host: str) -> None:
    assert [short(path) for path, text in _texts() if host in text.lower()] == []


def test_no_file_holds_a_secret() -> None:
    held = [
        short(path)
        for path, text in _texts()
        if not short(path).startswith(_PUBLISHED_KEYS) and _SECRETS.search(text.replace("\\n", "\n"))
    ]

    assert held == []


def test_nothing_that_is_ignored_is_in_the_repository() -> None:
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[:10] == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert {short(path): found[0] for path, text in _texts() if (found := _MACHINE.findall(text))} == {}


def test_no_module_makes_anything_that_lives_while_it_is_imported() -> None:
    """Two nodes must fit in one process: module level holds constants only (style.md §5)."""
    living = re.compile(
        r"\b(open_store|connect|create_pool|SystemClock|RandomIds|Bell|Event|Lock|Queue|Semaphore|Quart)\("
    )
    strays = [
        f"{short(path)}:{statement.lineno}"
        for path in list_python("node")
        for statement in parse(path).body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr)
        and not isinstance(getattr(statement, "value", None), ast.Constant | ast.Lambda | None)
        and living.search(ast.unparse(statement))
    ]

    assert strays == []
