"""`rounds demo`: two nodes on this machine, a society's and a hospital's, with people and posts that really travelled.

Each node is a process with a directory of its own; the demonstration talks to them by the same commands an operator
uses. What was done is written down step by step, so that it starts again where it stopped.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .context import DONE, REFUSED, USAGE
from .demo_content import CIRCLES, MESSAGE, PEOPLE, WORDS, Circle, Person, Words
from .remote import ask

NODES = ("society", "hospital")
NAMES = {"society": "The Physicians' Society", "hospital": "Northern Hospital Group"}
START_SECONDS = 30
TRAVEL_SECONDS = 30
STOP_SECONDS = 25


class DemoFailed(Exception):
    """A step of the demonstration did not succeed; the sentence says which."""


class Stopped(Exception):
    """The demonstration was told to stop while it was starting."""


class Demo:
    """One run of the demonstration."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.ports = dict(zip(NODES, (port, port + 1), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.state: dict[str, Any] = {"passwords": {}, "done": [], "posts": {}}
        self.is_stopping = False

    def host(self, node: str) -> str:
        """Return a node's authority."""
        return f"localhost:{self.ports[node]}"

    def run(self) -> int:
        """Start, fill, say so, and keep running until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "demo.json").unlink(missing_ok=True)
        for node in NODES:
            if _is_taken(self.ports[node]):
                print(f"Port {self.ports[node]} is in use. Choose another with --port.", file=sys.stderr)
                return USAGE
        try:
            self._load()
            self._start()
            self._fill()
            self._announce()
            self._watch()
        except Stopped:
            return DONE
        except DemoFailed as error:
            print(error, file=sys.stderr)
            return REFUSED
        finally:
            self._stop()
        return DONE

    def _on_signal(self, number: int, frame: object) -> None:
        self.is_stopping = True

    def _load(self) -> None:
        """Read what was done before; it must have been done at these ports."""
        path = self.folder / "state.json"
        if path.exists():
            self.state = json.loads(path.read_text("utf-8"))
            if self.state.get("ports") != self.ports:
                was = self.state.get("ports", {}).get("society")
                raise DemoFailed(f"This demonstration was made at port {was}. Give --port {was}, or another --dir.")
        self.state["ports"] = self.ports

    def _save(self) -> None:
        path = self.folder / "state.json"
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(self.state, file)
        part.rename(path)

    def _once(self, step: str) -> bool:
        """Return whether a step is still to be done."""
        if self.is_stopping:
            raise Stopped
        return step not in self.state["done"]

    def _did(self, step: str) -> None:
        self.state["done"].append(step)
        self._save()

    def password(self, person: Person) -> str:
        """Return a person's password, made at the first start."""
        known: dict[str, str] = self.state["passwords"]
        if person.handle not in known:
            known[person.handle] = secrets.token_urlsafe(9)
            self._save()
        return known[person.handle]

    def _start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDS_")}
        rounds = [sys.executable, "-m", "node"]
        for node in NODES:
            data = self.folder / node
            if not (data / "rounds.toml").exists():
                operator = next(person for person in PEOPLE if person.node == node and person.role == "operator")
                url = f"http://{self.host(node)}"
                words = ["init", "--base-url", url, "--name", NAMES[node], "--insecure-loopback"]
                words += ["--operator", operator.handle, "--operator-name", operator.name, "--password-stdin"]
                words += ["--recovery-file", str(data) + ".recovery"]
                made = subprocess.run(
                    [*rounds, "--data", str(data), *words],
                    input=self.password(operator) + "\n",
                    text=True,
                    capture_output=True,
                    env=environment,
                    check=False,
                )
                if made.returncode != 0:
                    raise DemoFailed(f"The {node} node could not be made: {made.stderr.strip()}")
            log = (self.folder / f"{node}.log").open("ab")
            bind = f"127.0.0.1:{self.ports[node]}"
            command = [*rounds, "--data", str(data), "serve", "--bind", bind]
            # A session of its own: Ctrl-C reaches the demonstration, which stops its nodes in order.
            self.processes[node] = subprocess.Popen(command, stderr=log, env=environment, start_new_session=True)
            log.close()
        self._wait("the nodes to start", START_SECONDS, lambda: all(self._is_up(node) for node in NODES))

    def _is_up(self, node: str) -> bool:
        if self.processes[node].poll() is not None:
            raise DemoFailed(f"The {node} node ended; {self.folder / f'{node}.log'} says why.")
        return ask(self.folder / node, ["status", "--json"]) is not None

    def command(self, node: str, *words: str, text: str = "") -> dict[str, Any]:
        """Run a command in a node and return its JSON.

        Raises:
            DemoFailed: It was refused.
        """
        answer = ask(self.folder / node, [*words, "--json"], text)
        if answer is None:
            raise DemoFailed(f"The {node} node does not answer.")
        if answer.code != 0:
            raise DemoFailed(f"`rounds {' '.join(words[:3])}` on the {node} node: {answer.err.strip()}")
        shown: dict[str, Any] = json.loads(answer.out)
        return shown

    def _fill(self) -> None:
        """Make peers, members, groups and posts, each once."""
        for node, other in (NODES, NODES[::-1]):
            if self._once(f"peer {node}"):
                digits = self.command(other, "key", "fingerprint")["hex"]
                self.command(node, "peer", "add", f"http://{self.host(other)}", "--fingerprint", digits, "--yes")
                self._did(f"peer {node}")
        for person in PEOPLE:
            if person.role != "operator" and self._once(f"member {person.handle}"):
                words = ["member", "add", person.handle, "--name", person.name, "--class", person.member_class]
                words += ["--assurance", "A3", "--password-stdin"]
                self.command(person.node, *words, text=self.password(person) + "\n")
                self._did(f"member {person.handle}")
        for circle in CIRCLES:
            self._fill_circle(circle)
        for said in WORDS:
            if self._once(f"post {said.key}"):
                self._write(said)
                self._did(f"post {said.key}")
        if self._once("message"):
            node, sender, reader, text = MESSAGE
            named = reader.format(hospital=self.host("hospital"))
            self.command(node, "message", "send", named, "--as", sender, text=text)
            self._did("message")
        self._wait("everything to arrive", TRAVEL_SECONDS, self._has_arrived)

    def _fill_circle(self, circle: Circle) -> None:
        if self._once(f"group {circle.handle}"):
            words = ["group", "create", circle.handle, "--title", circle.title, "--policy", circle.policy]
            words += ["--purpose", circle.purpose, "--owner", circle.owner, *(["--hidden"] if circle.is_hidden else [])]
            self.command(circle.node, *words)
            self._did(f"group {circle.handle}")
        for node, handle, reason in circle.members:
            if self._once(f"join {circle.handle} {handle}"):
                address = f"{circle.handle}@{self.host(circle.node)}"
                self.command(node, "group", "join", address, "--as", handle, "--reason", reason)
                person = f"{handle}@{self.host(node)}"
                self.command(circle.node, "group", "approve", circle.handle, person, "--admit-node", "--yes")
                self._did(f"join {circle.handle} {handle}")

    def _write(self, words: Words) -> None:
        """Post as a member, on the member's own node, once what they reply to has reached it."""
        author = next(person for person in PEOPLE if person.handle == words.author)
        circle = next(circle for circle in CIRCLES if circle.handle == words.group)
        address = f"{circle.handle}@{self.host(circle.node)}"
        self._wait("a membership", TRAVEL_SECONDS, lambda: self._posts(author, address) is not None)
        command = ["post", "add", address, "--as", author.handle]
        if words.title:
            command += ["--title", words.title]
        for answer in words.answers:
            command += ["--answer", answer]
        if words.reply_to:
            parent = self.state["posts"][words.reply_to]
            self._wait("a post to arrive", TRAVEL_SECONDS, lambda: parent in (self._posts(author, address) or []))
            command += ["--reply-to", parent]
        self.state["posts"][words.key] = self.command(author.node, *command, text=words.text)["uri"]

    def _posts(self, person: Person, address: str) -> list[str] | None:
        """Return the ids of a group's posts that have their place, as a member sees them; None when not in yet."""
        answer = ask(self.folder / person.node, ["post", "list", address, "--as", person.handle, "--json"])
        if answer is None or answer.code != 0:
            return None
        return [post["uri"] for post in json.loads(answer.out)["posts"] if post["seq"] is not None]

    def _has_arrived(self) -> bool:
        return all(self.command(node, "status")["at_rest"] for node in NODES)

    def _wait(self, what: str, seconds: float, is_done: Any) -> None:
        deadline = time.monotonic() + seconds
        while not is_done():
            if self.is_stopping:
                raise Stopped
            if time.monotonic() > deadline:
                raise DemoFailed(f"Waited {seconds:.0f} s for {what} in vain; the logs in {self.folder} say more.")
            time.sleep(0.05)

    def _announce(self) -> None:
        described = {"ready": True, "nodes": [self._describe(node) for node in NODES]}
        part = self.folder / "demo.json.part"
        part.write_text(json.dumps(described, indent=1), "utf-8")
        part.chmod(0o600)
        part.rename(self.folder / "demo.json")
        for node in NODES:
            print(f"\n{NAMES[node]}: http://{self.host(node)}")
            for person in PEOPLE:
                if person.node == node:
                    print(f"  {person.handle:8} {self.password(person):14} {person.name}, {person.role}")
        print("\nRead as one of them, for example:")
        print(f"  rounds --data {self.folder}/hospital post list emr@{self.host('society')} --as ruth")
        print("Rounds demo is ready.", flush=True)

    def _describe(self, node: str) -> dict[str, Any]:
        operator = next(person for person in PEOPLE if person.node == node and person.role == "operator")
        groups = [group for group in self.command(node, "group", "list")["groups"] if group["local"]]
        return {
            "name": node,
            "base_url": f"http://{self.host(node)}",
            "data": str(self.folder / node),
            "pid": self.processes[node].pid,
            "operator": {"handle": operator.handle, "password": self.password(operator)},
            "members": [
                {
                    "handle": person.handle,
                    "name": person.name,
                    "password": self.password(person),
                    "role": person.role,
                    "class": person.member_class,
                }
                for person in PEOPLE
                if person.node == node
            ],
            "groups": [
                {name: group[name] for name in ("handle", "uri", "title", "policy", "hidden")} for group in groups
            ],
        }

    def _watch(self) -> None:
        """Stay until told to stop, or until a node ends."""
        while not self.is_stopping:
            for node in NODES:
                if self.processes[node].poll() is not None:
                    raise DemoFailed(f"The {node} node ended; {self.folder / f'{node}.log'} says why.")
            time.sleep(0.2)

    def _stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
