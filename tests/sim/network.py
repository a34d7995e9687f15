"""Messages between nodes: late, twice, in another order, changed on the way, or never. Nobody knows which.

A question has an answer or none. None comes after twenty seconds; the question may have been acted on all the same.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from .clock import Clock
from .papers import Document

if TYPE_CHECKING:
    from .node import Node

TIMEOUT_SECONDS = 20.0
_ODD_ANSWERS = (301, 400, 401, 404, 408, 413, 429, 500, 503)


@dataclass(frozen=True)
class Request:
    """A signed request: who asks is known. header: the `Rounds-Log` that it carries."""

    verb: str
    group: str
    documents: tuple[Document, ...] = ()
    header: str | None = None
    told: Any = None


@dataclass(frozen=True)
class Answer:
    """What comes back."""

    status: int
    documents: tuple[Document, ...] = ()
    header: str | None = None
    told: Any = None
    retry_after_seconds: float | None = None


@dataclass
class Weather:
    """How likely each trouble is for each message."""

    lost: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    changed: float = 0.0
    odd: float = 0.0


STORM = Weather(lost=0.06, twice=0.05, late=0.08, changed=0.02, odd=0.02)
CALM = Weather()


class Network:
    """Carries what nodes ask each other."""

    def __init__(self, clock: Clock, chance: Random, counts: Counter[str]) -> None:
        self._clock = clock
        self._chance = chance
        self._counts = counts
        self.nodes: dict[str, Node] = {}
        self.weather = STORM
        self.cut: set[tuple[str, str]] = set()

    def ask(self, source: str, target: str, request: Request, then: Callable[[Answer | None], None]) -> None:
        """Carry a question, and its answer back to the same life of whoever asked."""
        chance, weather, asker = self._chance, self.weather, self.nodes[source]
        life, is_open = asker.life, [True]

        def finish(answer: Answer | None) -> None:
            if is_open[0] and asker.is_up and asker.life == life:
                is_open[0] = False
                then(answer)

        def arrive(carried: Request) -> None:
            self._arrive(source, target, carried, finish)

        self._clock.after(TIMEOUT_SECONDS, lambda: finish(None))
        if self._happens(weather.lost, "lost"):
            return
        if self._happens(weather.changed, "changed"):
            request = self._change(request)
        delay = chance.uniform(0.02, 0.5)
        if self._happens(weather.late, "late"):
            delay = chance.uniform(2.0, 40.0)
        self._clock.after(delay, lambda: arrive(request))
        if self._happens(weather.twice, "twice"):
            self._clock.after(chance.uniform(0.1, 60.0), lambda: arrive(request))

    def _arrive(self, source: str, target: str, request: Request, finish: Callable[[Answer | None], None]) -> None:
        node, weather = self.nodes[target], self.weather
        if not node.is_up or (source, target) in self.cut:
            self._counts["fault: unreachable"] += not node.is_up
            return
        if self._happens(weather.odd, "odd answer"):
            odd = Answer(self._chance.choice(_ODD_ANSWERS), retry_after_seconds=self._chance.choice([None, 3.0, 1e9]))
            self._clock.after(0.1, lambda: finish(odd))
            return
        answer = node.answer(source, request)
        if answer is None or (target, source) in self.cut or self._happens(weather.lost, "answer lost"):
            return
        if answer.documents and self._happens(weather.changed, "answer changed"):
            answer = replace(answer, documents=self._change_one(answer.documents))
        self._clock.after(self._chance.uniform(0.02, 0.5), lambda: finish(answer))

    def _happens(self, likelihood: float, name: str) -> bool:
        if likelihood and self._chance.random() < likelihood:
            self._counts[f"fault: {name}"] += 1
            return True
        return False

    def _change(self, request: Request) -> Request:
        if request.documents and request.verb == "deliver":
            return replace(request, documents=self._change_one(request.documents))
        return replace(request, header="log; seq=?") if request.header else request

    def _change_one(self, documents: tuple[Document, ...]) -> tuple[Document, ...]:
        index = self._chance.randrange(len(documents))
        changed = change_document(documents[index], self._chance)
        return (*documents[:index], changed, *documents[index + 1 :])


_VALUES: tuple[Any, ...] = (None, 0, -1, True, 2**53, "", "x", "A" * 64, "z" * 43, "A" * 44, [], [1], {}, {"proof": 1})


def change_document(document: Document, chance: Random) -> Document:
    """Return a document that is not what was sent: a member lost, added, or with another value."""
    changed = copy.deepcopy(document)
    inside = [changed, changed.get("logEntry"), changed.get("object")]
    part = chance.choice([each for each in inside if isinstance(each, dict)])
    name = chance.choice([*part, "type", "logMedia", "logSalt", "more"])
    if chance.random() < 0.3 and name in part:
        del part[name]
    else:
        part[name] = chance.choice([value for value in _VALUES if value != part.get(name)])
    if changed == document:
        changed["logEntry"] = None
    return changed
