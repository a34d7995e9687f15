"""What a long command says on stderr while it works: one line that changes on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

_CLEAR = "\r\x1b[K"


class Progress:
    """Says how far something is; as a context manager it leaves a clean line behind."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._last = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def say(self, sentence: str) -> None:
        """Say a sentence; numbers after its colon are news on a terminal alone."""
        step = sentence.partition(":")[0]
        if self._is_terminal:
            sys.stderr.write(f"{_CLEAR}{sentence}")
            sys.stderr.flush()
        elif step != self._last:
            print(sentence, file=sys.stderr, flush=True)
        self._last = step
