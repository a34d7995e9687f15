"""The lines of a test round trip: what each step found, as a code with its values, and in English for commands.

Pages say the same by `peer_test.<code>` of the catalogue; a test holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SENTENCES: dict[str, str] = {
    "state_draft": "The peer is a draft here: nobody has compared its words yet.",
    "state_verified": "The peer is verified here, and not active yet.",
    "state_active": "The peer is active here.",
    "state_paused": "The peer is paused here.",
    "state_parted": "The peer is parted here.",
    "reach_yes": "Its instance actor answers and proves itself.",
    "reach_no": "Its instance actor could not be had: {why}.",
    "key_same": "Its key is the one we know.",
    "key_other": "Its key is not the one we know.",
    "software_is": "It runs {name} {version}.",
    "software_silent": "It does not say what it runs.",
    "software_refused": "What it runs cannot keep a private group private: {why}",
    "webfinger_yes": "WebFinger leads to its instance actor.",
    "webfinger_no": "WebFinger does not find the node: {why}.",
    "webfinger_other": "WebFinger leads to another actor than the node's own.",
    "media_open": "The way of pictures is open: one that is not there is answered as absent.",
    "media_closed": "It does not let us ask for pictures: {why}.",
    "media_no": "Pictures cannot be asked for: {why}.",
    "media_strange": "It answered with a picture where there is none.",
    "clock_same": "The two clocks agree.",
    "clock_differs": "The two clocks differ by {seconds} seconds.",
    "listed_yes": "It has this node on its list.",
    "listed_strange": "Its inbox answered {status}, which says nothing about its list.",
    "listed_401": "It does not accept our signature: compare keys and clocks.",
    "listed_403": "It does not have this node on its list, or has not made it active yet.",
    "listed_503": "It has paused this node.",
    "listed_no": "Its inbox could not be reached: {why}.",
    "probe_untried": "Not tried: its inbox did not take anything from this node.",
    "probe_unknown": "Not offered by this node: it does not understand a test of this.",
    "probe_busy": "Not tried: it was tested too often just now. Try again in a minute.",
    "probe_no": "The test was not answered: {why}.",
    "report_yes": "It took the report of a test object, and laid it before nobody.",
    "report_no": "It did not take the report of a test object.",
    "erasure_yes": "It erased a test object when it was told to, and says so.",
    "erasure_unheld": "It took a test object and does not show it to us, so nobody can say whether it was erased.",
    "erasure_kept": "It still gives the test object that it was told to erase.",
    "erasure_silent": "It does not say that the test object was erased.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a test round trip. ok: None where the peer does not offer what was tried, or it was not tried."""

    name: str
    ok: bool | None
    code: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """What was found, in English."""
        return SENTENCES[self.code].format(**self.values)
