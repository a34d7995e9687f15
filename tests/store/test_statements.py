"""Every statement is understood by both databases, and those that members wait for walk an index."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
import pytest

from node.store.engine import Store, Tx
from node.store.sqlite import SqliteStore
from node.store.statements import Plan
from node.store.visibility import READABLE_IN_GROUP, READABLE_MESSAGE, READABLE_POST, WAITING_IN_GROUP
from tests.support.databases import Databases
from tests.support.builders import a_group, a_member, a_membership
from tests.support.statement_list import list_statements

STATEMENTS = list_statements()
_BIG_TABLES = ("posts", "log_entries", "activities", "stream_entries")
_READS_CONTENT = re.compile(r"^\s*SELECT\b.*\b(?:FROM|JOIN) (?:posts|post_versions|mentions|media)\b", re.DOTALL)
_FRAGMENTS = (READABLE_POST, READABLE_IN_GROUP, WAITING_IN_GROUP, READABLE_MESSAGE)

# Statements that read a whole large table, each with the reason why that may be.
MAY_SCAN = {
    "objects._COUNT": "`status` and NodeInfo count; nobody waits for it",
    "activities._COUNT": "`status` counts; nobody waits for it",
}
# Statements over members' content without the viewer's fragment, each with the reason why that may be.
WITHOUT_VIEWER = {
    "objects._PLAIN": "the corridor, which asks domain.access with what it returns",
    "objects._PLAIN_BY_ID": "the corridor, which asks domain.access with what it returns",
    "objects._VERSION_ACTIVITIES": "the corridor, which erases what the versions carried: ids, no words",
    "objects._MENTIONS": "of posts that the caller has read through a viewer",
    "objects._REPLIES": "numbers of replies to posts that the caller has read through a viewer",
    "objects._COUNT": "a number over the whole node, for `status`",
    "media._OF_POSTS": "of posts that the caller has read through a viewer",
    "media._ONE": "the door asks domain.access about its post",
    "media._WANTED": "the fetcher of pictures, which shows nothing",
    "media._HASHES_OF_POST": "hashes of files to remove",
    "media._HASHES_OF_GROUP": "hashes of files to remove",
    "media._USES": "a number: whether a file is still needed",
    "media._COUNT": "a number over the whole node, for `status`",
    "media._COUNT_WANTED": "a number over the whole node, for `status`",
}


@pytest.fixture(params=sorted(STATEMENTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
