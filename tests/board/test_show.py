import pytest

from tianti.board.compare import Difference
from tianti.board.entries import Cell
from tianti.board.show import compact, difference, difference_text, interval_text, number, percent, rank_text
from tianti.stats.intervals import Interval


@pytest.mark.parametrize(
    ("value", "text"), [(0.713, "71.3"), (-0.0001, "0.0"), (-0.05, "-5.0"), (1.0, "100.0"), (None, "–")]
)
def test_percent(value, text):
    assert percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(3.14159, "3.14"), (12345.6, "12,346"), (0.00123, "0.00123"), (None, "–")]
)
def test_number(value, text):
    assert number(value) == text


def test_numbers_have_one_sign_everywhere():
    assert [difference(value) for value in (0.032, -0.032, 0.0, 0.0001, -0.0001)] == [
        "+3.2",
        "-3.2",
        "0.0",
        "0.0",
        "0.0",
    ]
    assert [difference(value, share=False) for value in (1200.0, -0.5, -0.0)] == ["+1,200", "-0.5", "0"]
    assert difference(None) == difference_text(Difference("t", None, None, None)) == "–"
    told = Difference("t", 0.7, 0.6, -0.1, -0.18, -0.02)
    assert difference_text(told) == "-10.0 ±8.0"
    assert interval_text(Interval(0.1, 0.02, 0.18, 0.95, "", 9), signed=True) == "+10.0 ±8.0"


@pytest.mark.parametrize(
    ("low", "high", "place", "text"),
    [(1, 3, 2, "1–3"), (2, 2, 2, "2"), (None, None, 4, "4"), (None, None, None, "–")],
)
def test_rank(low, high, place, text):
    assert rank_text(low, high, place) == text


def test_a_cell_is_missing_by_default():
    assert Cell("t", "failed").value is None


def test_counts_are_written_with_three_digits():
    written = {
        999: "999",
        1000: "1.00K",
        16_384: "16.4K",
        124_500: "125K",
        8_030_261_248: "8.03B",
        10**13: "10.0T",
    }
    assert {value: compact(value) for value in written} == written


def test_a_number_that_rounds_to_a_thousand_is_no_power_of_ten():
    assert number(999.6) == "1,000"
