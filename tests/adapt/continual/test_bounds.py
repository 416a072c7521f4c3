"""Plain, joint and separate training: what each learns, keeps and forgets, and what is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from streams import METHODS, NETWORKS, accuracy, learned, model_of, stream_of, task_of
from tianti.adapt.continual import learn
from tianti.adapt.learned import examples_learned
from tianti.core.exceptions import IncompatibleError, InputError


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("strategy", ["plain", "joint", "separate"])
def test_each_learns_over_each_method_on_each_architecture(
    network: str, method: str, strategy: str, tmp_path: Path
) -> None:
    model, second = model_of(network), task_of("second")
    adapted = learned(stream_of(method, strategy), model, second, tmp_path)
    # The last stage's curve: six epochs, each with less loss in the end than in the beginning.
    losses = adapted.cost.train_loss[-6:]
    assert losses[-1] < losses[0]
    assert adapted.cost.saved_bytes > 0
    if network == "bert":
        assert accuracy(adapted, second) >= 0.9


def test_what_a_language_model_learned_is_undone_by_its_opposite(tmp_path: Path) -> None:
    model, first, second = model_of("llama"), task_of("first"), task_of("second")
    method = "full(lr=1e-2, epochs=10, batch=4)"
    assert accuracy(learned(stream_of(method, stage=1), model, first, tmp_path), first) == 1
    assert accuracy(learned(stream_of(method), model, second, tmp_path), second) == 1
    assert accuracy(learned(stream_of(method), model, first, tmp_path), first) == 0
    for stage, task in enumerate((first, second), start=1):
        for strategy, at in (("joint", None), ("separate", stage)):
            assert accuracy(learned(stream_of(method, strategy, at), model, task, tmp_path), task) == 1


def test_the_first_stage_of_plain_equals_the_method_alone(tmp_path: Path) -> None:
    from tianti.adapt import parse_adaptation
    from tianti.core.progress import Silent

    model, first = model_of("bert"), task_of("first")
    stream = learned(stream_of("full", stage=1), model, first, tmp_path)
    alone = parse_adaptation(METHODS["full"]).adapt(model, first, 0, tmp_path / "alone", Silent())
    assert alone.cost.train_loss == stream.cost.train_loss
    theirs = dict(stream.network.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in alone.network.named_parameters())


def test_a_stream_that_was_killed_goes_on_from_its_last_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, second = model_of("bert"), task_of("second")
    adaptation = stream_of("full", names=("first", "second", "third"))
    whole = learned(adaptation, model, second, tmp_path / "whole")
    trained: list[str] = []

    def counting(*arguments: Any, **options: Any) -> Any:
        trained.append(arguments[8])
        if len(trained) == 3:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    train = learn.train
    monkeypatch.setattr(learn, "train", counting)
    with pytest.raises(KeyboardInterrupt):
        learned(adaptation, model, second, tmp_path / "killed")
    again = learned(adaptation, model, second, tmp_path / "killed")
    assert [title.rpartition(" ")[2] for title in trained] == [
        "stub/first",
        "stub/second",
        "stub/third",
        "stub/third",
    ]
    theirs = dict(whole.network.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in again.network.named_parameters())
    learned(adaptation, model, task_of("first"), tmp_path / "killed")
    assert len(trained) == 4


def test_costs_add_up_over_stages_and_the_untrained_model_costs_nothing(tmp_path: Path) -> None:
    model, first = model_of("llama"), task_of("first")
    costs = [learned(stream_of("lora", stage=stage), model, first, tmp_path).cost for stage in (0, 1, 2)]
    assert (costs[0].steps, costs[0].saved_bytes) == (0, 0)
    assert costs[2].steps == 2 * costs[1].steps > 0
    assert costs[2].examples == 32
    assert costs[2].saved_bytes == pytest.approx(costs[1].saved_bytes, rel=0.01)


def test_what_a_stage_has_seen_is_what_is_looked_for_in_the_test() -> None:
    first = task_of("first")
    assert examples_learned(stream_of("full", stage=0), first, 0) == []
    assert len(examples_learned(stream_of("full", stage=1), first, 0)) == 20
    assert len(examples_learned(stream_of("full", "joint"), first, 0)) == 32


def test_what_a_stream_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learns all tasks at once, and has no stage 1"):
        stream_of("full", "joint", stage=1)
    with pytest.raises(InputError, match="stage 3 of a stream of 2"):
        stream_of("full", stage=3)
    with pytest.raises(IncompatibleError, match="does not answer task 1"):
        stream_of("full", "separate", stage=2).check(model_of("bert"), task_of("first"))
    with pytest.raises(IncompatibleError, match="is no task of the stream"):
        stream_of("full").check(model_of("bert"), task_of("third"))
