import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import InputError
from tianti.stats import aggregate, normalise, normalised_mean


def test_a_published_figure():
    # MMLU-Pro of Llama-3.1-70B-Instruct: raw 0.53092 with ten options was shown as 47.88.
    assert normalise(0.53092, 0.10) == pytest.approx(0.4788)


@given(st.floats(0, 1), st.floats(0, 0.95))
def test_chance_is_zero_perfect_is_one_and_order_is_kept(score, chance):
    assert normalise(chance, chance) == 0
    assert normalise(1, chance) == pytest.approx(1)
    assert normalise(score, chance) <= normalise(1, chance) + 1e-12
    assert normalise(score, chance, clip=True) == max(normalise(score, chance), 0)


def test_without_chance_the_score_stands():
    assert normalise(0.3, None) == 0.3


@pytest.mark.parametrize("chance", [1.0, -0.1, 25])
def test_impossible_chance_is_refused(chance):
    with pytest.raises(InputError, match="chance"):
        normalise(0.5, chance)


def test_sub_tasks_are_normalised_before_they_are_averaged():
    # MuSR's three sub-tasks with 2, 5 and 3 options; the same raw mean, won on other sub-tasks.
    chances = [0.5, 0.2, 1 / 3]
    first, second = [0.6, 0.4, 0.5], [0.5, 0.5, 0.5]
    assert sum(first) == pytest.approx(sum(second))
    assert normalised_mean(first, chances) == pytest.approx((0.2 + 0.25 + 0.25) / 3)
    assert normalised_mean(second, chances) == pytest.approx((0 + 0.375 + 0.25) / 3)


def test_clipping_hides_what_is_worse_than_guessing():
    assert normalised_mean([0.3, 0.75], [0.5, 0.5]) == pytest.approx(0.05)
    assert normalised_mean([0.3, 0.75], [0.5, 0.5], clip=True) == pytest.approx(0.25)


@pytest.mark.parametrize(("scores", "chances"), [([], []), ([0.5], [0.5, 0.5])])
def test_sub_tasks_without_their_chances_are_refused(scores, chances):
    with pytest.raises(InputError, match="one chance level"):
        normalised_mean(scores, chances)


CHANCES = {"IFEval": None, "MATH Lvl 5": None, "GPQA": 0.25, "MMLU-PRO": 0.1}
"""The columns whose raw score stands in the table at the granularity at which it was normalised.

BBH (24 sub-tasks, 2 to 19 options) and MuSR (3) were normalised each, and only their mean is in the table.
"""
COLUMNS = ["IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"]


@pytest.fixture(scope="module")
def hugging_face():
    from real_data_folder import REAL_DATA

    path = REAL_DATA / "openllm_leaderboard_v2" / "open_llm_leaderboard.csv"
    if not path.is_file():
        pytest.skip("no real data beside this checkout (../shared/data)")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.real_data
@pytest.mark.parametrize("column", CHANCES)
def test_the_open_llm_leaderboard_s_numbers_in_every_row(hugging_face, column):
    assert len(hugging_face) == 3827
    for row in hugging_face:
        found = 100 * normalise(float(row[f"{column} Raw"]), CHANCES[column], clip=True)
        assert found == pytest.approx(float(row[column]), abs=1e-10)


@pytest.mark.real_data
def test_the_open_llm_leaderboard_s_average_in_every_row(hugging_face):
    scores = np.array([[float(row[column]) for column in COLUMNS] for row in hugging_face]) / 100
    found = aggregate("mean", scores).values
    published = np.array([float(row["Average ⬆️"]) for row in hugging_face])
    assert np.abs(100 * found - published).max() < 1e-7
    (llama,) = [row for row in hugging_face if row["fullname"] == "meta-llama/Meta-Llama-3.1-70B-Instruct"]
    assert f"{float(llama['MMLU-PRO Raw']):.5f}" == "0.53092"
    assert f"{float(llama['MMLU-PRO']):.2f}" == "47.88"


@pytest.mark.real_data
@pytest.mark.parametrize("column", ["BBH", "MUSR"])
def test_a_mean_over_sub_tasks_cannot_be_normalised_afterwards(hugging_face, column):
    # Two rows with the same raw mean bear different numbers: the raw mean does not determine them.
    by_raw: dict[str, set[str]] = {}
    for row in hugging_face:
        by_raw.setdefault(f"{float(row[f'{column} Raw']):.10f}", set()).add(f"{float(row[column]):.2f}")
    widest = max(max(map(float, found)) - min(map(float, found)) for found in by_raw.values())
    assert widest > {"BBH": 0.2, "MUSR": 1.0}[column]  # points
