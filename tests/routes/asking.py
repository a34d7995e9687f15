"""How each requester of the table asks for each of its rows."""

from __future__ import annotations

import re
from dataclasses import replace

from node.federation.message import Answer, Request
from node.inbox.routes import INBOXES
from node.outbox.routes import ROUTES
from tests.routes.scene import ABSENT, Scene
from tests.routes.table import PEOPLE
from tests.support.lone_house import HOST, ORIGIN
from tests.support.requesters import ACTIVITY, a_foreign_actor, a_post, ask, with_header

_HANDLES = {
    "member": "mia",
    "other": "otto",
    "left": "lena",
    "suspended": "sven",
    "moderator": "moe",
    "operator": "ola",
}
_HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def route_of(name: str) -> str:
    """Return the route of a row, without the thing that it is about."""
    return name.partition(" (")[0]


def list_routes(scene: Scene) -> list[str]:
    """Return "METHOD path" of everything that the application answers."""
    found = [f"GET {path}" for route in ROUTES for path in _expand(route.path)]
    found += [f"POST {path}" for path in INBOXES]
    for rule in scene.app._site.url_map.iter_rules():
        found += [f"{method} {rule.rule}" for method in rule.methods - {"HEAD", "OPTIONS"}]
    return found


def list_requests(scene: Scene, name: str) -> list[Request]:
    """Return the requests of a row, unsigned: for what exists, and for what does not."""
    method, path = route_of(name).split(" ", 1)
    thing = name.partition("(")[2].rstrip(")")
    targets = _targets(scene, path, thing)
    if method == "GET":
        return [Request("GET", target, (("host", HOST),)) for target in targets]
    view = {"type": "View", "id": f"{ORIGIN}/replaced-by-the-requester"}
    return [a_post(view, target=target) for target in targets]


async def ask_as(scene: Scene, requester: str, request: Request) -> Answer:
    """Ask as somebody of the table."""
    return await ask(scene.app, dress(scene, requester, request))


def dress(scene: Scene, requester: str, request: Request) -> Request:
    """Return a request as somebody of the table would send it."""
    if requester in PEOPLE:
        accept = {"nobody": _HTML, "robot": ACTIVITY}.get(requester, "application/json")
        request = with_header(request, "accept", accept)
        if requester in _HANDLES:
            request = with_header(request, "authorization", f"Bearer {scene.tokens[_HANDLES[requester]]}")
        return request
    request = with_header(request, "accept", ACTIVITY)
    if request.method not in ("GET", "HEAD"):
        request = with_header(request, "content-type", ACTIVITY)
    if requester == "garbled":
        return with_header(request, "signature", "keyId=")
    now = scene.lone.clock.now()
    foreign = scene.people["friend" if requester == "forged" else requester]
    if request.method == "POST":
        request = replace(request, body=a_post(foreign.activity("View", f"{ORIGIN}/actor")).body)
    if requester == "forged":
        forger = a_foreign_actor("friend.example", "fay", key="a forger's")
        return forger.sign(request, now)
    return foreign.sign(request, now)


def _expand(path: str) -> list[str]:
    """Return a path once for each of the names that stand in it with bars between."""
    found = re.search(r"<([a-z]+(?:\|[a-z]+)+)>", path)
    return [path.replace(found[0], name) for name in found[1].split("|")] if found else [path]


def _targets(scene: Scene, path: str, thing: str) -> tuple[str, ...]:
    """Return the request targets of what exists and of what does not."""
    group = {"hidden": "circle", "staff": "ward/staff"}.get(thing, "ward")
    if path == "/.well-known/webfinger":
        name = {"person": "mia", "group": "ward", "hidden": "circle", "node": HOST}[thing]
        found = f"{path}?resource=acct:{name}@{HOST}"
        return (found,) if thing == "node" else (found, f"{path}?resource=acct:nobody@{HOST}")
    if path == "/groups/<handle>/log/<seq>":
        seqs = (f"ward/log/{scene.seq}", f"ward/log/{scene.seq + 1000}", f"nothing/log/{scene.seq}")
        return tuple(f"/groups/{rest}" for rest in seqs)
    tokens = {"/posts": scene.post, "/activities": scene.activity, "/media": scene.media}
    if thing == "gone":
        tokens = {"/posts": scene.gone, "/activities": scene.gone_activity}
    if thing == "message":
        tokens = {"/posts": scene.message}
    if path.endswith("<token>"):
        folder = path.rpartition("/")[0]
        return f"{folder}/{tokens[folder]}", f"{folder}/{ABSENT}"
    if path.startswith("/groups/"):
        return path.replace("<handle>", group), path.replace("<handle>", "nothing")
    if "<handle>" in path:
        handle = "otto" if thing == "unknown" else "mia"
        return path.replace("<handle>", handle), path.replace("<handle>", "nobody")
    return (path,)
