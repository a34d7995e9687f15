"""The shell of every page: templates, the headers that keep pages private, and what a visitor without a session gets."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from node.foundation.config import Config

# No script, no frames, nothing from elsewhere: a page cannot tell anybody who reads it (T49, T53).
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "private, no-store",
    "Vary": "Accept, Signature, Signature-Input, Authorization",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def open_templates() -> Environment:
    """Return the template environment: undefined names are errors, everything is escaped."""
    return Environment(
        loader=PackageLoader("node.views"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def render(templates: Environment, config: Config, name: str, **values: Any) -> str:
    """Return a page as HTML; every page knows the node's name and whether it is a test node."""
    return templates.get_template(name).render(node_name=config.name, is_test_node=config.is_test_node, **values)
