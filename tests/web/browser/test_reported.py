"""The page of reported results in use: search, filters, count and address; whole without scripts; cards on a phone."""

import pytest

from tianti.board.reported import reported_scores
from tianti.web.export import LEAF

SCORES = reported_scores()
ROWS = {(score.task, score.metric, score.model) for score in SCORES}
INSIDE = """(cells) => cells.every((cell) => {
  const { left, right } = cell.getBoundingClientRect();
  return left >= 0 && right <= innerWidth;
})"""
VISIBLE = "#reported tbody tr[data-model]:visible"


def open_reported(page, address, shown, query="", language="en"):
    page.goto(f"{address}{language}/reported/{LEAF if address == shown.exported else ''}{query}")
    page.locator("#tools").wait_for(state="visible")


def shown_rows(page):
    """(benchmark, system) of the rows in sight."""
    return page.locator(VISIBLE).evaluate_all(
        "(rows) => rows.map((row) => [row.parentElement.dataset.task, row.dataset.model])"
    )


def count(page):
    return page.locator("#tools output").inner_text()


def test_all_is_there_without_scripts(open_page, shown):
    page = open_page(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page.goto(f"{shown.live}zh/reported/")
    assert page.locator(VISIBLE).count() == len(ROWS)
    assert not page.locator("#tools").is_visible()
    assert (
        page.locator(".lead").inner_text().startswith(f"论文报告的 {len({s.model for s in SCORES})} 个系统")
    )


def test_search_filters_and_count_are_in_the_address(page, address, shown):
    open_reported(page, address, shown)
    assert count(page) == f"{len(ROWS)} of {len(ROWS)} rows"
    page.get_by_role("searchbox").fill("lambada")
    assert {task for task, _ in shown_rows(page)} == {"LAMBADA"}
    assert page.url.endswith("?q=lambada")
    page.locator("summary", has_text="System").click()
    page.get_by_role("checkbox", name="GPT-3 175B", exact=True).check()
    assert shown_rows(page) == [["LAMBADA", "GPT-3 175B"]]
    assert count(page) == f"1 of {len(ROWS)} rows"
    assert page.url.endswith("?q=lambada&model=GPT-3%20175B")
    other = page.get_by_role("link", name="中文")
    assert other.evaluate("(link) => link.search") == "?q=lambada&model=GPT-3%20175B"
    again = page.url
    page.goto("about:blank")
    page.goto(again)
    page.locator("#tools").wait_for(state="visible")
    assert shown_rows(page) == [["LAMBADA", "GPT-3 175B"]]
    assert page.get_by_role("searchbox").input_value() == "lambada"
    page.get_by_role("button", name="Show all").click()
    assert page.locator(VISIBLE).count() == len(ROWS)
    assert "?" not in page.url


@pytest.mark.parametrize("method", ["zero-shot", "chain-of-thought"])
def test_a_regime_shows_its_column_and_who_has_figures_there(page, address, shown, method):
    open_reported(page, address, shown, f"?r={method}")
    wanted = {(score.task, score.metric, score.model) for score in SCORES if score.method == method}
    assert page.locator(VISIBLE).count() == len(wanted)
    assert page.locator("#reported thead th:visible").all_inner_texts() == ["System", method, "Sources"]
    cells = page.locator(f"{VISIBLE} td:visible").evaluate_all(
        "(cells) => cells.map((cell) => cell.dataset.method)"
    )
    assert {cell for cell in cells if cell} == {method}
    assert page.locator("#reported td.none:visible").count() == 0


def test_a_benchmark_of_which_nothing_is_left_has_no_heading(page, address, shown):
    open_reported(page, address, shown, "?task=MMLU&task=LAMBADA")
    headings = page.locator("#reported .group:visible").all_inner_texts()
    assert {heading.split()[0] for heading in headings} == {"MMLU", "LAMBADA"}


def test_what_is_not_reported_is_said(page, address, shown):
    open_reported(page, address, shown, "?model=nobody&r=zero-shot&task=<img>")
    assert (
        page.locator(".notice")
        .inner_text()
        .startswith("The address asks for what is not reported: model=nobody, task=<img>")
    )
    page.get_by_role("button", name="Dismiss").click()
    assert page.locator(".notice").count() == 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_phone_shows_every_figure_in_its_width(open_page, shown, language):
    page = open_page(viewport={"width": 390, "height": 800})
    open_reported(page, shown.live, shown, language=language)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cells = page.locator(f"{VISIBLE} :is(th, td):visible")
    assert cells.evaluate_all(INSIDE)
    labels = page.locator(f"{VISIBLE} td[data-method]:visible").evaluate_all(
        "(cells) => cells.map((cell) => getComputedStyle(cell, '::before').content.includes(cell.dataset.method))"
    )
    assert labels
    assert all(labels)
    # What tells cards apart is a row of a table still, for those who hear it.
    assert page.get_by_role("row").count() > len(ROWS)
    assert page.get_by_role("rowheader", name="GPT-4").count() > 0
