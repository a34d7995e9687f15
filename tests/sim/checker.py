"""What must hold when everything has come to rest: reliability.md 4.1, guarantee by guarantee."""

from __future__ import annotations

from collections.abc import Iterable

from node.federation.grouplog.entry import ReceivedEntry

from .node import Node, World
from .papers import Group, author_of, needs_of, post_of
from .shelf import Shelf


def list_stored(node: Node, uri: str) -> list[ReceivedEntry]:
    """Return every entry of a group that a node's disk holds, wherever."""
    get, found = node.disk.get, []
    for name in ("log", "copy"):
        shelf: Shelf | None = get((name, uri))
        found += list(shelf.entries) if shelf is not None else []
    found += list(get(("kept", uri), {}).values())
    found += [each for each, _, _ in get(("held", uri), {}).values()]
    return found


def list_alive(nodes: Iterable[Node]) -> dict[str, set[str]]:
    """Return {group: activities that some honest disk holds}."""
    alive: dict[str, set[str]] = {}
    for node in nodes:
        if not node.is_honest:
            continue
        for uri in node.world.groups:
            ids = alive.setdefault(uri, set())
            ids |= {each.entry.activity for each in list_stored(node, uri)}
            ids |= set(node.disk.get(("mine", uri), {})) | set(node.disk.get(("submitted", uri), {}))
    return alive


class Checker:
    """Looks at every disk of a run that has come to rest."""

    def __init__(self, world: World, nodes: dict[str, Node]) -> None:
        self._world = world
        self._nodes = nodes
        self._say = world.truth.say

    def check(self) -> list[str]:
        """Return what does not hold, each with its guarantee."""
        self._check_journals()
        for group in self._world.groups.values():
            if self._world.truth.is_lied_about(group.uri):
                self._check_lied_about(group)
                continue
            self._check_log(group)
            self._check_copies(group)
            self._check_durable(group)
            self._check_erased(group)
        return sorted(set(self._world.truth.broken))

    def _check_journals(self) -> None:
        """What an operator decided is in the journal, whatever was restored."""
        for name, told in self._world.truth.operated:
            journal = self._nodes[name].read_journal()
            known = {**journal.peers, **journal.accounts, **dict.fromkeys(journal.keys)}
            if name not in self._world.truth.burned and not known.keys() & set(told.values()):
                self._say("journal", f"{name} has forgotten {told}")

    def _log(self, group: Group) -> Shelf:
        log: Shelf = self._nodes[group.host].disk.get(("log", group.uri))
        return log

    def _check_log(self, group: Group) -> None:
        """One number, one entry; one activity, once; parents first; epochs never back, never twice."""
        log, promises = self._log(group), self._world.truth.promises[group.uri]
        activities = [each.entry.activity for each in log.entries]
        if len(activities) != len(set(activities)):
            self._say("G-once", f"an activity stands twice in {group.uri}")
        prev, epoch = log.base.chain, log.base.epoch
        for number, received in enumerate(log.entries, 1):
            entry = received.entry
            if entry.seq != number or entry.prev != prev or entry.epoch < epoch:
                self._say("G-order", f"{group.uri} is no chain at {number}")
            prev, epoch = entry.chain, entry.epoch
            for post in needs_of(received.object) if author_of(received) != group.uri else ():
                stands = min((log.numbers[each] for each in log.texts.get(post, ())), default=number)
                is_gone = post not in log.texts and (post in log.taken_back or self._is_erased(group, post))
                if stands >= number and post not in promises.kept_free and not is_gone:
                    self._say("G-causal", f"{group.uri}: {entry.kind} {number} stands before what it needs")
        for (epoch, seq), chains in promises.numbered.items():
            if len(chains) > 1 and promises.burned_at is None and not promises.silent:
                self._say("epochs", f"{group.uri}: number {seq} of epoch {epoch} was given {len(chains)} times")
        if self._nodes[group.host].disk.get(("held", group.uri)):
            self._say("G-repair", f"{group.host} still holds what was handed over")
        if self._nodes[group.host].disk.get(("submitted", group.uri)):
            self._say("G-repair", f"{group.host} has not acted on a submission")

    def _is_erased(self, group: Group, post: str) -> bool:
        """Say whether a post was taken back: its entry does not name it any more."""
        acked = self._world.truth.promises[group.uri].acked.values()
        return any(each["type"] == "Delete" and post_of(each) == post for each in acked)

    def _check_copies(self, group: Group) -> None:
        """Every copy is the host's log from its base; nothing is where it may not be."""
        log, promises = self._log(group), self._world.truth.promises[group.uri]
        admitted = self._nodes[group.host].disk.get(("admitted", group.uri), {})
        for name, node in self._nodes.items():
            copy: Shelf | None = node.disk.get(("copy", group.uri))
            if not node.is_honest or name == group.host or copy is None or name in self._world.truth.burned:
                continue
            if name not in promises.let_in_at:
                self._say("G-private", f"{name} was never admitted to {group.uri}")
            out_at = promises.put_out_at.get(name)
            if name not in promises.admitted and promises.burned_at is None:
                for received in copy.entries:
                    if out_at is not None and promises.said_at.get(received.entry.activity, 0.0) > out_at:
                        self._say("G-private", f"{name} is out of {group.uri} and has what was said later")
                continue
            if name not in admitted:
                if promises.burned_at is None:
                    self._say("G-repair", f"{group.host} has forgotten {name} in {group.uri}")
                continue
            if copy.head != log.head:
                self._say("G-order", f"{name} stands at {copy.head.seq} of {group.uri}, its host at {log.head.seq}")
                continue
            self._compare(group, name, log, copy)

    def _compare(self, group: Group, name: str, log: Shelf, copy: Shelf) -> None:
        promises = self._world.truth.promises[group.uri]
        for number, received in enumerate(copy.entries, copy.base.seq + 1):
            theirs = log.get(received.entry.seq)
            if received.entry.seq != number:
                self._say("G-order", f"{name} has a hole before {received.entry.seq} of {group.uri}")
            if theirs is None or theirs.entry.chain != received.entry.chain:
                self._say("G-order", f"{name} has another {received.entry.seq} of {group.uri}")
            elif (theirs.salt is None) != (received.salt is None):
                self._say("G-private", f"{name} and its host differ in what was erased of {group.uri}")
            activity = received.entry.activity
            is_late = promises.said_at.get(activity, 1e12) >= promises.let_in_at.get(name, 0.0)
            is_early = copy.base.seq and not is_late and activity not in promises.said_anew
            if is_early and promises.burned_at is None:
                self._say("base", f"{name} has {received.entry.seq} of {group.uri} from before it came")

    def _check_durable(self, group: Group) -> None:
        """What was acknowledged is in the log, unless no disk within reach has it, or its author was put out."""
        uri, promises, log = group.uri, self._world.truth.promises[group.uri], self._log(group)
        admitted = {group.host, *self._nodes[group.host].disk.get(("admitted", uri), {})}
        alive = list_alive(node for name, node in self._nodes.items() if name in admitted).get(uri, set())
        for activity in promises.acked.values():
            key = activity["id"]
            place = self._nodes[group.host].disk.get(("places", uri), {}).get(activity["actor"])
            is_unknown = promises.burned_at is not None and (place is None or place.is_out)
            if key in log.numbers or activity["actor"] in promises.ever_out or is_unknown:
                continue
            if key in promises.gone or key not in alive:
                self._world.counts["gone with a disk"] += 1
            elif self._is_erased(group, str(post_of(activity))):
                self._world.counts["taken back before it came"] += 1
            else:
                self._say("G-durable", f"{uri}: {activity['type']} {key} was acknowledged and is not in the log")

    def _check_erased(self, group: Group) -> None:
        """What was taken back is nowhere."""
        log, host = self._log(group), self._nodes[group.host]
        gone = {post_of(each.object) for each in log.entries if each.entry.kind in ("delete", "remove")}
        erased = host.read_journal().erased.get(group.uri, set())
        admitted = {group.host, *host.disk.get(("admitted", group.uri), {})}
        for name in sorted(admitted):
            if not self._nodes[name].is_honest:
                continue
            for received in list_stored(self._nodes[name], group.uri):
                is_text = received.salt is not None and received.entry.kind in ("create", "update")
                if is_text and (post_of(received.object) in gone or received.entry.activity in erased):
                    self._say("G-private", f"{name} still has what was erased in {group.uri}")

    def _check_lied_about(self, group: Group) -> None:
        """Of a host that lies: nobody follows a second history within an epoch, and whoever saw one says so."""
        truth = self._world.truth
        for uri, name in truth.forks_shown - truth.forks_reported:
            if uri == group.uri:
                self._say("fork", f"{name} saw two histories of {uri} and told nobody")
        for name, node in self._nodes.items():
            copy: Shelf | None = node.disk.get(("copy", group.uri))
            prev = copy.base.chain if copy is not None else ""
            for received in copy.entries if copy is not None and node.is_honest else ():
                if received.entry.prev != prev:
                    self._say("fork", f"the copy of {name} of {group.uri} is no chain")
                prev = received.entry.chain
