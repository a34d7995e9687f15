"""A reader of square codes, as a camera has one: from the dark places of a picture to the text. Versions 1 to 6, bytes.

It corrects no errors, for nothing smears our pictures. Spec: ISO/IEC 18004.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_QUIET = 4
# The data codewords of each block, by version and level.
_BLOCKS = {
    (1, "L"): (19,), (1, "M"): (16,), (1, "Q"): (13,), (1, "H"): (9,),
    (2, "L"): (34,), (2, "M"): (28,), (2, "Q"): (22,), (2, "H"): (16,),
    (3, "L"): (55,), (3, "M"): (44,), (3, "Q"): (17, 17), (3, "H"): (13, 13),
    (4, "L"): (80,), (4, "M"): (32, 32), (4, "Q"): (24, 24), (4, "H"): (9, 9, 9, 9),
    (5, "L"): (108,), (5, "M"): (43, 43), (5, "Q"): (15, 15, 16, 16), (5, "H"): (11, 11, 12, 12),
    (6, "L"): (68, 68), (6, "M"): (27, 27, 27, 27), (6, "Q"): (19, 19, 19, 19), (6, "H"): (15, 15, 15, 15),
}  # fmt: skip
_LEVELS = {0b01: "L", 0b00: "M", 0b11: "Q", 0b10: "H"}
_MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)


def read_square(page: str) -> str:
    """Return the text of the square that a page of ours shows, from the page's markup."""
    wide = re.search(r'class="qr" viewBox="0 0 (\d+) ', page)
    assert wide is not None
    size = int(wide[1]) - 2 * _QUIET
    places = re.findall(r"M(\d+) (\d+)h1v1h-1z", page)
    return _read({(int(y) - _QUIET, int(x) - _QUIET) for x, y in places}, size)


def _read(dark: set[tuple[int, int]], size: int) -> str:
    version = (size - 17) // 4
    corner = [*((8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)), *((y, 8) for y in (7, 5, 4, 3, 2, 1, 0))]
    told = int("".join("01"[place in dark] for place in corner), 2) ^ 0x5412
    level, mask = _LEVELS[told >> 13], _MASKS[told >> 10 & 7]
    bits = "".join("01"[((y, x) in dark) != mask(y, x)] for y, x in _walk(size, version))
    words = [int(bits[place : place + 8], 2) for place in range(0, len(bits) - 7, 8)]
    data = _sort(words, _BLOCKS[version, level])
    text = "".join(f"{word:08b}" for word in data)
    assert text[:4] == "0100", "not written as bytes"
    length = int(text[4:12], 2)
    return bytes(int(text[place : place + 8], 2) for place in range(12, 12 + 8 * length, 8)).decode()


def _walk(size: int, version: int) -> Iterator[tuple[int, int]]:
    """Give the places of the data, in their order: two columns at a time, up and down, from the right."""
    is_up = True
    for right in (x for x in range(size - 1, 0, -2)):
        column = right if right > 6 else right - 1
        for y in range(size - 1, -1, -1) if is_up else range(size):
            yield from ((y, x) for x in (column, column - 1) if not _is_pattern(y, x, size, version))
        is_up = not is_up


def _is_pattern(y: int, x: int, size: int, version: int) -> bool:
    """Whether a place helps the camera, and says nothing."""
    in_corner = (y < 9 and (x < 9 or x >= size - 8)) or (y >= size - 8 and x < 9)
    near = size - 7
    in_mark = version > 1 and abs(y - near) <= 2 and abs(x - near) <= 2
    return in_corner or in_mark or y == 6 or x == 6


def _sort(words: list[int], lengths: tuple[int, ...]) -> list[int]:
    """Return the codewords of all blocks one after the other; they are written by turns."""
    blocks: list[list[int]] = [[] for _ in lengths]
    rest = iter(words)
    for turn in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if turn < length:
                block.append(next(rest))
    return [word for block in blocks for word in block]
