"""Training settings: what is checked, and what stands in a manifest."""

from __future__ import annotations

import pytest

from tianti.adapt import label, parse_adaptation, settings
from tianti.adapt.defaults import BATCHES, LEARNING_RATES, SIZES, batch_size, learning_rate, resolved
from tianti.adapt.full import Full
from tianti.adapt.lora import LoRA
from tianti.core.exceptions import InputError
from tianti.core.fingerprint import fingerprint

BEFORE = {
    "lr": "auto",
    "epochs": 3,
    "batch": 16,
    "warmup": 0.06,
    "weight_decay": 0.01,
    "max_grad_norm": 1.0,
    "max_examples": None,
    "max_length": None,
}
"""The settings that full fine-tuning had when the first trials were run."""


def test_trials_keep_the_ids_that_they_had_when_there_was_less_to_set() -> None:
    assert settings(Full()) == BEFORE
    assert fingerprint(settings(Full())) == fingerprint(BEFORE)
    lora = {"r": 8, "alpha": 16.0, "dropout": 0.0, "targets": "all-linear"}
    assert settings(LoRA()) == BEFORE | lora
    assert settings(LoRA(lr=1e-3, epochs=5)) == BEFORE | lora | {"lr": 1e-3, "epochs": 5}


@pytest.mark.parametrize(
    "changed",
    [
        {"schedule": "cosine"},
        {"accumulate": 4},
        {"batches": "packed"},
        {"class_weights": "balanced"},
        {"class_weights": [1.0, 2.5]},
        {"label_smoothing": 0.1},
        {"monitor": "metric"},
        {"patience": 2},
        {"precision": "auto"},
        {"gradient_checkpointing": True},
    ],
)
def test_what_is_set_stands_in_the_manifest(changed: dict[str, object]) -> None:
    assert settings(Full(**changed)) == BEFORE | changed
    assert parse_adaptation(label(Full(**changed))) == Full(**changed)


def test_momentum_is_a_setting_of_sgd() -> None:
    assert settings(Full(optimizer="sgd")) == BEFORE | {"optimizer": "sgd", "momentum": 0.9}
    with pytest.raises(InputError, match="momentum is a setting of sgd"):
        Full(momentum=0.5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optimizer", "adam"), ("schedule", "step"), ("accumulate", 0), ("label_smoothing", 1.0), ("momentum", 1.0),
        ("class_weights", [1.0]), ("class_weights", [1.0, -1.0]), ("patience", 0), ("precision", "float16"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(key: str, value: object) -> None:
    with pytest.raises(InputError, match=f"full: {key} cannot be"):
        Full(**{key: value})


def test_auto_is_taken_from_the_table() -> None:
    assert resolved(Full(batch="auto"), 22_000_000) == Full(lr=1e-4, batch=16)
    assert resolved(LoRA(batch="auto"), 7_000_000_000) == LoRA(lr=2e-4, batch=16)
    assert resolved(Full(lr=0.5, batch=3), 1) == Full(lr=0.5, batch=3)
    assert (learning_rate("full", 10_000_000), learning_rate("full", 10_000_001)) == (5e-4, 1e-4)
    assert batch_size("full", 10**9) == 64


def test_the_tables_are_whole() -> None:
    assert all(len(row) == len(SIZES) for row in (*LEARNING_RATES.values(), *BATCHES.values()))
    # The larger a model, the smaller its rate.
    assert all(list(row) == sorted(row, reverse=True) for row in LEARNING_RATES.values())
