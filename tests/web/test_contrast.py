"""Colours of the sheet differ by the ratios of WCAG 2.2: text 4.5 to 1; edges, the focus and what is drawn 3 to 1.

Those of series are told apart by people of any colour vision.
"""

import re
from importlib.resources import files
from itertools import combinations, product

import pytest

from colour_vision import MACHADO, difference, linear, seen

SHEET = files("tianti.web").joinpath("static/style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): ([^;]+);", block))
    for block in re.findall(r":root \{(.*?)\n *\}", SHEET, re.S)
)
INKS = ("ink", "soft", "accent", "bad", "good")
GROUNDS = ("ground", "raised", "band")
SERIES = tuple(f"series-{number}" for number in range(1, 8))
DRAWN = (*SERIES, "soft", "strong-line", "accent")
"""What charts and whiskers are drawn with; `line` only rules the ground, which says nothing."""
APART = 15
"""Of CIEDE2000, between any two series."""


def colour(text):
    """Red, green and blue of `#rrggbb` or `r g b`."""
    found = re.findall(r"[0-9a-f]{2}", text) if text.startswith("#") else text.split()
    return [int(part, 16 if text.startswith("#") else 10) for part in found]


def over(front, share, back):
    """A colour of which `share` covers another."""
    return [share * a + (1 - share) * b for a, b in zip(front, back, strict=True)]


def luminance(parts):
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = linear(parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def shares(pattern):
    """How much of a tint the rules that fit cover."""
    found = re.findall(pattern + r" \{[^}]*?rgb\([^/}]+ / ([\d.]+)\)", SHEET)
    assert found
    return [float(share) for share in found]


def tinted(theme):
    """Every ground that text stands on: plain, shaded by a score or marked, and each of them under the pointer."""
    tint = colour(theme["tint"])
    (hover,) = shares(r"tbody tr:hover th")
    plain = [colour(theme[name]) for name in GROUNDS]
    raised = colour(theme["raised"])
    still = [*plain, *(over(tint, share, raised) for share in shares(r"\.h\d") + shares(r"\.marked > \*"))]
    return [*still, *(over(tint, hover, ground) for ground in still)]


def test_black_on_white():
    assert ratio([0, 0, 0], [255, 255, 255]) == pytest.approx(21)


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_text_is_readable_on_every_ground(theme):
    for ink, ground in product(INKS, tinted(theme)):
        assert ratio(colour(theme[ink]), ground) >= 4.5, (ink, ground)
    assert ratio(colour(theme["ground"]), colour(theme["accent"])) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_tokens_are_readable_however_much_they_count(theme):
    for direction, colours in (("up", "37 99 235"), ("down", "234 110 20")):
        for share in shares(rf"\.{direction}\d"):
            assert ratio(colour(theme["ink"]), over(colour(colours), share, colour(theme["raised"]))) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_edges_of_fields_and_the_focus_are_seen(theme):
    for edge, ground in product(("strong-line", "focus"), GROUNDS):
        assert ratio(colour(theme[edge]), colour(theme[ground])) >= 3, (edge, ground)
    assert all(ratio(colour(theme["focus"]), ground) >= 3 for ground in tinted(theme))


@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_what_is_drawn_is_seen(theme):
    for name, ground in product(DRAWN, GROUNDS):
        assert ratio(colour(theme[name]), colour(theme[ground])) >= 3, (name, ground)


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("theme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
def test_series_are_told_apart_with_any_colour_vision(theme, vision):
    found = {name: seen(colour(theme[name]), vision) for name in SERIES}
    for one, other in combinations(SERIES, 2):
        assert difference(found[one], found[other]) >= APART, (one, other)


def test_differences_are_those_of_the_standard():
    """Pairs of table 1 of Sharma, Wu and Dalal 2005; grey stays grey to everybody."""
    for one, other, expected in (
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert difference(one, other) == pytest.approx(expected, abs=1e-4)
        assert difference(other, one) == pytest.approx(expected, abs=1e-4)
    for vision in MACHADO:
        assert seen([128, 128, 128], vision) == pytest.approx(seen([128, 128, 128], "usual"), abs=1e-2)
