"""The register of commands: noun, verb, who parses its words, who carries it out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

from node.foundation.errors import Invalid

from . import (
    announce,
    audit,
    backup_parts,
    deadletter,
    group,
    group_bans,
    group_settings,
    key,
    lane,
    member,
    message,
    peer,
    peer_import,
    post,
    recovering,
    setup,
    status,
)
from .context import Verb

Words = Callable[[argparse.ArgumentParser], None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command that runs inside an opened node."""

    noun: str
    verb: str
    words: Words
    run: Verb
    sentence: str


def _none(parser: argparse.ArgumentParser) -> None:
    """Take no words."""


COMMANDS: tuple[Command, ...] = (
    Command("member", "add", member.add_words, member.add, "add a member"),
    Command("member", "list", _none, member.list_all, "list the members"),
    Command("member", "show", member.one_word, member.show, "show a member"),
    Command("member", "verify", member.verify_words, member.verify, "record how sure we are of a member"),
    Command("member", "suspend", member.reason_words, member.suspend, "suspend a member"),
    Command("member", "restore", member.reason_words, member.restore, "end a suspension"),
    Command("member", "reset", member.one_word, member.reset, "make a one-time link for a new password"),
    Command("member", "token", member.token_words, member.token, "make an access token (test nodes)"),
    Command("group", "create", group.create_words, group.create, "create a group"),
    Command("group", "list", _none, group.list_all, "list groups here and held here"),
    Command("group", "show", group.one_word, group.show, "show a group"),
    Command("group", "roster", group.one_word, group.roster, "list who is in a group"),
    Command("group", "join", group.join_words, group.join, "ask to join a group, as a member (test nodes)"),
    Command("group", "leave", group.as_words, group.leave, "leave a group, as a member (test nodes)"),
    Command("group", "admit", group.admit_words, group.admit, "let a node hold a group's content"),
    Command("group", "approve", group.approve_words, group.approve, "approve a request to join"),
    Command("group", "reject", group.remove_words, group.reject, "reject a request to join"),
    Command("group", "remove", group.remove_words, group.remove, "remove somebody from a group"),
    Command("group", "ban", group.remove_words, group.ban, "ban somebody from a group"),
    Command("group", "unban", group.person_words, group_bans.unban, "lift somebody's ban from a group"),
    Command("group", "invite", group.person_words, group.invite, "invite somebody into a group"),
    Command("group", "role", group.role_words, group.role, "give a member of a group a role"),
    Command("group", "change", group_settings.change_words, group_settings.change, "change a group's settings"),
    Command("peer", "add", peer.add_words, peer.add, "add a node to the list"),
    Command("peer", "list", _none, peer.list_all, "list the peers"),
    Command("peer", "show", peer.one_word, peer.show, "show a peer"),
    Command("peer", "verify", peer.verify_words, peer.verify, "compare a peer's fingerprint"),
    Command("peer", "pause", peer.reason_words, peer.pause, "pause a peer"),
    Command("peer", "resume", peer.reason_words, peer.resume, "resume a paused peer"),
    Command("peer", "rekey", peer.rekey_words, peer.rekey, "take the new key of a paused peer"),
    Command("peer", "part", peer.reason_words, peer.part, "part from a peer"),
    Command("peer", "policy", peer.policy_words, peer.policy, "say what a peer may do"),
    Command(
        "peer", "import", peer_import.list_words, peer_import.take, "take a list of nodes from stdin over as drafts"
    ),
    Command("peer", "test", peer.one_word, peer.test, "try the way to a peer"),
    Command("post", "add", post.add_words, post.add, "post in a group, as a member (test nodes)"),
    Command("post", "list", post.list_words, post.list_all, "list a group's posts, as a member (test nodes)"),
    Command("post", "edit", post.edit_words, post.edit, "change a post, as its author (test nodes)"),
    Command("post", "withdraw", post.post_words, post.withdraw, "take a post back, as its author (test nodes)"),
    Command("post", "remove", post.remove_words, post.remove, "remove a post, as staff (test nodes)"),
    Command("post", "reach", post.post_words, post.reach, "say which nodes have a post, as its author (test nodes)"),
    Command("post", "pin", post.post_words, post.pin, "pin a post, as staff (test nodes)"),
    Command("post", "unpin", post.post_words, post.unpin, "unpin a post, as staff (test nodes)"),
    Command("post", "lock", post.post_words, post.lock, "lock a thread, as staff (test nodes)"),
    Command("post", "unlock", post.post_words, post.unlock, "open a thread, as staff (test nodes)"),
    Command("message", "send", message.send_words, message.send, "send a private message, as a member (test nodes)"),
    Command("message", "list", message.list_words, message.list_all, "list a member's messages (test nodes)"),
    Command("key", "list", _none, key.list_all, "list this node's keys"),
    Command("key", "fingerprint", _none, key.fingerprint, "print this node's fingerprint"),
    Command("key", "rotate", key.rotate_words, key.rotate, "change keys; old ones count beside them for a while"),
    Command("key", "revoke", key.revoke_words, key.revoke, "revoke a key that leaked, at once"),
    Command("key", "recovery", key.recovery_words, key.recovery, "make a new recovery code for backups"),
    Command("backup", "list", _none, backup_parts.list_all, "list backups and drills"),
    Command(
        "backup",
        "send",
        backup_parts.send_words,
        backup_parts.send,
        "give a backup to `rounds backup FILE`",
    ),
    Command("backup", "kept", _none, backup_parts.kept, "write down a backup that `rounds backup FILE` has kept"),
    Command("backup", "drilled", _none, backup_parts.drilled, "write down what `rounds backup drill` has found"),
    Command("lane", "list", _none, lane.list_all, "list what waits for which peer"),
    Command("recovering", "list", _none, recovering.list_all, "list the groups that ask for what a restore lost"),
    Command("recovering", "end", recovering.end_words, recovering.end, "let a group go on without unheard nodes"),
    Command("lane", "retry", lane.retry_words, lane.retry, "try the lanes of a peer now"),
    Command("deadletter", "list", _none, deadletter.list_all, "list what could not be handled"),
    Command("deadletter", "retry", deadletter.one_word, deadletter.retry, "try a dead letter again"),
    Command("audit", "list", audit.list_words, audit.list_all, "list the audit log"),
    Command("audit", "verify", _none, audit.verify, "check the audit chain"),
    Command("announce", "", announce.announce_words, announce.announce, "announce something to everybody on this node"),
    Command("announcement", "list", _none, announce.list_all, "list what is announced"),
    Command("announcement", "end", announce.end_words, announce.end, "end an announcement now"),
    Command("maintenance", "on", announce.on_words, announce.begin_maintenance, "let the node be away"),
    Command("maintenance", "off", _none, announce.end_maintenance, "let the node be there again"),
    Command("clock", "accept", _none, announce.accept_clock, "say that the clock is right, after it was set"),
    Command("setup", "", _none, setup.setup, "make a new set-up link while nobody operates the node"),
    Command("status", "", _none, status.status, "print how the node is"),
)


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of leaving the process: commands also run inside a serving node."""

    def error(self, message: str) -> NoReturn:
        """Raise with the usage.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"{message}\n{self.format_usage().rstrip()}")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Raise with what help wanted to say.

        Raises:
            UsageError: Always.
        """
        raise UsageError(message or "", is_help=status == 0)

    def print_help(self, file: object = None) -> None:
        """Keep the help for whoever asked.

        Raises:
            UsageError: Always.
        """
        raise UsageError(self.format_help().rstrip(), is_help=True)


class UsageError(Invalid):
    """The words of a command cannot be understood; or help was asked for."""

    code = "usage"

    def __init__(self, sentence: str, *, is_help: bool = False) -> None:
        super().__init__(sentence)
        self.is_help = is_help


def parse(argv: list[str]) -> tuple[Command, argparse.Namespace]:
    """Return the command that words stand for, and its arguments.

    Raises:
        UsageError: They stand for none.
    """
    args = _build_parser().parse_args(argv)
    return args.command, args


@cache
def _build_parser() -> Parser:
    """Return the parser of all commands; building it takes ten times as long as most commands, so it is built once."""
    parser = Parser(prog="rounds", description="A federated community node for physicians.")
    nouns = parser.add_subparsers(metavar="NOUN", required=True)
    made: dict[str, argparse._SubParsersAction[Parser]] = {}
    for command in COMMANDS:
        if not command.verb:
            leaf = nouns.add_parser(command.noun, help=command.sentence)
        else:
            if command.noun not in made:
                made[command.noun] = nouns.add_parser(command.noun).add_subparsers(metavar="VERB", required=True)
            leaf = made[command.noun].add_parser(command.verb, help=command.sentence, description=command.sentence)
        leaf.add_argument("--json", action="store_true", help="answer with one JSON document")
        command.words(leaf)
        leaf.set_defaults(command=command)
    return parser
