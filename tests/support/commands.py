"""What a test says to a node: the commands of `rounds`, whether the node runs in the test's process or in one of its own.

Groups, people and posts are named by their ids throughout, so that a line reads alike on the host and elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

PASSWORD = "correct horse battery"


class CommandRefused(Exception):
    """A command ended with another code than 0."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"exit {code}: {sentence}")


class Commands(ABC):
    """A node that takes commands. `run` is how; the rest are short words for the most frequent ones."""

    origin: str

    @abstractmethod
    async def run(self, *argv: str, text: str = "") -> Any:
        """Run a command and return the JSON document it printed.

        Raises:
            CommandRefused: It ended with another code than 0.
        """

    @property
    def host(self) -> str:
        """The authority in this node's ids."""
        return self.origin.partition("://")[2]

    def person(self, handle: str) -> str:
        """Return the id of a member of this node."""
        return f"{self.origin}/people/{handle}"

    async def fingerprint(self) -> str:
        """Return the hash of this node's key, as its operator reads it out."""
        return str((await self.run("key", "fingerprint"))["hex"])

    async def add_peer(self, other: Commands) -> dict[str, Any]:
        """Put another node on this node's list, fingerprint compared."""
        shown: dict[str, Any] = await self.run(
            "peer", "add", other.origin, "--fingerprint", await other.fingerprint(), "--yes"
        )
        return shown

    async def member(self, handle: str, *, name: str = "", role: str = "member") -> str:
        """Add somebody who can sign in and return their id."""
        words = ["--name", name or handle.capitalize(), "--assurance", "A3", "--role", role, "--password-stdin"]
        return str((await self.run("member", "add", handle, *words, text=PASSWORD))["uri"])

    async def group(
        self, handle: str, *, owner: str, policy: str = "request", hidden: bool = False, history: str = "all"
    ) -> str:
        """Create a group hosted here and return its id."""
        words = ["--title", handle.capitalize(), "--policy", policy, "--owner", owner, "--history", history]
        return str((await self.run("group", "create", handle, *words, *(["--hidden"] if hidden else [])))["uri"])

    async def join(self, group: str, *, as_: str, reason: str = "night shifts") -> str:
        """Ask to join as a member of this node; return the state the request is in."""
        return str((await self.run("group", "join", group, "--as", as_, "--reason", reason))["state"])

    async def approve(self, group: str, person: str) -> None:
        """Approve a request, admitting the person's node."""
        await self.run("group", "approve", group, person, "--admit-node", "--yes")

    async def post(
        self, group: str, text: str = "Hello", *, as_: str, title: str = "", warning: str = "", reply_to: str = ""
    ) -> dict[str, Any]:
        """Write in a group; return {"uri", "state", "seq"}."""
        words = ["--as", as_, *(["--title", title] if title else []), *(["--warning", warning] if warning else [])]
        words += ["--reply-to", reply_to] if reply_to else []
        posted: dict[str, Any] = await self.run("post", "add", group, *words, text=text)
        return posted

    async def edit(self, uri: str, text: str, *, as_: str, forget_earlier: bool = False) -> dict[str, Any]:
        """Change a post; return {"uri", "state", "seq"}."""
        more = ["--forget-earlier"] if forget_earlier else []
        posted: dict[str, Any] = await self.run("post", "edit", uri, "--as", as_, *more, text=text)
        return posted

    async def posts(self, group: str, *, as_: str) -> list[dict[str, Any]]:
        """Return the posts of a group as a member reads them."""
        return list((await self.run("post", "list", group, "--as", as_))["posts"])

    async def texts(self, group: str, *, as_: str) -> list[str]:
        """Return what the posts of a group say, in the order in which a member reads them."""
        return [post["text"] for post in await self.posts(group, as_=as_)]

    async def messages(self, *, as_: str) -> list[dict[str, Any]]:
        """Return a member's private messages, newest first."""
        return list((await self.run("message", "list", "--as", as_))["messages"])

    async def roster(self, group: str) -> dict[str, dict[str, Any]]:
        """Return everybody's place in a group, by their id."""
        return {row["uri"]: row for row in (await self.run("group", "roster", group))["members"]}

    async def lanes(self, other: Commands | None = None) -> dict[str, dict[str, Any]]:
        """Return the lanes to one peer (or to all), by their stream."""
        rows = (await self.run("lane", "list"))["lanes"]
        return {row["stream"]: row for row in rows if other is None or row["peer"] == other.host}

    async def audit(self) -> list[dict[str, Any]]:
        """Return the rows of the audit log."""
        return list((await self.run("audit", "list"))["entries"])
