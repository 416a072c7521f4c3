"""A board that is larger than its window: what is drawn is the right part of it, and keys keep their place."""

import json
import random
from urllib.request import urlopen

import pytest

FIXED, QUANTITIES = 4, 5
"""Columns before the tasks and behind them."""

CELLS = """() => [...document.querySelectorAll("#board tbody tr:not(.space)")].flatMap((row) =>
  [...row.querySelectorAll("td.task")].map((cell) =>
    [Number(row.ariaRowIndex) - 2, Number(cell.ariaColIndex) - 5, cell.textContent]))"""
REACHED = """() => {
  const cell = document.activeElement.closest("[aria-colindex]");
  return [Number(cell.closest("tr").getAttribute("aria-rowindex")), Number(cell.getAttribute("aria-colindex"))];
}"""


@pytest.fixture(scope="module")
def table(wide):
    with urlopen(f"{wide}api/v1/boards/all/table.json") as response:
        return json.load(response)


@pytest.fixture
def board(page, wide):
    page.goto(f"{wide}en/b/all/")
    page.locator("#tools").wait_for(state="visible")
    return page


def scroll(page, left, top):
    """Scroll the table and wait for what is drawn then."""
    page.evaluate(
        """([left, top]) => new Promise((done) => {
          document.getElementById("rows").scrollTo(left, top);
          requestAnimationFrame(() => requestAnimationFrame(done));
        })""",
        [left, top],
    )


def test_every_cell_in_sight_is_that_of_the_api(board, table):
    places = random.Random(0)
    seen = 0
    for _ in range(12):
        scroll(board, places.randrange(3500), places.randrange(14_000))
        for row, column, text in board.evaluate(CELLS):
            cells = table["cells"][column]
            value, note = cells["value"][row], cells["notes"].get(str(row))
            shown = f"{value / 10:.1f} ±{cells['half'][row] / 10:.1f}" if value is not None else None
            assert text == (shown or (note["state"] if note else "–"))
            seen += 1
    assert seen > 2000


def test_ends_are_reached_and_counted(board, table):
    grid = board.locator("#board")
    assert grid.get_attribute("aria-rowcount") == "401"
    assert grid.get_attribute("aria-colcount") == str(FIXED + 30 + QUANTITIES)
    assert board.locator("#board tbody tr:not(.space)").count() < 60
    assert board.locator("#board *").count() < 4000
    scroll(board, 10**6, 10**6)
    last = board.locator("#board tbody tr:not(.space)").last
    assert last.get_attribute("aria-rowindex") == "401"
    assert last.locator("td:not(.gap)").last.get_attribute("aria-colindex") == str(FIXED + 30 + QUANTITIES)
    assert last.locator("th a").text_content() == table["models"][-1]["name"]
    box, room = last.bounding_box(), board.locator("#rows").bounding_box()
    assert abs(box["y"] + box["height"] - room["y"] - room["height"]) < 20


def test_rows_and_headings_do_not_move_when_columns_are_left_out(board):
    def place(column):
        return board.locator(f"thead [aria-colindex='{column}']").bounding_box()["x"]

    scroll(board, 300, 0)
    before = place(12)
    scroll(board, 1300, 0)
    scroll(board, 300, 0)
    assert place(12) == before
    assert board.locator("tbody [aria-colindex='12']").first.bounding_box()["x"] == before


def test_keys_move_through_all_of_it_and_keep_the_focus(board):
    board.locator("#board tbody th").first.focus()
    assert board.evaluate(REACHED) == [2, 2]
    board.keyboard.press("Control+End")
    assert board.evaluate(REACHED) == [401, FIXED + 30 + QUANTITIES]
    board.keyboard.press("ArrowUp")
    board.keyboard.press("ArrowLeft")
    assert board.evaluate(REACHED) == [400, FIXED + 30 + QUANTITIES - 1]
    for _ in range(5):
        board.keyboard.press("PageUp")
    row, column = board.evaluate(REACHED)
    assert column == FIXED + 30 + QUANTITIES - 1
    assert 200 < row < 350
    scroll(board, 0, 0)
    # Its row is not drawn any more: the next key goes on from there all the same.
    assert board.evaluate("document.activeElement.id") == "rows"
    board.keyboard.press("ArrowDown")
    assert board.evaluate(REACHED) == [row + 1, column]
    board.keyboard.press("Control+Home")
    board.keyboard.press("ArrowUp")
    assert board.evaluate(REACHED) == [1, 1]


def test_a_scroll_that_brings_the_cell_back_brings_the_focus_back(board):
    board.locator("#board tbody th").nth(2).focus()
    scroll(board, 0, 9000)
    assert board.evaluate("document.activeElement.id") == "rows"
    scroll(board, 0, 0)
    assert board.evaluate(REACHED) == [4, 2]


def test_enter_sorts_pins_and_follows(board):
    board.locator("#board tbody th").first.focus()
    board.keyboard.press("ArrowUp")
    for _ in range(2):
        board.keyboard.press("ArrowRight")
    board.keyboard.press("Enter")
    assert board.evaluate("location.search") == "?s=-mean"
    assert board.evaluate(REACHED) == [1, 4]
    board.keyboard.press("Enter")
    assert board.evaluate("location.search") == "?s=mean"
    board.keyboard.press("ArrowDown")
    board.keyboard.press("Home")
    board.keyboard.press(" ")
    assert "pin=" in board.evaluate("location.search")
    assert board.locator("tbody.pinned tr").count() == 1
    board.keyboard.press("ArrowRight")
    with board.expect_request("**/en/m/**") as followed:
        board.keyboard.press("Enter")
    assert followed.value.is_navigation_request()


@pytest.mark.parametrize(("width", "kept"), [(390, ["name"]), (1440, ["rank", "name", "adaptation"])])
def test_who_it_is_stays_in_sight(open_page, wide, width, kept):
    page = open_page(viewport={"width": width, "height": 800})
    page.goto(f"{wide}en/b/all/")
    page.locator("#tools").wait_for(state="visible")
    scroll(page, 700, 0)
    for row in ("thead tr", "tbody tr[aria-rowindex='3']"):
        for kind in kept:
            seen = page.evaluate(
                """(place) => {
                  const { x, y, width, height } = document.querySelector(place).getBoundingClientRect();
                  return document.elementFromPoint(x + width / 2, y + height / 2).closest(place) !== null;
                }""",
                f"#board {row} .{kind}",
            )
            assert seen, (row, kind)


@pytest.mark.parametrize("width", [360, 390])
def test_a_phone_shows_the_mean_at_one_look(open_page, wide, width):
    page = open_page(viewport={"width": width, "height": 800})
    page.goto(f"{wide}en/b/all/")
    page.locator("#tools").wait_for(state="visible")
    number = page.locator("#board tbody tr[data-entry] .mean .value").first.bounding_box()
    assert number["x"] + number["width"] <= width
    who = page.locator("#board tbody tr[data-entry]").first
    assert who.locator(".name .how").inner_text() == who.locator(".adaptation").inner_text()
    rank = who.locator(".rank")
    assert rank.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(
        "document.querySelector('#board thead th:nth-child(3)').classList.contains('adaptation')"
    )


def test_pinned_rows_stay_in_sight(board):
    board.locator("button.pin").nth(5).click()
    board.locator("button.pin").nth(9).click()
    scroll(board, 0, 5000)
    head = board.locator("thead th").first.bounding_box()
    boxes = [row.bounding_box() for row in board.locator("tbody.pinned .name").all()]
    assert len(boxes) == 2
    assert abs(boxes[0]["y"] - head["y"] - head["height"]) < 3
    assert boxes[1]["y"] > boxes[0]["y"]


def test_the_focus_is_never_under_what_stays_in_place(board):
    places = """() => {
      const own = document.activeElement.getBoundingClientRect();
      const room = document.getElementById("rows").getBoundingClientRect();
      const kept = document.querySelector("#board thead .adaptation").getBoundingClientRect();
      return [own.left, kept.right, own.right, room.right];
    }"""
    frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    board.locator("#board tbody th").first.focus()
    for key in ("Control+End", *["ArrowLeft"] * 12, *["ArrowUp"] * 4, "PageUp", "Home", *["ArrowRight"] * 9):
        board.keyboard.press(key)
        board.evaluate(frames)
        assert board.evaluate("document.activeElement.closest('[aria-colindex]') !== null"), key
        left, kept, right, room = board.evaluate(places)
        assert right <= room, key
        assert left >= kept - 1 or board.evaluate(REACHED)[1] <= 3, key


def test_columns_of_the_last_rows_are_changed_without_a_jump(board):
    scroll(board, 0, 10**6)
    last = board.locator("#board tbody tr:not(.space)").last
    for left in (1500, 3000, 0):
        scroll(board, left, 10**6)
        before = last.bounding_box()["y"]
        scroll(board, left + 700, 10**6)
        assert last.get_attribute("aria-rowindex") == "401"
        assert last.bounding_box()["y"] == before
