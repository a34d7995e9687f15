"""The forms of pages: rows of the table of who gets what (`tests/routes/table.py`), all of them alike.

A form without the token of the member's own pages is refused before anybody looks what it is about (T58). To everybody but
operators their forms are absent.
"""

from __future__ import annotations

FORMS = """
POST /sign-out
POST /me/settings
POST /me/password
POST /me/access
POST /me/apps
POST /me/verification
POST /me/verification/code
POST /me/specialty
POST /me/about
POST /me/bookmarks
POST /me/distance
POST /people/<handle>/distance
POST /groups/<handle>/threads/<token>/marks
POST /groups/<handle>/threads/<token>/marks (hidden)
POST /me/invitations
POST /me/invitations/withdraw
POST /vouch
POST /vouch/confirm
POST /vouch/withdraw
POST /me/notice
POST /announcements/<number>/dismiss
POST /read
POST /notifications
POST /messages/write
POST /messages/<number>
POST /messages/<number>/put-away
POST /groups/<handle>/level
POST /groups/<handle>/level (hidden)
POST /groups/<handle>/threads/<token>/follow
POST /groups/<handle>/threads/<token>/follow (hidden)
POST /groups/<handle>/write
POST /groups/<handle>/write (hidden)
POST /groups/<handle>/threads/<token>
POST /groups/<handle>/threads/<token> (hidden)
POST /groups/<handle>/threads/<token>/vote
POST /groups/<handle>/threads/<token>/vote (hidden)
POST /groups/<handle>/threads/<token>/staff
POST /groups/<handle>/threads/<token>/tend
POST /groups/<handle>/threads/<token>/edit
POST /groups/<handle>/threads/<token>/withdraw
POST /groups/<handle>/threads/<token>/report
POST /groups/<handle>/join
POST /groups/<handle>/leave
POST /groups/<handle>/settings
POST /groups/<handle>/requests
POST /groups/<handle>/admit
POST /groups/<handle>/members/role
POST /groups/<handle>/members/remove
POST /groups/<handle>/members/lift
POST /groups/<handle>/members/invite
POST /groups/find
POST /groups/new
"""

OPERATORS_FORMS = """
POST /peers
POST /peers/<host>/confirm
POST /peers/<host>/rekey
POST /peers/<host>/countersign
POST /peers/<host>/again
POST /peers/<host>/test
POST /peers/<host>/policy
POST /peers/<host>/lanes
POST /peers/<host>/pause
POST /peers/<host>/keep
POST /peers/<host>/resume
POST /peers/<host>/part
POST /node/verification/<number>
POST /node/verification/people/<handle>/state
POST /node/verification/people/<handle>/check
POST /node/announcements
POST /node/announcements/<number>/end
POST /node/invitations
POST /node/members
POST /node/members/<handle>/reset
POST /node/members/<handle>/assurance
POST /node/members/<handle>/restore
POST /node/members/<handle>/suspend
"""
