"""The paper model gives the paper's rows: reliability.md §6, and docs/operate/capacity.md prints the same."""

from __future__ import annotations

import pytest

from bench.paper import SHAPES, load_of, render
from tests.support.house import ROOT


@pytest.mark.parametrize(
    ("place", "activities", "deliveries", "mean", "coming", "in_peak", "out_peak", "text", "media", "catch_up"),
    [
        (0, 458, 458, 0.005, 458, 0.05, 0, 0.13, 1.1, 16),
        (1, 4_575, 22_875, 0.3, 2_288, 0.26, 0.21, 0.65, 1.1, 80),
        (2, 91_500, 1.37e6, 16, 13_725, 1.6, 1.5, 3.9, 2.2, 480),
        (3, 4.58e6, 229e6, 2_648, 228_750, 26, 26, 65, 11, 2.2 * 3600),
        (4, 4.58e6, 4_575e6, 52_951, 4.58e6, 530, 529, 1_300, 11, 44 * 3600),
    ],
)
def test_the_model_gives_the_rows_of_the_paper(
    place: int, activities: float, deliveries: float, mean: float, coming: float, in_peak: float, out_peak: float,
    text: float, media: float, catch_up: float,
) -> None:  # fmt: skip
    load = load_of(SHAPES[place])

    found = (
        load.activities_per_day, load.deliveries_per_day, load.deliveries_per_second, load.in_per_day,
        load.in_peak_per_second, load.out_peak_per_second, load.text_gb_per_year, load.media_gb_per_year,
        load.catch_up_seconds,
    )  # fmt: skip
    said = (activities, deliveries, mean, coming, in_peak, out_peak, text, media, catch_up)
    assert found == pytest.approx(said, rel=0.15 if place in (0, 1) else 0.03)


def test_the_page_for_operators_prints_the_table_of_the_model() -> None:
    page = (ROOT / "docs" / "operate" / "capacity.md").read_text("utf-8")

    assert render() in page
