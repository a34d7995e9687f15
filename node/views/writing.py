"""Pages of writing: a new thread, an answer, a change, taking back. What was typed is never lost.

Every preview and every refused try keeps the text as a draft on the node before the answer goes out. Each form carries a
number made when it was shown, so that pressing twice sends once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue

from node.community.house import House
from node.community.posts import service as posts
from node.community.posts.uploads import add_image, list_uploads
from node.community.reading import begun, service
from node.community.reading.thread import ThreadPage
from node.domain.actors import Member
from node.domain.posts import Draft, Image, Post
from node.foundation.errors import Invalid, NodeError, NotFound
from node.foundation.text import html_to_text, markdown_to_html
from node.store.core import Core
from node.store.drafts import SavedDraft
from node.store.profiles import Profile

from .asking import fill_form, read_poll
from .markup import preview
from .reading import open_thread, path_of, seen_group, show_thread
from .refusals import NOT_NOW, SHOWN_AGAIN, status_of
from .shell import Shell, post_page
from .visitor import Visitor, for_members, read_form, see

# What a writer is told beside their words.


def build_writing(house: House, shell: Shell) -> Blueprint:
    """Return the routes of writing."""
    pages = Blueprint("writing", __name__)
    _add_choice(pages, house, shell)
    _add_topics(pages, house, shell)
    _add_answers(pages, house, shell)
    _add_changes(pages, house, shell)
    return pages


def _add_choice(pages: Blueprint, house: House, shell: Shell) -> None:
    core, find_path = house.core, path_of(house)

    @pages.get("/write")
    @for_members(core)
    async def choose(visitor: Visitor) -> ResponseReturnValue:
        mine, _ = await service.list_own_groups(core, viewer=visitor.member)
        groups = {line.group.group_id: line.group for line in mine}
        drafts = [
            {
                "title": draft.title or html_to_text(markdown_to_html(draft.text[:300]))[:90] or "…",
                "group": groups[draft.group_id].title,
                "path": _path_of_draft(find_path(groups[draft.group_id]), draft, answered),
                "saved_at": draft.saved_at,
            }
            for draft, answered in await begun.list_begun(core, author=visitor.member)
            if draft.group_id in groups
        ]
        return shell.render("writing/choose.html", visitor, place="write", mine=mine, drafts=drafts, path_of=find_path)


def _add_topics(pages: Blueprint, house: House, shell: Shell) -> None:
    core, find_path = house.core, path_of(house)

    async def show(
        visitor: Visitor, profile: Profile, draft: Draft, *, status: int = 200, once: str = "", **more: Any
    ) -> Response:
        page = await service.read_group_page(core, viewer=visitor.member, group_id=profile.actor_id)
        values = {"problem": "", "preview": None, "saved_at": None, "pictures": []} | more
        text = shell.render(
            "writing/write.html",
            visitor,
            place="write",
            page=page,
            path=find_path(page.group),
            draft=draft,
            asking=fill_form(draft.poll, is_open="poll" in request.args),
            once=once or core.ids.token(),
            **values,
        )
        return Response(text, status)

    @pages.get("/groups/<address>/write")
    @for_members(core)
    async def write_page(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile = await seen_group(core, visitor, address)
        saved = await begun.find_draft(core, author=visitor.member, group_id=profile.actor_id)
        draft = Draft(saved.text, saved.title, saved.warning, poll=saved.poll) if saved else Draft("")
        return await show(visitor, profile, draft, saved_at=saved.saved_at if saved else None)

    @pages.post("/groups/<address>/write")
    @for_members(core)
    async def write(visitor: Visitor, address: str) -> ResponseReturnValue:
        profile, form = await seen_group(core, visitor, address), await read_form()
        poll = read_poll(form, (await request.form).getlist("answers[]"))
        draft, once = replace(read_draft(form), poll=poll), form.get("once", "")
        group_id, pictures = profile.actor_id, []  # type: int, list[Image]
        begun_here: dict[str, Any] = {"once": once, "pictures": pictures}
        problem = await _keep_draft(core, author=visitor.member, group_id=group_id, draft=draft)
        try:
            await _take_images(house, visitor.member, pictures)
            if problem:
                return await show(visitor, profile, draft, status=422, problem=problem, **begun_here)
            if form.get("action") == "preview":
                return await show(visitor, profile, draft, preview=preview(draft.text), **begun_here)
            if form.get("action") == "draft":
                return await show(visitor, profile, draft, saved_at=core.clock.now(), **begun_here)
            posted = await posts.create_post(
                core,
                house.tables,
                author=visitor.member,
                group_id=group_id,
                draft=replace(draft, images=tuple(picture.token for picture in pictures)),
                idempotency=_once(visitor, once),
            )
        except SHOWN_AGAIN as error:
            return await show(visitor, profile, draft, status=status_of(error), problem=error.safe, **begun_here)
        await begun.forget_draft(core, author=visitor.member, group_id=group_id)
        return see(f"/groups/{address}/threads/{posted.uri.rpartition('/')[2]}")


def _add_answers(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    @pages.post("/groups/<address>/threads/<token>")
    @for_members(core)
    async def reply(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, _, _ = await open_thread(house, visitor, address, token)
        form = await read_form()
        draft, once, group_id = read_draft(form), form.get("once", ""), page.group.group_id
        problem = await _keep_draft(core, author=visitor.member, group_id=group_id, draft=draft, parent_id=page.root_id)
        answered = (await open_thread(house, visitor, address, form["to"]))[2] if form.get("to") else None
        begun_here: dict[str, Any] = {"answered": answered, "text": draft.text, "once": once}
        if problem:
            return await show_thread(house, shell, visitor, page, status=422, problem=problem, **begun_here)
        if form.get("action") in ("preview", "draft"):
            shown = preview(draft.text) if form["action"] == "preview" else None
            return await show_thread(house, shell, visitor, page, preview=shown, **begun_here)
        try:
            await posts.create_post(
                core,
                house.tables,
                author=visitor.member,
                group_id=group_id,
                draft=draft,
                reply_to=answered.post_id if answered else page.root_id,
                idempotency=_once(visitor, once),
            )
        except SHOWN_AGAIN as error:
            return await show_thread(
                house, shell, visitor, page, status=status_of(error), problem=error.safe, **begun_here
            )
        await begun.forget_draft(core, author=visitor.member, group_id=group_id, parent_id=page.root_id)
        return see(f"/groups/{address}/threads/{token}#reply")


def _add_changes(pages: Blueprint, house: House, shell: Shell) -> None:
    core = house.core

    async def show(
        visitor: Visitor, name: str, page: ThreadPage, path: str, post: Post, *, status: int = 200, **values: Any
    ) -> Response:
        here = post_page(post, path)
        text = shell.render(
            name, visitor, place="groups", page=page, path=path, post=post, here=here, **{"problem": ""} | values
        )
        return Response(text, status)

    @pages.get("/groups/<address>/threads/<token>/edit")
    @for_members(core)
    async def edit_page(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_own(house, visitor, address, token)
        draft = Draft(post.source or html_to_text(post.html), post.title, post.warning)
        return await show(visitor, "writing/edit.html", page, path, post, draft=draft)

    @pages.post("/groups/<address>/threads/<token>/edit")
    @for_members(core)
    async def edit(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_own(house, visitor, address, token)
        form = await read_form()
        draft = read_draft(form)
        try:
            await posts.edit_post(
                core,
                house.tables,
                author=visitor.member,
                post_id=post.post_id,
                draft=draft,
                forget_earlier=bool(form.get("forget_earlier")),
            )
        except NodeError as error:
            return await show(
                visitor, "writing/edit.html", page, path, post, status=422, draft=draft, problem=error.safe
            )
        return see(post_page(post, path))

    @pages.get("/groups/<address>/threads/<token>/withdraw")
    @for_members(core)
    async def withdraw_page(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        return await show(visitor, "writing/withdraw.html", *await open_own(house, visitor, address, token))

    @pages.post("/groups/<address>/threads/<token>/withdraw")
    @for_members(core)
    async def withdraw(visitor: Visitor, address: str, token: str) -> ResponseReturnValue:
        page, path, post = await open_own(house, visitor, address, token)
        try:
            await posts.withdraw_post(core, house.tables, author=visitor.member, post_id=post.post_id)
        except NodeError as error:
            return await show(visitor, "writing/withdraw.html", page, path, post, status=422, problem=error.safe)
        target = path if page.root_id == post.post_id else post_page(page.root or post, path)
        return see(target)


async def open_own(house: House, visitor: Visitor, address: str, token: str) -> tuple[ThreadPage, str, Post]:
    """As `open_thread`, for a post of the visitor's own; anybody else's is answered as if it were absent."""
    page, path, post = await open_thread(house, visitor, address, token)
    if post.author_id != visitor.member.actor_id or post.state not in ("live", "waiting_for_host"):
        raise NotFound
    return page, path, post


def read_draft(form: dict[str, str]) -> Draft:
    """Return what a form holds; the lines of a text end in one way only."""
    return Draft(form.get("text", "").replace("\r\n", "\n"), form.get("title", ""), form.get("warning", ""))


async def _keep_draft(core: Core, *, author: Member, group_id: int, draft: Draft, parent_id: int = 0) -> str:
    """Keep what was typed; return why it could not be kept, or nothing."""
    try:
        await begun.keep_draft(core, author=author, group_id=group_id, draft=draft, parent_id=parent_id)
    except (Invalid, *NOT_NOW) as error:
        return error.safe
    return ""


def _path_of_draft(group_path: str, draft: SavedDraft, answered: Post | None) -> str:
    """Return where somebody goes on writing."""
    if not draft.parent_id:
        return f"{group_path}/write"
    return group_path if answered is None else f"{post_page(answered, group_path)}#reply"


async def _take_images(house: House, owner: Member, taken: list[Image]) -> None:
    """Gather the pictures of a form: those that came with an earlier look at it and stay chosen, then the new ones.

    What was gathered before one is refused stays in `taken`.
    """
    form, files = await request.form, (await request.files).getlist("images[]")
    taken += await list_uploads(house.core, owner=owner, tokens=form.getlist("kept[]"))
    words = form.getlist("alt[]")
    for place, file in enumerate(files):
        if data := file.read():
            alt = words[place] if place < len(words) else ""
            taken.append(await add_image(house.core, owner=owner, data=data, alt=alt))


def _once(visitor: Visitor, once: str) -> tuple[str, str] | None:
    return (visitor.member.uri, f"page {once[:64]}") if once else None
