"""What operators read about settings is what the code says."""

from __future__ import annotations

import tomllib

from node.foundation.config import Config, build_config
from tools.configuration_reference import EXAMPLE, REFERENCE, list_tables, render_example, render_reference


def test_the_example_holds_every_setting_with_its_default() -> None:
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))

    assert build_config(written) == Config(base_url="https://rounds.example.org")
    for table in list_tables():
        place = written[table.name] if table.name else written
        assert {setting.name for setting in table.settings} <= set(place)


def test_the_example_is_as_written_from_the_settings() -> None:
    assert EXAMPLE.read_text("utf-8") == render_example(), "run `make reference`"


def test_the_reference_is_as_written_from_the_settings() -> None:
    assert REFERENCE.read_text("utf-8") == render_reference(), "run `make reference`"


def test_every_setting_says_what_it_means() -> None:
    settings = [setting for table in list_tables() for setting in table.settings]

    assert len(settings) > 10
    assert all(len(setting.meaning) > 10 for setting in settings)
