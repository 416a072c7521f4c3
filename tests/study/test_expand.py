from __future__ import annotations

import pytest

from studies import trials_of
from tianti.core.exceptions import IncompatibleError


def test_a_study_is_the_product_of_its_lists() -> None:
    planned = trials_of(
        adaptations=["few-shot(k=1)", "lora"], tasks=["nano/sentiment", "nano/qa"], seeds=[0, 1]
    )
    assert len(planned) == 2 * 2 * 2
    assert len({trial.id for trial in planned}) == 8


def test_what_draws_nothing_at_random_runs_once_whatever_the_seeds() -> None:
    (trial,) = trials_of(seeds=[0, 1, 2])
    assert trial.seed is None


def test_a_baseline_beside_networks_is_fitted_without_being_told() -> None:
    planned = trials_of(models=["nano:llama-untrained", "baseline:majority"], adaptations=["zero-shot"])
    assert [trial.title for trial in planned] == [
        "nano:llama-untrained · zero-shot · nano/sentiment",
        "baseline:majority · fit · nano/sentiment",
    ]


@pytest.mark.parametrize(
    ("model", "adaptation"), [("baseline:majority", "lora"), ("nano:llama-untrained", "fit")]
)
def test_a_model_that_nothing_fits_is_refused(model: str, adaptation: str) -> None:
    with pytest.raises(IncompatibleError, match=f"{model} cannot be adapted by {adaptation}"):
        trials_of(models=[model], adaptations=[adaptation])
