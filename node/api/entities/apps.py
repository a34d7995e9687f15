"""Application: an app as it introduced itself. Spec: Mastodon API, entities/Application, CredentialApplication."""

from __future__ import annotations

from node.domain.apps import App

from . import Entity


def build_app(app: App) -> Entity:
    """Return what an app is told of itself."""
    return {
        "id": str(app.app_id),
        "name": app.name,
        "website": app.website or None,
        "scopes": list(app.scopes),
        "redirect_uris": list(app.redirect_uris),
        # Old apps read one text; several addresses stand in it as lines.
        "redirect_uri": "\n".join(app.redirect_uris),
        "vapid_key": "",  # until there is push
    }


def build_registered_app(app: App, secret: str) -> Entity:
    """Return what an app is told once, when it introduces itself."""
    return build_app(app) | {"client_id": app.client_id, "client_secret": secret, "client_secret_expires_at": 0}
