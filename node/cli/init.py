"""`rounds init`: make a data directory: configuration, keys, database, and the first operator or a set-up link."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

from node.community.house import House, close_core, open_core
from node.community.members.service import NewMember, add_member, check_new_member
from node.community.members.setup import make_setup_link
from node.community.operating.recovery import new_recovery_code
from node.foundation.config import CONFIG_NAME, build_config
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import configure_logs
from node.store.core import Core
from node.store.reserve import Reserve

from .context import DONE, REFUSED, USAGE
from .key import describe_fingerprint
from .lock import DataLock


def words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `init`."""
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--database", default="sqlite:", help="sqlite: or postgresql://…")
    parser.add_argument("--insecure-loopback", action="store_true", help="a test node: http and ports on loopback")
    parser.add_argument("--operator", metavar="HANDLE")
    parser.add_argument("--operator-name", metavar="NAME", help="as colleagues know them; the handle without it")
    parser.add_argument("--password-stdin", action="store_true")
    parser.add_argument("--recovery-file", type=Path)
    parser.add_argument("--json", action="store_true")


async def init(data: Path, args: argparse.Namespace) -> int:
    """Make the data directory; refuses to touch one that is there."""
    configure_logs(level="error")
    try:
        return await _init(data, args)
    except ConfigError as error:
        print("\n".join(error.problems), file=sys.stderr)
        return USAGE
    except NodeError as error:
        print(error.safe, file=sys.stderr)
        return REFUSED


async def _init(data: Path, args: argparse.Namespace) -> int:
    if (data / CONFIG_NAME).exists():
        raise ConfigError(f"There is a node in {data} already.")
    password = sys.stdin.readline().rstrip("\r\n") if args.password_stdin else None
    if args.operator and not password:
        raise ConfigError("An operator needs a password: give --password-stdin.")
    written = {
        "base_url": args.base_url.rstrip("/"),
        "name": args.name,
        "database": args.database,
        "federation": {"insecure_loopback": args.insecure_loopback},
    }
    build_config(written)
    operator = None
    if args.operator:
        operator = NewMember(args.operator, args.operator_name or args.operator, "guest", "A0", "operator", password)
        check_new_member(operator)
    _make_directory(data, written)
    recovery = new_recovery_code(data)
    with DataLock(data):
        core = await open_core(data)
        Reserve(data, core.config.reserve_bytes).make()
        try:
            setup_url = await _first_operator(core, operator)
            fingerprint = await describe_fingerprint(core)
        finally:
            await close_core(core)
    shown = {
        "data": str(data),
        "base_url": written["base_url"],
        "fingerprint": fingerprint,
        "setup_url": setup_url,
        "recovery_file": str(args.recovery_file) if args.recovery_file else None,
    }
    if args.recovery_file:
        _write_private(args.recovery_file, recovery + "\n")
    _print(shown, recovery, as_json=args.json, has_file=bool(args.recovery_file))
    return DONE


def _make_directory(data: Path, written: dict[str, object]) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / "keys").mkdir(exist_ok=True, mode=0o700)
    (data / "media").mkdir(exist_ok=True, mode=0o700)
    key = data / "keys" / "node.key"
    if not key.exists():
        descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
    lines = ["# The configuration of this node. docs/reference/configuration.md explains every setting.", ""]
    lines += [f"{name} = {json.dumps(written[name])}" for name in ("base_url", "name", "database")]
    federation = written["federation"]
    assert isinstance(federation, dict)
    lines += ["", "[federation]", f"insecure_loopback = {json.dumps(federation['insecure_loopback'])}", ""]
    _write_private(data / CONFIG_NAME, "\n".join(lines))


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(0o600)


async def _first_operator(core: Core, operator: NewMember | None) -> str | None:
    """Add the operator, or return the one-time address where they set themselves up."""
    house = House(core)
    if operator is not None:
        await add_member(house.core, operator, by="init")
        return None
    return await make_setup_link(core, by="init")


def _print(shown: dict[str, object], recovery: str, *, as_json: bool, has_file: bool) -> None:
    if as_json:
        print(json.dumps(shown))
    else:
        fingerprint = shown["fingerprint"]
        assert isinstance(fingerprint, dict)
        print(f"A node for {shown['base_url']} is in {shown['data']}.")
        print(f"Fingerprint: {' '.join(fingerprint['words'])}")
        if shown["setup_url"]:
            print(f"Set it up within a day at: {shown['setup_url']}")
    if not has_file:
        note = "Recovery code, shown this once; keep it apart from the node:"
        print(f"{note} {recovery}", file=sys.stderr if as_json else sys.stdout)
