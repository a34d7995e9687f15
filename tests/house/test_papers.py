"""The papers lead where they say: every link to a file or a heading is there, and pictures are small."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.house import ROOT, list_files, short

_PICTURE_BYTES = 90_000
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_PAPERS = [path for path in list_files() if path.suffix == ".md"]
# Pages that people read while they do something: no more than what one sheet of paper holds.
_MEMBER_PAGES = [path for path in _PAPERS if path.parent == ROOT / "docs" / "member"]
_SHEET_WORDS = 520


@cache
def _list_anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a paper's headings, as forges make them."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text("utf-8")))
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def _find_broken(paper: Path) -> list[str]:
    broken = []
    for link in _LINK.findall(_FENCED.sub("", paper.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (paper.parent / name).resolve() if name else paper
        if not target.exists() or (anchor and anchor not in _list_anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("paper", _PAPERS, ids=short)
def test_every_link_of_a_paper_leads_somewhere(paper: Path) -> None:
    assert _find_broken(paper) == []


def test_pictures_of_the_papers_are_small_and_each_is_shown() -> None:
    pictures = [path for path in list_files() if path.suffix == ".png" and ROOT / "docs" in path.parents]
    shown = {
        (paper.parent / link).resolve()
        for paper in _PAPERS
        for link in _LINK.findall(paper.read_text("utf-8"))
        if link.endswith(".png")
    }

    assert {short(path) for path in pictures if path.stat().st_size > _PICTURE_BYTES} == set()
    assert {short(path) for path in pictures if path not in shown} == set()


@pytest.mark.parametrize("paper", _MEMBER_PAGES, ids=short)
def test_a_page_for_members_is_one_sheet_that_the_index_names(paper: Path) -> None:
    assert len(paper.read_text("utf-8").split()) <= _SHEET_WORDS
    assert paper.name == "README.md" or f"({paper.name})" in (paper.parent / "README.md").read_text("utf-8")
