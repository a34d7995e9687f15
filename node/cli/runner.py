"""Run one command inside an opened house: parse, carry out, translate errors into a sentence and an exit code."""

from __future__ import annotations

from collections.abc import Callable

from node.community.house import House
from node.foundation.errors import ConfigError, NodeError
from node.foundation.logs import get_logger

from .commands import UsageError, parse
from .context import DONE, REFUSED, USAGE, Context


async def run_command(
    house: House,
    argv: list[str],
    text: str,
    write: Callable[[str], None],
    warn: Callable[[str], None],
    send: Callable[[bytes], None] | None = None,
) -> int:
    """Run a command and return its exit code; nothing is raised for what an operator can do wrong.

    Args:
        house: The opened node.
        argv: The words after `rounds [--data DIR]`.
        text: What came on stdin.
        write: Takes text for stdout.
        warn: Takes text for stderr.
        send: Takes bytes, from a thread; None where nobody wants any.
    """
    try:
        command, args = parse(argv)
        return await command.run(Context(house, args, text, write, warn, send=send))
    except UsageError as error:
        (write if error.is_help else warn)(f"{error.safe}\n")
        return DONE if error.is_help else USAGE
    except ConfigError as error:
        warn("".join(f"{problem}\n" for problem in error.problems))
        return USAGE
    except NodeError as error:
        warn(f"{error.safe}\n")
        get_logger().info("command_refused", command=" ".join(argv[:2]), code=error.code, reason=error.internal)
        return REFUSED
