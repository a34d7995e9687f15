"""What people do: they write, answer, change and take back, come, leave, and are put out."""

from __future__ import annotations

from typing import Any

from .node import Node, World
from .papers import Document, node_of, post_of

PEOPLE_PER_NODE = 2


def list_people(node: str) -> list[str]:
    """Return the people of a node."""
    return [f"https://{node}.example/people/{number}" for number in range(1, PEOPLE_PER_NODE + 1)]


class Workload:
    """One run's people. Whatever they get an acknowledgement for is a promise."""

    def __init__(self, world: World, nodes: dict[str, Node]) -> None:
        self._world = world
        self._nodes = nodes
        self._removed: set[tuple[str, str]] = set()

    def act(self) -> None:
        """Let one thing happen somewhere."""
        chance = self._world.chance.random()
        if chance < 0.10:
            self.join()
        elif chance < 0.13:
            self.leave()
        elif chance < 0.15:
            self.remove()
        elif chance < 0.17:
            self.operate()
        else:
            self.write()

    def operate(self) -> None:
        """An operator parts with a peer elsewhere, retires a key or ends an account: what a journal keeps besides."""
        node, number = self._nodes[self._world.chance.choice(sorted(self._nodes))], self._world.chance.getrandbits(32)
        told: dict[str, str] = self._world.chance.choice(
            [{"what": "peer", "host": f"{number}.example", "state": "parted"}, {"what": "key", "key": f"key/{number}"},
             {"what": "account", "actor": f"https://{node.name}.example/people/{number}", "state": "ended"}]
        )  # fmt: skip
        if node.is_up:
            with node.write() as tx:
                tx.note(**told)
            self._world.truth.operated.append((node.name, told))
            self._world.counts["work: operate"] += 1

    def list_inside(self) -> list[tuple[str, str]]:
        """Return (group, actor) of everybody whose node is up and thinks that they are in."""
        inside = []
        for uri, group in self._world.groups.items():
            places = self._nodes[group.host].disk.get(("places", uri), {})
            for name, node in self._nodes.items():
                if not node.is_up:
                    continue
                for actor in list_people(name):
                    if name == group.host:
                        is_in = actor in places and not places[actor].is_out
                    else:
                        is_in = actor in node.disk.get(("people", uri), ())
                    if is_in:
                        inside.append((uri, actor))
        return inside

    def write(self) -> None:
        """Somebody writes, answers, changes or takes back."""
        inside = self.list_inside()
        if inside:
            uri, actor = self._world.chance.choice(inside)
            self.say(uri, actor, self._think_of(uri, actor))

    def _think_of(self, uri: str, actor: str) -> dict[str, Any]:
        """Return what somebody says, from what their own node shows them."""
        chance, number = self._world.chance, f"{self._world.chance.getrandbits(64):016x}"
        posts, own = self._list_posts(uri, actor)
        roll = chance.random()
        origin = actor.partition("/people")[0]
        if own and roll < 0.12:
            return {"type": "Delete", "object": chance.choice(own)}
        if own and roll < 0.24:
            return {
                "type": "Update",
                "object": {"type": "Note", "id": chance.choice(own), "content": f"Rather {number}"},
            }
        note: dict[str, Any] = {"type": "Note", "id": f"{origin}/posts/{number}", "content": f"Words {number}"}
        if posts and roll < 0.75:
            note["inReplyTo"] = chance.choice(posts[-12:])
        return {"type": "Create", "object": note}

    def _list_posts(self, uri: str, actor: str) -> tuple[list[str], list[str]]:
        """Return the posts that somebody sees, and which of them are their own and not taken back."""
        node = self._nodes[node_of(actor)]
        is_host = self._world.groups[uri].host == node.name
        shelf = node.disk.get(("log" if is_host else "copy", uri))
        said = [] if shelf is None else [each.object for each in shelf.entries if each.salt is not None]
        said += [each.activity for each in node.disk.get(("mine", uri), {}).values() if each.state == "waiting"]
        gone = {post_of(activity) for activity in said if activity["type"] == "Delete"}
        creates = [activity for activity in said if activity["type"] == "Create"]
        posts = [str(post_of(activity)) for activity in creates if post_of(activity) not in gone]
        own = [str(post_of(each)) for each in creates if each["actor"] == actor and post_of(each) not in gone]
        return posts, own

    def say(self, uri: str, actor: str, said: dict[str, Any]) -> Document:
        """Give somebody's words to their node; return the activity, acknowledged unless the node died of it."""
        node = self._nodes[node_of(actor)]
        origin, number = actor.partition("/people")[0], f"{self._world.chance.getrandbits(64):016x}"
        activity = {"id": f"{origin}/activities/{number}", "actor": actor, "audience": uri, **said}
        if self._world.groups[uri].host == node.name:
            node.hosting.post(activity)
        else:
            node.copies.post(activity)
        self._world.truth.acknowledge(activity)
        self._world.counts[f"work: {said['type'].lower()}"] += 1
        return activity

    def join(self) -> None:
        """Somebody who is not in a group asks to come in."""
        inside, chance = set(self.list_inside()), self._world.chance
        outside = [
            (uri, actor)
            for uri in self._world.groups
            for name, node in self._nodes.items()
            for actor in list_people(name)
            if node.is_up and (uri, actor) not in inside and (uri, actor) not in self._removed
        ]
        if outside:
            self.ask_in(*chance.choice(outside))

    def ask_in(self, uri: str, actor: str) -> None:
        """Ask for somebody to come in."""
        node, number = self._nodes[node_of(actor)], f"{self._world.chance.getrandbits(64):016x}"
        follow = {"type": "Follow", "id": f"{actor}/follows/{number}", "actor": actor, "audience": uri}
        if self._world.groups[uri].host == node.name:
            node.hosting.post(follow)
        else:
            node.copies.request(uri, actor, follow)
        self._world.counts["work: join"] += 1

    def leave(self) -> None:
        """Somebody leaves."""
        inside = [each for each in self.list_inside() if node_of(each[1]) != self._world.groups[each[0]].host]
        if inside:
            uri, actor = self._world.chance.choice(inside)
            undo = {"type": "Undo", "id": f"{actor}/{self._world.chance.getrandbits(64):016x}", "actor": actor}
            self._world.truth.promises[uri].ever_out.add(actor)
            self._nodes[node_of(actor)].copies.leave(uri, actor, undo | {"audience": uri})
            self._world.counts["work: leave"] += 1

    def remove(self) -> None:
        """Staff put somebody out for good."""
        found = [
            (uri, actor)
            for uri, group in self._world.groups.items()
            if self._nodes[group.host].is_up
            for actor, place in self._nodes[group.host].disk.get(("places", uri), {}).items()
            if not place.is_out and node_of(actor) != group.host
        ]
        if found:
            uri, actor = self._world.chance.choice(found)
            self.put_out(uri, actor)

    def put_out(self, uri: str, actor: str) -> None:
        """Put one person out of a group."""
        self._removed.add((uri, actor))
        self._world.truth.promises[uri].ever_out.add(actor)
        self._nodes[self._world.groups[uri].host].hosting.remove(uri, actor)
        self._world.counts["work: remove"] += 1
