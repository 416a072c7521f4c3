"""The page on statistics says the same in both languages, names every idea, and its pictures can be drawn."""

import importlib
import inspect
import re
from functools import partial
from pathlib import Path

import pytest

import tianti.stats

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {
    language: (DOCS / f"concepts/statistics{ending}").read_text(encoding="utf-8")
    for language, ending in (("en", ".md"), ("zh", ".zh.md"))
}
IDEAS = [name for name in tianti.stats.__all__ if inspect.isfunction(getattr(tianti.stats, name))]


@pytest.fixture
def figures(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("figures")


def pictures(page):
    return re.findall(r"!\[[^\]]+\]\(\.\./images/statistics/([\w-]+)(?:\.zh)?\.png\)", page)


def headings(page):
    return [line.split(" ")[0] for line in page.splitlines() if line.startswith("#")]


def code(page):
    """What stands between backticks: names, options and keys, the same in every language."""
    return set(re.findall(r"`([^`\n]+)`", page))


def test_both_languages_say_the_same():
    assert headings(PAGES["en"]) == headings(PAGES["zh"])
    assert pictures(PAGES["en"]) == pictures(PAGES["zh"])
    assert code(PAGES["en"]) == code(PAGES["zh"])


def test_each_page_shows_the_pictures_of_its_language(figures):
    assert set(pictures(PAGES["en"])) == set(figures.PICTURES)
    for page, ending in ((PAGES["en"], ".png"), (PAGES["zh"], ".zh.png")):
        for name in pictures(page):
            assert f"/{name}{ending})" in page
            assert (figures.FOLDER / f"{name}{ending}").exists(), f"make figures draws {name}{ending}"


@pytest.mark.parametrize("name", IDEAS)
def test_every_idea_is_on_the_page(name):
    for language, page in PAGES.items():
        assert f"`{name}`" in page, f"docs/concepts/statistics ({language}) does not name {name}"


@pytest.fixture
def few_boards(figures, monkeypatch):
    """Simulations repeated a few times: whether a picture can be drawn is what is looked at, not what it shows."""
    simulations = importlib.import_module("simulations")
    for name in simulations.__all__:
        simulate = getattr(simulations, name)
        if "boards" in inspect.signature(simulate).parameters:
            monkeypatch.setattr(simulations, name, partial(simulate, boards=4))
    figures.numbers.cache_clear()
    yield
    figures.numbers.cache_clear()


def test_every_picture_is_drawn(figures, few_boards):
    for name in figures.PICTURES:
        image = figures.draw(name, "en")
        assert 600 <= image.width <= 1000, name
        assert image.height > 200, name


def test_a_missing_font_is_told(figures, monkeypatch):
    monkeypatch.setattr(figures, "CHINESE", ["A Font That Nobody Has"])
    with pytest.raises(SystemExit, match="fonts-noto-cjk"):
        figures.main([])


def test_an_unknown_picture_is_told(figures, monkeypatch):
    monkeypatch.setattr(figures, "chinese_fonts", lambda: ["any"])
    with pytest.raises(SystemExit, match="there is no picture rainbow"):
        figures.main(["rainbow"])
