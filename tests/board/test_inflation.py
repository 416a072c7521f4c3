import pytest

from tianti.board.inflation import inflation_text, overlap_note, overlap_text, points

CLEAN = {
    "items": 200, "training_examples": 356, "exact_duplicates": 0, "near_duplicates": 0, "mostly_covered": 0,
    "overlapping": 0,
}  # fmt: skip
FOUND = CLEAN | {"exact_duplicates": 5, "near_duplicates": 2, "overlapping": 7}


def _gap(**changes):
    return {"estimate": 0.04, "least": 0.021, "level": 0.95, "p_holm": 0.001} | changes


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (_gap(), "inflation ≥ 2.1 points (95 %)"),
        (_gap(least=0.0002), "inflation ≥ 0.02 points (95 %)"),
        (_gap(least=-0.01), "inflation > 0 points (95 %), its size is open"),
        (_gap(least=-0.01, p_holm=0.2), "no inflation shown: +4.0 points, at least -1.0 (95 %)"),
        (
            _gap(estimate=-0.02, least=-0.05, p_holm=1.0),
            "no inflation shown: -2.0 points, at least -5.0 (95 %)",
        ),
        (_gap(least=None, p_holm=None), "inflation cannot be told from so few items"),
    ],
)
def test_inflation_is_points_with_a_bound(gap, text):
    assert inflation_text(gap) == text


def test_overlap_in_words():
    assert overlap_text(CLEAN) == "no overlap found in 356 training examples"
    found = "7 of 200 test items overlap 356 training examples (5 the same, 2 nearly so, 0 mostly covered)"
    assert overlap_text(FOUND | {"inflation": _gap()}) == f"{found}; inflation ≥ 2.1 points (95 %)"
    assert overlap_text(FOUND) == f"{found}; inflation is not told of this metric"
    assert overlap_text(FOUND | {"items": 7}).endswith("no clean item to compare with")


def test_a_footnote_only_where_something_was_found():
    assert overlap_note([]) == overlap_note([{}]) == overlap_note([CLEAN]) == ""
    assert overlap_note([CLEAN, FOUND, {}]).startswith("7 of 200")


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0.0"), (0.0312, "3.1"), (-0.0312, "-3.1"), (0.00021, "0.02")]
)
def test_points(share, text):
    assert points(share) == text
