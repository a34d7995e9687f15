"""What members' apps ask of what they are told: notifications, conversations, markers, streams.

Columns and cells are those of `tests/routes/table.py`. The message is from Mia, who asks as `member`, to Moe, who asks as
`moderator`; what Moe was told of is Moe's alone, and the numbers of conversations are the same for both.
"""

from __future__ import annotations

TOLD = """
                                                     nobody robot member other left suspended moderator operator
GET  /api/v1/notifications                           401 401 200     200 200 401 200     200
GET  /api/v1/notifications/unread_count              401 401 200     200 200 401 200     200
GET  /api/v1/notifications/<notification_id>         401 401 404     404 404 401 200/404 404
GET  /api/v1/conversations                           401 401 200     200 200 401 200     200
GET  /api/v1/markers                                 401 401 200     200 200 401 200     200
GET  /api/v1/streaming                               401 401 200     200 200 401 200     200
GET  /api/v1/streaming/health                        401 401 200     200 200 401 200     200
GET  /api/v1/streaming/user                          401 401 200     200 200 401 200     200
GET  /api/v1/streaming/user/notification             401 401 200     200 200 401 200     200
GET  /api/v1/streaming/direct                        401 401 200     200 200 401 200     200
GET  /api/v1/streaming/hashtag                       401 401 200     200 200 401 200     200
GET  /api/v1/streaming/list                          401 401 200/404 404 404 401 200/404 404
GET  /api/v1/streaming/list (hidden)                 401 401 200/404 404 404 401 200/404 404
GET  /api/v1/streaming/list (staff)                  401 401 404     404 404 401 404     404
POST /api/v1/markers                                 401 401 200     200 200 401 200     200
POST /api/v1/conversations/<conversation_id>/read    401 401 200/404 404 404 401 200/404 404
POST /api/v1/conversations/<conversation_id>/unread  401 401 200/404 404 404 401 200/404 404
DELETE /api/v1/conversations/<conversation_id>       401 401 200/404 404 404 401 200/404 404
POST /api/v1/notifications/dismiss                   401 401 404     404 404 401 200/404 404
POST /api/v1/notifications/<notification_id>/dismiss 401 401 404     404 404 401 200/404 404
POST /api/v1/notifications/clear                     401 401 200     200 200 401 200     200
"""
