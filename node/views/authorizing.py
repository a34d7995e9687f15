"""`/oauth/authorize`, where a member lets an app in or not; and `/me/apps`, where they see which ones they have let in.

Nothing is sent anywhere before the member has decided: what is wrong with an app's request is said on a page, with a link
back to the app, so that nobody is led through this node to another site by a link alone (T58). Programs, which do not ask
for a page, get the same as JSON.

Spec: RFC 6749 §4.1; RFC 9207; RFC 9700 §4.11; signatures.md T54.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from node.community.apps.service import (
    CODE_LIFE_BY_HAND,
    end_every_grant,
    end_grant,
    find_app,
    let_in,
    list_grants,
)
from node.community.house import House
from node.domain.apps import App, NotGranted, Wish, add_answer, check_wish, policy_source
from node.domain.scopes import KNOWN, without_repetition
from node.foundation.errors import NotFound
from node.store.core import Core

from .shell import PAGE_HEADERS, Shell
from .visitor import Visitor, check_form, find_visitor, for_members, read_form, see
from .ways_back import AUTHORIZE, make_way_back, sign_in_path

_FIELDS = (
    "client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"
)  # fmt: skip
_POLICY = "Content-Security-Policy"
_MINUTES = int(CODE_LIFE_BY_HAND.total_seconds()) // 60
_OWN_FORMS = "form-action 'self'"


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why nobody is asked to let an app in. reason: a code of OAuth's, or `redirect`. back: the way to the app, or nothing."""

    reason: str
    sentence: str
    back: str = ""


def build_authorizing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of letting apps in."""
    pages = Blueprint("authorizing", __name__)
    _add_consent(pages, house, shell)
    _add_apps(pages, house, shell)
    return pages


def _add_consent(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get(AUTHORIZE)
    @pages.get(f"{AUTHORIZE}/")  # as toot asks
    async def ask() -> ResponseReturnValue:
        visitor, wish = await find_visitor(core), await _read_wish(core, request.args)
        if isinstance(wish, _Trouble):
            return _refuse(shell, visitor, wish)
        if visitor.session is None:
            return see(sign_in_path(make_way_back(_list_fields(request.args))))
        return _show(shell, visitor, wish, _list_fields(request.args))

    @pages.post(AUTHORIZE)
    async def decide() -> ResponseReturnValue:
        visitor, sent = await find_visitor(core), await request.form
        if visitor.session is None:
            return see(sign_in_path(make_way_back(_list_fields(sent))))
        form = await read_form()
        check_form(core, visitor, form)
        wish = await _read_wish(core, sent)
        if isinstance(wish, _Trouble):
            return _refuse(shell, visitor, wish)
        if form.get("decision") not in ("allow", "deny"):
            return _show(shell, visitor, wish, _list_fields(sent), problem=str(visitor.words("authorize.choose")))
        try:
            code = await let_in(core, visitor.member, wish) if form["decision"] == "allow" else None
        except NotGranted as error:
            return _refuse(shell, visitor, _Trouble(error.code, error.safe))
        return _answer(shell, visitor, wish, code)


def _add_apps(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.get("/me/apps")
    @for_members(core)
    async def apps(visitor: Visitor) -> ResponseReturnValue:
        grants = await list_grants(core, visitor.member)
        return shell.render(
            "authorizing/apps.html",
            visitor,
            place="me",
            grants=[(grant, _list_scopes(grant.scopes.split())) for grant in grants],
            is_ended="ended" in request.args,
        )

    @pages.post("/me/apps")
    @for_members(core)
    async def end(visitor: Visitor) -> ResponseReturnValue:
        form = await read_form()
        if form.get("token"):
            await end_grant(core, visitor.member, form["token"])
        elif form.get("all"):
            await end_every_grant(core, visitor.member)
        else:
            raise NotFound
        return see("/me/apps?ended=1")


async def _read_wish(core: Core, sent: MultiDict[str, str]) -> Wish | _Trouble:
    """Return what an app asks for, or why it cannot be asked."""
    if any(len(sent.getlist(name)) > 1 for name in _FIELDS):
        return _Trouble("invalid_request", "A parameter is there twice.")
    fields = _list_fields(sent)
    app = await find_app(core, fields.get("client_id", ""))
    if app is None:
        return _Trouble("invalid_client", "The app is not known here.")
    redirect_uri = fields.get("redirect_uri", "")
    if redirect_uri not in app.redirect_uris:
        return _Trouble("redirect", "The redirect address is none of those that the app registered.")
    try:
        return _check(app, fields)
    except NotGranted as error:
        answer = {"error": error.code, "error_description": error.safe, "state": fields.get("state")}
        back = add_answer(redirect_uri, answer | {"iss": core.origin}) if policy_source(redirect_uri) else ""
        return _Trouble(error.code, error.safe, back)


def _check(app: App, fields: Mapping[str, str]) -> Wish:
    return check_wish(
        app,
        redirect_uri=fields["redirect_uri"],
        response_type=fields.get("response_type"),
        scope=fields.get("scope"),
        state=fields.get("state"),
        challenge=fields.get("code_challenge"),
        challenge_method=fields.get("code_challenge_method"),
    )


def _list_fields(sent: MultiDict[str, str]) -> dict[str, str]:
    """Return what an app sent, as it is sent back from the page; what is empty is as if it were absent."""
    return {name: sent[name] for name in _FIELDS if sent.get(name)}


def _list_scopes(scopes: list[str]) -> list[str]:
    """Return scopes as the catalogue of sentences names them."""
    return [scope.replace(":", "_") for scope in without_repetition([each for each in scopes if each in KNOWN])]


def _show(shell: Shell, visitor: Visitor, wish: Wish, fields: dict[str, str], *, problem: str = "") -> Response:
    source = policy_source(wish.redirect_uri)
    page = shell.render(
        "authorizing/consent.html",
        visitor,
        app=wish.app,
        scopes=_list_scopes(list(wish.scopes)),
        fields=fields,
        way_back=make_way_back(fields),
        place_after=source,
        is_site=source.startswith(("http://", "https://")),
        problem=problem,
    )
    # Browsers hold a form to the policy on the whole way that it is sent, and this one ends at the app.
    policy = PAGE_HEADERS[_POLICY].replace(_OWN_FORMS, f"{_OWN_FORMS} {source}".strip())
    return Response(page, 422 if problem else 200, headers={_POLICY: policy})


def _answer(shell: Shell, visitor: Visitor, wish: Wish, code: str | None) -> Response:
    """Return the way back to the app, or a page where there is none. code: None when the member said no."""
    if wish.is_out_of_band:
        return Response(shell.render("authorizing/code.html", visitor, app=wish.app, code=code, minutes=_MINUTES))
    answer: dict[str, str | None] = {"code": code, "state": wish.state, "iss": shell.core.origin}
    if code is None:
        answer |= {"error": "access_denied", "error_description": "The member did not let the app in."}
    return see(add_answer(wish.redirect_uri, answer))


def _refuse(shell: Shell, visitor: Visitor, trouble: _Trouble) -> Response:
    if "text/html" not in request.headers.get("Accept", ""):
        code = "invalid_request" if trouble.reason == "redirect" else trouble.reason
        body = {"error": code, "error_description": trouble.sentence}
        return Response(msgspec.json.encode(body), 400, content_type="application/json; charset=utf-8")
    page = shell.render("authorizing/refused.html", visitor, reason=trouble.reason, back=trouble.back)
    return Response(page, 400)
