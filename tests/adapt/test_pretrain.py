"""Pre-training: deterministic, and the shipped model is what its card says came out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tianti.adapt.pretrain import Pretraining, batches, pretrain, train_tokenizer
from tianti.core.fingerprint import file_digest
from tianti.models.nano import nano_folder

SMALL = Pretraining(
    vocabulary=512, hidden=32, layers=1, heads=2, length=64, batch=4, steps=12, warmup=4, interval=6
)
SMALL = replace(SMALL, tokenizer_documents=200)


def test_it_learns_and_is_deterministic(tmp_path: Path) -> None:
    seen: list[tuple[int, int, float]] = []
    one = pretrain(SMALL, tmp_path / "one", lambda done, total, loss: seen.append((done, total, loss)))
    other = pretrain(SMALL, tmp_path / "other")
    assert one.weights_sha256 == other.weights_sha256
    assert [step[:2] for step in seen] == [(step + 1, 12) for step in range(12)]
    assert one.first_losses == [loss for _, _, loss in seen]
    assert list(one.validation_losses) == ["6", "12"]
    assert one.validation_losses["12"] < one.validation_losses["6"]
    assert one.tokens == 12 * 4 * 64


def test_it_writes_what_transformers_can_load(tmp_path: Path) -> None:
    card = pretrain(SMALL, tmp_path, steps=1)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert model.num_parameters() == card.parameters
    assert model.config.eos_token_id == tokenizer.eos_token_id
    assert len(tokenizer) == 512


def test_fewer_steps_are_the_first_steps(tmp_path: Path) -> None:
    whole, part = pretrain(SMALL, tmp_path / "whole"), pretrain(SMALL, tmp_path / "part", steps=5)
    assert part.first_losses == whole.first_losses[:5]


def test_a_sequence_begins_with_a_document() -> None:
    tokenizer = train_tokenizer(SMALL)
    first, second = islice(batches(tokenizer, SMALL, 1), 2)
    assert first.shape == second.shape == (4, 64)
    assert not first.equal(second)
    assert tokenizer.decode(first[1])[0] != " "


def test_the_rate_warms_up_and_falls_to_a_tenth() -> None:
    settings = Pretraining()
    rates = [settings.rate(step) for step in range(settings.steps + 1)]
    assert max(rates) == pytest.approx(settings.learning_rate)
    assert rates.index(max(rates)) <= settings.warmup
    assert rates[0] < rates[settings.warmup - 1]
    assert rates[-1] == pytest.approx(settings.learning_rate / 10)


def test_the_first_steps_of_the_shipped_model_are_met_again(tmp_path: Path) -> None:
    folder = nano_folder("llama")
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert Pretraining(**card["settings"]) == Pretraining()
    again = pretrain(Pretraining(), tmp_path, steps=4)
    assert file_digest(tmp_path / "tokenizer.json") == card["tokenizer_sha256"]
    assert again.first_losses == pytest.approx(card["first_losses"][:4], rel=1e-2)
