"""Commands that do not run inside a node: init, serve, demo, migrate, config, doctor, and the help."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from node.foundation.config import describe_config, load_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import configure_logs

from . import init
from .backup import run_backup
from .commands import COMMANDS, Parser, UsageError
from .context import DONE, REFUSED, USAGE
from .demo import Demo
from .doctor import examine
from .migrate import run_migrate
from .restore import run_restore

_SENTENCES = {
    "init": "make a data directory",
    "serve": "run the node",
    "serve --no-work": "answer, and leave the work to workers (PostgreSQL)",
    "worker": "do the node's work and answer nobody (PostgreSQL)",
    "demo": "run two nodes that federate, with members and posts",
    "backup FILE": "write a sealed backup of everything",
    "backup drill": "restore a backup into an isolated folder and look through it",
    "restore FILE": "make a data directory from a backup and the recovery code",
    "migrate": "bring the database to this release's schema",
    "migrate --to ADDRESS": "move the node to PostgreSQL",
    "config show": "print the effective configuration",
    "doctor": "say what is wrong, and what to change",
}


def print_help() -> int:
    """Print every command with its sentence."""
    print("usage: rounds [--data DIR] NOUN VERB …\n")
    for name, sentence in _SENTENCES.items():
        print(f"  {name:18} {sentence}")
    for command in COMMANDS:
        if command.noun == "backup" and command.verb != "list":
            continue  # what `backup FILE` and `backup drill` say to the node
        print(f"  {f'{command.noun} {command.verb}'.strip():18} {command.sentence}")
    return DONE


def run_outside(data: Path, argv: list[str]) -> int:
    """Run one of these commands and return its exit code."""
    noun, rest = argv[0], argv[1:]
    parser = Parser(prog=f"rounds {noun}", description=_SENTENCES.get(noun, ""))
    try:
        return _RUNNERS[noun](data, parser, rest)
    except UsageError as error:
        print(error.safe, file=sys.stdout if error.is_help else sys.stderr)
        return DONE if error.is_help else USAGE
    except KeyboardInterrupt:
        print("Broken off.", file=sys.stderr)
        return REFUSED
    except ConfigError as error:
        print("\n".join(error.problems) or error.safe, file=sys.stderr)
        return USAGE
    except NodeError as error:
        print(error.safe, file=sys.stderr)
        return USAGE if error.code == "schema_too_new" else REFUSED


def _init(data: Path, parser: Parser, rest: list[str]) -> int:
    init.words(parser)
    return asyncio.run(init.init(data, parser.parse_args(rest)))


def _serve(data: Path, parser: Parser, rest: list[str]) -> int:
    parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
    parser.add_argument("--no-work", action="store_true", help="answer only; workers do the rest (PostgreSQL)")
    args = parser.parse_args(rest)
    from .serve import run_serve

    return run_serve(data, args.bind, works=not args.no_work)


def _worker(data: Path, parser: Parser, rest: list[str]) -> int:
    parser.parse_args(rest)
    from .worker import run_worker

    return run_worker(data)


def _config(data: Path, parser: Parser, rest: list[str]) -> int:
    parser.add_argument("verb", choices=["show"])
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(rest).json
    shown = describe_config(load_config(data))
    if as_json:
        print(json.dumps(shown))
    else:
        for name, value in shown.items():
            print(f"{name} = {value}")
    return DONE


def _demo(data: Path, parser: Parser, rest: list[str]) -> int:
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--dir", type=Path, default=Path("./demo"))
    args = parser.parse_args(rest)
    return Demo(args.dir.absolute(), args.port).run()


def _doctor(data: Path, parser: Parser, rest: list[str]) -> int:
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(rest).json
    configure_logs(level="error")
    checks = examine(data)
    ok = not any(check.state == "bad" for check in checks)
    if as_json:
        print(json.dumps({"ok": ok, "checks": [asdict(check) for check in checks]}))
    else:
        for check in checks:
            print(f"{check.state:5} {check.name}: {check.sentence}" + (f"\n      {check.fix}" if check.fix else ""))
    return DONE if ok else REFUSED


_RUNNERS = {
    "init": _init,
    "serve": _serve,
    "worker": _worker,
    "demo": _demo,
    "backup": run_backup,
    "restore": run_restore,
    "migrate": run_migrate,
    "config": _config,
    "doctor": _doctor,
}
