"""A short text as a square code that a camera reads: the fingerprint of this node, when two operators meet."""

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
    matrix = segno.make(digits.upper(), error="m", micro=False).matrix
    dark = [(x + _QUIET, y + _QUIET) for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark]
    return code(dark, len(matrix) + 2 * _QUIET, label)
