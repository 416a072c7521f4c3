"""Charts in a real browser, live and exported: drawn from their tables, in the colours of the theme, and saved."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import pytest

from charted import HOSTILE

GAINS = "figure#gains"


def look_at(page, figure):
    fold = page.locator(f"details.fold:not([open]):has({figure}) > summary")
    if fold.count():
        fold.click()
    page.locator(figure).scroll_into_view_if_needed()
    page.wait_for_selector(f"{figure}[data-drawn] svg")


def saved(page, figure, kind, folder):
    with page.expect_download() as download:
        page.locator(f"{figure} [data-save={kind}]").click()
    download.value.save_as(folder / download.value.suggested_filename)
    return folder / download.value.suggested_filename


def test_every_chart_is_drawn_when_it_comes_into_view(open_page, charted):
    asked = []
    page = open_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{charted}en/m/nano-llama/")
    page.wait_for_selector(f"{GAINS} .canvas:not([hidden])")
    figures = page.locator("figure.chart")
    assert figures.count() == 9
    for index in range(figures.count()):
        look_at(page, f"figure#{figures.nth(index).get_attribute('id')}")
    assert page.locator("details.fold[open]").count() > 0
    assert len([url for url in asked if url.endswith("echarts.js")]) == 1
    for name in ("few-shot(k=4)", "full(max_examples=256)"):
        assert page.locator(f"{GAINS} svg text", has_text=name).count() == 1


def test_what_is_folded_is_drawn_when_it_is_opened_and_printed_in_any_case(page, charted):
    page.goto(f"{charted}zh/m/nano-llama/")
    look_at(page, GAINS)
    assert page.locator("details.fold figure[data-drawn]").count() == 0
    assert not page.locator("figure#training-1").is_visible()
    page.emulate_media(media="print")
    assert page.locator("figure#training-1 table").is_visible()
    assert not page.locator("figure#training-1 .canvas").is_visible()
    page.emulate_media(media="screen")
    look_at(page, "figure#training-1")


def test_without_a_script_there_is_the_table(open_page, charted):
    page = open_page(java_script_enabled=False)
    page.goto(f"{charted}en/b/all/")
    page.goto(f"{charted}en/m/nano-llama/")
    page.locator("details.fold", has=page.locator("figure#training-1")).locator("> summary").click()
    assert page.locator("figure#training-1 table").is_visible()
    page.goto(f"{charted}en/b/all/")
    table = page.locator("figure#pareto-trained table")
    assert table.is_visible()
    assert not page.locator("figure#pareto-trained .canvas").is_visible()
    assert table.locator("tr.marked").count() > 0


def test_what_is_saved_is_the_table(page, charted, tmp_path):
    page.goto(f"{charted}en/m/nano-llama/")
    look_at(page, GAINS)
    rows = page.locator(f"{GAINS} tbody tr").evaluate_all(
        "rows => rows.map((row) => [row.cells[0].textContent.trim(), row.cells[1].dataset.value, "
        "row.cells[2].dataset.low, row.cells[2].dataset.high])"
    )
    text = saved(page, GAINS, "csv", tmp_path).read_text(encoding="utf-8")
    assert list(csv.reader(text.splitlines()))[1:] == rows
    root = ElementTree.parse(saved(page, GAINS, "svg", tmp_path)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {row[0] for row in rows} <= {text.strip() for text in root.itertext()}


def test_points_lie_where_the_table_says(page, charted):
    page.goto(f"{charted}en/m/nano-llama/")
    look_at(page, GAINS)
    found = page.evaluate(
        """async () => {
          const figure = document.querySelector("figure#gains");
          const { read } = await import(new URL("../../../static/chart/table.js", location.href));
          const { optionOf } = await import(new URL("../../../static/chart/option.js", location.href));
          const tokens = { series: Array(7).fill("#000000") };
          const series = optionOf(read(figure), tokens, 800).series;
          return JSON.stringify(series.map(({ type, data }) => [type, data.map((each) => each.value ?? each)]));
        }"""
    )
    drawn = dict(json.loads(found))
    rows = page.locator(f"{GAINS} tbody tr").evaluate_all(
        "rows => rows.map((row) => [row.cells[1].dataset.value, row.cells[2].dataset.low, "
        "row.cells[2].dataset.high].map(Number))"
    )
    assert drawn["scatter"] == [[value, index] for index, (value, _, _) in enumerate(rows)]
    assert drawn["custom"] == [[low, high, index] for index, (_, low, high) in enumerate(rows)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_charts_follow_the_theme(page, charted, language):
    page.emulate_media(color_scheme="light")
    page.goto(f"{charted}{language}/b/all/")
    look_at(page, "figure#pareto-trained")
    svg = page.locator("figure#pareto-trained svg").first
    assert "#0064a2" in svg.inner_html().lower()
    page.emulate_media(color_scheme="dark")
    for _ in range(200):
        if "#78cdff" in svg.inner_html().lower():
            break
        page.wait_for_timeout(20)
    # The blue of the first series in light is no colour of the other theme.
    assert "#0064a2" not in svg.inner_html().lower()


def test_names_that_would_do_harm_are_written_as_they_are(page, charted):
    page.goto(f"{charted}en/b/all/")
    look_at(page, "figure#pareto-trained")
    written = page.locator("figure#pareto-trained svg text", has_text=HOSTILE)
    assert written.first.text_content().startswith(HOSTILE)
    box = written.first.bounding_box()
    # The mark lies beneath the beginning of its name: over it stands what it is.
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] + 8)
    page.wait_for_timeout(300)
    assert page.locator("figure.chart .canvas img, figure.chart .canvas script").count() == 0


def test_names_that_are_too_long_lose_their_middle(page, charted):
    page.goto(f"{charted}en/m/nano-llama/")
    names = ["lora", "continual(method=lora, strategy=joint)", "continual(method=lora, strategy=plain)"]
    written = page.evaluate(
        """async (names) => {
          const { fitted } = await import(new URL("../../../static/chart/option.js", location.href));
          return names.map((name) => fitted(name, 140));
        }""",
        names,
    )
    assert written == ["lora", "contin…rategy=joint)", "contin…rategy=plain)"]
