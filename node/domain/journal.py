"""The journal: what must stay so after a restore, whatever the backup says. Pure: lines of text and what they add up to.

One line of JSON for each act that a backup from before would undo, in the order in which they were done:

    {"at":…,"what":"begun"}                              when the node is made; without it the beginning is lost
    {"at":…,"what":"lost"}                               restored without this file: what came before may have holes
    {"at":"2026-11-22T06:10:00Z","what":"out","group":G,"actor":A,"state":"removed","seq":412}
    {"at":…,"what":"in","group":G,"actor":A,"role":"member","joined_seq":413,"visible_after":412,"base_seq":0}
    {"at":…,"what":"erased","group":G,"activity":ID,"post":P}     "post" when that is gone, not its earlier text alone
    {"at":…,"what":"epoch","group":G,"epoch":2}
    {"at":…,"what":"peer","host":H,"state":"parted"}
    {"at":…,"what":"key","key":ID,"seq":412}             revoked, never to be trusted again; "seq" of a group's key: the last
                                                         entry of its log that it proves
    {"at":…,"what":"key_made","key":ID,"owner":A,"public":"z6Mk…"}
    {"at":…,"what":"account","actor":A,"state":"ended"}
    {"at":…,"what":"role","group":G,"actor":A,"role":"moderator"}
    {"at":…,"what":"verification","actor":A,"level":"A3","state":"revoked"}

Each line ends with its number, "n", in the order of the commits; the file may have them in another. Published format, kept by
operators for years: members may be added, never renamed; an unknown `what` is passed over. A line that was cut off by a crash
can only be the last one, and belongs to an act that nobody was told of.

Spec: reliability.md 4.2, 4.7; decision 0012.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

OUT_STATES = frozenset({"left", "removed", "banned"})


class JournalDamaged(ValueError):
    """A line that is not the last one cannot be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody's place in a group, as decided last. state: "member", "left", "removed" or "banned".

    seq: the group's number when they were put out. role, joined_seq, visible_after: of a member. base_seq: behind what
    the copy of a member's node starts; a node that had a member before them has an earlier base than they have.
    """

    state: str
    seq: int = 0
    role: str = "member"
    joined_seq: int = 0
    visible_after: int = 0
    base_seq: int = 0

    @property
    def is_out(self) -> bool:
        """Whether they may have nothing of the group any more."""
        return self.state in OUT_STATES


@dataclass(slots=True)
class Told:
    """What a journal adds up to.

    places: {(group, actor): the last decision}. erased: {group: ids of activities}. epochs: {group: all it had}.
    peers: {host: the last state}. keys: {revoked key: the last entry of its log that it proves}.
    made: {key: (its owner, its public part)} of those that came after the first. accounts: {actor: the last state}.
    posts: {erased activity: the post that is gone with it}, to say once more that it was taken away.
    roles: {(group, actor): the last role}. verifications: {actor: (level, state)}.
    lines: how many there are. is_whole: whether it goes back to when the node was made; one that burned and began anew
    does not know all epochs.
    """

    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    erased: dict[str, set[str]] = field(default_factory=dict)
    epochs: dict[str, set[int]] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)
    keys: dict[str, int | None] = field(default_factory=dict)
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    is_whole: bool = False
    posts: dict[str, str] = field(default_factory=dict)
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    verifications: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: int = 0

    def list_out(self, group: str) -> set[str]:
        """Return who was put out of a group, or left it, and did not come back."""
        return {actor for (of, actor), place in self.places.items() if of == group and place.is_out}

    def find_base(self, group: str, actors: Iterable[str]) -> int | None:
        """Return the number behind which the copy of a node starts whose people these are; None if none is in.

        It replaces what the backup says: somebody may have left and come back since.
        """
        places = [self.places.get((group, actor)) for actor in actors]
        return min((place.base_seq for place in places if place is not None and not place.is_out), default=None)


def format_line(at: str, what: str, **told: Any) -> str:
    """Return one line, with its end."""
    return json.dumps({"at": at, "what": what, **told}, ensure_ascii=False, separators=(",", ":")) + "\n"


def drop_torn_end(text: str) -> str:
    """Return a journal up to its last whole line. To be cut to that before the next line is written behind it."""
    return text[: text.rfind("\n") + 1]


def read_lines(text: str) -> list[dict[str, Any]]:
    """Return the lines of a journal; a last one that was cut off is left out.

    Raises:
        JournalDamaged: Another line is not one.
    """
    found = []
    for number, line in enumerate(drop_torn_end(text).split("\n"), 1):
        if not line:
            continue
        try:
            read = json.loads(line)
        except ValueError:
            raise JournalDamaged(f"Line {number} of the journal cannot be read.") from None
        if not isinstance(read, dict):
            raise JournalDamaged(f"Line {number} of the journal is not an act.")
        found.append(read)
    return found


def shows_restore(*, lines_known: int, lines_written: int) -> bool:
    """Say whether the store is older than the journal: it was put back by somebody who did not say so.

    The store counts the lines in the transactions that they belong to, and never knows fewer than the file has.
    """
    return lines_known < lines_written


def add_up(lines: Iterable[dict[str, Any]]) -> Told:
    """Return what the lines of a journal add up to: the last word on each thing counts."""
    told = Told()
    for line in lines:
        told.lines += 1
        what = line.get("what")
        if what in ("begun", "lost"):
            told.is_whole = what == "begun"
        elif what == "peer":
            told.peers[str(line["host"])] = str(line["state"])
        elif what == "key":
            told.keys[str(line["key"])] = int(line["seq"]) if "seq" in line else None
        elif what == "key_made":
            told.made[str(line["key"])] = (str(line["owner"]), str(line["public"]))
        elif what == "account":
            told.accounts[str(line["actor"])] = str(line["state"])
        elif what == "verification":
            told.verifications[str(line["actor"])] = (str(line["level"]), str(line["state"]))
        else:
            _add_of_group(told, str(line.get("group")), line)
    return told


def _add_of_group(told: Told, group: str, line: dict[str, Any]) -> None:
    what, actor = line.get("what"), str(line.get("actor"))
    if what == "out":
        told.places[group, actor] = Place(str(line["state"]), int(line["seq"]))
        told.roles.pop((group, actor), None)
    elif what == "in":
        role, joined, after = str(line["role"]), int(line["joined_seq"]), int(line["visible_after"])
        told.places[group, actor] = Place("member", 0, role, joined, after, int(line.get("base_seq", after)))
        told.roles[group, actor] = role
    elif what == "role":
        told.roles[group, actor] = str(line["role"])
    elif what == "erased":
        told.erased.setdefault(group, set()).add(str(line["activity"]))
        if "post" in line:
            told.posts[str(line["activity"])] = str(line["post"])
    elif what == "epoch":
        told.epochs.setdefault(group, set()).add(int(line["epoch"]))
