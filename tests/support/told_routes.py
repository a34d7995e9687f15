"""Rows of `tests/api/test_api_rights.py` for what a member is told, as in `tests/support/app_routes.py`."""

from __future__ import annotations

from typing import Any

Row = tuple[str, str, str, str, dict[str, Any]]
_NOTIFICATIONS, _CONVERSATIONS, _STREAMS = "/api/v1/notifications", "/api/v1/conversations", "/api/v1/streaming"
_OTHERS = {"member": 404, "outsider": 404}
_NO_READ = {"wrong": "read write:statuses"}

TOLD_ROUTES: tuple[Row, ...] = (
    ("GET", _NOTIFICATIONS, _NOTIFICATIONS, "read:notifications", {"wrong": "write read:statuses"}),
    ("GET", f"{_NOTIFICATIONS}/unread_count", f"{_NOTIFICATIONS}/unread_count", "read:notifications", {}),
    ("GET", f"{_NOTIFICATIONS}/<notification_id>", f"{_NOTIFICATIONS}/42", "read:notifications", _OTHERS),
    ("POST", f"{_NOTIFICATIONS}/clear", f"{_NOTIFICATIONS}/clear", "write:notifications", _NO_READ),
    ("POST", f"{_NOTIFICATIONS}/dismiss", f"{_NOTIFICATIONS}/dismiss", "write:notifications", _NO_READ | _OTHERS),
    (
        "POST", f"{_NOTIFICATIONS}/<notification_id>/dismiss", f"{_NOTIFICATIONS}/42/dismiss", "write:notifications",
        _NO_READ | _OTHERS,
    ),
    ("GET", _CONVERSATIONS, _CONVERSATIONS, "read:statuses", {"wrong": "write read:notifications"}),
    (
        "POST", f"{_CONVERSATIONS}/<conversation_id>/read", f"{_CONVERSATIONS}/42/read", "write:conversations",
        _NO_READ | _OTHERS,
    ),
    (
        "POST", f"{_CONVERSATIONS}/<conversation_id>/unread", f"{_CONVERSATIONS}/42/unread", "write:conversations",
        _NO_READ | _OTHERS,
    ),
    (
        "DELETE", f"{_CONVERSATIONS}/<conversation_id>", f"{_CONVERSATIONS}/42", "write:conversations",
        _NO_READ | _OTHERS,
    ),
    ("GET", "/api/v1/markers", "/api/v1/markers?timeline[]=home", "read:statuses", {}),
    ("POST", "/api/v1/markers", "/api/v1/markers?home[last_read_id]=5", "write:statuses", {"wrong": "read follow"}),
    ("GET", _STREAMS, f"{_STREAMS}?stream=user", "read:statuses", {"wrong": "write read:lists"}),
    ("GET", f"{_STREAMS}/health", f"{_STREAMS}/health", "", {}),
    ("GET", f"{_STREAMS}/user", f"{_STREAMS}/user", "read:statuses", {"wrong": "write read:notifications"}),
    (
        "GET", f"{_STREAMS}/user/notification", f"{_STREAMS}/user/notification", "read:notifications",
        {"wrong": "write read:statuses"},
    ),
    ("GET", f"{_STREAMS}/direct", f"{_STREAMS}/direct", "read:statuses", {"wrong": "write read:notifications"}),
    (
        "GET", f"{_STREAMS}/hashtag", f"{_STREAMS}/hashtag?tag=rota", "read:statuses", {"wrong": "write read:notifications"},
    ),
    (
        "GET", f"{_STREAMS}/list", f"{_STREAMS}/list?list={{list}}", "read:lists",
        {"wrong": "write read:statuses", "outsider": 404},
    ),
)  # fmt: skip
