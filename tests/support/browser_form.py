"""A browser without a window: it keeps its cookie, follows where it is sent, and fills in the forms of the last page.

    ana = Browser(lone)                      # or a node of the village
    await ana.sign_in("ana", PASSWORD)
    await ana.get("/groups/ward/write")
    await ana.submit("write", title="Nights", text="How do you sleep?", action="preview")
    assert ana.status == 200 and "How do you sleep?" in ana.words

`submit` sends what a browser would: every field of the form as the page filled it, the first button, and what the test
gives; a field that the form does not have fails the test. `post` sends anything, for whoever does not use our pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from node.app import Application
from node.community.house import House
from node.community.members.service import require_member
from node.community.members.sessions import cookie_name, open_session
from node.federation.message import Answer, Request
from tests.support.html_forms import Form, Page
from tests.support.requesters import ask

HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
_FORM = "application/x-www-form-urlencoded"
_MOST_STEPS = 5


class Home(Protocol):
    """What a browser can talk to: a `LoneHouse` or a village's `Node`."""

    @property
    def house(self) -> House:
        """The node."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    data: bytes
    name: str = "picture.png"
    kind: str = "image/png"


class Browser:
    """Somebody at a browser.

    status, text, path, answer: of the last answer, after redirects. steps: the statuses on the way, the last one included.
    apps: beginnings of addresses that it hands over to an app. left_for: the last of those; empty for none.
    """

    def __init__(
        self, home: Home, *, agent: str = "A browser", address: str = "192.0.2.7", apps: tuple[str, ...] = ()
    ) -> None:
        self._home = home
        self._house: House | None = None
        self._app: Any = getattr(home, "app", None)
        self._client = (address, 40_000)
        self.agent = agent
        self.cookies: dict[str, str] = {}
        self.answer = Answer(0)
        self.path = "/"
        self.steps: list[int] = []
        self.apps = apps
        self.left_for = ""

    @property
    def origin(self) -> str:
        """The node's address."""
        return self._home.house.core.origin

    @property
    def status(self) -> int:
        """The status of the last answer."""
        return self.answer.status

    @property
    def text(self) -> str:
        """The last page as HTML."""
        return self.answer.body.decode()

    @property
    def page(self) -> Page:
        """The last page, taken apart."""
        return Page(self.text)

    @property
    def words(self) -> str:
        """What the last page says to somebody who reads it, with single spaces."""
        return self.page.words

    @property
    def cookie(self) -> str | None:
        """The value of the session's cookie."""
        return self.cookies.get(cookie_name(self._home.house.core))

    async def sign_in(self, handle: str, password: str) -> None:
        """Sign in by the form; fails the test when that does not work."""
        await self.get("/sign-in")
        await self.submit("sign-in", handle=handle, password=password)
        assert (self.status, self.path) == (200, "/"), self.words

    async def enter(self, handle: str) -> Browser:
        """Give this browser a session of a member who may have no password, and return it; hashing one takes time."""
        core = self._home.house.core
        member = await require_member(core, handle)
        self.cookies[cookie_name(core)] = await open_session(core, member, agent=self.agent)
        return self

    async def submit_sign_out(self, **fields: str) -> None:
        """Sign out by the form in the settings."""
        await self.get("/me/settings")
        await self.submit("sign-out", **fields)

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page and follow redirects; further headers with `_` for `-`."""
        return await self._walk(self._request("GET", path, headers))

    async def submit(self, which: str, **fields: Any) -> Answer:
        """Send a form of the last page.

        Args:
            which: Its id, or its action. Of several with one action, the first that has all fields.
            fields: What is typed, chosen or pressed; None leaves a field out, a list gives it several times, an
                `Upload` gives a file.
        """
        form = self.find_form(which, *fields)
        pairs = [(name, _as_typed(value)) for name, value in form.filled(fields)]
        if form.is_multipart:
            pairs += [(name, Upload(b"", "")) for name in form.files if name not in fields]
        target = urljoin(self.path, form.action or self.path)
        if form.method == "get":
            return await self.get(f"{target.partition('?')[0]}?{urlencode(pairs)}")
        return await self.post(target, pairs, multipart=form.is_multipart)

    def find_form(self, which: str, *fields: str) -> Form:
        """Return a form of the last page."""
        forms = [form for form in self.page.forms if which in (form.id, form.action, form.path)]
        fitting = [form for form in forms if form.has(*fields)]
        assert fitting, f"no form {which!r} with {fields} on {self.path} ({self.status}): {self.words[:400]}"
        return fitting[0]

    async def post(
        self, path: str, fields: dict[str, Any] | list[tuple[str, Any]], *, multipart: bool = False, **headers: str
    ) -> Answer:
        """Send fields to a path, with the node's own origin unless `origin` is given; an empty one is left out."""
        pairs = list(fields.items()) if isinstance(fields, dict) else fields
        body, kind = _as_multipart(pairs) if multipart else (urlencode(pairs).encode(), _FORM)
        more = {"origin": self.origin, "content_type": kind, "content_length": str(len(body))} | headers
        return await self._walk(replace(self._request("POST", path, more), body=body))

    @property
    def csrf(self) -> str:
        """The token in the forms of the last page."""
        return next(dict(form.pairs)["csrf"] for form in self.page.forms if "csrf" in dict(form.pairs))

    async def _walk(self, request: Request) -> Answer:
        self.steps, self.left_for = [], ""
        for _ in range(_MOST_STEPS):
            self.answer = await ask(self._find_app(), request, client=self._client)
            self.path = request.target
            self.steps.append(self.answer.status)
            self.keep_cookies()
            place = self.answer.one("location")
            if self.answer.status != 303 or place is None:
                return self.answer
            if place.startswith(self.apps or "\0"):
                self.left_for = place
                return self.answer
            target = urlsplit(urljoin(self.origin + request.target, place))
            assert f"{target.scheme}://{target.netloc}" == self.origin, place
            request = self._request("GET", target._replace(scheme="", netloc="").geturl(), {})
        raise AssertionError(f"sent round in circles: {self.path}")

    def _request(self, method: str, path: str, headers: dict[str, str]) -> Request:
        named = {"host": urlsplit(self.origin).netloc, "accept": HTML, "user-agent": self.agent}
        if self.cookies:
            named["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Request(method, path.partition("#")[0], tuple((name, value) for name, value in named.items() if value))

    def _find_app(self) -> Any:
        """Return the application; a village's node has a new house after each start."""
        if self._app is None or (self._house is not None and self._house is not self._home.house):
            self._house = self._home.house
            self._app = Application(self._house)
        return self._app

    def keep_cookies(self) -> None:
        """Keep what the last answer gave, and drop what it took away."""
        for name, value in self.answer.headers:
            if name == "set-cookie":
                for key, morsel in SimpleCookie(value).items():
                    if morsel.value and morsel["max-age"] != "0":
                        self.cookies[key] = morsel.value
                    else:
                        self.cookies.pop(key, None)


def _as_typed(value: Any) -> Any:
    """Return a value as browsers send it: with the line ends of the internet."""
    return value if isinstance(value, Upload) else str(value).replace("\r\n", "\n").replace("\n", "\r\n")


def _as_multipart(pairs: list[tuple[str, Any]]) -> tuple[bytes, str]:
    """Return a form as (body, content type) of multipart."""
    parts = []
    for name, value in pairs:
        head = f'--edge-of-a-form\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, Upload):
            head += f'; filename="{value.name}"\r\nContent-Type: {value.kind}'
        data = value.data if isinstance(value, Upload) else str(value).encode()
        parts.append(head.encode() + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + b"--edge-of-a-form--\r\n", "multipart/form-data; boundary=edge-of-a-form"
