"""A short text as a square code that a camera reads: a fingerprint when two operators meet, a link when colleagues do."""

from __future__ import annotations

import segno

from .markup import Markup, code

_QUIET = 4  # as wide as the standard wants the white border


def draw_code(digits: str, label: str) -> Markup:
    """Return a code as an SVG element.

    Args:
        digits: What it says: hex, which is written in capitals because they need less room.
        label: What people are told it is.
    """
    return _draw(digits.upper(), label)


def draw_link(address: str, label: str) -> Markup:
    """Return an address, as it is, as an SVG element. label: what people are told it is."""
    return _draw(address, label)


def _draw(text: str, label: str) -> Markup:
    matrix = segno.make(text, error="m", micro=False).matrix
    dark = [(x + _QUIET, y + _QUIET) for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark]
    return code(dark, len(matrix) + 2 * _QUIET, label)
