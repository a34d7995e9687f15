"""The configuration: one file, then variables; every mistake is named, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node.foundation.config import Config, Federation, build_config, describe_config, is_loopback, load_config
from node.foundation.errors import ConfigError

_BASE = {"base_url": "https://rounds.example.org"}


def _problems(**written: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        build_config({**_BASE, **written})
    return " ".join(caught.value.problems)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "rounds.toml").write_text('base_url = "https://rounds.example.org"\nname = "Society"\n')
    return tmp_path


def test_the_file_is_read_and_the_rest_has_its_default(data: Path) -> None:
    config = load_config(data, {})

    assert config == Config(base_url="https://rounds.example.org", name="Society")
    assert (config.database, config.limits.inbox_bytes) == ("sqlite:", 1_048_576)


def test_variables_go_before_the_file(data: Path) -> None:
    environment = {"ROUNDS_NAME": "Hospital", "ROUNDS_LIMITS__DELIVERIES": "8", "ROUNDS_FEDERATION__CA_FILE": "/ca.pem"}

    config = load_config(data, environment)

    assert (config.name, config.limits.deliveries, config.federation.ca_file) == ("Hospital", 8, "/ca.pem")


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_a_switch_in_a_variable_may_be_written_as_a_word_or_a_number(tmp_path: Path, text: str, value: bool) -> None:
    (tmp_path / "rounds.toml").write_text('base_url = "https://localhost:9001"\n')

    config = load_config(tmp_path, {"ROUNDS_FEDERATION__INSECURE_LOOPBACK": text})

    assert config.federation.insecure_loopback is value


def test_variables_of_others_of_tests_and_of_the_command_are_no_settings(data: Path) -> None:
    environment = {"PATH": "/bin", "ROUNDS_DATA": "/data", "ROUNDS_TEST_ALLOW_SKIP": "1", "rounds_name": "x"}

    assert load_config(data, environment).name == "Society"


def test_a_variable_that_is_no_setting_is_named(data: Path) -> None:
    with pytest.raises(ConfigError, match="nmae"):
        load_config(data, {"ROUNDS_NMAE": "x"})


@pytest.mark.parametrize("name", ["ROUNDS_NAME__FIRST", "ROUNDS_BASE_URL__HOST"])
def test_a_variable_inside_a_single_setting_is_named(data: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load_config(data, {name: "x"})


def test_a_directory_without_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="init"):
        load_config(tmp_path, {})


@pytest.mark.parametrize("content", [b"base_url = ", b"\xff\xfe", b"[federation\n", b"a = 1\na = 2\n"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rounds.toml").write_bytes(content)

    with pytest.raises(ConfigError, match=r"rounds\.toml cannot be read"):
        load_config(tmp_path, {})


@pytest.mark.parametrize(
    "written",
    [
        {"nmae": "x"}, {"federation": {"insecure": True}}, {"limits": {"inbox_bytes": "many"}}, {"name": 3.5},
        {"federation": []}, {"limits": {"deliveries": 1.5}},
    ],
)  # fmt: skip
def test_a_setting_that_is_unknown_or_of_the_wrong_type_is_refused(written: dict[str, Any]) -> None:
    assert "A setting is wrong" in _problems(**written)


def test_without_an_address_there_is_no_node() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        build_config({"name": "Society"})


@pytest.mark.parametrize(
    "base_url",
    [
        "", "rounds.example.org", "ftp://rounds.example.org", "https://", "https://rounds.example.org/path",
        "https://rounds.example.org?x=1", "https://rounds.example.org#x", "https://me@rounds.example.org",
        "https://me:secret@rounds.example.org", "https://rounds.example.org:99999", "https://rounds.example.org:x",
        "https://[", "https://\u00e4rzte.example", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_an_address_that_is_not_a_plain_origin_is_refused(base_url: str) -> None:
    assert "base_url must be an address such as" in _problems(base_url=base_url)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://rounds.example.org/", "https://Rounds.example.org", "HTTPS://rounds.example.org",
        "https://rounds.example.org:443", "https://rounds.example.org?", " https://rounds.example.org",
    ],
)  # fmt: skip
def test_an_address_that_could_be_written_in_two_ways_is_refused_with_the_right_one(base_url: str) -> None:
    assert "must be written as https://rounds.example.org," in _problems(base_url=base_url)


@pytest.mark.parametrize(
    ("base_url", "insecure", "problem"),
    [
        ("https://rounds.example.org", False, ""),
        ("https://rounds.example.org:8443", False, ""),
        ("https://192.0.2.1", False, ""),
        ("http://localhost:9001", True, ""),
        ("http://127.0.0.1:9001", True, ""),
        ("https://localhost:9001", True, ""),
        ("http://localhost:9001", False, "must be https"),
        ("http://192.0.2.1", True, "must be an address on loopback"),
        ("https://192.0.2.1", True, "cannot be used with a public base_url"),
    ],
)
def test_plain_http_is_for_test_nodes_on_loopback_alone(base_url: str, insecure: bool, problem: str) -> None:
    federation = {"insecure_loopback": insecure}

    if problem:
        assert problem in _problems(base_url=base_url, federation=federation)
    else:
        assert build_config({"base_url": base_url, "federation": federation}).is_test_node is insecure


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ({"database": "mysql://x"}, "database must be"),
        ({"database": "sqlite:/somewhere/else"}, "database must be"),
        ({"media": "ftp://bucket"}, "media must be"),
        ({"log_level": "loud"}, "log_level must be one of"),
        ({"name": "  "}, "name must not be empty"),
        ({"limits": {"deliveries": 0}}, "limits.deliveries must be at least 1"),
        ({"federation": {"deliver_timeout_seconds": -1}}, "federation.deliver_timeout_seconds must be at least 1"),
        ({"retention": {"audit_days": 0}}, "retention.audit_days must be at least 1"),
    ],
)
def test_a_value_that_cannot_work_is_refused(written: dict[str, Any], problem: str) -> None:
    assert problem in _problems(**written)


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        build_config({"base_url": "x", "database": "x", "media": "x", "log_level": "x"})

    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("base_url", "host"),
    [("https://rounds.example.org", "rounds.example.org"), ("http://localhost:9001", "localhost:9001")],
)
def test_the_host_is_that_of_the_address_with_its_port(base_url: str, host: str) -> None:
    assert Config(base_url=base_url, federation=Federation(insecure_loopback=True)).host == host


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("192.0.2.1", False),
        ("0.0.0.0", False),
    ],
)
def test_loopback_is_what_leads_nowhere_else(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


@pytest.mark.parametrize("host", ["", "a" * 300, "..", "\0"])
def test_a_host_that_cannot_be_looked_up_is_not_loopback(host: str) -> None:
    assert is_loopback(host) is False


@pytest.mark.parametrize(
    "database",
    [
        "postgresql://rounds:secret@db/rounds",
        "postgresql:///rounds?user=rounds&password=secret",
        "postgresql://db/rounds",
    ],
)
def test_secrets_are_shown_as_set(database: str) -> None:
    config = Config(base_url="https://rounds.example.org", database=database, mail="smtp://me:secret@mail.example")

    shown = describe_config(config)

    assert (shown["database"], shown["mail"]) == ("set", "set")
    assert "secret" not in str(shown)


def test_what_is_no_secret_is_shown_as_it_is_with_every_setting() -> None:
    shown = describe_config(Config(base_url="https://rounds.example.org"))

    assert (shown["database"], shown["mail"], shown["limits"]["deliveries"]) == ("sqlite:", "", 64)
    assert set(shown) == set(Config.__struct_fields__)
