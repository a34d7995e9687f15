"""What members' apps ask besides the table's first rows: accounts, lists, search, filters, reports, what is always empty.

Columns and cells are those of `tests/routes/table.py`. Mia asks as `member`; the filter, its keyword and its post are hers.
"""

from __future__ import annotations

MORE_OF_APPS = """
                                              nobody   robot    member   other    left     suspended moderator operator
GET  /api/v1/accounts/search (person)         401      401      200/200  200/200  200/200  401       200/200   200/200
GET  /api/v1/accounts/search (elsewhere)      401      401      200/200  200      200      401       200/200   200
GET  /api/v1/accounts/search (hidden)         401      401      200/200  200      200      401       200/200   200
GET  /api/v1/accounts/search (staff)          401      401      200      200      200      401       200       200
GET  /api/v1/accounts/familiar_followers      401      401      200      200      200      401       200       200
GET  /api/v1/accounts/<account_id>/statuses (person)     401 401 200/404 200/404 200/404 401 200/404 200/404
GET  /api/v1/accounts/<account_id>/statuses (elsewhere)  401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/statuses (hidden)     401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/statuses (staff)      401 401 404     404     404     401 404     404
GET  /api/v1/accounts/<account_id>/followers (person)    401 401 200/404 200/404 200/404 401 200/404 200/404
GET  /api/v1/accounts/<account_id>/followers (hidden)    401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/followers (staff)     401 401 404     404     404     401 404     404
GET  /api/v1/accounts/<account_id>/following (person)    401 401 200/404 200/404 200/404 401 200/404 200/404
GET  /api/v1/accounts/<account_id>/following (elsewhere) 401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/following (hidden)    401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/lists (hidden)        401 401 200/404 404     404     401 200/404 404
GET  /api/v1/accounts/<account_id>/lists (staff)         401 401 404     404     404     401 404     404
GET  /api/v1/accounts/<account_id>/featured_tags (hidden)    401 401 200/404 404 404 401 200/404 404
GET  /api/v1/accounts/<account_id>/endorsements (hidden)     401 401 200/404 404 404 401 200/404 404
GET  /api/v1/accounts/<account_id>/identity_proofs (hidden)  401 401 200/404 404 404 401 200/404 404
POST /api/v1/accounts/<account_id>/note (person)      401 401 200/404 200/404 200/404 401 200/404 200/404
POST /api/v1/accounts/<account_id>/note (elsewhere)   401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/note (hidden)      401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/note (staff)       401 401 404     404     404     401 404     404
GET  /api/v1/preferences                      401      401      200      200      200      401       200       200
GET  /api/v1/follow_requests                  401      401      200      200      200      401       200       200
POST /api/v1/follow_requests/<account_id>/authorize (person) 401 401 404 404 404 401 404 404
POST /api/v1/follow_requests/<account_id>/reject (person)    401 401 404 404 404 401 404 404
GET  /api/v1/statuses/<status_id>/source                  401 401 200/404 404 404 401 404     404
GET  /api/v1/statuses/<status_id>/source (shared)         401 401 404     404 404 401 404     404
GET  /api/v1/statuses/<status_id>/source (gone)           401 401 404     404 404 401 404     404
GET  /api/v1/statuses/<status_id>/source (message)        401 401 200/404 404 404 401 404     404
GET  /api/v1/statuses/<status_id>/history                 401 401 200/404 404 404 401 200/404 404
GET  /api/v1/statuses/<status_id>/history (gone)          401 401 404     404 404 401 404     404
GET  /api/v1/statuses/<status_id>/history (message)       401 401 200/404 404 404 401 200/404 404
GET  /api/v1/statuses/<status_id>/favourited_by           401 401 200/404 404 404 401 200/404 404
GET  /api/v1/statuses/<status_id>/favourited_by (message) 401 401 200/404 404 404 401 200/404 404
GET  /api/v1/statuses/<status_id>/favourited_by (gone)    401 401 404     404 404 401 404     404
GET  /api/v1/statuses/<status_id>/reblogged_by            401 401 200/404 404 404 401 200/404 404
GET  /api/v1/statuses/<status_id>/reblogged_by (message)  401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/reblog                  401 401 422/404 404 404 401 422/404 404
POST /api/v1/statuses/<status_id>/reblog (message)        401 401 422/404 404 404 401 422/404 404
POST /api/v1/statuses/<status_id>/unreblog                401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/pin                     401 401 403/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/pin (message)           401 401 404     404 404 401 404     404
POST /api/v1/statuses/<status_id>/unpin                   401 401 403/404 404 404 401 200/404 404
GET  /api/v1/polls/<poll_id>                              401 401 200/404 404 404 401 200/404 404
POST /api/v1/polls/<poll_id>/votes                        401 401 200/404 404 404 401 200/404 404
GET  /api/v1/timelines/public                 401      401      200      200      200      401       200       200
GET  /api/v1/timelines/tag/<tag>              401      401      200      200      200      401       200       200
GET  /api/v1/tags/<tag>                       401      401      200      200      200      401       200       200
POST /api/v1/tags/<tag>/follow                401      401      422      422      422      401       422       422
POST /api/v1/tags/<tag>/unfollow              401      401      200      200      200      401       200       200
GET  /api/v1/lists/<list_id>                  401      401      200/404  404      404      401       200/404   404
GET  /api/v1/lists/<list_id> (staff)          401      401      404      404      404      401       404       404
GET  /api/v1/lists/<list_id>/accounts         401      401      200/404  404      404      401       200/404   404
GET  /api/v1/lists/<list_id>/accounts (staff) 401      401      404      404      404      401       404       404
POST /api/v1/lists                            401      401      422      422      422      401       422       422
PUT  /api/v1/lists/<list_id>                  401      401      422/404  404      404      401       422/404   404
DELETE /api/v1/lists/<list_id>                401      401      422/404  404      404      401       422/404   404
POST /api/v1/lists/<list_id>/accounts         401      401      422/404  404      404      401       422/404   404
DELETE /api/v1/lists/<list_id>/accounts       401      401      422/404  404      404      401       422/404   404
GET  /api/v2/search                           401      401      200/200  200      200      401       200/200   200
GET  /api/v2/filters                          401      401      200      200      200      401       200       200
GET  /api/v2/filters/<filter_id>              401      401      200/404  404      404      401       404       404
GET  /api/v2/filters/<filter_id>/keywords     401      401      200/404  404      404      401       404       404
GET  /api/v2/filters/<filter_id>/statuses     401      401      200/404  404      404      401       404       404
GET  /api/v2/filters/keywords/<keyword_id>    401      401      200/404  404      404      401       404       404
GET  /api/v2/filters/statuses/<mark_id>       401      401      200/404  404      404      401       404       404
POST /api/v2/filters                          401      401      200      200      200      401       200       200
PUT  /api/v2/filters/<filter_id>              401      401      200/404  404      404      401       404       404
POST /api/v2/filters/<filter_id>/keywords     401      401      200/404  404      404      401       404       404
POST /api/v2/filters/<filter_id>/statuses     401      401      200/404  404      404      401       404       404
PUT  /api/v2/filters/keywords/<keyword_id>    401      401      200/404  404      404      401       404       404
DELETE /api/v2/filters/keywords/<keyword_id>  401      401      200/404  404      404      401       404       404
DELETE /api/v2/filters/statuses/<mark_id>     401      401      200/404  404      404      401       404       404
DELETE /api/v2/filters/<filter_id>            401      401      200/404  404      404      401       404       404
POST /api/v1/reports                          401      401      200/422  422      422      401       200/422   422
GET  /api/v1/announcements                    401      401      200      200      200      401       200       200
POST /api/v1/announcements/<announcement_id>/dismiss 401 401    404      404      404      401       404       404
PATCH /api/v1/accounts/update_credentials     401      401      200      200      200      401       200       200
"""
# There is nothing of these: the same for everybody who is signed in.
EMPTY = (
    "trends", "trends/tags", "trends/statuses", "trends/links", "followed_tags", "suggestions", "directory", "endorsements",
    "featured_tags", "featured_tags/suggestions", "domain_blocks", "scheduled_statuses", "custom_emojis", "instance/peers",
    "instance/activity", "instance/domain_blocks", "instance/translation_languages",
)  # fmt: skip
EMPTY_PATHS = (*(f"/api/v1/{path}" for path in EMPTY), "/api/v2/suggestions")
