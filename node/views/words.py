"""Words: every sentence of the pages, in the reader's language, with plurals and dates.

Sentences stand in `sentences/<language>.toml`, by key. One that counts has two forms, `one` and `other`; the languages
we have need no more. Values are put in as `{name}`. English is complete by definition; a house test holds the others to
it. What members wrote is never translated.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from node.community.members.sessions import Preferences
from node.domain.registers import KNOWN as KNOWN_REGISTERS
from node.domain.registers import Register
from node.domain.specialties import KNOWN

from .markup import Markup, fill, time_tag
from .translated import translate

_WEEK_DAYS, _YEAR_DAYS = 7, 300


@cache
def load_sentences(language: str) -> dict[str, Any]:
    """Return {key: sentence, or {"one": …, "other": …}} of a language."""
    found: dict[str, Any] = {}
    text = files("node.views").joinpath(f"sentences/{language}.toml").read_text("utf-8")
    for section, sentences in tomllib.loads(text).items():
        for key, sentence in sentences.items():
            found[f"{section}.{key}"] = sentence
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """What templates say, to one reader.

    now: the moment of the page, for "Saturday, 06:40".
    """

    preferences: Preferences
    now: datetime

    def __call__(self, key: str, n: int | None = None, **values: Any) -> Markup:
        """Return a sentence; values are escaped, unless they are markup already.

        Raises:
            KeyError: There is no such sentence.
        """
        if n is None and not values:
            return _plain(self.preferences.language, key)
        sentence = load_sentences(self.preferences.language)[key]
        if n is not None:
            sentence = sentence["one" if n == 1 else "other"]
            values["n"] = n
        return fill(sentence, values)

    def moment(self, instant: datetime) -> Markup:
        """Return an instant as a `<time>`: "Saturday, 06:40" within a week, "12 October" within a year."""
        return _moment(self.of_today(), instant)

    def show_moment(self, instant: datetime) -> Markup:
        """As `moment`, made anew."""
        local = instant.astimezone(self._zone)
        title = f"{self._long(local)}, {_time(local)} ({self.preferences.time_zone})"
        shown, inside = self._short(local), self._short(local, "dates.today_inside")
        return time_tag(instant.isoformat(timespec="seconds"), title, shown, inside)

    def of_today(self) -> Words:
        """Return the same words at noon of the reader's day: what is made with them can be kept until midnight."""
        return _at_noon(self.preferences, self.now.replace(minute=self.now.minute // 15 * 15, second=0, microsecond=0))

    def day(self, instant: datetime) -> str:
        """Return a day: "Wednesday 14 October"."""
        local = instant.astimezone(self._zone)
        if self.preferences.date_style == "iso":
            return local.date().isoformat()
        return f"{self._name('weekday', local.isoweekday())} {self._day_and_month(local)}"

    def due(self, instant: datetime) -> Markup:
        """Return an instant to come as a `<time>`: "Wednesday 14 October, 06:40"."""
        local = instant.astimezone(self._zone)
        separator = " " if self.preferences.date_style == "iso" else ", "
        shown = f"{self.day(instant)}{separator}{_time(local)}"
        return time_tag(instant.isoformat(timespec="seconds"), self.stamp(instant), shown, shown)

    def stamp(self, instant: datetime) -> str:
        """Return an instant for paper: "Wednesday 14 October 2026, 06:40 (Europe/Berlin)"."""
        local = instant.astimezone(self._zone)
        year = "" if self.preferences.date_style == "iso" else f" {local.year}"
        return f"{self.day(instant)}{year}, {_time(local)} ({self.preferences.time_zone})"

    def month(self, text: str) -> str:
        """Return a month such as "2026-12" in words; anything else as it is."""
        year, _, number = text.partition("-")
        if self.preferences.date_style == "iso" or not number.isdecimal() or not 1 <= int(number) <= 12:
            return text
        return f"{self._name('month', int(number))} {year}"

    def said(self, text: str) -> str:
        """Return what a service said, in the reader's language."""
        return translate(self.preferences.language, text)

    def specialty(self, value: str) -> str:
        """Return what somebody practises, in the reader's language where we know its name; else their own words."""
        return str(self(f"specialty.{value}")) if value in KNOWN else value

    def form_of(self, register: Register) -> str:
        """Return how a number of a register is written; the operator's own pattern where it is their register."""
        return str(self(f"registers.form_{register.name}")) if register in KNOWN_REGISTERS else register.form

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.preferences.time_zone)

    def _short(self, local: datetime, today: str = "dates.today") -> str:
        if self.preferences.date_style == "iso":
            return f"{local.date().isoformat()} {_time(local)}"
        days = (self.now.astimezone(self._zone).date() - local.date()).days
        if days == 0:
            return str(self(today, time=_time(local)))
        if 0 < days < _WEEK_DAYS:
            return f"{self._name('weekday', local.isoweekday())}, {_time(local)}"
        if abs(days) < _YEAR_DAYS:
            return self._day_and_month(local)
        return self._long(local)

    def _long(self, local: datetime) -> str:
        return f"{self._day_and_month(local)} {local.year}"

    def _day_and_month(self, local: datetime) -> str:
        return str(self("dates.day_and_month", day=local.day, month=self._name("month", local.month)))

    def _name(self, kind: str, number: int) -> str:
        return str(load_sentences(self.preferences.language)[f"dates.{kind}_{number}"])


def _time(local: datetime) -> str:
    return f"{local.hour:02}:{local.minute:02}"


@cache
def _plain(language: str, key: str) -> Markup:
    """Return a sentence without gaps."""
    return fill(load_sentences(language)[key], {})


@lru_cache(maxsize=4096)
def _moment(words: Words, instant: datetime) -> Markup:
    """Return a moment as it is shown on this day: a thread shows forty, and many readers the same ones."""
    return words.show_moment(instant)


@lru_cache(maxsize=256)
def _at_noon(preferences: Preferences, now: datetime) -> Words:
    """Return words at noon; days begin at a quarter of an hour everywhere, so that four times an hour is often enough."""
    local = now.astimezone(ZoneInfo(preferences.time_zone))
    return Words(preferences, local.replace(hour=12, minute=0, second=0, microsecond=0))
