"""Colours of the sheet differ by the ratios of WCAG 2.2: text 4.5 to 1, edges and what has the focus 3 to 1."""

import re
from importlib.resources import files
from itertools import product

import pytest

SHEET = files("tianti.web").joinpath("static/style.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): ([^;]+);", block))
    for block in re.findall(r":root \{(.*?)\n *\}", SHEET, re.S)
)
INKS = ("ink", "soft", "accent", "bad", "good")
GROUNDS = ("ground", "raised", "band")


def colour(text):
    """Red, green and blue of `#rrggbb` or `r g b`."""
    found = re.findall(r"[0-9a-f]{2}", text) if text.startswith("#") else text.split()
    return [int(part, 16 if text.startswith("#") else 10) for part in found]


def over(front, share, back):
    """A colour of which `share` covers another."""
    return [share * a + (1 - share) * b for a, b in zip(front, back, strict=True)]


def luminance(parts):
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    shares = (part / 255 for part in parts)
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


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
