"""What a deletion does to whoever hears of it: the words go everywhere, the place stays, the journal knows."""

from __future__ import annotations

from node.federation.grouplog.entry import ReceivedEntry

from .disk import Transaction
from .papers import post_of
from .shelf import Shelf


def erase_texts(tx: Transaction, uri: str, log: Shelf, received: ReceivedEntry) -> Shelf:
    """Return a log without the words that its newest entry takes away; what is held or kept beside it goes, too."""
    post = post_of(received.object)
    if received.entry.kind not in ("delete", "remove") or post is None:
        return log
    for activity in log.texts.get(post, ()):
        shorter = log.erase(activity)
        if shorter is not log:
            tx.note("erased", group=uri, activity=activity, post=post)
        log = shorter
    for shelf in ("held", "kept"):
        for chain, kept in tx.get((shelf, uri), {}).items():
            entry = kept[0] if isinstance(kept, tuple) else kept
            if entry.entry.kind in ("create", "update") and post_of(entry.object) == post:
                tx.note("erased", group=uri, activity=entry.entry.activity, post=post)
                tx.put((shelf, uri), {each: kept for each, kept in tx.get((shelf, uri)).items() if each != chain})
    return log
