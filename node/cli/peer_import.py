"""`rounds peer import`: the list of nodes that several operators share, taken over as drafts and proposals."""

from __future__ import annotations

import argparse

from node.community.peering.importing import compare_list, import_list, read_list

from .context import Context


def list_words(parser: argparse.ArgumentParser) -> None:
    """Take the words of `peer import`; the list comes on stdin, a node a line."""
    parser.add_argument(
        "--yes", action="store_true", help="take it over; without this it is only said what would change"
    )


async def take(context: Context) -> int:
    """Say what a list changes, and take it over with `--yes`."""
    core, is_meant = context.house.core, context.args.yes
    nodes = read_list(core, context.text)
    found = await import_list(core, nodes, by=context.by) if is_meant else await compare_list(core, nodes)
    shown = {
        "imported": is_meant,
        "drafts": found.drafts,
        "pause_proposed": found.proposed,
        "back": found.back,
        "unchanged": found.unchanged,
    }
    lines = [f"+ {host}: a draft; compare its words with its operator" for host in found.drafts]
    lines += [f"- {host}: not on the list any more; a pause is proposed on its page" for host in found.proposed]
    lines += [f"= {host}: on the list again" for host in found.back]
    lines.append(
        f"{len(found.unchanged)} unchanged." if is_meant else "Nothing was changed: give --yes to take it over."
    )
    return context.emit(shown, *lines)
