"""The configuration: `rounds.toml` in the data directory, then `ROUNDS_…` variables, checked once.

Every setting is a field here, stands in `deploy/rounds.example.toml` with its default, and in
`docs/reference/configuration.md`; a test fails until all three agree. A variable is named after the path of its
setting: `ROUNDS_BASE_URL`, `ROUNDS_FEDERATION__CA_FILE`.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from .errors import ConfigError

CONFIG_NAME = "rounds.toml"
_PREFIX = "ROUNDS_"
_MEDIA = re.compile(r"file:(/.+)?|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[\w./-]*)?")
_NOT_SETTINGS = {"ROUNDS_DATA"}
_OWN_PORTS = {"https": 443, "http": 80}
_LONGEST_DAYS = {"a2_days": 30, "a3_days": 365, "a4_days": 365}
_VOUCH_LEVELS = ("A2", "A3", "A4")
_INVITERS = ("verified", "operators")
_RESERVE_BYTES, _TEST_RESERVE_BYTES = 256 * 2**20, 64 * 2**10
_LOG_LEVELS = ("debug", "info", "warning", "error")


class Federation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How this node talks to others.

    insecure_loopback: permit http and ports for named peers on loopback. For tests only.
    ca_file: a PEM file of certificate authorities to trust besides the system's; empty for none.
    fetch_timeout_seconds: total time for one document from a peer.
    deliver_timeout_seconds: total time for one delivery.
    """

    insecure_loopback: bool = False
    ca_file: str = ""
    fetch_timeout_seconds: int = 5
    deliver_timeout_seconds: int = 20


class Limits(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much is taken at once.

    inbox_bytes: the largest activity.
    upload_bytes: the largest file of a member.
    image_pixels: the largest picture, width times height.
    in_flight_per_peer: requests of one peer handled at the same time; more wait, then get 429.
    deliveries: requests to other nodes at the same time.
    app_calls: calls of one app, or from one address without a token, within five minutes; more get 429.
    """

    inbox_bytes: int = 1_048_576
    upload_bytes: int = 10_485_760
    image_pixels: int = 40_000_000
    in_flight_per_peer: int = 64
    deliveries: int = 64
    app_calls: int = 1500


class DiskSetting(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What this node does about the room on its disk.

    reserve_bytes: the size of the file `reserve`, given up when the disk is full; 0 for 256 MB, next to nothing on a test node.
    media_bytes: how much pictures of other nodes may take; the longest unused go first, and are fetched again when wanted.
    media_days: after how many days unused a picture of another node goes.
    """

    reserve_bytes: int = 0
    media_bytes: int = 5_000_000_000
    media_days: int = 30


class Retention(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long things stay that are not part of a group's history.

    audit_days: entries of the audit log.
    evidence_days: the number and words of an application to be verified, after its decision.
    """

    audit_days: int = 2190
    evidence_days: int = 30


class Keys(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How keys of this node change.

    overlap_hours: how long a new key is published before it signs, unless every node that was told of it has taken the word.
    keep_days: how long an old one is taken beside it after that.
    """

    overlap_hours: int = 24
    keep_days: int = 7


class Peers(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How this node decides about other nodes.

    officers: how many operators must confirm a node's key before it federates: 1, or 2 different ones.
    """

    officers: int = 1


class Verification(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long a verification stands before it is looked at again, and how long applicants wait.

    a2_days: at level A2, found in the register alone; 30 at most.
    a3_days: at level A3; 365 at most.
    a4_days: at level A4; 365 at most.
    expected_days: within how many days an application is usually decided, told to whoever applies.
    specialties: what applicants choose from, with commas between; names of specialties the pages translate, or your own words.
    vouch_level: the least level of who vouches for a colleague they met: A2, A3 or A4.
    """

    a2_days: int = 30
    a3_days: int = 365
    a4_days: int = 365
    expected_days: int = 3
    specialties: str = (
        "general, internal, surgery, anaesthesia, emergency, paediatrics, gynaecology, psychiatry, neurology, radiology, "
        "pathology, public_health"
    )
    vouch_level: str = "A3"


class Members(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who may invite colleagues to this node.

    invitations: verified, so that every verified member may, or operators, so that only they may.
    open_invitations: how many invitations of one member may be open at the same time.
    """

    invitations: str = "verified"
    open_invitations: int = 3


class Backup(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Backups that the node makes by itself, sealed to its recovery code.

    folder: where they go, a full path; better on another disk. Empty for none.
    every: hours between two of them; 0 for no schedule.
    keep: how many stay; older ones are deleted.
    """

    folder: str = ""
    every: int = 0
    keep: int = 14


class RegisterSetting(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A register of physicians besides those that every node knows; NAME is what it is called in applications.

    pattern: how a number is written: 9 for a digit, A for a letter, * for either, | between alternatives.
    look_up: the https page where a verifier searches it.
    jurisdiction: the country or part of one as ISO 3166 writes it, such as DE-BY.
    """

    pattern: str
    look_up: str = ""
    jurisdiction: str = ""


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Everything an operator can set.

    base_url: the address members and peers use, such as https://rounds.example.org
    name: what the node is called on its pages.
    database: `sqlite:` for the file in the data directory, or postgresql://user:password@host/database
    media: `file:` for the folder in the data directory, file:/path for another one, s3://bucket/prefix for a bucket.
    mail: the address of a mail server; empty for none.
    log_level: what is logged, from this level upwards: debug, info, warning or error.
    operator: who answers for this node, told to whoever asks what it is; empty for nobody named.
    contact: how other operators reach them, a telephone number or an address, told likewise; empty for none.
    """

    base_url: str
    name: str = "Rounds"
    database: str = "sqlite:"
    media: str = "file:"
    mail: str = ""
    log_level: str = "info"
    operator: str = ""
    contact: str = ""
    federation: Federation = Federation()
    limits: Limits = Limits()
    disk: DiskSetting = DiskSetting()
    retention: Retention = Retention()
    keys: Keys = Keys()
    peers: Peers = Peers()
    verification: Verification = Verification()
    members: Members = Members()
    backup: Backup = Backup()
    registers: dict[str, RegisterSetting] = {}

    @property
    def host(self) -> str:
        """The host of `base_url`, with its port when that is not the scheme's own."""
        return urlsplit(self.base_url).netloc

    @property
    def reserve_bytes(self) -> int:
        """The size of the reserve on the disk."""
        return self.disk.reserve_bytes or (_TEST_RESERVE_BYTES if self.is_test_node else _RESERVE_BYTES)

    @property
    def is_test_node(self) -> bool:
        """Whether pages must say that this is a test node."""
        return self.federation.insecure_loopback


def load_config(data: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of a data directory.

    Args:
        data: The data directory; it must hold `rounds.toml`.
        environment: Variables that go before the file; the process's own when None.

    Raises:
        ConfigError: The file is absent, or a setting is unknown or wrong; all problems are listed.
    """
    path = data / CONFIG_NAME
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"There is no node in {data}. Run `rounds --data {data} init` first.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    _add_environment(written, os.environ if environment is None else environment)
    return build_config(written)


def build_config(written: dict[str, Any]) -> Config:
    """Return a checked configuration from plain values.

    Raises:
        ConfigError: Listing every problem.
    """
    try:
        config = msgspec.convert(written, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"A setting is wrong: {error}.") from None
    problems = check_config(config)
    if problems:
        raise ConfigError(*problems)
    return config


def check_config(config: Config) -> list[str]:
    """Return a sentence for each thing that is wrong with the configuration; none when it can be used."""
    problems = _check_base_url(config)
    if not config.name.strip():
        problems.append("name must not be empty.")
    if config.database != "sqlite:" and not config.database.startswith("postgresql://"):
        problems.append("database must be `sqlite:` or begin with postgresql://")
    if _MEDIA.fullmatch(config.media) is None:
        problems.append("media must be `file:`, `file:` with a full path behind it, or `s3://bucket/prefix`.")
    if config.log_level not in _LOG_LEVELS:
        problems.append(f"log_level must be one of {', '.join(_LOG_LEVELS)}.")
    for table in ("federation", "limits", "retention", "keys", "verification", "members"):
        for name, value in msgspec.structs.asdict(getattr(config, table)).items():
            if type(value) is int and value < 1:
                problems.append(f"{table}.{name} must be at least 1.")
    if config.disk.reserve_bytes < 0 or min(config.disk.media_bytes, config.disk.media_days) < 1:
        problems.append("disk.reserve_bytes must be at least 0, disk.media_bytes and disk.media_days at least 1.")
    return problems + _check_people(config) + _check_backup(config.backup)


def is_loopback(host: str) -> bool:
    """Return whether a host name stands for loopback addresses only."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(address.split("%")[0]).is_loopback for address in found)


def describe_config(config: Config) -> dict[str, Any]:
    """Return the effective configuration with secrets shown as "set"."""
    shown: dict[str, Any] = msgspec.to_builtins(config)
    if config.database.startswith("postgresql://"):  # the password may stand before the @ or behind the ?
        shown["database"] = "set"
    if config.mail:
        shown["mail"] = "set"
    return shown


def _check_backup(backup: Backup) -> list[str]:
    """Return what is wrong with the schedule of backups."""
    problems = []
    if backup.folder and not Path(backup.folder).is_absolute():
        problems.append("backup.folder must be a full path.")
    if backup.every < 0 or (backup.every and not backup.folder):
        problems.append("backup.every is a number of hours, and needs backup.folder.")
    if backup.keep < 1:
        problems.append("backup.keep must be at least 1.")
    return problems


def _check_people(config: Config) -> list[str]:
    """Return what is wrong with the settings that say who decides, and for how long."""
    problems = []
    if config.peers.officers not in (1, 2):
        problems.append("peers.officers must be 1 or 2.")
    for name, longest in _LONGEST_DAYS.items():
        if getattr(config.verification, name) > longest:
            problems.append(f"verification.{name} must be at most {longest}.")
    if config.verification.vouch_level not in _VOUCH_LEVELS:
        problems.append(f"verification.vouch_level must be one of {', '.join(_VOUCH_LEVELS)}.")
    if config.members.invitations not in _INVITERS:
        problems.append(f"members.invitations must be one of {', '.join(_INVITERS)}.")
    return problems


def _check_base_url(config: Config) -> list[str]:
    plain, insecure = _plain_origin(config.base_url), config.federation.insecure_loopback
    if plain is None:
        return [f"base_url must be an address such as https://rounds.example.org, not {config.base_url!r}."]
    if plain != config.base_url:
        return [f"base_url must be written as {plain}, for it is part of every id."]
    is_http = plain.startswith("http:")
    if is_http and not insecure:
        return ["base_url must be https, unless federation.insecure_loopback is set for a test node."]
    if not insecure or is_loopback(urlsplit(plain).hostname or ""):
        return []
    if is_http:
        return ["An http base_url must be an address on loopback, such as http://localhost:9001."]
    return ["federation.insecure_loopback is for test nodes and cannot be used with a public base_url."]


def _plain_origin(address: str) -> str | None:
    """Return scheme, host and a port that is not the scheme's own; None when there is more to the address, or less."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in _OWN_PORTS or not host or not host.isascii() or "@" in parts.netloc:
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return None
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}" + ("" if port in (None, _OWN_PORTS[parts.scheme]) else f":{port}")


def _add_environment(written: dict[str, Any], environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if not name.startswith(_PREFIX) or name in _NOT_SETTINGS or name.startswith("ROUNDS_TEST_"):
            continue
        place = written
        *path, last = name[len(_PREFIX) :].lower().split("__")
        for step in path:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{name} cannot be used: {step} is a single setting.")
        place[last] = value
