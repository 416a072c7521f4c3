"""Every strategy over every method on every architecture, and what they keep beside plain training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from streams import NETWORKS, accuracy, learned, model_of, stream_of, task_of
from tianti.adapt.continual import STRATEGIES, learn, parse_strategy, short
from tianti.adapt.continual.adapters import nearest
from tianti.core.exceptions import IncompatibleError, InputError

SHORT = {"full": "full(lr=3e-3, epochs=3, batch=8)", "lora": "lora(r=4, lr=2e-2, epochs=3, batch=8)"}
FAST = {
    "generative": "generative(size=4, max_tokens=8)",
    "ewc": "ewc(samples=8)",
    "online-ewc": "online-ewc(samples=8)",
}
BOUNDS = ("plain", "joint", "separate")
BETWEEN = [name for name in STRATEGIES if name not in BOUNDS]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("method", SHORT)
@pytest.mark.parametrize("strategy", BETWEEN)
def test_each_learns_over_each_method_on_each_architecture(
    strategy: str, method: str, network: str, tmp_path: Path
) -> None:
    model, second = model_of(network), task_of("second")
    adaptation = stream_of(SHORT[method], FAST.get(strategy, strategy), 2)
    if (strategy, method, network) in REFUSED:
        with pytest.raises(IncompatibleError, match=f"{strategy} does not fit"):
            adaptation.check(model, second)
        return
    adapted = learned(adaptation, model, second, tmp_path)
    losses = adapted.cost.train_loss[-3:]
    # The tiny T5 has learned little after so few steps; what it must not do is diverge.
    assert losses[-1] < losses[0] * (1.1 if network == "t5" else 1)
    assert 0 <= accuracy(adapted, second) <= 1


REFUSED = {("adapters", "full", network) for network in NETWORKS} | {
    ("o-lora", "full", network) for network in NETWORKS
}
REFUSED |= {("generative", method, "bert") for method in SHORT}
"""What cannot be combined: strategy, method, network."""

UNDOING = "full(lr=1e-2, epochs=10, batch=4)"
"""With it the tiny llama learns each task, and unlearns the first one with the second."""


@pytest.mark.parametrize(
    "strategy", ["replay(size=16)", "derpp(size=16)", "replay(size=16, memory=reservoir)"]
)
def test_rehearsal_keeps_what_plain_training_loses(strategy: str, tmp_path: Path) -> None:
    model, first, second = model_of("llama"), task_of("first"), task_of("second")
    plain = accuracy(learned(stream_of(UNDOING), model, first, tmp_path), first)
    kept = accuracy(learned(stream_of(UNDOING, strategy), model, first, tmp_path), first)
    assert kept >= plain + 0.4
    assert accuracy(learned(stream_of(UNDOING, strategy), model, second, tmp_path), second) >= 0.9


@pytest.mark.parametrize(
    ("strategy", "share"),
    [("l2(strength={}, to=last)", 0.5), ("ewc(strength={}, samples=8)", 0.95), ("si(strength={})", 0.5)],
)
def test_the_more_weights_are_held_the_less_they_move(strategy: str, share: float, tmp_path: Path) -> None:
    model, second = model_of("bert"), task_of("second")
    begin = learned(stream_of("full", strategy.format(0), 1), model, task_of("first"), tmp_path)

    def moved(strength: float) -> float:
        end = learned(stream_of("full", strategy.format(strength)), model, second, tmp_path)
        then = dict(begin.network.body.named_parameters())
        return sum(float((p - then[name]).square().sum()) for name, p in end.network.body.named_parameters())

    # EWC lets go of the many weights that the first task does not need.
    assert moved(1e4) < share * moved(0)


@pytest.mark.parametrize("strategy", ["replay(size=8)", "derpp(size=8)", "si", "ewc(samples=4)", "lwf"])
def test_one_that_is_stopped_inside_a_stage_ends_with_the_same_weights(
    strategy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tianti.adapt.course import Course

    monkeypatch.setattr(learn, "Checkpoints", _always)
    model, second = model_of("bert"), task_of("second")
    adaptation = stream_of(SHORT["full"], strategy)
    whole = learned(adaptation, model, second, tmp_path / "whole")
    steps: list[int] = []
    step = Course._step

    def counted(self: Any, batches: Any) -> None:
        steps.append(1)
        if len(steps) == 9:  # Six in the first stage, and the third of the second.
            raise KeyboardInterrupt
        step(self, batches)

    monkeypatch.setattr(Course, "_step", counted)
    with pytest.raises(KeyboardInterrupt):
        learned(adaptation, model, second, tmp_path / "stopped")
    again = learned(adaptation, model, second, tmp_path / "stopped")
    assert len(steps) == 9 + 4
    theirs = dict(whole.network.named_parameters())
    assert all(torch.equal(p, theirs[name]) for name, p in again.network.named_parameters())


def _always(folder: Path, identity: Any) -> Any:
    from tianti.adapt.checkpoints import Checkpoints

    return Checkpoints(folder, identity, epoch_seconds=0, step_seconds=0)


def test_the_notation() -> None:
    assert short(parse_strategy("replay(size=50, memory=balanced)")) == "replay(size=50)"
    with pytest.raises(
        InputError, match=r"replay: size cannot be 0[\s\S]*continual.md lists the settings of replay"
    ):
        parse_strategy("replay(size=0)")


def test_a_router_sends_texts_to_the_task_that_they_look_like(tmp_path: Path) -> None:
    model, second = model_of("bert"), task_of("second")
    adapted = learned(stream_of(SHORT["lora"], "adapters"), model, second, tmp_path)
    # Each text begins with the name of its task, and four of each task validate.
    assert adapted.backend.facts()["router"] == {
        "accuracy": 1.0,
        "examples": 4,
        "split": "validation",
        "tasks": 2,
    }
    features = torch.tensor([[0.0, 1.0], [3.0, 0.0], [1.4, 0.0]])
    assert nearest(features, torch.tensor([[0.0, 0.0], [3.0, 0.0]])).tolist() == [0, 1, 0]
