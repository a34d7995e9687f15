"""Who gets what: every route of the node, and every kind of requester.

A cell is the status for something that exists and, behind a slash, for something that does not. One number alone means
both, and then the two answers are equal byte for byte. A requester who may have a thing gets 200, 202 or 410; nobody else
can tell whether it exists (contract.md 2.5). The rows of one requester are walked from top to bottom on one node, so what
changes something stands last.

People, with the cookie of a session on pages and a bearer token on what apps ask, but for the first two:

    nobody    a browser without a session              robot     no signature, asks for ActivityPub
    member    a member of the group                    other     a member of the node, not of the group
    left      was in the group                         suspended has a cookie and a token from before
    moderator staff of the group                       operator  runs the node, is not in the group

Nodes, by their signatures:

    friend    an active peer with a member             ally      an active peer without one
    paused    parted    draft    verified              peers in those states
    stranger  a good signature of an unlisted node     forged    a signature by the wrong key
    garbled   a signature that cannot be read

A row stands for a method and a path, and for one thing of that kind where there are several: in brackets is said which.
The rows of all tables together must be the routes of the running application.
"""

from __future__ import annotations

from tests.routes.apps import EMPTY_PATHS, MORE_OF_APPS
from tests.routes.forms import FORMS, OPERATORS_FORMS
from tests.routes.told import TOLD

PEOPLE = ("nobody", "robot", "member", "other", "left", "suspended", "moderator", "operator")
NODES = ("friend", "ally", "paused", "parted", "draft", "verified", "stranger", "forged", "garbled")

# Between nodes. To people these paths are pages (`PAGES`), or nothing.
PEERS = """
                                   friend   ally     paused   parted   draft    verified stranger forged   garbled
GET  /people/<handle>              200/404  404      503      404      404      404      404      401      401
GET  /people/<handle> (unknown)    404      404      503      404      404      404      404      401      401
GET  /people/<handle>/outbox       200/404  404      503      404      404      404      404      401      401
GET  /people/<handle>/followers    200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>              200/404  200/404  503      404      404      404      404      401      401
GET  /groups/<handle> (hidden)     200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle> (staff)      404      404      503      404      404      404      404      401      401
GET  /groups/<handle>/log          200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/log (hidden) 200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/log (staff)  404      404      503      404      404      404      404      401      401
GET  /groups/<handle>/log/<seq>    200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/outbox       200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/followers    200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/moderators   200/404  404      503      404      404      404      404      401      401
GET  /groups/<handle>/featured     200/404  404      503      404      404      404      404      401      401
GET  /posts/<token>                200/404  404      503      404      404      404      404      401      401
GET  /posts/<token> (gone)         410/404  404      503      404      404      404      404      401      401
GET  /posts/<token> (message)      404      404      503      404      404      404      404      401      401
GET  /media/<token> (waiting)      404      404      503      404      404      404      404      401      401
GET  /activities/<token>           200/404  404      503      404      404      404      404      401      401
GET  /activities/<token> (gone)    410/404  404      503      404      404      404      404      401      401
GET  /media/<token>                200/404  404      503      404      404      404      404      401      401
GET  /probes/<token>               200/404  404      503      404      404      404      404      401      401
GET  /probes/<token> (gone)        404      410/404  503      404      404      404      404      401      401
GET  /copies                       404      404      503      404      404      404      404      401      401
"""
PEERS_FOR_PEOPLE = dict.fromkeys(PEOPLE, "404") | {"nobody": "303", "robot": "401", "suspended": "303"}

# Pages. Mia asks as `member` and wrote the post; ward is listed, so outsiders are shown how to join it.
PAGES = """
                                           nobody robot  member   other    left     suspended moderator operator
GET  /groups/<handle>                      303    401    200/404  303/404  303/404  303       200/404   303/404
GET  /groups/<handle> (hidden)             303    401    200/404  404      404      303       200/404   404
GET  /media/<token>                        303    401    200/404  404      404      303       200/404   404
GET  /media/<token> (waiting)              303    401    200/404  404      404      303       404       404
GET  /groups                               303    401    200      200      200      303       200       200
GET  /write                                303    401    200      200      200      303       200       200
GET  /search                               303    401    200      200      200      303       200       200
GET  /notifications                        303    401    200      200      200      303       200       200
GET  /messages                             303    401    200      200      200      303       200       200
GET  /messages/write                       303    401    200      200      200      303       200       200
GET  /messages/<number>                    303    401    200/404  404      404      303       200/404   404
GET  /live                                 303    401    200      200      200      303       200       200
GET  /live (group)                         303    401    200/404  404      404      303       200/404   404
GET  /live (hidden)                        303    401    200/404  404      404      303       200/404   404
GET  /me/settings                          303    401    200      200      200      303       200       200
GET  /me/apps                              303    401    200      200      200      303       200       200
GET  /me/verification                      303    401    200      200      200      303       200       200
GET  /me/bookmarks                         303    401    200      200      200      303       200       200
GET  /me/thanks                            303    401    200      200      200      303       200       200
GET  /me/distance                          303    401    200      200      200      303       200       200
GET  /me/invitations                       303    401    200      200      200      303       200       200
GET  /vouch                                303    401    200      200      200      303       200       200
GET  /vouch/<token>                        303    401    200/404  303      303      303       303       303
GET  /me                                   303    401    200      200      200      303       200       200
GET  /groups/find                          303    401    200      200      200      303       200       200
GET  /groups/new                           303    401    200      200      200      303       200       200
GET  /people/<handle>                      303    401    200/404  200/404  200/404  303       200/404   200/404
GET  /people/<handle> (unknown)            303    401    200/404  200/404  200/404  303       200/404   200/404
GET  /people/<handle> (elsewhere)          303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/join                 303    401    303/404  200/404  200/404  303       303/404   200/404
GET  /groups/<handle>/join (hidden)        303    401    303/404  404      404      303       303/404   404
GET  /groups/<handle>/members              303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/members (hidden)     303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/requests             303    401    404      404      404      303       200/404   404
GET  /groups/<handle>/requests (hidden)    303    401    404      404      404      303       200/404   404
GET  /groups/<handle>/settings             303    401    404      404      404      303       200/404   404
GET  /groups/<handle>/settings (hidden)    303    401    404      404      404      303       200/404   404
GET  /groups/<handle>/leave                303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/leave (hidden)       303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/write                303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/write (hidden)       303    401    200/404  404      404      303       200/404   404
GET  /groups/<handle>/threads/<token>                   303 401 200/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token> (hidden)          303 401 200/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token> (gone)            303 401 200/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token>/report            303 401 200/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token>/report (hidden)   303 401 200/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token>/report (gone)     303 401 404/404 404 404 303 404/404 404
GET  /groups/<handle>/threads/<token>/edit              303 401 200/404 404 404 303 404/404 404
GET  /groups/<handle>/threads/<token>/edit (hidden)     303 401 200/404 404 404 303 404/404 404
GET  /groups/<handle>/threads/<token>/withdraw          303 401 200/404 404 404 303 404/404 404
GET  /groups/<handle>/threads/<token>/withdraw (hidden) 303 401 200/404 404 404 303 404/404 404
GET  /groups/<handle>/threads/<token>/tend              303 401 404/404 404 404 303 200/404 404
GET  /groups/<handle>/threads/<token>/tend (hidden)     303 401 404/404 404 404 303 200/404 404
"""
# To everybody else the operators' desks are absent, whatever they name.
OPERATING = """
                                           nobody robot  member   other    left     suspended moderator operator
GET  /peers                                303    401    404      404      404      303       404       200
GET  /peers/<host>                         303    401    404      404      404      303       404       200/404
GET  /peers/<host>/pause                   303    401    404      404      404      303       404       200/404
GET  /peers/<host>/part                    303    401    404      404      404      303       404       200/404
GET  /node                                 303    401    404      404      404      303       404       200
GET  /node/first-day                       303    401    404      404      404      303       404       200
GET  /node/announcements                   303    401    404      404      404      303       404       200
GET  /node/audit                           303    401    404      404      404      303       404       200
GET  /node/verification                    303    401    404      404      404      303       404       200
GET  /node/verification/<number>           303    401    404      404      404      303       404       200/404
GET  /node/verification/people/<handle>    303    401    404      404      404      303       404       200/404
GET  /node/invitations                     303    401    404      404      404      303       404       200
GET  /node/members                         303    401    404      404      404      303       404       200
GET  /node/members/<handle>                303    401    404      404      404      303       404       200/404
"""
FORMS_FOR_OTHERS = {"nobody": "303", "robot": "401", "suspended": "303"}
FORMS_FOR_PEOPLE = dict.fromkeys(PEOPLE, "403") | FORMS_FOR_OTHERS
OPERATORS_FORMS_FOR_PEOPLE = dict.fromkeys(PEOPLE, "404") | FORMS_FOR_OTHERS | {"operator": "403"}
# To a node a page is nothing, like everything that nodes do not read.
PAGES_FOR_NODES = dict.fromkeys(NODES, "404") | {"paused": "503", "forged": "401", "garbled": "401"}

# The doors: open to whoever is not signed in, and to whoever holds a link. Nodes are nobody here.
DOORS = """
                                           nobody robot   member   other    left     suspended moderator operator
GET  /sign-in                              200    200     303      303      303      200       303       303
POST /sign-in                              422    422     403      403      403      422       403       403
GET  /invitations/<token>                  200/404 200/404 200/404 200/404  200/404  200/404   200/404   200/404
POST /invitations/<token>                  422/404 422/404 422/404 422/404  422/404  422/404   422/404   422/404
GET  /oauth/authorize                      400    400     400      400      400      400       400       400
GET  /oauth/authorize (app)                303/400 303/400 200/400 200/400  200/400  303/400   200/400   200/400
POST /oauth/authorize                      303    303     403      403      403      303       403       403
GET  /set-up/<token>                       404    404     404      404      404      404       404       404
POST /set-up/<token>                       404    404     404      404      404      404       404       404
"""

INBOXES = """
                                      friend   ally     paused   parted   draft    verified stranger forged  garbled
POST /inbox                           202      202      503      403      403      403      403      401     400
POST /people/<handle>/inbox           202      202      503      403      403      403      403      401     400
POST /groups/<handle>/inbox           202/404  202/404  503      403      403      403      403      401     400
POST /groups/<handle>/inbox (hidden)  202/404  404      503      403      403      403      403      401     400
POST /groups/<handle>/inbox (staff)   404      404      503      403      403      403      403      401     400
"""
INBOXES_FOR_PEOPLE = dict.fromkeys(PEOPLE, "401")

# Open to everybody: the same for all, whatever they carry.
OPEN = """
GET  /
GET  /support
GET  /charter
GET  /about
GET  /static/rounds.css
GET  /static/live.js
GET  /health
GET  /actor
GET  /.well-known/nodeinfo
GET  /.well-known/host-meta
GET  /nodeinfo/2.0
GET  /nodeinfo/2.1
GET  /.well-known/webfinger (node)
GET  /.well-known/oauth-authorization-server
GET  /static/person.png
GET  /static/group.png
GET  /static/header.png
GET  /api/v1/instance
GET  /api/v2/instance
GET  /api/v1/instance/rules
GET  /api/v1/instance/extended_description
"""

# Open to apps, which have to say more than these rows do; one answer for everybody.
FOR_APPS = """
                                     everybody
POST /api/v1/apps                    422
POST /oauth/token                    401
POST /oauth/revoke                   400
ANY  /oauth/                         404
ANY  /oauth/<rest:rest>              404
"""

# A node that does not work says so; the one of these tests stands still.
NOT_READY = """
GET  /ready
"""

# Of people and groups WebFinger tells peers what they may know anyway, and nobody else anything.
WEBFINGER = """
                                      friend   ally     paused   parted   draft    verified stranger forged  garbled
GET  /.well-known/webfinger (person)  200/404  404      503      404      404      404      404      404      404
GET  /.well-known/webfinger (group)   200/404  200/404  503      404      404      404      404      404      404
GET  /.well-known/webfinger (hidden)  200/404  404      503      404      404      404      404      404      404
"""
WEBFINGER_FOR_PEOPLE = dict.fromkeys(PEOPLE, "404")

# What members' apps ask. Mia asks as `member` and wrote the post; a signature is no token.
API = """
                                              nobody   robot    member   other    left     suspended moderator operator
ANY  /api/                                    401      401      404      404      404      401       404       404
ANY  /api/<rest:rest>                         401      401      404      404      404      401       404       404
GET  /api/v1/apps/verify_credentials          401      401      404      404      404      401       404       404
GET  /api/v1/accounts/verify_credentials      401      401      200      200      200      401       200       200
GET  /api/v1/accounts/lookup (person)         401      401      200/404  200/404  200/404  401       200/404   200/404
GET  /api/v1/accounts/lookup (elsewhere)      401      401      200/404  404      404      401       200/404   404
GET  /api/v1/accounts/lookup (group)          401      401      200/404  200/404  200/404  401       200/404   200/404
GET  /api/v1/accounts/lookup (hidden)         401      401      200/404  404      404      401       200/404   404
GET  /api/v1/accounts/lookup (staff)          401      401      404      404      404      401       404       404
GET  /api/v1/accounts/relationships (group)   401      401      200/200  200/200  200/200  401       200/200   200/200
GET  /api/v1/accounts/relationships (hidden)  401      401      200/200  200      200      401       200/200   200
GET  /api/v1/accounts/<account_id> (person)   401      401      200/404  200/404  200/404  401       200/404   200/404
GET  /api/v1/accounts/<account_id> (elsewhere) 401     401      200/404  404      404      401       200/404   404
GET  /api/v1/accounts/<account_id> (group)    401      401      200/404  200/404  200/404  401       200/404   200/404
GET  /api/v1/accounts/<account_id> (hidden)   401      401      200/404  404      404      401       200/404   404
GET  /api/v1/accounts/<account_id> (staff)    401      401      404      404      404      401       404       404
GET  /api/v1/statuses/<status_id>             401      401      200/404  404      404      401       200/404   404
GET  /api/v1/statuses/<status_id> (shared)    401      401      200/404  404      404      401       200/404   404
GET  /api/v1/statuses/<status_id> (gone)      401      401      404      404      404      401       404       404
GET  /api/v1/statuses/<status_id> (message)   401      401      200/404  404      404      401       200/404   404
GET  /api/v1/statuses/<status_id>/context     401      401      200/404  404      404      401       200/404   404
GET  /api/v1/timelines/home                   401      401      200      200      200      401       200       200
GET  /api/v1/timelines/list/<list_id>         401      401      200/404  404      404      401       200/404   404
GET  /api/v1/timelines/list/<list_id> (staff) 401      401      404      404      404      401       404       404
GET  /api/v1/lists                            401      401      200      200      200      401       200       200
POST /api/v1/media                            401      401      422      422      422      401       422       422
POST /api/v2/media                            401      401      422      422      422      401       422       422
GET  /api/v1/media/<media_id>                 401      401      200/404  404      404      401       404       404
GET  /api/v1/media/<media_id> (posted)        401      401      404      404      404      401       404       404
PUT  /api/v1/media/<media_id>                 401      401      200/404  404      404      401       404       404
POST /api/v1/statuses (answer)                401      401      200/404  404      404      401       200/404   404
POST /api/v1/statuses (to a message)          401      401      200/404  404      404      401       200/404   404
PUT  /api/v1/statuses/<status_id>             401      401      200/404  404      404      401       404       404
PUT  /api/v1/statuses/<status_id> (shared)    401      401      404      404      404      401       404       404
GET  /api/v1/favourites                       401      401      200      200      200      401       200       200
GET  /api/v1/bookmarks                        401      401      200      200      200      401       200       200
GET  /api/v1/mutes                            401      401      200      200      200      401       200       200
GET  /api/v1/blocks                           401      401      200      200      200      401       200       200
POST /api/v1/statuses/<status_id>/favourite               401 401 422/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/favourite (message)     401 401 422/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/favourite (gone)        401 401 404     404 404 401 404     404
POST /api/v1/statuses/<status_id>/unfavourite             401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/bookmark                401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/bookmark (shared)       401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/bookmark (message)      401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/bookmark (gone)         401 401 404     404 404 401 404     404
POST /api/v1/statuses/<status_id>/unbookmark              401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/mute                    401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/mute (message)          401 401 200/404 404 404 401 200/404 404
POST /api/v1/statuses/<status_id>/unmute                  401 401 200/404 404 404 401 200/404 404
POST /api/v1/accounts/<account_id>/mute (person)      401 401 200/404 200/404 200/404 401 422/404 200/404
POST /api/v1/accounts/<account_id>/mute (elsewhere)   401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/mute (hidden)      401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/unmute (elsewhere) 401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/unmute (hidden)    401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/block (person)     401 401 200/404 200/404 200/404 401 422/404 200/404
POST /api/v1/accounts/<account_id>/block (elsewhere)  401 401 200/404 404     404     401 200/404 404
POST /api/v1/accounts/<account_id>/block (hidden)     401 401 422/404 404     404     401 422/404 404
POST /api/v1/accounts/<account_id>/unblock (elsewhere) 401 401 200/404 404    404     401 200/404 404
POST /api/v1/accounts/<account_id>/unblock (person)   401 401 200/404 200/404 200/404 401 200/404 200/404
POST /api/v1/accounts/<account_id>/unmute (person)    401 401 200/404 200/404 200/404 401 200/404 200/404
POST /api/v1/accounts/<account_id>/follow (hidden)   401 401    200/404  404      404      401       200/404   404
POST /api/v1/accounts/<account_id>/follow (staff)    401 401    404      404      404      401       404       404
POST /api/v1/accounts/<account_id>/unfollow (hidden) 401 401    200/404  404      404      401       200/404   404
DELETE /api/v1/media/<media_id>               401      401      200/404  404      404      401       404       404
DELETE /api/v1/statuses/<status_id>           401      401      200/404  404      404      401       404       404
"""
API_FOR_NODES = dict.fromkeys(NODES, "401")
EMPTY_FOR_PEOPLE = dict.fromkeys(PEOPLE, "200") | {"nobody": "401", "robot": "401", "suspended": "401"}

Row = dict[str, str]


def list_rows() -> dict[str, Row]:
    """Return {"GET /people/<handle> (hidden)": {"nobody": "303", …}} of every table."""
    everybody = (*PEOPLE, *NODES)
    rows = {
        **{name: PEERS_FOR_PEOPLE | row for name, row in _read(PEERS, NODES).items()},
        **{name: INBOXES_FOR_PEOPLE | row for name, row in _read(INBOXES, NODES).items()},
        **{name: WEBFINGER_FOR_PEOPLE | row for name, row in _read(WEBFINGER, NODES).items()},
        **{name: dict.fromkeys(everybody, "200") for name in _read(OPEN, ())},
        **{name: dict.fromkeys(everybody, "503") for name in _read(NOT_READY, ())},
        **{name: dict.fromkeys(everybody, row["everybody"]) for name, row in _read(FOR_APPS, ("everybody",)).items()},
        **{name: FORMS_FOR_PEOPLE | PAGES_FOR_NODES for name in _read(FORMS, ())},
        **{name: OPERATORS_FORMS_FOR_PEOPLE | PAGES_FOR_NODES for name in _read(OPERATORS_FORMS, ())},
        **{name: row | dict.fromkeys(NODES, row["nobody"]) for name, row in _read(DOORS, PEOPLE).items()},
    }
    for name, row in (_read(PAGES, PEOPLE) | _read(OPERATING, PEOPLE)).items():
        rows[name] = rows.get(name, PAGES_FOR_NODES) | row
    apps = {f"GET {path}": EMPTY_FOR_PEOPLE for path in EMPTY_PATHS}
    apps |= _read(MORE_OF_APPS, PEOPLE) | _read(TOLD, PEOPLE) | _read(API, PEOPLE)
    return rows | {name: row | API_FOR_NODES for name, row in apps.items()}


def _read(text: str, columns: tuple[str, ...]) -> dict[str, Row]:
    """Return the rows of one table; its first line names the columns, unless it has none."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if columns:
        assert tuple(lines.pop(0)) == columns
    rows = {}
    for words in lines:
        place = len(words) - len(columns)
        rows[" ".join(words[:place])] = dict(zip(columns, words[place:], strict=True))
    return rows
