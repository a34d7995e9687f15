"""More rows of the table of who may ask what by an app (`tests/api/test_api_rights.py`): one for each route.

(method, rule, target, scope, {member, outsider, wrong, form}); what is left out is as in the table: 200 for everybody.
"""

from __future__ import annotations

from typing import Any

from tests.routes.apps import EMPTY_PATHS

Row = tuple[str, str, str, str, dict[str, Any]]
_ABSENT = {"member": 404, "outsider": 404}
_FIXED = {"member": 422, "outsider": 404, "wrong": "read write:statuses"}
_NEVER = {"member": 422, "outsider": 422}
_INSIDE = {"outsider": 404}
_STATUS, _ACCOUNT, _LIST = "/api/v1/statuses/<status_id>", "/api/v1/accounts/<account_id>", "/api/v1/lists/<list_id>"
_POST, _GROUP, _OWN = "/api/v1/statuses/{post}", "/api/v1/accounts/{group}", "/api/v1/lists/{list}"
_FILTER = "/api/v2/filters/<filter_id>"
_SCOPE_OF_EMPTY = {
    "followed_tags": "read:follows",
    "domain_blocks": "read:blocks",
    "scheduled_statuses": "read:statuses",
}


def _scope_of(path: str) -> str:
    what = path.removeprefix("/api/v1/")
    return "read:statuses" if what.startswith("trends") else _SCOPE_OF_EMPTY.get(what, "read:accounts")


MORE_ROUTES: tuple[Row, ...] = (
    ("GET", "/api/v1/instance/rules", "/api/v1/instance/rules", "", {}),
    ("GET", "/api/v1/instance/extended_description", "/api/v1/instance/extended_description", "", {}),
    ("GET", f"{_STATUS}/source", f"{_POST}/source", "read:statuses", _INSIDE),
    ("GET", f"{_STATUS}/history", f"{_POST}/history", "read:statuses", _INSIDE),
    ("GET", f"{_STATUS}/favourited_by", f"{_POST}/favourited_by", "read:accounts", _INSIDE),
    ("GET", f"{_STATUS}/reblogged_by", f"{_POST}/reblogged_by", "read:accounts", _INSIDE),
    ("POST", f"{_STATUS}/reblog", f"{_POST}/reblog", "write:statuses", {"member": 422, "outsider": 404}),
    ("POST", f"{_STATUS}/unreblog", f"{_POST}/unreblog", "write:statuses", _INSIDE),
    ("POST", f"{_STATUS}/pin", f"{_POST}/pin", "write:accounts", {"member": 403, "outsider": 404}),
    ("POST", f"{_STATUS}/unpin", f"{_POST}/unpin", "write:accounts", {"member": 403, "outsider": 404}),
    ("GET", f"{_ACCOUNT}/statuses", f"{_GROUP}/statuses", "read:statuses", {"wrong": "write read:accounts"}),
    ("GET", f"{_ACCOUNT}/followers", f"{_GROUP}/followers", "read:accounts", {"wrong": "write read:follows"}),
    ("GET", f"{_ACCOUNT}/following", f"{_GROUP}/following", "read:accounts", {}),
    ("GET", f"{_ACCOUNT}/lists", f"{_GROUP}/lists", "read:lists", {}),
    ("GET", f"{_ACCOUNT}/featured_tags", f"{_GROUP}/featured_tags", "read:accounts", {}),
    ("GET", f"{_ACCOUNT}/endorsements", f"{_GROUP}/endorsements", "read:accounts", {}),
    ("GET", f"{_ACCOUNT}/identity_proofs", f"{_GROUP}/identity_proofs", "read:accounts", {}),
    ("POST", f"{_ACCOUNT}/note", f"{_GROUP}/note", "write:accounts", {"wrong": "read write:follows"}),
    ("GET", "/api/v1/accounts/search", "/api/v1/accounts/search?q=ward", "read:accounts", {}),
    ("GET", "/api/v1/accounts/familiar_followers", "/api/v1/accounts/familiar_followers", "read:follows", {}),
    ("PATCH", "/api/v1/accounts/update_credentials", "/api/v1/accounts/update_credentials", "write:accounts", {}),
    ("GET", "/api/v1/preferences", "/api/v1/preferences", "read:accounts", {}),
    ("GET", "/api/v1/follow_requests", "/api/v1/follow_requests", "read:follows", {}),
    *(
        (
            "POST", f"/api/v1/follow_requests/<account_id>/{act}", f"/api/v1/follow_requests/{{person}}/{act}",
            "write:follows", _ABSENT,
        )
        for act in ("authorize", "reject")
    ),
    ("GET", "/api/v1/timelines/public", "/api/v1/timelines/public", "read:statuses", {}),
    ("GET", "/api/v1/timelines/tag/<tag>", "/api/v1/timelines/tag/rota", "read:statuses", {}),
    ("GET", "/api/v1/tags/<tag>", "/api/v1/tags/rota", "read:statuses", {}),
    ("POST", "/api/v1/tags/<tag>/follow", "/api/v1/tags/rota/follow", "write:follows", _NEVER),
    ("POST", "/api/v1/tags/<tag>/unfollow", "/api/v1/tags/rota/unfollow", "write:follows", {}),
    ("GET", _LIST, _OWN, "read:lists", _INSIDE),
    ("GET", f"{_LIST}/accounts", f"{_OWN}/accounts", "read:lists", _INSIDE),
    ("POST", "/api/v1/lists", "/api/v1/lists", "write:lists", _NEVER),
    ("PUT", _LIST, _OWN, "write:lists", _FIXED),
    ("DELETE", _LIST, _OWN, "write:lists", _FIXED),
    ("POST", f"{_LIST}/accounts", f"{_OWN}/accounts", "write:lists", _FIXED),
    ("DELETE", f"{_LIST}/accounts", f"{_OWN}/accounts", "write:lists", _FIXED),
    ("GET", "/api/v2/search", "/api/v2/search?q=hello", "read:search", {"wrong": "write read:statuses"}),
    ("GET", "/api/v2/filters", "/api/v2/filters", "read:filters", {}),
    ("POST", "/api/v2/filters", "/api/v2/filters", "write:filters", {"form": {"title": "x", "context": ["home"]}}),
    *((method, _FILTER, "/api/v2/filters/2", scope, _ABSENT) for method, scope in (
        ("GET", "read:filters"), ("PUT", "write:filters"), ("DELETE", "write:filters"),
    )),
    *((method, f"{_FILTER}/{what}", f"/api/v2/filters/2/{what}", scope, {**_ABSENT, "form": form})
      for what in ("keywords", "statuses")
      for method, scope, form in (("GET", "read:filters", None), ("POST", "write:filters", {"keyword": "x", "status_id": "2"}))),
    *((method, f"/api/v2/filters/{what}", f"/api/v2/filters/{what.partition('/')[0]}/2", scope, _ABSENT)
      for what, methods in (("keywords/<keyword_id>", ("GET", "PUT", "DELETE")), ("statuses/<mark_id>", ("GET", "DELETE")))
      for method in methods
      for scope in ("read:filters" if method == "GET" else "write:filters",)),
    ("POST", "/api/v1/reports", "/api/v1/reports", "write:reports", _ABSENT),
    ("GET", "/api/v1/announcements", "/api/v1/announcements", "read:accounts", {}),
    (
        "POST", "/api/v1/announcements/<announcement_id>/dismiss", "/api/v1/announcements/2/dismiss", "write:accounts",
        _ABSENT,
    ),
    ("POST", "/api/v1/media", "/api/v1/media", "write:media", {**_NEVER, "wrong": "read write:statuses"}),
    ("POST", "/api/v2/media", "/api/v2/media", "write:media", {**_NEVER, "wrong": "read write:statuses"}),
    *(
        (method, "/api/v1/media/<media_id>", "/api/v1/media/nothing", "write:media", _ABSENT)
        for method in ("GET", "PUT", "DELETE")
    ),
    ("GET", "/api/v1/polls/<poll_id>", "/api/v1/polls/2", "read:statuses", _ABSENT),
    ("POST", "/api/v1/polls/<poll_id>/votes", "/api/v1/polls/2/votes", "write:statuses", _ABSENT),
    *(("GET", path, path, _scope_of(path), {}) for path in EMPTY_PATHS),
)  # fmt: skip
OPEN_ROUTES = ("/api/v1/instance/rules", "/api/v1/instance/extended_description")
