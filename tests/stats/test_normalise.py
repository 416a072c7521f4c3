import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.core.exceptions import InputError
from tianti.stats import normalise


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
