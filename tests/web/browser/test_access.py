"""Every kind of page, in both languages, as people with other eyes, hands and windows meet it.

axe knows many barriers of WCAG 2.2 A and AA; what it cannot see (windows, zoom, keys, links) is looked at beside it.
"""

from importlib.resources import files

import pytest

from tianti.web.pages import PAGES
from tianti.web.site import Site

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
LOOKS = {"en": (("light", 1440), ("dark", 360)), "zh": (("dark", 1440), ("light", 360))}
"""Of themes, languages and widths every two meet."""
REFLOW = (640, 320)
"""CSS pixels: a window of 1280 at 200 % and at 400 %."""
KINDS = [*(kind.template.removesuffix(".html") for kind in PAGES), "missing", "start"]
MENUS = "#tools details.menu"
ALL_DRAWN = """async () => {
  for (const fold of document.querySelectorAll("details.fold")) fold.open = true;
  for (const figure of document.querySelectorAll("figure.chart")) {
    figure.scrollIntoView();
    while (!("drawn" in figure.dataset)) await new Promise(requestAnimationFrame);
  }
  scrollTo(0, 0);
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def barriers(page, within="html"):
    """What axe finds in a part of a page: the rule, and the elements that break it with the reason."""
    found = page.evaluate("([part, rules]) => axe.run(part, rules)", [within, RULES])["violations"]
    return [
        (each["id"], [(node["target"], node["failureSummary"]) for node in each["nodes"]]) for each in found
    ]


def wide_window(page, width):
    page.set_viewport_size({"width": width, "height": 900 if width > 400 else 640})
    page.evaluate(NEXT_FRAME)


@pytest.fixture
def visit(page, shown, drawn, troubles):
    """`visit(kind, language)`: go to the first page of a kind, with its charts drawn."""

    def gone(kind, language):
        site = drawn if kind == "model" else shown
        if kind == "start":
            page.route("**/start.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
            page.goto(site.live)
            page.unroute("**/start.js")
            return
        if kind == "missing":
            page.goto(f"{site.live}{language}/m/nobody/")
            assert [each for each in troubles if "404" not in each] == []
            troubles.clear()
            return
        found = next(each for each in PAGES if each.template == f"{kind}.html")
        keys = next(iter(found.every(Site(site.snapshot, site.store))))
        page.goto(f"{site.live}{language}/{found.address.of(keys)}")
        page.evaluate(ALL_DRAWN)

    return gone


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_page_has_a_barrier(page, visit, kind, language):
    page.emulate_media(color_scheme=LOOKS[language][0][0])
    visit(kind, language)
    page.evaluate(AXE)
    for theme, width in LOOKS[language]:
        page.emulate_media(color_scheme=theme)
        wide_window(page, width)
        assert barriers(page) == [], (theme, width)
        assert page.evaluate(WIDER) <= 0, width
    for width in REFLOW:
        wide_window(page, width)
        assert page.evaluate(WIDER) <= 0, width
    others = page.evaluate(
        """(language) => [...document.links].filter((link) => !link.hreflang).map((link) => new URL(link.href))
          .filter(({ host, pathname }) => host === location.host && /^\\/(en|zh)\\//.test(pathname))
          .filter(({ pathname }) => !pathname.startsWith(`/${language}/`)).map(String)""",
        language,
    )
    assert kind == "start" or others == []
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_site_without_results_has_no_barrier(page, fresh, language):
    for address in ("", "b/all/"):
        page.goto(f"{fresh}{language}/{address}")
        page.evaluate(AXE)
        for theme, width in LOOKS[language]:
            page.emulate_media(color_scheme=theme)
            wide_window(page, width)
            assert barriers(page) == [], (theme, width)
            assert page.evaluate(WIDER) <= 0, width


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh", "light")])
def test_a_board_in_use_has_no_barrier(page, shown, language, theme):
    page.emulate_media(color_scheme=theme)
    page.goto(f"{shown.live}{language}/b/all/?f=mean:ge:1&s=-sentiment&r=nothing&pin=nano-llama-full")
    page.locator("#tools").wait_for(state="visible")
    page.evaluate(AXE)
    assert barriers(page) == []
    for menu in page.locator(MENUS).all():
        menu.locator("summary").click()
        assert barriers(page, "#tools") == []
        page.keyboard.press("Escape")


def test_a_barrier_is_noticed(page, shown):
    page.goto(f"{shown.live}en/")
    page.evaluate("document.querySelector('main').append(new Image())")
    page.evaluate("document.querySelector('h1').style.color = '#cccccc'")
    page.evaluate(AXE)
    assert {rule for rule, _ in barriers(page)} == {"image-alt", "color-contrast"}


def test_text_can_be_twice_as_large(page, visit):
    for kind in ("board", "model", "task", "sample", "comparison"):
        visit(kind, "en")
        page.set_viewport_size({"width": 1280, "height": 900})
        before = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        page.evaluate(NEXT_FRAME)
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") == 2 * before
        assert page.evaluate(WIDER) <= 0, kind


FOCUS = """() => {
  const reached = document.activeElement;
  const { x, y, width, height } = reached.getBoundingClientRect();
  const top = document.elementFromPoint(x + Math.min(width, 40) / 2, y + Math.min(height, 20) / 2);
  return {
    name: reached.getAttribute("aria-label") ?? reached.textContent.trim(),
    outline: getComputedStyle(reached).outlineStyle,
    seen: reached === top || reached.contains(top) || top?.contains(reached) === true,
    board: reached.closest("#rows") !== null,
  };
}"""


def test_keys_lead_from_the_top_to_the_board_and_what_they_reach_is_seen(page, shown):
    page.goto(f"{shown.live}en/b/all/")
    page.locator("#tools").wait_for(state="visible")
    reached = []
    while not reached or not reached[-1]["board"]:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUS))
        assert len(reached) < 40
    assert [each for each in reached if each["outline"] == "none" or not each["seen"]] == []
    names = [each["name"] for each in reached]
    assert names[0] == "Skip to the content"
    for name in ("Boards", "中文", "Search models and adaptations", "Columns", "Copy the link"):
        assert name in names


def test_the_skip_link_skips(page, shown):
    page.goto(f"{shown.live}en/b/all/")
    page.locator("#tools").wait_for(state="visible")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"


def test_a_board_is_searched_filtered_and_sorted_by_keys(page, shown):
    page.goto(f"{shown.live}en/b/all/")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("nano")
    assert page.locator("output[aria-live=polite]").text_content() == "3 of 13 entries"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press(" ")
    assert "&r=" in page.evaluate("location.search")
    page.keyboard.press("Escape")
    assert page.locator(f"{MENUS}[open]").count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    while page.evaluate("document.activeElement.closest('#board') === null"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    while page.locator("#board thead th:focus-within .heading").text_content() != "Mean":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("th[aria-sort=descending] .heading").text_content() == "Mean"


def test_nothing_moves_for_those_who_ask_for_no_motion(page, drawn):
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{drawn.live}en/m/nano-llama/")
    page.evaluate(ALL_DRAWN)
    assert page.evaluate("document.getAnimations().length") == 0


def test_forced_colours_leave_marks_and_focus(page, shown):
    page.emulate_media(forced_colors="active")
    page.goto(f"{shown.live}en/b/all/?s=-mean&pin=nano-llama-full")
    page.locator("#tools").wait_for(state="visible")
    sign = "(element, which) => getComputedStyle(element, which).content"
    assert page.locator("th[aria-sort] button, th[aria-sort] .sort").first.evaluate(sign, "::after") != "none"
    assert page.locator(".pin[aria-pressed=true]").evaluate(sign, "::before") == '"★"'
    page.get_by_role("searchbox").focus()
    assert page.evaluate(FOCUS)["outline"] == "solid"
