"""The board in a browser: what its controls do to rows, columns and address, and what an address does to them."""

import pytest

from tianti.board.cut import cut
from tianti.board.filters import read
from tianti.board.show import cell_text, mean_text

BOARD = "en/b/all/"


def opened(page, address, query="", board=BOARD):
    """Go to a board and wait until its script has drawn it."""
    page.goto(f"{address}{board}{query}")
    page.locator("#tools").wait_for(state="visible")


def rows_of(page):
    """(model, adaptation) of each row, pinned ones first."""
    return page.evaluate(
        """() => [...document.querySelectorAll("#board tbody tr:not(.space)")].map((row) =>
          [row.querySelector(".name a").textContent, row.querySelector(".adaptation").textContent])"""
    )


def headings(page):
    return page.locator("#board thead .heading").all_text_contents()


def query(page):
    return page.evaluate("location.search")


def names(entries):
    return [[entry.model, entry.adaptation] for entry in entries]


def test_the_first_rows_are_there_without_scripts_and_stay_the_same_with_them(open_page, address, shown):
    texts = """() => [...document.querySelectorAll("#board tr:not(.space)")].map((row) =>
      [...row.cells].filter((cell) => !cell.classList.contains("gap")).map((cell) => cell.innerText.trim()))"""
    plain = open_page(java_script_enabled=False)
    plain.goto(address + BOARD)
    assert not plain.locator("#tools").is_visible()
    before = plain.evaluate(texts)
    assert len(before) == 1 + len(shown.snapshot.board.entries)
    page = open_page()
    opened(page, address)
    assert page.evaluate(texts) == before
    plain.locator("a", has_text="All rows as plain pages").click()
    assert plain.locator("tbody tr").count() == len(shown.snapshot.board.entries)


def test_search_sort_filters_and_columns_stand_in_the_address(page, address, shown):
    board = shown.snapshot.board
    opened(page, address)
    page.get_by_role("searchbox").fill("NANO")
    assert query(page) == "?q=NANO"
    assert rows_of(page) == names(entry for entry in board.entries if entry.model == "nano:llama")
    page.locator("summary", has_text="Adaptation").click()
    page.get_by_role("checkbox", name="zero-shot").check()
    assert query(page) == "?q=NANO&r=zero-shot"
    assert rows_of(page) == [["nano:llama", "zero-shot"]]
    assert page.locator("output[name=count]").text_content() == "1 of 13 entries"
    page.get_by_role("button", name="Show all").click()
    assert query(page) == ""
    page.locator("[data-sort=sentiment]").click()
    assert query(page) == "?s=-sentiment"
    assert page.locator("th[aria-sort=descending] .heading").text_content() == "sentiment"
    page.locator("[data-sort=sentiment]").click()
    assert query(page) == "?s=sentiment"
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Mean").uncheck()
    assert "Mean" not in headings(page)
    assert query(page).startswith("?cols=sentiment,topics,texts,")
    page.go_back()
    assert query(page) == "?q=NANO&r=zero-shot"
    assert rows_of(page) == [["nano:llama", "zero-shot"]]
    page.go_forward()
    assert len(rows_of(page)) == len(board.entries)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "q=img",
        "r=lora&r=full",
        "f=mean:ge:40&f=sentiment:lt:90",
        "s=-topics",
        "s=texts",
        "s=adaptation",
        "s=mean&s=-adaptation",
        "r=zero-shot&s=sentiment",
        "family=causal&provenance=measured&f=parameters:le:1e6",
        "f=texts:gt:0&q=LLAMA",
    ],
)
def test_an_address_shows_what_the_terminal_shows_of_it(page, shown, words):
    opened(page, shown.live, f"?{words}")
    assert rows_of(page) == names(cut(shown.snapshot.board, read(words)).board.entries)
    assert page.locator(".notice").count() == 0


def test_columns_and_languages_of_an_address(page, address):
    opened(page, address, "?cols=topics,mean,seconds")
    assert headings(page) == ["Rank", "Model", "Adaptation", "topics", "Mean", "Time"]
    opened(page, address, "?lang=zh")
    assert [each for each in headings(page) if each in ("sentiment", "topics", "texts")] == ["topics"]


def test_a_view_is_the_same_in_another_browser(open_page, page, address):
    opened(page, address)
    page.get_by_role("searchbox").fill("a")
    page.locator("[data-sort=topics]").click()
    page.locator("[data-sort=mean]").click(modifiers=["Shift"])
    page.locator("button.pin").nth(2).click()
    assert query(page).startswith("?q=a&s=-mean&s=-topics&pin=")
    seen, where = rows_of(page), page.url
    page.reload()
    page.locator("#tools").wait_for(state="visible")
    assert rows_of(page) == seen
    other = open_page()
    other.goto(where)
    other.locator("#tools").wait_for(state="visible")
    assert rows_of(other) == seen


def test_what_an_address_asks_for_in_vain_is_said(page, address, shown):
    opened(page, address, "?r=nothing&f=mean:about:3&f=lora&cols=x,mean&s=-y&pin=z&unknown=1&r=lora")
    notice = page.locator(".notice")
    text = notice.text_content()
    for word in ("r=nothing", "f=mean:about:3", "f=lora", "cols=x", "s=-y", "pin=z"):
        assert word in text
    assert "unknown" not in text
    assert {adaptation for _, adaptation in rows_of(page)} == {"lora(r=8)"}
    notice.get_by_role("button").click()
    assert notice.count() == 0


def test_pinned_entries_stay_on_top_and_can_be_compared(page, address, shown):
    opened(page, address)
    last = rows_of(page)[-1]
    assert not page.locator("#compare").is_visible()
    page.locator("button.pin").last.click()
    page.locator("button.pin").last.click()
    pins = [entry.id for entry in (shown.snapshot.board.entries[-1], shown.snapshot.board.entries[-2])]
    assert query(page) == f"?pin={pins[0]}&pin={pins[1]}"
    page.get_by_role("searchbox").fill("no such thing")
    assert len(rows_of(page)) == 2
    assert rows_of(page)[0] == last
    page.locator("#compare a").click()
    page.wait_for_url(f"**/compare/all/{pins[1]}~{pins[0]}/**")
    page.go_back()
    page.locator("button.pin").first.click()
    assert len(rows_of(page)) == 1
    assert not page.locator("#compare").is_visible()


def test_what_is_not_compared_is_said(page, address, shown):
    ids = [entry.id for entry in shown.snapshot.board.entries]
    for count, live, exported in ((2, True, True), (3, True, False), (5, False, False)):
        opened(page, address, "?" + "&".join(f"pin={id}" for id in ids[:count]))
        there = live if address == shown.live else exported
        link, why = page.locator("#compare a"), page.locator("#compare .why")
        assert (link.get_attribute("href") is not None) == there
        assert (link.get_attribute("aria-disabled") == "true", why.is_visible()) == (not there, not there)
    page.get_by_role("searchbox").fill("nano")
    assert page.locator("#compare").is_visible()


def test_names_are_sorted_as_the_language_does(page, address, shown):
    for language, last in (("en", "模型/甲 🐉"), ("zh", "org/name, second; third")):
        opened(page, address, board=f"{language}/b/all/")
        page.locator("[data-sort=model]").click()
        assert query(page) == "?s=model"
        order = list(dict.fromkeys(model for model, _ in rows_of(page)))
        assert order[-1].startswith(last)
        assert len(order) == len({entry.model for entry in shown.snapshot.board.entries})
        # By keys: the cell of the heading is reached with an arrow, and sorted by with Enter.
        page.locator("td.rank").first.click()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert query(page) == "?s=-model"
        assert page.locator("th[aria-sort=descending] .heading").count() == 1
        assert list(dict.fromkeys(model for model, _ in rows_of(page))) == order[::-1]


def test_names_of_tasks_are_broken_behind_what_divides_them(open_page, wide):
    page = open_page(java_script_enabled=False)
    page.goto(wide + BOARD)
    parts = """() => [...document.querySelectorAll("#board .heading")].map((each) =>
      [...each.childNodes].map((node) => node.nodeName === "WBR" ? "|" : node.textContent).join(""))"""
    before = page.evaluate(parts)
    assert before[0] == "Rank"
    scripted = open_page()
    opened(scripted, wide)
    shown = scripted.evaluate(parts)
    assert shown == before[: len(shown)]


def test_the_other_language_keeps_the_view(page, address):
    opened(page, address, "?q=llama&s=-sentiment")
    seen = rows_of(page)
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**/zh/b/all/**")
    page.locator("#tools").wait_for(state="visible")
    assert query(page) == "?q=llama&s=-sentiment"
    assert rows_of(page) == seen
    assert page.locator("output[name=count]").text_content().startswith("显示")


def test_hostile_names_are_text_and_lead_to_their_pages(page, address, shown):
    opened(page, address)
    models = {entry.model for entry in shown.snapshot.board.entries}
    assert {model for model, _ in rows_of(page)} == models
    assert page.locator("#board img, #board script").count() == 0
    page.get_by_role("link", name="<img src=x").first.click()
    page.wait_for_url("**/m/**")
    assert page.locator("h1").text_content() == "<img src=x onerror=alert(1)>"


def test_why_a_number_is_missing_is_said(page, shown):
    opened(page, shown.live)
    page.locator("td.task", has_text="failed").click()
    assert page.locator("#said").text_content() == "<b>out</b> of memory"


def test_cells_are_written_as_everywhere_else(page, shown):
    board = shown.snapshot.board
    opened(page, shown.live)
    row = page.locator("tr[data-entry=nano-llama-zero-shot]")
    entry = board.entry("nano-llama-zero-shot")
    assert row.locator(".value").first.inner_text() == mean_text(entry)
    texts = [text.rstrip("*") for text in row.locator("td.task").all_text_contents()]
    assert texts == [cell_text(entry.cells[column.name], column) for column in board.columns]


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_its_window(open_page, address, width):
    page = open_page(viewport={"width": width, "height": 780})
    opened(page, address)
    for menu in page.locator("details.menu").all():
        menu.locator("summary").click()
        page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
        assert menu.locator(".choices").bounding_box()["x"] >= 0
        page.keyboard.press("Escape")


def test_tables_that_a_page_holds_whole_are_sorted(page, address):
    page.goto(f"{address}en/m/nano-llama/")
    rows = "() => [...document.querySelectorAll('#board tbody th')].map((cell) => cell.textContent)"
    page.get_by_role("button", name="Mean").click()
    first = page.evaluate(rows)
    page.get_by_role("button", name="Mean").click()
    assert page.evaluate(rows) == first[::-1]


def test_a_whisker_is_whole_beside_the_longest_text_on_how_many_tasks_a_mean_is_of(page, shown):
    opened(page, shown.live)
    (cut_off,) = page.evaluate(
        """() => [...document.querySelectorAll("td.mean small")].slice(0, 1).map((small) => {
          small.textContent = "1,234 of 1,553 tasks";
          const cell = small.closest("td");
          return cell.querySelector(".whisker").getBoundingClientRect().right - cell.getBoundingClientRect().right;
        })"""
    )
    assert cut_off <= 0


def test_where_nothing_fits_it_is_said(page, shown):
    opened(page, shown.live, "?q=nobody")
    said = page.get_by_text("No entry fits what was asked for.")
    assert said.is_visible()
    page.get_by_role("button", name="Show all", exact=True).click()
    assert not said.is_visible()
