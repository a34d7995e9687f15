"""SQL has two homes, is never put together while running, and asks who is looking."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TypeGuard

import pytest

from node.store.visibility import (
    READABLE_BY_MEMBERS,
    READABLE_IN_GROUP,
    READABLE_MESSAGE,
    READABLE_POST,
    WAITING_IN_GROUP,
)
from tests.support.house import list_functions, list_python, list_texts, parse, short
from tests.support.statement_list import list_statements

STATEMENTS = list_statements()
_SQL = re.compile(
    r"\s*(SELECT\s.*\bFROM\b|INSERT INTO\s|UPDATE\s+\w+\s+SET\b|DELETE FROM\s|CREATE (TABLE|INDEX)\s|PRAGMA\s)",
    re.DOTALL,
)
_HOMES = re.compile(r"node/store/(?:backup/)?\w+\.py|node/community/\w+/repository\.py")
_ASKED = {"all", "one", "value", "run"}
_READS_CONTENT = re.compile(
    r"\s*SELECT\b.*\b(?:FROM|JOIN) (?:posts|post_versions|mentions|media|search_words|poll_answers|poll_votes)\b",
    re.DOTALL,
)
_FRAGMENTS = (READABLE_POST, READABLE_IN_GROUP, WAITING_IN_GROUP, READABLE_MESSAGE, READABLE_BY_MEMBERS)
_NOT_USED = re.compile(
    r"\bnow\(\)|\bdatetime\(|::|\bILIKE\b|\bAUTOINCREMENT\b|\bINSERT OR\b|\bREPLACE INTO\b|\bjson_|\bjsonb\b|\bto_char\b"
    r"|\bNOT IN :|\bOFFSET\b|\"|\bRANDOM\(|\bCURRENT_TIMESTAMP\b",
    re.IGNORECASE,
)

# Statements over members' content without a viewer's fragment, each with the reason why that may be.
WITHOUT_VIEWER = {
    "objects._PLAIN": "the corridor, which asks domain.access with what it returns",
    "objects._PLAIN_BY_ID": "the corridor, which asks domain.access with what it returns",
    "objects._VERSION_ACTIVITIES": "the corridor, which erases what the versions carried: ids, no words",
    "objects._MENTIONED": "of posts that the caller has read through a viewer",
    "objects._REPLIES": "numbers of replies to posts that the caller has read through a viewer",
    "objects._PINNED": "ids for the corridor, no words",
    "objects._UNPLACED": "numbers alone: posts whose places a copy takes back",
    "objects._COUNT": "a number over the whole node, for `status`",
    "search_index._TEXT": "the index of search, which shows nothing",
    "search_index._TO_FILL": "the index of search, which shows nothing",
    "pairs.SEARCH_MATCH": "numbers alone; each post is read through a viewer before anything of it is shown",
    "search.SEARCH_MATCH": "the same",
    "backups._NEWEST_POST": "a time alone, for operators",
    "polls._ANSWERS": "of posts that the caller has read through a viewer",
    "polls._OWN": "the viewer's own votes, in posts that the caller has read through a viewer",
    "polls._CONCERNED": "numbers of members who are told that a poll has ended",
    "votes._PLACES": "the host and the voter's node: what one person has voted for, to take no second vote",
    "votes._UNSURE": "the sender of votes: a member's own, to the host that counted them",
    "media._OF_POSTS": "of posts that the caller has read through a viewer",
    "media._ONE": "the door asks domain.access about its post",
    "media._MIRROR": "the corridor: whether the same picture of the same group is here already",
    "media._WANTED": "the fetcher of pictures, which shows nothing",
    "media._HASHES_OF_POST": "hashes of files to remove",
    "media._HASHES_OF_GROUP": "hashes of files to remove",
    "picture_cache._SIZE": "a number: what pictures of other nodes take on the disk",
    "picture_cache._OLDEST": "files that may have to go, which it does not show",
    "picture_cache._HASHES": "hashes of files to remove",
    "picture_cache._IN_USE": "a number: whether a file is still needed",
    "uploads._COUNT": "a number: how many pictures of a member wait for a post",
    "uploads._LEFT": "pictures that waited for a post too long, which are deleted",
    "uploads._STILL_NAMED": "hashes of files that are still needed; the others are removed",
    "media._USES": "a number: whether a file is still needed",
    "takings._UNSAID": "ids of posts that are gone, for the recovery of their group; no words",
    "stray_files._NAMED": "hashes of files that are still needed; the others are removed",
    "media._COUNT": "a number over the whole node, for `status`",
    "media._COUNT_WANTED": "a number over the whole node, for `status`",
}


def _is_constant(node: ast.expr, chosen: set[str]) -> bool:
    """Whether an expression is a constant by its name, or a choice between such; `chosen` are local names for one."""
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body, chosen) and _is_constant(node.orelse, chosen)
    return isinstance(node, ast.Name) and (node.id.isupper() or node.id in chosen)


def _chosen_names(function: ast.AST) -> set[str]:
    """Return the local names that stand for a choice between constants."""
    return {
        target.id
        for statement in ast.walk(function)
        if isinstance(statement, ast.Assign) and _is_constant(statement.value, set())
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _is_asked(call: ast.AST) -> TypeGuard[ast.Call]:
    """Whether this is `tx.all(…)` or one of its like."""
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return call.func.attr in _ASKED and isinstance(call.func.value, ast.Name) and call.func.value.id == "tx"


def test_sql_stands_in_the_store_and_in_repositories_only() -> None:
    strays = [
        f"{short(path)}:{line}"
        for path in list_python("node")
        if not _HOMES.fullmatch(short(path))
        for line, text in list_texts(parse(path))
        if _SQL.match(text)
    ]

    assert strays == []


def test_every_statement_that_is_asked_is_a_constant() -> None:
    wrong = [
        f"{short(path)}:{call.lineno}"
        for path in list_python("node")
        for function in list_functions(parse(path))
        for call in ast.walk(function)
        if _is_asked(call) and not (call.args and _is_constant(call.args[0], _chosen_names(function)))
    ]

    assert wrong == []


def test_no_sql_is_put_together_inside_a_function() -> None:
    wrong = [
        f"{short(path)}:{piece.lineno}"
        for path in list_python("node")
        for function in list_functions(parse(path))
        for piece in ast.walk(function)
        if isinstance(piece, ast.JoinedStr | ast.BinOp) and any(_SQL.match(text) for _, text in list_texts(piece))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_uses_only_what_both_databases_read_alike(name: str) -> None:
    assert _NOT_USED.findall(STATEMENTS[name]) == []


def test_migrations_use_only_what_both_databases_read_alike() -> None:
    for path in sorted(Path("node/store/migrations").glob("*.sql")):
        assert _NOT_USED.findall(path.read_text("utf-8")) == [], path


def test_every_statement_over_members_content_asks_who_is_looking() -> None:
    without = {
        name
        for name, sql in STATEMENTS.items()
        if _READS_CONTENT.match(sql) and not any(fragment in sql for fragment in _FRAGMENTS)
    }

    assert without - set(WITHOUT_VIEWER) == set()


def test_the_list_of_exceptions_names_nothing_that_is_gone() -> None:
    assert set(WITHOUT_VIEWER) - set(STATEMENTS) == set()


def test_every_statement_is_used() -> None:
    texts = {short(path)[:-3].replace("/", "."): path.read_text("utf-8") for path in list_python("node")}
    unused = []
    for name in STATEMENTS:
        module, _, constant = name.rpartition(".")
        [text] = [text for path, text in texts.items() if path in (f"node.store.{module}", f"node.community.{module}")]
        text = "".join(texts.values()) if module == "pairs" else text  # pairs are for others
        if len(re.findall(rf"\b{constant}\b", text)) < 2:
            unused.append(name)

    assert unused == []
