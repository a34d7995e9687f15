"""Apps, their codes and tokens in the store. Of codes, secrets and tokens the hashes are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from node.domain.apps import App, Wish
from node.store.engine import Tx

_COLUMNS = "a.app_id, a.client_id, a.name, a.website, a.redirect_uris_json, a.scopes"
_BY_CLIENT = f"SELECT {_COLUMNS}, a.secret_hash FROM apps a WHERE a.client_id = :client_id"
_BY_ID = f"SELECT {_COLUMNS} FROM apps a WHERE a.app_id = :app_id"
_OF_APP_TOKEN = f"""SELECT {_COLUMNS}, t.scopes AS granted FROM app_tokens t JOIN apps a ON a.app_id = t.app_id
  WHERE t.token_hash = :token_hash"""
_INSERT = """INSERT INTO apps (app_id, client_id, secret_hash, name, website, redirect_uris_json, scopes, created_at,
   granted_at)
  VALUES (:app_id, :client_id, :secret_hash, :name, :website, :redirect_uris_json, :scopes, :created_at, NULL)"""
_LET_IN = "UPDATE apps SET granted_at = COALESCE(granted_at, :now_at) WHERE app_id = :app_id"
_COUNT_IDLE = "SELECT COUNT(*) AS n FROM apps WHERE granted_at IS NULL"
_OLDEST_IDLE = """SELECT app_id, created_at FROM apps WHERE granted_at IS NULL ORDER BY created_at, app_id LIMIT 20"""
_FORGET_TOKENS = "DELETE FROM app_tokens WHERE app_id IN :app_ids"
_FORGET = "DELETE FROM apps WHERE app_id IN :app_ids AND granted_at IS NULL"
_INSERT_CODE = """INSERT INTO authorization_codes (code_hash, app_id, actor_id, redirect_uri, scopes, challenge, created_at,
   expires_at, used_at, token_hash)
  VALUES (:code_hash, :app_id, :actor_id, :redirect_uri, :scopes, :challenge, :created_at, :expires_at, NULL, NULL)"""
_CODE = """SELECT app_id, actor_id, redirect_uri, scopes, challenge, expires_at, token_hash FROM authorization_codes
  WHERE code_hash = :code_hash"""
_SPEND_CODE = """UPDATE authorization_codes SET used_at = :now_at
  WHERE code_hash = :code_hash AND used_at IS NULL"""
_NOTE_TOKEN = "UPDATE authorization_codes SET token_hash = :token_hash WHERE code_hash = :code_hash"
_OLD_CODES = "DELETE FROM authorization_codes WHERE created_at < :before_at"
_INSERT_APP_TOKEN = """INSERT INTO app_tokens (token_hash, app_id, scopes, created_at)
  VALUES (:token_hash, :app_id, :scopes, :created_at)"""
_OLD_APP_TOKENS = """DELETE FROM app_tokens WHERE app_id = :app_id AND token_hash NOT IN
  (SELECT token_hash FROM app_tokens WHERE app_id = :app_id ORDER BY created_at DESC, token_hash LIMIT 10)"""
_END_APP_TOKEN = "DELETE FROM app_tokens WHERE token_hash = :token_hash"
_OWNER = "SELECT actor_id, app_id FROM api_tokens WHERE token_hash = :token_hash"
_GRANTS = """SELECT t.token_hash, t.scopes, t.created_at, t.used_at, a.name, a.website
  FROM api_tokens t LEFT JOIN apps a ON a.app_id = t.app_id
  WHERE t.actor_id = :actor_id AND t.revoked_at IS NULL AND COALESCE(t.used_at, t.created_at) > :unused_since_at
  ORDER BY t.created_at DESC, t.token_hash LIMIT 100"""


async def insert_app(tx: Tx, *, app: App, secret_hash: str) -> None:
    """Keep an app."""
    await tx.run(
        _INSERT,
        app_id=app.app_id,
        client_id=app.client_id,
        secret_hash=secret_hash,
        name=app.name,
        website=app.website,
        redirect_uris_json=list(app.redirect_uris),
        scopes=" ".join(app.scopes),
        created_at=tx.now,
    )


async def get_app(tx: Tx, *, client_id: str) -> tuple[App, str] | None:
    """Return an app and the hash of its secret."""
    row = await tx.one(_BY_CLIENT, client_id=client_id)
    return (_app(row), row.secret_hash) if row else None


async def get_app_by_id(tx: Tx, *, app_id: int) -> App | None:
    """Return an app by our number."""
    row = await tx.one(_BY_ID, app_id=app_id)
    return _app(row) if row else None


async def mark_let_in(tx: Tx, *, app_id: int) -> bool:
    """Remember that a member has let an app in: from now on it is not forgotten. False when it is forgotten already."""
    return await tx.run(_LET_IN, app_id=app_id, now_at=tx.now) == 1


async def forget_idle_apps(tx: Tx, *, before: datetime, most: int) -> None:
    """Forget apps that nobody let in: those from before an instant, and the oldest where there are too many."""
    surplus = int(await tx.value(_COUNT_IDLE)) - most
    oldest = await tx.all(_OLDEST_IDLE)
    app_ids = [row.app_id for place, row in enumerate(oldest) if place < surplus or row.created_at < before]
    if app_ids:
        await tx.run(_FORGET_TOKENS, app_ids=app_ids)
        await tx.run(_FORGET, app_ids=app_ids)


async def insert_code(tx: Tx, *, code_hash: str, wish: Wish, actor_id: int, expires_at: datetime) -> None:
    """Keep a code; those from more than a day ago go."""
    await tx.run(
        _INSERT_CODE,
        code_hash=code_hash,
        app_id=wish.app.app_id,
        actor_id=actor_id,
        redirect_uri=wish.redirect_uri,
        scopes=" ".join(wish.scopes),
        challenge=wish.challenge,
        created_at=tx.now,
        expires_at=expires_at,
    )


async def forget_old_codes(tx: Tx, *, before: datetime) -> None:
    """Forget codes from before an instant."""
    await tx.run(_OLD_CODES, before_at=before)


async def get_code(tx: Tx, *, code_hash: str) -> Any | None:
    """Return (app_id, actor_id, redirect_uri, scopes, challenge, expires_at, token_hash) of a code, used or not."""
    return await tx.one(_CODE, code_hash=code_hash)


async def spend_code(tx: Tx, *, code_hash: str) -> bool:
    """Use a code; False when it was used before."""
    return await tx.run(_SPEND_CODE, code_hash=code_hash, now_at=tx.now) == 1


async def note_token(tx: Tx, *, code_hash: str, token_hash: str) -> None:
    """Remember for which token a code was given."""
    await tx.run(_NOTE_TOKEN, code_hash=code_hash, token_hash=token_hash)


async def insert_app_token(tx: Tx, *, token_hash: str, app_id: int, scopes: str) -> None:
    """Keep a token that an app has for itself; all but its newest ten go."""
    await tx.run(_INSERT_APP_TOKEN, token_hash=token_hash, app_id=app_id, scopes=scopes, created_at=tx.now)
    await tx.run(_OLD_APP_TOKENS, app_id=app_id)


async def find_by_app_token(tx: Tx, *, token_hash: str) -> tuple[App, str] | None:
    """Return the app that has a token for itself, and the token's scopes."""
    row = await tx.one(_OF_APP_TOKEN, token_hash=token_hash)
    return (_app(row), row.granted) if row else None


async def end_app_token(tx: Tx, *, token_hash: str) -> None:
    """End a token that an app has for itself."""
    await tx.run(_END_APP_TOKEN, token_hash=token_hash)


async def get_owner(tx: Tx, *, token_hash: str) -> Any | None:
    """Return (actor_id, app_id) of a member's token, live or not; app_id is None for one the operator made."""
    return await tx.one(_OWNER, token_hash=token_hash)


async def list_grants(tx: Tx, *, actor_id: int, unused_since_at: datetime) -> list[Any]:
    """Return (token_hash, scopes, created_at, used_at, name, website) of a member's live tokens, the newest first."""
    return await tx.all(_GRANTS, actor_id=actor_id, unused_since_at=unused_since_at)


def _app(row: Any) -> App:
    return App(
        row.app_id, row.client_id, row.name, row.website, tuple(row.redirect_uris_json), tuple(row.scopes.split())
    )
