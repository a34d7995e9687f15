"""Apps: introducing themselves, being let in by a member, getting a token for a code, giving it back.

*How it works.* An app registers and gets an id and a secret. It sends the member's browser to the consent page; what the
member decides there comes back to the app's own address, as a code that lives for a minute and works once. The app gives
the code, its secret and, if it sent a challenge, the verifier, and gets a token. Whoever shows a used code again ends the
token it was given for: one of the two has stolen it, and nobody can say which (RFC 6749 §4.1.2). A code that was shown
wrongly is spent too.

Secrets, codes and tokens are random, 256 bits; what is kept of each is its SHA-256.

Spec: RFC 6749; RFC 7009; RFC 7636; signatures.md T54, T55.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from node.community.members.service import hash_secret
from node.community.members.tokens import TOKEN_LIFE, end_every_token, end_token, give_token, take_active
from node.domain.actors import Member
from node.domain.apps import App, NotGranted, Wish, challenge_of, choose_scopes, is_website, read_redirects
from node.domain.scopes import read_scopes
from node.foundation.errors import Forbidden, Invalid, NotFound
from node.foundation.logs import get_logger
from node.foundation.text import clean_line
from node.store.audit import write_audit
from node.store.core import Core
from node.store.engine import Tx

from . import repository

CODE_LIFE = timedelta(seconds=60)
# A person carries it from the browser to the app.
CODE_LIFE_BY_HAND = timedelta(minutes=5)
_NAME_LIMIT = 60
_SECRET_LIMIT = 1000
# An app that introduced itself and was let in by nobody stays for a week, and at most so many of them stay.
_IDLE_LIFE, _IDLE_MOST = timedelta(days=7), 2000
_CODES_STAY = timedelta(days=1)
_SPENT = "This code does not work, or not any more. Let the app in again."


@dataclass(frozen=True, slots=True)
class Registered:
    """An app that has just introduced itself. secret: told this once."""

    app: App
    secret: str


@dataclass(frozen=True, slots=True)
class Given:
    """A token as an app gets it, told this once."""

    token: str
    scopes: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """An app that a member has let in.

    token_hash: names it in forms. used_at: about when it last asked for something. name: None for a token that the
    operator made. website: in the app's own words; empty for none.
    """

    token_hash: str
    scopes: str
    created_at: datetime
    used_at: datetime | None
    name: str | None
    website: str | None


async def register_app(core: Core, *, name: str, redirect_uris: list[str], scopes: str, website: str) -> Registered:
    """Keep an app that introduces itself.

    Args:
        core: The node.
        name: What it is called, in its own words.
        redirect_uris: Where browsers may be sent back to: addresses, or lines of them.
        scopes: What it may ever ask for; `read` when empty.
        website: Its page, or empty.

    Raises:
        Invalid: One of these cannot be used.
    """
    name, website = clean_line(name, limit=_NAME_LIMIT), website.strip()
    if not name:
        raise Invalid("An app needs a name.")
    if website and not is_website(website):
        raise Invalid("The website of an app is an address that begins with https:// or http://.")
    app = App(
        core.ids.number(),
        core.ids.secret(),
        name,
        website,
        read_redirects(redirect_uris, may_be_plain=core.allow_insecure),
        read_scopes(scopes or "read"),
    )
    secret = core.ids.secret()
    await core.store.write(_register, app, hash_secret(secret))
    return Registered(app, secret)


async def find_app(core: Core, client_id: str) -> App | None:
    """Return an app by its id."""
    found = await core.store.read(_find, client_id) if _may_be_ours(client_id) else None
    return found[0] if found else None


async def get_app(core: Core, app_id: int) -> App:
    """Return an app by our number.

    Raises:
        NotFound: There is none.
    """
    app = await core.store.read(_get, app_id)
    if app is None:
        raise NotFound
    return app


async def check_app(core: Core, client_id: str, secret: str) -> App:
    """Return the app that proves itself with its secret.

    Raises:
        NotGranted: It is unknown, or the secret is wrong.
    """
    found = await core.store.read(_find, client_id) if _may_be_ours(client_id) and _may_be_ours(secret) else None
    if found is None or not hmac.compare_digest(found[1], hash_secret(secret)):
        raise _unknown_app()
    return found[0]


async def let_in(core: Core, member: Member, wish: Wish) -> str:
    """Return the code that an app gets because a member lets it in.

    Raises:
        Forbidden: The member may do nothing any more.
        NotGranted: The app has been forgotten.
    """
    code = core.ids.secret()
    life = CODE_LIFE_BY_HAND if wish.is_out_of_band else CODE_LIFE
    if not await core.store.write(_let_in, member, wish, hash_secret(code), life):
        raise Forbidden("This account is not active.")
    return code


async def give_for_code(core: Core, app: App, *, code: str, redirect_uri: str, verifier: str | None) -> Given:
    """Return a token for a code; the code is spent, whatever comes of it.

    Raises:
        NotGranted: The code is unknown, used, too old, another app's, or for another address or challenge.
    """
    try:
        challenge = challenge_of(verifier)
    except NotGranted:
        challenge = "none that fits"
    if not _may_be_ours(code):
        raise NotGranted("invalid_grant", _SPENT)
    token = core.ids.secret()
    scopes = await core.store.write(
        _exchange, app.app_id, hash_secret(code), redirect_uri, challenge, hash_secret(token)
    )
    if scopes is None:
        raise NotGranted("invalid_grant", _SPENT)
    return Given(token, scopes, core.clock.now())


async def give_to_app(core: Core, app: App, scope: str | None) -> Given:
    """Return a token that an app has for itself; it opens no member's account.

    Raises:
        NotGranted: It asks for more than it registered for, or has been forgotten.
    """
    scopes, token = " ".join(choose_scopes(app, scope)), core.ids.secret()
    await core.store.write(_give_to_app, app.app_id, hash_secret(token), scopes)
    return Given(token, scopes, core.clock.now())


async def find_by_app_token(core: Core, token_hash: str) -> App | None:
    """Return the app that has a token for itself."""
    found = await core.store.read(_by_app_token, token_hash)
    return found[0] if found else None


async def give_back(core: Core, app: App | None, token: str) -> None:
    """End a token that its app, or whoever holds one the operator made, gives back. An unknown one is gone already.

    Raises:
        NotGranted: It is another app's.
    """
    app_id = app.app_id if app else None
    if _may_be_ours(token) and not await core.store.write(_give_back, app_id, hash_secret(token)):
        raise NotGranted("unauthorized_client", "This token is not this app's to give back.", status=403)


async def list_grants(core: Core, member: Member) -> list[Grant]:
    """Return the apps that a member has let in, the newest first."""
    rows = await core.store.read(_list, member.actor_id, core.clock.now() - TOKEN_LIFE)
    return [Grant(*row) for row in rows]


async def end_grant(core: Core, member: Member, token_hash: str) -> None:
    """End an app's access.

    Raises:
        NotFound: It is not there, or somebody else's.
    """
    if not await core.store.write(_end, member.actor_id, token_hash):
        raise NotFound("This app has no access any more.")


async def end_every_grant(core: Core, member: Member) -> None:
    """End the access of every app that a member has let in, and of those on their way in with a code."""
    await core.store.write(_end_every, member.actor_id)


def _unknown_app() -> NotGranted:
    return NotGranted("invalid_client", "The app is not known here, or its secret is wrong.", status=401)


def _may_be_ours(text: str) -> bool:
    """Return whether an id, a secret, a code or a token can have been made here; the database is asked for no other."""
    return len(text) <= _SECRET_LIMIT and text.isascii() and text.isprintable()


async def _register(tx: Tx, app: App, secret_hash: str) -> None:
    await repository.forget_idle_apps(tx, before=tx.now - _IDLE_LIFE, most=_IDLE_MOST - 1)
    await repository.insert_app(tx, app=app, secret_hash=secret_hash)


async def _find(tx: Tx, client_id: str) -> tuple[App, str] | None:
    return await repository.get_app(tx, client_id=client_id)


async def _get(tx: Tx, app_id: int) -> App | None:
    return await repository.get_app_by_id(tx, app_id=app_id)


async def _let_in(tx: Tx, member: Member, wish: Wish, code_hash: str, life: timedelta) -> bool:
    if not await take_active(tx, actor_id=member.actor_id):
        return False
    await repository.forget_old_codes(tx, before=tx.now - _CODES_STAY)
    if not await repository.mark_let_in(tx, app_id=wish.app.app_id):
        raise _unknown_app()  # forgotten, between this member's look at the page and their word
    await repository.insert_code(tx, code_hash=code_hash, wish=wish, actor_id=member.actor_id, expires_at=tx.now + life)
    await write_audit(tx, actor=member.handle, action="app.allow", target=member.handle, reason=" ".join(wish.scopes))
    return True


async def _exchange(
    tx: Tx, app_id: int, code_hash: str, redirect_uri: str, challenge: str | None, token_hash: str
) -> str | None:
    """Spend a code and keep the token it is given for; return the scopes, or None when there is nothing for it."""
    code = await repository.get_code(tx, code_hash=code_hash)
    if code is None:
        return None
    is_active = await take_active(tx, actor_id=code.actor_id)
    if not await repository.spend_code(tx, code_hash=code_hash):
        await _end_what_it_gave(tx, code_hash)
        return None
    fits = (code.app_id, code.redirect_uri, code.challenge) == (app_id, redirect_uri, challenge)
    if not (fits and is_active and tx.now < code.expires_at):
        return None
    scopes: str = code.scopes
    await give_token(tx, actor_id=code.actor_id, token_hash=token_hash, scopes=scopes, app_id=app_id)
    await repository.note_token(tx, code_hash=code_hash, token_hash=token_hash)
    return scopes


async def _end_what_it_gave(tx: Tx, code_hash: str) -> None:
    """End the token of a code that is shown a second time; the code is read again, for it may have been used just now."""
    code = await repository.get_code(tx, code_hash=code_hash)
    if code is None or code.token_hash is None:
        return
    actor_id: int = code.actor_id
    if await end_token(tx, actor_id=actor_id, token_hash=code.token_hash, reason="its code was used twice"):
        tx.after_commit(lambda: get_logger().warning("code_used_twice", member=actor_id))


async def _give_to_app(tx: Tx, app_id: int, token_hash: str, scopes: str) -> None:
    if await repository.get_app_by_id(tx, app_id=app_id) is None:
        raise _unknown_app()  # forgotten, since it proved itself
    await repository.insert_app_token(tx, token_hash=token_hash, app_id=app_id, scopes=scopes)


async def _by_app_token(tx: Tx, token_hash: str) -> tuple[App, str] | None:
    return await repository.find_by_app_token(tx, token_hash=token_hash)


async def _give_back(tx: Tx, app_id: int | None, token_hash: str) -> bool:
    owner = await repository.get_owner(tx, token_hash=token_hash)
    if owner is not None:
        if owner.app_id != app_id:
            return False
        await end_token(tx, actor_id=owner.actor_id, token_hash=token_hash)
        return True
    found = await repository.find_by_app_token(tx, token_hash=token_hash)
    if found is not None:
        if found[0].app_id != app_id:
            return False
        await repository.end_app_token(tx, token_hash=token_hash)
    return True


async def _list(tx: Tx, actor_id: int, unused_since_at: datetime) -> list[Any]:
    return await repository.list_grants(tx, actor_id=actor_id, unused_since_at=unused_since_at)


async def _end(tx: Tx, actor_id: int, token_hash: str) -> bool:
    return await end_token(tx, actor_id=actor_id, token_hash=token_hash)


async def _end_every(tx: Tx, actor_id: int) -> None:
    await end_every_token(tx, actor_id=actor_id)
