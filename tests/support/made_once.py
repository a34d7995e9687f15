"""What is the same for every node of a run is made once: templates, the addresses of routes, and whom TLS trusts.

A node makes them when it opens, from files that stay as they are, in a fifth of a second; the tests open thousands of
nodes. Nothing is replaced: what is made is what the node makes, and it is made by the node's own code.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from node.federation import client
from node.views import shell


class _Kept(BytecodeCache):
    """Compiled templates, in memory; Jinja asks with the checksum of the source, so a changed one is compiled anew."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket when this source was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember what was compiled."""
        self._codes[bucket.key, bucket.checksum] = bucket.code


def make_once() -> None:
    """Have every node that this process opens from now on use what an earlier one made."""
    _keep_templates()
    _keep_addresses()
    _keep_authorities()


def _keep_templates() -> None:
    kept, open_templates = _Kept(), shell._open_templates

    def open_with_memory() -> Environment:
        templates = open_templates()
        templates.bytecode_cache = kept
        return templates

    shell._open_templates = open_with_memory


def _keep_addresses() -> None:
    """Keep the function that writes a route's address: it is given the rule, and made from its pieces alone."""
    compile_builder, kept = Rule._compile_builder, {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]


def _keep_authorities() -> None:
    """Read the authorities of the system once; those of a file that a test names are read each time."""
    build = client.build_tls_context
    keep = functools.cache(build)

    def build_once(ca_file: str) -> ssl.SSLContext:
        return build(ca_file) if ca_file else keep("")

    client.build_tls_context = build_once
