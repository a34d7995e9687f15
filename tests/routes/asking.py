"""How each requester of the table asks for each of its rows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import quote

from node.api.entities.ids import list_id, shared_id, status_id
from node.federation.message import Answer, Request
from node.inbox.routes import INBOXES, is_inbox
from node.outbox.routes import ROUTES
from tests.routes.scene import ABSENT, CANARY, Scene
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
_NO_NUMBER = 4_242_424_242
_APPS = ("/api", "/oauth")
_CONSENT = "/oauth/authorize"
_FORM = "application/x-www-form-urlencoded"
_HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


def route_of(name: str) -> str:
    """Return the route of a row, without the thing that it is about."""
    return name.partition(" (")[0]


def list_routes(scene: Scene) -> list[str]:
    """Return "METHOD path" of everything that the application answers; a page and a document of one path are one."""
    found = [f"GET {path}" for route in ROUTES for path in _expand(route.path)]
    found += [f"POST {path}" for path in INBOXES]
    for rule in scene.app._site.url_map.iter_rules():
        path = rule.rule if rule.rule.count("/") <= 2 else rule.rule.rstrip("/")
        path = path.replace("<address>", "<handle>")
        methods = rule.methods - {"HEAD", "OPTIONS"}
        found += [f"ANY {path}"] if len(methods) > 2 else [f"{method} {path}" for method in methods]
    return found


def list_requests(scene: Scene, name: str) -> list[Request]:
    """Return the requests of a row, unsigned: for what exists, and for what does not."""
    method, path = route_of(name).split(" ", 1)
    thing = name.partition("(")[2].rstrip(")")
    method = "GET" if method == "ANY" else method
    if _is_for_apps(path):
        return [
            Request(method, target, (("host", HOST), ("content-type", "application/json")), json.dumps(body).encode())
            for target, body in _calls(scene, path, thing)
        ]
    targets = _targets(scene, path, thing)
    if method == "GET":
        return [Request("GET", target, (("host", HOST),)) for target in targets]
    if not path.endswith("/inbox"):
        return [
            Request("POST", target, (("host", HOST), ("content-type", _FORM)), b"text=Indeed.") for target in targets
        ]
    view = {"type": "View", "id": f"{ORIGIN}/replaced-by-the-requester"}
    return [a_post(view, target=target) for target in targets]


async def ask_as(scene: Scene, requester: str, request: Request) -> Answer:
    """Ask as somebody of the table."""
    return await ask(scene.app, dress(scene, requester, request))


def dress(scene: Scene, requester: str, request: Request) -> Request:
    """Return a request as somebody of the table would send it."""
    if requester in PEOPLE:
        is_app = _is_for_apps(request.path) and requester in _HANDLES
        accept = ACTIVITY if requester == "robot" else "application/json" if is_app else _HTML
        request = with_header(request, "accept", accept)
        if is_app:
            return with_header(request, "authorization", f"Bearer {scene.tokens[_HANDLES[requester]]}")
        if requester in _HANDLES:
            return with_header(request, "cookie", scene.cookies[_HANDLES[requester]])
        return request
    request = with_header(request, "accept", ACTIVITY)
    if request.method not in ("GET", "HEAD"):
        request = with_header(request, "content-type", ACTIVITY)
    if requester == "garbled":
        return with_header(request, "signature", "keyId=")
    now = scene.lone.clock.now()
    foreign = scene.people["friend" if requester == "forged" else requester]
    if request.method == "POST" and is_inbox(request.path):
        request = replace(request, body=a_post(foreign.activity("View", f"{ORIGIN}/actor")).body)
    if requester == "forged":
        forger = a_foreign_actor("friend.example", "fay", key="a forger's")
        return forger.sign(request, now)
    return foreign.sign(request, now)


def _is_for_apps(path: str) -> bool:
    """Whether a path is asked for with a token: the page on which a member lets an app in is not."""
    return path.startswith(_APPS) and path != _CONSENT


def _expand(path: str) -> list[str]:
    """Return a path once for each of the names that stand in it with bars between."""
    found = re.search(r"<([a-z]+(?:\|[a-z]+)+)>", path)
    return [path.replace(found[0], name) for name in found[1].split("|")] if found else [path]


def _targets(scene: Scene, path: str, thing: str) -> tuple[str, ...]:
    """Return the request targets of what exists and of what does not."""
    group = {"hidden": "circle", "staff": "ward/staff"}.get(thing, "ward")
    if (asked := _asked_by_query(scene, path, thing)) is not None:
        return asked
    if path == "/groups/<handle>/log/<seq>":
        seqs = (f"ward/log/{scene.seq}", f"ward/log/{scene.seq + 1000}", f"nothing/log/{scene.seq}")
        return tuple(f"/groups/{rest}" for rest in seqs)
    if "/threads/" in path:
        token = scene.hidden_post if thing == "hidden" else scene.gone if thing == "gone" else scene.post
        pairs = ((group, token), (group, ABSENT), ("nothing", token))
        return tuple(path.replace("<handle>", handle).replace("<token>", each) for handle, each in pairs)
    tokens = {"/posts": scene.post, "/activities": scene.activity, "/media": scene.media, "/invitations": scene.link}
    tokens["/probes"] = scene.probe
    tokens["/vouch"] = scene.code
    tokens["/set-up"] = scene.link  # a link for something else: this node has its operator
    if thing == "gone":
        tokens = {"/posts": scene.gone, "/activities": scene.gone_activity, "/probes": scene.gone_probe}
    if thing == "message":
        tokens = {"/posts": scene.message}
    if thing == "waiting":
        tokens = {"/media": scene.upload}
    if path.endswith("<token>"):
        folder = path.rpartition("/")[0]
        return f"{folder}/{tokens[folder]}", f"{folder}/{ABSENT}"
    if "<number>" in path:
        return path.replace("<number>", str(scene.application)), path.replace("<number>", str(_NO_NUMBER))
    if "<host>" in path:
        return path.replace("<host>", "friend.example"), path.replace("<host>", "nobody.example")
    if path.startswith("/groups/<"):
        return path.replace("<handle>", group), path.replace("<handle>", "nothing")
    if "<handle>" in path:
        handle = {"unknown": "otto", "elsewhere": "fay@friend.example"}.get(thing, "mia")
        return path.replace("<handle>", handle), path.replace("<handle>", "nobody")
    return (path,)


def _asked_by_query(scene: Scene, path: str, thing: str) -> tuple[str, ...] | None:
    """Return the same for paths that name in their query what they ask for."""
    if path == "/.well-known/webfinger":
        name = {"person": "mia", "group": "ward", "hidden": "circle", "node": HOST}[thing]
        found = f"{path}?resource=acct:{name}@{HOST}"
        return (found,) if thing == "node" else (found, f"{path}?resource=acct:nobody@{HOST}")
    if path == _CONSENT and thing:
        return f"{path}?{scene.wish}", f"{path}?{scene.wish.replace('client_id=', 'client_id=x')}"
    if path == "/copies":  # of a group hosted here: nobody hosts it but we, so nobody may have it back
        return tuple(
            f"{path}?group={quote(uri)}&at=1.{'0' * 64}" for uri in (scene.ward.uri, f"{ORIGIN}/groups/nothing")
        )
    if path.startswith("/messages/<"):
        return tuple(path.replace("<number>", str(each)) for each in (scene.numbers["conversation"], _NO_NUMBER))
    if path == "/live" and thing:
        number = scene.circle.group_id if thing == "hidden" else scene.ward.group_id
        return f"/live?group={number}", f"/live?group={_NO_NUMBER}"
    return None


def _calls(scene: Scene, path: str, thing: str) -> list[tuple[str, dict[str, str]]]:
    """Return (target, body) of a call of the client API: for what exists, and for what does not."""
    accounts = {
        "person": ("moe", scene.members["moe"].actor_id),
        "elsewhere": ("fay@friend.example", scene.actors["friend"].actor_id),
        "group": ("ward", scene.ward.group_id),
        "hidden": ("circle", scene.circle.group_id),
        "staff": ("ward/staff", scene.staff_id),
    }
    if (more := _more_calls(scene, path, thing)) is not None:
        return more
    if ("accounts" in path or "<account_id>" in path) and thing:
        address, number = accounts[thing]
        if path.endswith("accounts/search"):
            return [(f"{path}?q={address}", {}), (f"{path}?q=nobody", {})]
        if path.endswith("lookup"):
            return [(f"{path}?acct={address}", {}), (f"{path}?acct=nobody", {})]
        if path.endswith("relationships"):
            return [(f"{path}?id={number}", {}), (f"{path}?id={_NO_NUMBER}", {})]
        return [(path.replace("<account_id>", str(each)), {"comment": "nights"}) for each in (number, _NO_NUMBER)]
    if "<list_id>" in path:
        group_id = scene.staff_id if thing == "staff" else scene.ward.group_id
        return [(path.replace("<list_id>", list_id(each)), {}) for each in (group_id, _NO_NUMBER)]
    if "<media_id>" in path:
        token = scene.media if thing == "posted" else scene.upload
        return [(path.replace("<media_id>", each), {}) for each in (token, ABSENT)]
    numbers = (scene.numbers.get("message" if "message" in thing else "gone" if thing == "gone" else "", 0), _NO_NUMBER)
    ids = [shared_id(number) if thing == "shared" else status_id(number) for number in numbers]
    if path == "/api/v1/statuses":
        return [(path, {"status": "Indeed.", "in_reply_to_id": each}) for each in ids]
    if "<status_id>" in path:
        return [(path.replace("<status_id>", each), {"status": "Other words."}) for each in ids]
    return [(path.replace("<rest:rest>", "v1/nothing"), {})]


def _more_calls(scene: Scene, path: str, thing: str) -> list[tuple[str, dict[str, str]]] | None:
    """Return the same for search, reports, tags, and what a member keeps for their own eyes; None for anything else."""
    numbers = scene.numbers
    if path == "/api/v2/search":
        return [(f"{path}?type=statuses&q={CANARY.partition('-')[0]}", {}), (f"{path}?type=statuses&q=nothing", {})]
    if path == "/api/v1/reports":
        mia = str(scene.members["mia"].actor_id)
        return [
            (path, {"account_id": mia, "comment": "Look.", "status_ids": status_id(each)})
            for each in (numbers[""], _NO_NUMBER)
        ]
    if "<poll_id>" in path:
        ids = [status_id(each) for each in (numbers["poll"], _NO_NUMBER)]
        return [(path.replace("<poll_id>", each), {"choices": "0"}) for each in ids]
    if path == "/api/v2/filters":
        return [(path, {"title": "Exams", "context": "home"})]
    for name in ("filter", "keyword", "mark", "announcement"):
        if f"<{name}_id>" in path:
            body = {"title": "Tests", "keyword": "test", "status_id": status_id(numbers[""])}
            found = (numbers.get(name, _NO_NUMBER + 1), _NO_NUMBER)
            return [(path.replace(f"<{name}_id>", str(each)), body) for each in found]
    return [(path.replace("<tag>", "rota"), {})] if "<tag>" in path else _told_calls(scene, path, thing)


def _told_calls(scene: Scene, path: str, thing: str) -> list[tuple[str, dict[str, str]]] | None:
    """Return the same for what a member is told; None for anything else."""
    for name in ("notification", "conversation"):
        if f"<{name}_id>" in path:
            found = (scene.numbers[name], _NO_NUMBER)
            return [(path.replace(f"<{name}_id>", str(each)), {}) for each in found]
    if path == "/api/v1/notifications/dismiss":
        return [(path, {"id": str(each)}) for each in (scene.numbers["noticed"], _NO_NUMBER)]
    if path == "/api/v1/markers":
        return [(f"{path}?timeline[]=home", {"home[last_read_id]": "5"})]
    if path == "/api/v1/streaming/list":
        groups = {"hidden": scene.circle.group_id, "staff": scene.staff_id}
        return [(f"{path}?list={list_id(each)}", {}) for each in (groups.get(thing, scene.ward.group_id), _NO_NUMBER)]
    if path == "/api/v1/streaming/hashtag":
        return [(f"{path}?tag=rota", {})]
    if path.startswith(("/api/v1/streaming", "/api/v1/notifications", "/api/v1/conversations")):
        return [(f"{path}?stream=user" if path.endswith("streaming") else path, {})]
    return None
