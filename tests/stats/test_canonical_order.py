import numpy as np
import pytest
from scipy.stats import kstest, ttest_1samp

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats.canonical_order import canonical_order_test


@pytest.mark.parametrize(("shards", "permutations"), [(3, 19), (20, 10)])
def test_false_alarms_are_as_rare_as_stated(shards, permutations):
    """Heavy tails and shards of very different spread: the relabelling does not mind."""
    rng, count = np.random.default_rng(0), replicates(4000, 600)
    scale = 10.0 ** np.arange(shards)[:, None] / 10.0 ** (shards / 2) if shards < 5 else 1.0
    p = np.array(
        [
            canonical_order_test(rng.standard_t(2, (shards, 1 + permutations)) * scale, draws=399).p
            for _ in range(count)
        ]
    )
    for alpha in (0.05, 0.2):
        assert np.mean(p <= alpha) <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / count)
    assert kstest(p, "uniform").pvalue > 1e-3  # not merely careful


def test_the_t_test_is_scipys():
    rng = np.random.default_rng(0)
    logprobs = rng.normal(-100, 3, (30, 11))
    found = canonical_order_test(logprobs)
    reference = ttest_1samp(logprobs[:, 0] - logprobs[:, 1:].mean(axis=1), 0, alternative="greater")
    assert (found.t, found.p_t) == pytest.approx((reference.statistic, reference.pvalue))
    assert found.p == pytest.approx(
        found.p_t, abs=0.1
    )  # the paper's looks at the spread of these shards alone
    assert (found.shards, found.permutations) == (30, 10)


def test_a_preferred_order_is_found_and_a_disliked_one_is_not():
    logprobs = np.random.default_rng(1).normal(-100, 1, (20, 11))
    lifted, lowered = logprobs.copy(), logprobs.copy()
    lifted[:, 0] += 1.5
    lowered[:, 0] -= 1.5
    assert canonical_order_test(lifted).p == 1e-4
    assert canonical_order_test(lowered).p > 0.99


def test_a_model_that_does_not_care_for_order_has_p_one():
    assert canonical_order_test(np.full((5, 4), -0.1)).p == 1


@pytest.mark.parametrize("wrong", [np.zeros((0, 3)), np.zeros((3, 1)), np.zeros(3), np.full((2, 3), np.nan)])
def test_what_is_no_such_matrix_is_refused(wrong):
    with pytest.raises(InputError, match="shape"):
        canonical_order_test(wrong)
