"""Settings: what fits together, named sizes, the schedule."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tianti.adapt.pretrain import SIZES, Pretraining, default_rate, parse_size
from tianti.core.exceptions import InputError, UnknownNameError


def test_the_rate_warms_up_and_falls_to_a_tenth() -> None:
    settings = Pretraining()
    rates = [settings.rate(step) for step in range(settings.steps + 1)]
    assert max(rates) == pytest.approx(settings.learning_rate)
    assert rates.index(max(rates)) <= settings.warmup
    assert rates[0] < rates[settings.warmup - 1]
    assert rates[-1] == pytest.approx(settings.learning_rate / 10)


def test_sizes_by_name_and_by_number() -> None:
    assert parse_size("base") == (768, 12, 12) == SIZES["base"]
    assert parse_size("96x3x4") == (96, 3, 4)
    with pytest.raises(UnknownNameError, match=r"did you mean 'medium'(.|\n)*WIDTHxLAYERSxHEADS"):
        parse_size("medum")


def test_the_rate_falls_with_the_width() -> None:
    assert default_rate(128) == pytest.approx(4e-3)
    assert default_rate(256) == pytest.approx(2e-3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden": 30, "heads": 4}, "a width of 30 cannot be shared among 4 heads(.|\n)*such as 32"),
        ({"hidden": 12, "heads": 4}, "heads of an even width"),
        ({"length": 128}, "sequences of 128 tokens, and the model reads 64"),
        ({"length": 4}, "sequences of 4 tokens"),
        ({"steps": 0}, "steps is 0"),
        ({"learning_rate": -1.0}, "learning rate -1.0 is not above 0"),
        ({"corrupted": 1.0}, "corrupted 1.0"),
        ({"precision": "float16"}, "precision 'float16'"),
        ({"architecture": "lama"}, "did you mean 'llama'"),
    ],
)
def test_what_does_not_fit_is_refused(
    small: Callable[..., Pretraining], changes: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        small(**changes)
