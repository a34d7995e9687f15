"""The register of pages: every page that people see, and the states in which it is looked at.

`make pictures` takes each of them and fails when one cannot be had; the browser tests walk them all; a house test holds
the register to the routes. Whoever adds a page adds its line.

What stands in braces is filled in by whoever looks: {group}, a group hosted here that the member owns; {elsewhere}, one of
another node that they may join; {thread}, {own} and {theirs}, the tokens of a thread, of a post of the member's and of
somebody else's; {poll} and {voted}, of polls; {person}, an address; {member}, a handle; {peer}, a host; {link}, the secret of a
one-time link;
{peer_draft} to {peer_unfound}, hosts of nodes in other states; {application_conflict} and its like, numbers of applications;
{lapsed}, the handle of a member whose verification has lapsed. tools/scenes.py makes the last three kinds. {app}, what an app
that has introduced itself asks for, without the scope; {conversation}, the number of one of the member's conversations.
"""

from __future__ import annotations

from dataclasses import dataclass

NOBODY, MEMBER, NEWCOMER, OPERATOR = "nobody", "member", "newcomer", "operator"
APPLICANT = "applicant"  # a member whose application is with the verification desk
# Members whose application was answered with a question, was declined, and whose verification has lapsed.
ASKED, DECLINED, LAPSED = "asked", "declined", "lapsed"
OFFICER = "officer"  # a second operator, who has not confirmed what the first one has


@dataclass(frozen=True, slots=True)
class State:
    """A page as somebody finds it. name: what is particular, or nothing. who: signed in as. path: where."""

    name: str
    who: str
    path: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name, its route, and the states in which it is looked at."""

    name: str
    rule: str
    states: tuple[State, ...]


def _page(name: str, rule: str, *states: tuple[str, str, str]) -> Page:
    return Page(name, rule, tuple(State(*state) for state in states))


_GROUP = "/groups/<address>"
_POST = f"{_GROUP}/threads/<token>"

PAGES: tuple[Page, ...] = (
    _page("front", "/", ("landing", NOBODY, "/"), ("catch-up", MEMBER, "/"), ("in no group", NEWCOMER, "/")),
    _page("support", "/support", ("", NOBODY, "/support"), ("", MEMBER, "/support")),
    _page("charter", "/charter", ("", NOBODY, "/charter")),
    _page("about", "/about", ("", NOBODY, "/about"), ("", MEMBER, "/about")),
    _page("sign-in", "/sign-in", ("", NOBODY, "/sign-in")),
    _page(
        "invitation",
        "/invitations/<token>",
        ("", NOBODY, "/invitations/{link}"),
        ("spent", NOBODY, "/invitations/nothing"),
    ),
    _page("set-up", "/set-up/<token>", ("spent", NOBODY, "/set-up/nothing")),
    _page("me", "/me", ("", MEMBER, "/me")),
    _page("settings", "/me/settings", ("", MEMBER, "/me/settings"), ("saved", MEMBER, "/me/settings?saved=1")),
    _page("apps", "/me/apps", ("", MEMBER, "/me/apps"), ("none", NEWCOMER, "/me/apps?ended=1")),
    _page(
        "authorize",
        "/oauth/authorize",
        ("", MEMBER, "/oauth/authorize?{app}&scope=read+write+push"),
        ("to sign in first", NOBODY, "/oauth/authorize?{app}"),
        ("unknown app", MEMBER, "/oauth/authorize?client_id=nothing"),
        ("asks too much", MEMBER, "/oauth/authorize?{app}&scope=admin"),
    ),
    _page(
        "verification",
        "/me/verification",
        ("", MEMBER, "/me/verification"),
        ("to apply", NEWCOMER, "/me/verification"),
        ("waiting", APPLICANT, "/me/verification"),
        ("asked for more", ASKED, "/me/verification"),
        ("declined", DECLINED, "/me/verification"),
        ("lapsed", LAPSED, "/me/verification"),
    ),
    _page("bookmarks", "/me/bookmarks", ("", MEMBER, "/me/bookmarks"), ("none", NEWCOMER, "/me/bookmarks")),
    _page("thanks", "/me/thanks", ("", MEMBER, "/me/thanks"), ("none", NEWCOMER, "/me/thanks")),
    _page("distance", "/me/distance", ("", MEMBER, "/me/distance"), ("nobody", NEWCOMER, "/me/distance")),
    _page(
        "invite",
        "/me/invitations",
        ("", MEMBER, "/me/invitations"),
        ("newcomer", NEWCOMER, "/me/invitations"),
    ),
    _page("vouch", "/vouch", ("", MEMBER, "/vouch"), ("newcomer", NEWCOMER, "/vouch")),
    _page("vouch-code", "/vouch/<token>", ("spent", MEMBER, "/vouch/nothing")),
    _page("notices", "/notifications", ("", MEMBER, "/notifications"), ("none", NEWCOMER, "/notifications")),
    _page("messages", "/messages", ("", MEMBER, "/messages"), ("none", NEWCOMER, "/messages")),
    _page("write-message", "/messages/write", ("", MEMBER, "/messages/write")),
    _page("conversation", "/messages/<number>", ("", MEMBER, "/messages/{conversation}")),
    _page(
        "search",
        "/search",
        ("", MEMBER, "/search"),
        ("found", MEMBER, "/search?q=the"),
        ("nothing found", MEMBER, "/search?q=xylophone"),
        ("narrowed", MEMBER, "/search?q=the&group={group}&sources=1"),
        ("no words", MEMBER, "/search?q=%22%22"),
        ("in no group", NEWCOMER, "/search"),
    ),
    _page("groups", "/groups", ("", MEMBER, "/groups"), ("none", NEWCOMER, "/groups")),
    _page("find-group", "/groups/find", ("", MEMBER, "/groups/find")),
    _page("new-group", "/groups/new", ("", MEMBER, "/groups/new")),
    _page("group", _GROUP, ("", MEMBER, "/groups/{group}")),
    _page(
        "join", f"{_GROUP}/join", ("", MEMBER, "/groups/{elsewhere}/join"), ("here", NEWCOMER, "/groups/{group}/join")
    ),
    _page(
        "leave",
        f"{_GROUP}/leave",
        ("the last owner", MEMBER, "/groups/{group}/leave"),
        ("", APPLICANT, "/groups/{group}/leave"),
    ),
    _page(
        "members",
        f"{_GROUP}/members",
        ("", MEMBER, "/groups/{group}/members"),
        ("one chosen", MEMBER, "/groups/{group}/members?person={person}"),
        ("as a member", APPLICANT, "/groups/{group}/members"),
    ),
    _page("group-settings", f"{_GROUP}/settings", ("", MEMBER, "/groups/{group}/settings")),
    _page("requests", f"{_GROUP}/requests", ("", MEMBER, "/groups/{group}/requests")),
    _page("choose", "/write", ("", MEMBER, "/write"), ("nowhere", NEWCOMER, "/write")),
    _page(
        "write",
        f"{_GROUP}/write",
        ("", MEMBER, "/groups/{group}/write"),
        ("with a poll", MEMBER, "/groups/{group}/write?poll=1"),
    ),
    _page(
        "thread",
        _POST,
        ("", MEMBER, "/groups/{group}/threads/{thread}"),
        ("answering", MEMBER, "/groups/{group}/threads/{thread}?reply={theirs}"),
        ("quoting", MEMBER, "/groups/{group}/threads/{thread}?quote={theirs}"),
        ("a poll", MEMBER, "/groups/{group}/threads/{poll}"),
        ("a poll voted on", MEMBER, "/groups/{group}/threads/{voted}"),
    ),
    _page("edit", f"{_POST}/edit", ("", MEMBER, "/groups/{group}/threads/{own}/edit")),
    _page("withdraw", f"{_POST}/withdraw", ("", MEMBER, "/groups/{group}/threads/{own}/withdraw")),
    _page("tend", f"{_POST}/tend", ("", MEMBER, "/groups/{group}/threads/{theirs}/tend")),
    _page("report", f"{_POST}/report", ("", MEMBER, "/groups/{group}/threads/{theirs}/report")),
    _page("person", "/people/<address>", ("", MEMBER, "/people/{person}")),
    _page("absent", "", ("", MEMBER, "/nothing")),
    _page("peers", "/peers", ("", OPERATOR, "/peers")),
    _page(
        "peer",
        "/peers/<host>",
        ("", OPERATOR, "/peers/{peer}"),
        ("awaiting verification", OPERATOR, "/peers/{peer_draft}"),
        ("locked by wrong words", OPERATOR, "/peers/{peer_locked}"),
        ("waits for a second officer", OPERATOR, "/peers/{peer_confirmed}"),
        ("to countersign", OFFICER, "/peers/{peer_confirmed}"),
        ("paused", OPERATOR, "/peers/{peer_paused}"),
        ("parted", OPERATOR, "/peers/{peer_parted}"),
        ("unreachable", OPERATOR, "/peers/{peer_lost}"),
        ("not found yet", OPERATOR, "/peers/{peer_unfound}"),
    ),
    _page("pause-peer", "/peers/<host>/pause", ("", OPERATOR, "/peers/{peer}/pause")),
    _page("part-peer", "/peers/<host>/part", ("", OPERATOR, "/peers/{peer}/part")),
    _page("node", "/node", ("", OPERATOR, "/node")),
    _page("first-day", "/node/first-day", ("", OPERATOR, "/node/first-day")),
    _page("announcements", "/node/announcements", ("", OPERATOR, "/node/announcements")),
    _page("audit", "/node/audit", ("", OPERATOR, "/node/audit")),
    _page("desk-verification", "/node/verification", ("", OPERATOR, "/node/verification")),
    _page(
        "application",
        "/node/verification/<number>",
        ("", OPERATOR, "/node/verification/next"),
        ("conflict", OPERATOR, "/node/verification/{application_conflict}"),
        ("asked for more", OPERATOR, "/node/verification/{application_asked}"),
        ("declined", OPERATOR, "/node/verification/{application_declined}"),
        ("approved", OPERATOR, "/node/verification/{application_approved}"),
    ),
    _page(
        "verified",
        "/node/verification/people/<handle>",
        ("", OPERATOR, "/node/verification/people/{member}"),
        ("lapsed", OPERATOR, "/node/verification/people/{lapsed}"),
    ),
    _page("desk-invitations", "/node/invitations", ("", OPERATOR, "/node/invitations")),
    _page("desk-members", "/node/members", ("", OPERATOR, "/node/members")),
    _page("desk-member", "/node/members/<handle>", ("", OPERATOR, "/node/members/{member}")),
)
