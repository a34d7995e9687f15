"""Rows become values by place: the columns of a statement stand in the order of the fields they fill."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import asyncpg
import pytest

from node.community.groups.repository import Before
from node.community.members.sessions import SignedIn
from node.community.verification.repository import Application
from node.domain.actors import Actor, Member
from node.domain.groups import Group, Membership
from node.domain.inviting import Invitation
from node.domain.notifications import Marker, Notification
from node.domain.posts import Image, Post
from node.domain.verification import Verification
from node.domain.vouching import Vouch
from node.store.activities import WaitingActivity
from node.store.announcements import Novelty
from node.store.drafts import SavedDraft
from node.store.engine import Store
from node.store.logs import Card, StoredEntry
from node.store.media import MediaRow
from node.store.profiles import Known
from node.store.readers import Reader
from node.store.rosters import Admission, RosterRow
from node.store.search import Shard
from node.store.sqlite import SqliteStore
from node.store.statements import Plan
from node.store.streams import LaneRow, StreamEntry
from node.store.submissions import Submission
from node.store.threads import ThreadRow
from node.store.vouches import Given, Shown
from tests.support.databases import Databases
from tests.support.statement_list import list_statements

STATEMENTS = list_statements()
# Which value each statement fills, from which column on. A column may carry the type in its name: `media_json`.
FILLS: dict[str, tuple[type, int]] = {
    **dict.fromkeys(("actors._BY_ID", "actors._BY_URI", "actors._BY_ADDRESS"), (Actor, 0)),
    **dict.fromkeys(("rosters._BY_ID", "rosters._BY_URI", "rosters._STAFF_OF", "rosters._ALL"), (Group, 0)),
    "rosters._OF_ACTOR": (Group, 0),
    **dict.fromkeys(("rosters._MEMBERSHIP", "rosters._BY_REQUEST"), (Membership, 0)),
    **dict.fromkeys(("rosters._ROSTER", "places._STAFF"), (RosterRow, 0)),
    **dict.fromkeys(("places._MINE", "places._LISTED"), (Group, 0)),
    **dict.fromkeys(("rosters._ADMISSION", "rosters._ADMISSIONS"), (Admission, 0)),
    "readers._READERS": (Reader, 0),
    **dict.fromkeys(("objects._BY_ID", "objects._BY_URI", "objects._LOG_OF_GROUP"), (Post, 0)),
    "objects._WAITING_OF_GROUP": (Post, 0),
    **dict.fromkeys(("objects._THREAD", "objects._MESSAGES"), (Post, 0)),
    "activities._WAITING": (WaitingActivity, 0),
    "streams._ENTRIES": (StreamEntry, 0),
    **dict.fromkeys(("streams._LIST", "streams._ONE"), (LaneRow, 0)),
    **dict.fromkeys(("submissions._GET", "submissions._DUE", "submissions._OF_POST"), (Submission, 0)),
    **dict.fromkeys(("logs._AFTER", "logs._NEWEST", "logs._ONE", "logs._BY_ACTIVITY"), (StoredEntry, 0)),
    "logs._CARD": (Card, 0),
    **dict.fromkeys(("drafts._GET", "drafts._LIST"), (SavedDraft, 0)),
    **dict.fromkeys(("threads._ACTIVE", "threads._PINNED"), (ThreadRow, 0)),
    **dict.fromkeys(("threads._PAGE", "threads._PAGE_BEFORE", "threads._BY_TOKEN"), (Post, 0)),
    "threads._WAITING": (Post, 0),
    **dict.fromkeys(("notifications._LIST", "notifications._OLDEST", "notifications._ONE"), (Notification, 0)),
    "markers._LIST": (Marker, 0),
    "announcements._NEW": (Novelty, 0),
    "search._SHARDS": (Shard, 0),
    "profiles._FOUND": (Known, 0),
    "members.repository._SESSION": (Member, 0),
    "members.repository._SESSIONS": (SignedIn, 0),
    **dict.fromkeys(("media._ONE", "media._MIRROR"), (MediaRow, 0)),
    "media._OF_POSTS": (Image, 1),
    "members.repository._BY_HANDLE": (Member, 0),
    "members.repository._BY_ID": (Member, 0),
    "groups.repository._BEFORE_STAFF": (Before, 0),
    "members.repository._LIST": (Member, 0),
    "members.repository._OPERATORS": (Member, 0),
    "members.repository._TOKEN": (Member, 0),
}
FILLS |= {
    **dict.fromkeys(("verifications._GET", "verifications._LIST", "verifications._LAPSED"), (Verification, 0)),
    **dict.fromkeys(("verifications._WITHOUT_WORD", "verifications._TO_RENEW"), (Verification, 0)),
    **dict.fromkeys(("verification.repository._BY_ID", "verification.repository._NEWEST"), (Application, 0)),
    "verification.repository._OPEN": (Application, 0),
    **dict.fromkeys(("invitations._OF_MEMBER", "invitations._NEWEST", "invitations._BY_ID"), (Invitation, 0)),
    **dict.fromkeys(("invitations._OPEN", "invitations._BY_USER"), (Invitation, 0)),
    "vouches._FIND_CODE": (Shown, 0),
    "vouches._OF_APPLICATION": (Vouch, 0),
    "vouches._GIVEN": (Given, 0),
}
_ANOTHER_NAME = {"class": "member_class"}  # a word that Python keeps for itself


def _expected(name: str) -> list[str]:
    return [field.name for field in fields(FILLS[name][0]) if field.name != "images"]


def _as_fields(name: str, columns: list[str]) -> list[str]:
    start = FILLS[name][1]
    named = [_ANOTHER_NAME.get(column, column.removesuffix("_json")) for column in columns]
    return named[start : start + len(_expected(name))]


@pytest.mark.only_on("sqlite", reason="the same on PostgreSQL is the test below")
async def test_columns_stand_in_the_order_of_fields_on_sqlite(store: Store) -> None:
    assert isinstance(store, SqliteStore)
    wrong = {}
    for name in FILLS:
        plan = Plan(STATEMENTS[name], "sqlite")
        cursor = await store._writer.connection.execute(plan.sql, dict.fromkeys(plan.names))
        found = _as_fields(name, [column[0] for column in cursor.description])
        await cursor.close()
        if found != _expected(name):
            wrong[name] = found

    assert wrong == {}


@pytest.mark.only_on("postgresql", reason="the same on SQLite is the test above")
async def test_columns_stand_in_the_order_of_fields_on_postgresql(databases: Databases) -> None:
    address, _ = await databases.new_data()
    connection: Any = await asyncpg.connect(address)
    wrong = {}
    for name in FILLS:
        prepared = await connection.prepare(Plan(STATEMENTS[name], "postgresql").sql)
        found = _as_fields(name, [attribute.name for attribute in prepared.get_attributes()])
        if found != _expected(name):
            wrong[name] = found
    await connection.close()

    assert wrong == {}
