"""A whole pre-training at a tiny size: deterministic, resumed to the same weights wherever it was stopped, loadable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tianti.adapt.pretrain import FileCorpus, Pretraining, pretrain
from tianti.adapt.pretrain import checkpoints as checkpoints_module
from tianti.adapt.pretrain.card import read_card
from tianti.core.exceptions import InputError, NonFiniteError, StoreError
from tianti.core.fingerprint import file_digest
from tianti.models import load_model, open_model
from tiny import tiny_tokenizer

KINDS = {"llama": "causal", "gpt2": "causal", "bert": "masked", "t5": "seq2seq"}


class KilledError(Exception):
    """The process ends here."""


def killed_after(steps: int) -> Callable[[int], None]:
    def after_step(done: int) -> None:
        if done == steps:
            raise KilledError

    return after_step


def test_it_learns_and_makes_a_model(corpus: FileCorpus, settings: Pretraining, tmp_path: Path) -> None:
    card = pretrain(settings, corpus, tmp_path)
    assert list(card.validation_losses) == ["4", "8", "12"]
    assert card.validation_losses["12"] < card.validation_losses["4"]
    assert card.tokens == 12 * 4 * 64
    assert card == read_card(tmp_path)
    model = open_model(tmp_path)
    assert model.architecture == KINDS[settings.architecture]
    network, tokenizer = load_model(model).pair()
    assert network.num_parameters() == card.parameters
    assert type(network).__name__ == card.architecture
    assert network.config.eos_token_id == tokenizer.eos_token_id
    assert not (tmp_path / "training").exists()


@pytest.mark.parametrize("stop", [2, 4, 7, 11])
def test_killed_after_any_step_it_ends_with_the_same_weights(
    corpus: FileCorpus, settings: Pretraining, tmp_path: Path, stop: int
) -> None:
    whole = pretrain(settings, corpus, tmp_path / "whole")
    with pytest.raises(KilledError):
        pretrain(settings, corpus, tmp_path / "killed", after_step=killed_after(stop))
    assert read_card(tmp_path / "killed") is None
    steps: list[int] = []
    again = pretrain(settings, corpus, tmp_path / "killed", after_step=steps.append)
    assert steps[0] == stop // 4 * 4 + 1
    assert again.weights_sha256 == whole.weights_sha256
    assert again.validation_losses == whole.validation_losses
    assert again.first_losses == whole.first_losses


def test_killed_while_a_checkpoint_is_written(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretrain(small(), corpus, tmp_path / "whole")
    real = checkpoints_module._optimizer_tensors
    written = 0

    def killed(optimizers: object) -> object:
        nonlocal written
        written += 1
        if written == 2:
            raise KilledError
        return real(optimizers)  # type: ignore[arg-type]

    monkeypatch.setattr(checkpoints_module, "_optimizer_tensors", killed)
    with pytest.raises(KilledError):
        pretrain(small(), corpus, tmp_path / "killed")
    names = sorted(path.name for path in (tmp_path / "killed/training").iterdir())
    assert names == ["step-00000004", "step-00000008.part"]
    steps: list[int] = []
    again = pretrain(small(), corpus, tmp_path / "killed", after_step=steps.append)
    assert steps[0] == 5
    assert again.weights_sha256 == whole.weights_sha256


@pytest.mark.parametrize("file", ["weights.safetensors", "optimizers.safetensors", "state.json"])
def test_a_checkpoint_whose_bytes_went_bad_is_passed_over(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path, file: str
) -> None:
    whole = pretrain(small(), corpus, tmp_path / "whole")
    with pytest.raises(KilledError):
        pretrain(small(), corpus, tmp_path / "killed", after_step=killed_after(9))
    path = tmp_path / "killed/training/step-00000008" / file
    path.write_bytes(path.read_bytes()[:-100])
    steps: list[int] = []
    again = pretrain(small(), corpus, tmp_path / "killed", after_step=steps.append)
    assert steps[0] == 5
    assert again.weights_sha256 == whole.weights_sha256


def test_what_is_done_is_found(corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path) -> None:
    first = pretrain(small(), corpus, tmp_path)
    before = (tmp_path / "model.safetensors").stat().st_mtime_ns
    assert pretrain(small(), corpus, tmp_path) == first
    assert (tmp_path / "model.safetensors").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="holds a model already"):
        pretrain(small(seed=2), corpus, tmp_path)


def test_the_beginning_of_another_training_is_refused(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path
) -> None:
    with pytest.raises(KilledError):
        pretrain(small(), corpus, tmp_path, after_step=killed_after(5))
    with pytest.raises(StoreError, match="the beginning of another pre-training"):
        pretrain(small(learning_rate=1e-3), corpus, tmp_path)


def test_fewer_steps_are_the_first_steps(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path
) -> None:
    whole = pretrain(small(), corpus, tmp_path / "whole")
    part = pretrain(small(), corpus, tmp_path / "part", steps=5)
    assert part.first_losses == whole.first_losses[:5]
    assert part.steps == 5


def test_half_precision_is_said_in_the_config(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path
) -> None:
    full, half = (
        pretrain(small(), corpus, tmp_path / name, steps=1, half=name == "half") for name in ("full", "half")
    )
    assert full.parameters == half.parameters
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    network, _ = load_model(open_model(tmp_path / "half")).pair()
    assert network.dtype is torch.float32  # on a CPU; the files are fp16


def test_a_given_tokenizer_is_kept(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path
) -> None:
    tiny_tokenizer().save_pretrained(tmp_path / "tokenizer")
    card = pretrain(small(), corpus, tmp_path / "model", tokenizer=tmp_path / "tokenizer", steps=1)
    assert card.tokenizer_sha256 == file_digest(tmp_path / "tokenizer/tokenizer.json")
    assert load_model(open_model(tmp_path / "model")).pair()[0].config.vocab_size == 420


def test_a_loss_that_is_no_number_is_an_error(
    corpus: FileCorpus, small: Callable[..., Pretraining], tmp_path: Path
) -> None:
    with pytest.raises(NonFiniteError, match="try --lr below"):
        pretrain(replace(small(), learning_rate=1e30, clip=1e30, warmup=1), corpus, tmp_path)
