"""A page taken apart: what it says, and its forms with every field as a browser would send it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_VOID = {"input", "br", "hr", "img", "link", "meta", "use", "path", "circle", "rect"}
_UNSAID = {"head", "script", "style", "symbol", "option"}
_BUTTONS = ("submit", "image", "")


@dataclass(slots=True)
class Form:
    """A form of a page.

    pairs: (name, value) of each field as the page filled it, in order. files: names of file fields.
    others: names and values that are there and not chosen: boxes without a tick, further buttons.
    button: the first button's pair, which Enter presses.
    """

    id: str
    action: str
    method: str
    is_multipart: bool
    pairs: list[tuple[str, str]] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    button: tuple[str, str] | None = None

    @property
    def path(self) -> str:
        """Where it goes, without the place in the page."""
        return self.action.partition("#")[0]

    def has(self, *names: str) -> bool:
        """Return whether all of these fields or buttons are there."""
        return set(names) <= {name for name, _ in (*self.pairs, *self.others)} | set(self.files)

    def filled(self, given: dict[str, Any]) -> list[tuple[str, Any]]:
        """Return the pairs to send: as the page filled them, but for what is given; the first button unless another is."""
        pairs: list[tuple[str, Any]] = [pair for pair in self.pairs if pair[0] not in given]
        for name, value in given.items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, each) for each in values if each is not None]
        if self.button is not None and self.button[0] and self.button[0] not in given:
            pairs.append(self.button)
        return pairs


class Page(HTMLParser):
    """A page.

    forms: in order. links: every `href`. ids: every id. alerts: what elements with `role="alert"` say.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.alerts: list[str] = []
        self.title = ""
        self._said: list[str] = []
        self._open: list[str] = []
        self._alert_at: int | None = None
        self._form: Form | None = None
        self._area: tuple[str, list[str]] | None = None
        self._choice: tuple[str, list[tuple[str, bool]]] | None = None
        self._option: list[str] | None = None
        self.feed(text)
        self.close()

    @property
    def words(self) -> str:
        """What the page says, with single spaces; without what stands in fields."""
        return re.sub(r" ([.,;:!?])(?= |$)", r"\1", " ".join(" ".join(self._said).split()))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where we are, and what it is."""
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if "href" in given and tag == "a":
            self.links.append(given["href"])
        if tag not in _VOID:
            self._open.append(tag)
        if given.get("role") == "alert":
            self._alert_at = len(self._open)
            self.alerts.append("")
        if tag == "form":
            method = given.get("method", "get").lower()
            is_multipart = given.get("enctype") == "multipart/form-data"
            self._form = Form(given.get("id", ""), given.get("action", ""), method, is_multipart)
            self.forms.append(self._form)
        elif tag == "button" and "form" in given:  # it stands elsewhere, and is pressed by its name alone
            pair = (given.get("name", ""), given.get("value", ""))
            for form in (each for each in self.forms if each.id == given["form"]):
                form.others.append(pair)
        elif self._form is not None and "disabled" not in given:
            self._note_field(self._form, tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take `<path/>` for what it is: nothing inside."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note what ends here."""
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        if self._alert_at is not None and len(self._open) < self._alert_at:
            self._alert_at = None
        if self._form is None:
            return
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._area is not None:
            text = "".join(self._area[1])
            self._form.pairs.append((self._area[0], text.removeprefix("\n")))
            self._area = None
        elif tag == "option" and self._option is not None and self._choice is not None:
            _, is_chosen = self._choice[1][-1]
            self._choice[1][-1] = ("".join(self._option).strip(), is_chosen)
            self._option = None
        elif tag == "select" and self._choice is not None:
            name, options = self._choice
            chosen = [value for value, is_chosen in options if is_chosen] or [value for value, _ in options[:1]]
            self._form.pairs += [(name, value) for value in chosen[:1]]
            self._choice = None

    def handle_data(self, data: str) -> None:
        """Keep what is said."""
        if self._area is not None:
            self._area[1].append(data)
        elif self._option is not None:
            self._option.append(data)
        elif "title" in self._open and "head" in self._open:
            self.title += data
        elif not _UNSAID & set(self._open):
            self._said.append(data)
            if self._alert_at is not None:
                self.alerts[-1] = " ".join(f"{self.alerts[-1]} {data}".split())

    def _note_field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "").lower()
        if tag == "textarea":
            self._area = (name, [])
        elif tag == "select":
            self._choice = (name, [])
        elif tag == "option" and self._choice is not None:
            self._choice[1].append((given.get("value", ""), "selected" in given))
            self._option = None if "value" in given else []  # an empty value is one, too
        elif (tag == "button" and kind in _BUTTONS) or (tag == "input" and kind in ("submit", "image")):
            if form.button is None:
                form.button = (name, given.get("value", ""))
            form.others.append((name, given.get("value", "")))
        elif tag == "input" and kind == "file":
            form.files.append(name)
        elif tag == "input" and kind in ("checkbox", "radio"):
            pair = (name, given.get("value", "on"))
            (form.pairs if "checked" in given else form.others).append(pair)
        elif tag == "input" and name and kind not in ("button", "reset"):
            form.pairs.append((name, given.get("value", "")))
