"""The page on boards says the same in both languages and names all that there is: words, columns, formats, states."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tianti.board.cut import QUANTITIES
from tianti.board.entries import CellState, Provenance
from tianti.board.filters import KEYS, Operator, read
from tianti.board.formats import FORMATS

DOCS = Path(__file__).parents[1] / "docs/concepts"
PAGES = {
    language: (DOCS / f"board{ending}").read_text(encoding="utf-8")
    for language, ending in (("en", ".md"), ("zh", ".zh.md"))
}
FLAGS = {
    "q": "--search", "r": "--regime", "family": "--family", "provenance": "--provenance", "lang": "--lang",
    "f": "--filter", "cols": "--columns", "s": "--sort", "pin": "--pin",
}  # fmt: skip


def headings(page):
    return [line.split(" ")[0] for line in page.splitlines() if line.startswith("#")]


def code(page):
    """What stands between backticks: names, options and keys, the same in every language."""
    return set(re.findall(r"`([^`\n]+)`", page))


def rows(page):
    """The rows of the tables, by their first cell."""
    found = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `"))
    return {cells[0].strip("`"): [cell.strip("`") for cell in cells[1:]] for cells in found}


def test_both_languages_say_the_same():
    assert headings(PAGES["en"]) == headings(PAGES["zh"])
    assert code(PAGES["en"]) == code(PAGES["zh"])
    assert rows(PAGES["en"]).keys() == rows(PAGES["zh"]).keys()


@pytest.mark.parametrize("language", PAGES)
def test_the_table_of_words_is_that_of_the_program(language):
    table = rows(PAGES[language])
    assert set(KEYS) == set(FLAGS)
    for key, flag in FLAGS.items():
        assert table[key][0] == flag
        assert read(table[key][-1]) != read(""), f"the example of {key} says nothing"


@pytest.mark.parametrize("language", PAGES)
def test_every_name_of_a_board_is_on_the_page(language):
    names = [*QUANTITIES, *FORMATS, *get_args(Provenance), *get_args(CellState), *get_args(Operator)]
    missing = [name for name in names if f"`{name}`" not in PAGES[language]]
    assert missing == []
