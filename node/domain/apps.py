"""Apps: who asks to be let in to a member's account, where they may be sent back to, and how they prove themselves.

Pure rules of OAuth 2. A redirect address is compared as a whole: no beginning, no other port, no other spelling counts.

Spec: RFC 6749; RFC 7636 (PKCE, S256 alone); RFC 9700 §2.1; RFC 8252 §7.1 (schemes of apps); signatures.md T54.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from node.foundation.errors import Invalid, Refused

from .scopes import DEFAULT, are_within, read_scopes

# The address of apps that nothing can send a browser to: their person copies the code.
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
_REDIRECTS_LIMIT, _ADDRESS_LIMIT, _STATE_LIMIT = 20, 2000, 2000
_LOOPBACK = ("localhost", "127.0.0.1")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,60}")
# What an address is written with. Everything else would have to be encoded by somebody, and two ways of that are two addresses.
_ADDRESS = re.compile(r"[!#$%&'()*+./0-9:=?@A-Z_a-z~,;\[\]-]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?")
# What a browser acts on by itself, or hands to something that is no app of the member's choice.
_NO_APPS = frozenset(
    {"about", "blob", "chrome", "data", "file", "filesystem", "ftp", "ftps", "intent", "javascript", "jar", "mailto",
     "market", "resource", "search-ms", "sftp", "sms", "ssh", "tel", "urn", "vbscript", "view-source", "ws", "wss"}
)  # fmt: skip
_PARTS_OF_WINDOWS = "ms-"  # `ms-settings:`, `ms-msdt:` and some forty more
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class NotGranted(Refused):
    """What OAuth answers with a code of its own, such as `invalid_grant`.

    Args:
        code: One of RFC 6749 §4.1.2.1 and §5.2.
        safe: The sentence that goes with it.
        status: Of the answer.
    """

    def __init__(self, code: str, safe: str, *, status: int = 400) -> None:
        super().__init__(safe)
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class App:
    """An app that has introduced itself.

    name, website: in its own words. redirect_uris: where it may be sent back to. scopes: what it may ever ask for.
    """

    app_id: int
    client_id: str
    name: str
    website: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app asks of a member, checked.

    state: what it gets back as it was. challenge: of PKCE, or None.
    """

    app: App
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    challenge: str | None

    @property
    def is_out_of_band(self) -> bool:
        """Whether the member carries the code to the app by hand."""
        return self.redirect_uri == OUT_OF_BAND


def read_redirects(texts: list[str], *, may_be_plain: bool) -> tuple[str, ...]:
    """Return the addresses in what an app registers: a list, or lines.

    Args:
        texts: As they were sent.
        may_be_plain: Whether any host may be reached by http; on test nodes.

    Raises:
        Invalid: There is none, too many, or one that a browser must not be sent to.
    """
    addresses = tuple(dict.fromkeys(address for text in texts for address in text.split()))
    if not addresses:
        raise Invalid("An app names at least one redirect address.")
    if len(addresses) > _REDIRECTS_LIMIT:
        raise Invalid(f"An app has at most {_REDIRECTS_LIMIT} redirect addresses.")
    for address in addresses:
        if not is_redirect(address, may_be_plain=may_be_plain):
            raise Invalid("A redirect address is not one that a browser can be sent to.")
    return addresses


def is_redirect(address: str, *, may_be_plain: bool = False) -> bool:
    """Return whether a browser may be sent to an address: https, an app's own scheme, or http on this very machine.

    >>> is_redirect("https://app.example/back"), is_redirect("tusky://oauth"), is_redirect("http://localhost:4002/")
    (True, True, True)
    >>> is_redirect("http://app.example/"), is_redirect("javascript:alert(1)"), is_redirect("https://a@b.example/")
    (False, False, False)
    """
    if address == OUT_OF_BAND:
        return True
    if len(address) > _ADDRESS_LIMIT or not _ADDRESS.fullmatch(address) or "#" in address:
        return False
    try:
        parts = urlsplit(address)
        has_name = parts.username is not None or parts.password is not None
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _NO_APPS or has_name:
        return False
    if parts.scheme.startswith(_PARTS_OF_WINDOWS):
        return False
    if parts.scheme not in ("http", "https"):
        return ":" in address and len(address) > len(parts.scheme) + 1
    if not host or not _HOST.fullmatch(parts.netloc):
        return False
    return parts.scheme == "https" or may_be_plain or host in _LOOPBACK


def is_website(address: str) -> bool:
    """Return whether an address can be the page of an app."""
    return address.startswith(("https://", "http://")) and is_redirect(address, may_be_plain=True)


def check_wish(
    app: App,
    *,
    redirect_uri: str,
    response_type: str | None,
    scope: str | None,
    state: str | None,
    challenge: str | None,
    challenge_method: str | None,
) -> Wish:
    """Return what an app asks of a member; its redirect address has been found among its own.

    Raises:
        NotGranted: It asks for what no app gets, for more than it registered, or in a way that is not safe.
    """
    if response_type != "code":
        raise NotGranted("unsupported_response_type", "Apps get a code here, and nothing else.")
    if state is not None and len(state) > _STATE_LIMIT:
        raise NotGranted("invalid_request", f"A state has at most {_STATE_LIMIT} characters.")
    if challenge is not None and (challenge_method != "S256" or not _CHALLENGE.fullmatch(challenge)):
        raise NotGranted("invalid_request", "A code challenge is made by S256 here.")
    if challenge is None and challenge_method is not None:
        raise NotGranted("invalid_request", "The code challenge is missing.")
    return Wish(app, redirect_uri, choose_scopes(app, scope), state, challenge)


def choose_scopes(app: App, text: str | None) -> tuple[str, ...]:
    """Return what an app asks for: in its words, or `read` where it says nothing, or else all that it registered for.

    Raises:
        NotGranted: It is unknown, or more than the app registered.
    """
    if not text:
        return DEFAULT if are_within(DEFAULT, app.scopes) else app.scopes
    try:
        wanted = read_scopes(text)
    except Invalid as error:
        raise NotGranted("invalid_scope", error.safe) from None
    if not are_within(wanted, app.scopes):
        raise NotGranted("invalid_scope", "This app asks for more than it registered for.")
    return wanted


def challenge_of(verifier: str | None) -> str | None:
    """Return the challenge that a verifier answers; None for none.

    Raises:
        NotGranted: It cannot be one.

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    if verifier is None:
        return None
    if not _VERIFIER.fullmatch(verifier):
        raise NotGranted("invalid_grant", "The code verifier is not one.")
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def add_answer(redirect_uri: str, answer: dict[str, str | None]) -> str:
    """Return a redirect address with an answer added to its query; what is None is left out.

    >>> add_answer("https://app.example/back?x=1", {"code": "a b", "state": None})
    'https://app.example/back?x=1&code=a+b'
    """
    query = urlencode({name: value for name, value in answer.items() if value is not None})
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}"


def policy_source(redirect_uri: str) -> str:
    """Return a redirect address as a page's policy names it: its origin, or the scheme of an app; empty for no address.

    >>> policy_source("https://app.example:8443/back?x=1"), policy_source("tusky://oauth"), policy_source(OUT_OF_BAND)
    ('https://app.example:8443', 'tusky:', '')
    """
    if redirect_uri == OUT_OF_BAND:
        return ""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
