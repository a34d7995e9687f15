"""Hashtags: found in what people wrote, and compared. `text.link_tags` makes links of them."""

from __future__ import annotations

import re

TAGS_LIMIT = 30
TAG = re.compile(r"(?<![\w/#&?=.@-])#(\w{1,100})")


def find_tags(text: str) -> list[str]:
    """Return the tags in a plain text as they are written, each once, in their order, at most thirty.

    A number alone is none.

    >>> find_tags("Rota: #NightShift, #nightshift and #7; see https://a.example/#top")
    ['NightShift']
    """
    found: dict[str, str] = {}
    for match in TAG.finditer(text):
        if not match[1].isdecimal():
            found.setdefault(fold_tag(match[1]), match[1])
        if len(found) == TAGS_LIMIT:
            break
    return list(found.values())


def fold_tag(tag: str) -> str:
    """Return a tag in the form in which two are compared.

    >>> fold_tag("#NightShift")
    'nightshift'
    """
    return tag.removeprefix("#").casefold()
