"""Light and dark: the theme is there before anything is drawn, whatever is slow or missing; and on paper."""

from io import BytesIO

import pytest
from PIL import Image

BOARD = "en/b/all/"


def brightness(page):
    """The mean of the pixels in sight, 0 to 255."""
    picture = Image.open(BytesIO(page.screenshot())).convert("L")
    return sum(value * count for value, count in enumerate(picture.histogram())) / (
        picture.width * picture.height
    )


@pytest.mark.parametrize(("theme", "low", "high"), [("light", 200, 255), ("dark", 0, 60)])
def test_no_other_theme_is_seen_before_the_own(page, shown, troubles, theme, low, high):
    page.emulate_media(color_scheme=theme)
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{shown.live}{BOARD}")
    assert low <= brightness(page) <= high
    sheet = page.evaluate(
        "performance.getEntriesByType('resource').find(({ name }) => name.endsWith('style.css'))"
    )
    assert sheet["renderBlockingStatus"] == "blocking"
    # Before the sheet is there, and without it, the page is of the theme all the same.
    page.route("**/*.css", lambda route: route.abort())
    page.goto(f"{shown.live}{BOARD}")
    assert low <= brightness(page) <= high
    page.unroute_all()
    assert [trouble for trouble in troubles if "ERR_FAILED" not in trouble] == []
    troubles.clear()


@pytest.mark.parametrize("path", [BOARD, "zh/b/all/p/1/", "en/m/nano-llama/"])
def test_paper_shows_tables_whole_and_no_controls(page, shown, path):
    page.goto(f"{shown.live}{path}")
    page.emulate_media(media="print")
    for control in (".tools", ".skip", ".top nav"):
        assert not page.locator(control).first.is_visible()
    cut_off = """() => [...document.querySelectorAll(".scroll")].filter((part) => part.checkVisibility())
      .filter((part) => part.scrollHeight > part.clientHeight + 1 && getComputedStyle(part).overflowY !== "visible")
      .length"""
    assert page.evaluate(cut_off) == 0
