"""The ids that apps see. Stored on phones and in links: what a number means here may never change.

An account's id is its number. A post has two ids, because apps keep what they read under its id: the post itself is
twice its number, and the group's sharing of it, which is what stands in home, is one more. Both kinds grow with time, so
apps can sort them. A group's list is `g` and the group's number.
"""

from __future__ import annotations

_DIGITS_LIMIT = 19
_NUMBER_LIMIT = 2**63


def status_id(post_id: int) -> str:
    """Return the id of a post.

    >>> status_id(21), shared_id(21), parse_status_id("42"), parse_status_id("43")
    ('42', '43', 21, 21)
    """
    return str(post_id << 1)


def shared_id(post_id: int) -> str:
    """Return the id of a group's sharing of a post."""
    return str(post_id << 1 | 1)


def parse_status_id(text: str) -> int | None:
    """Return the number of the post that an id of either kind means, or None when it can be none."""
    number = parse_number(text)
    return None if number is None else number >> 1


def is_shared_id(text: str) -> bool:
    """Return whether an id is that of a group's sharing."""
    number = parse_number(text)
    return number is not None and number & 1 == 1


def list_id(group_id: int) -> str:
    """Return the id of a group's list."""
    return f"g{group_id}"


def parse_list_id(text: str) -> int | None:
    """Return the number of the group whose list an id means, or None when it can be none."""
    return parse_number(text[1:]) if text.startswith("g") else None


def parse_number(text: str) -> int | None:
    """Return a positive number that the store can hold, or None."""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_LIMIT):
        return None
    number = int(text)
    return number if 0 < number < _NUMBER_LIMIT else None
