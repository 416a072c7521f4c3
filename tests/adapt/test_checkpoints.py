"""A training that was stopped ends with the weights of one that was not, wherever it was stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tianti.adapt import checkpoints
from tianti.adapt.checkpoints import Checkpoints, State
from tianti.adapt.full import Full
from tianti.adapt.lora import LoRA
from tianti.adapt.options import Training
from tianti.adapt.samples import Labelled
from tianti.adapt.training import History, train
from tianti.core.exceptions import StoreError
from tianti.core.progress import Silent

IDENTITY = {"task": "t", "seed": 3}


class Plan(Training):
    name = "test"


class Died(BaseException):
    """As SIGKILL: nothing catches it on the way."""


class Net(nn.Module):
    """Two layers with dropout between them, and a frozen weight."""

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(4)
        self.first = nn.Linear(3, 8)
        self.dropout = nn.Dropout(0.3)
        self.second = nn.Linear(8, 2)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=draw) * 0.3
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.second(self.dropout(torch.tanh(self.first(inputs)))) * self.frozen
        return outputs


ITEMS = [Labelled((row,), int(row.sum()) % 2) for row in np.random.default_rng(0).integers(-5, 6, (26, 3))]


def loss(network: Any, items: Any) -> tuple[Tensor, int]:
    inputs = torch.tensor(np.stack([item.rows[0] for item in items]), dtype=torch.float32)
    labels = torch.tensor([item.label for item in items])
    return nn.functional.cross_entropy(network(inputs), labels, reduction="sum"), len(items)


def hits(network: Any, items: Any) -> tuple[float, int]:
    inputs = torch.tensor(np.stack([item.rows[0] for item in items]), dtype=torch.float32)
    return sum(
        int(row.argmax()) == item.label for row, item in zip(network(inputs), items, strict=True)
    ), len(items)


def run(
    folder: Path,
    plan: Training,
    identity: Mapping[str, Any] = IDENTITY,
    seconds: tuple[float, float] = (0.0, 0.0),
) -> tuple[dict[str, Tensor], History]:
    network = Net()
    kept = Checkpoints(folder, identity, *seconds)
    history = train(
        network, loss, ITEMS[:20], ITEMS[20:], plan, 0.05, 7, Silent(), "net", hits=hits, checkpoints=kept
    )
    return network.state_dict(), history


def same(ours: dict[str, Tensor], others: dict[str, Tensor]) -> bool:
    return ours.keys() == others.keys() and all(torch.equal(ours[name], others[name]) for name in ours)


def told(history: History) -> tuple[Any, ...]:
    """All of a history but the time."""
    return (history.steps, history.tokens, history.train_loss, history.validation_loss, history.best_epoch,
            history.validation_metric, history.loss_steps, history.loss_by_step)  # fmt: skip


@contextmanager
def dying_at(place: str, nth: int, plan: Training) -> Iterator[None]:
    """Die when `place` is reached the n-th time."""
    reached = 0

    def die(name: str) -> None:
        nonlocal reached
        reached += name == place
        if name == place and reached == nth:
            raise Died

    kind: Any = torch.optim.SGD if plan.optimizer == "sgd" else torch.optim.AdamW
    original = kind.step

    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        die("step")
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "step", step)
        patch.setattr(checkpoints, "failpoint", die)
        yield


PLANS = (
    Plan(epochs=4, batch=4),
    Plan(epochs=4, batch=3, accumulate=2, optimizer="sgd", schedule="cosine"),
    Plan(epochs=5, batch=6, batches="random", monitor="metric", patience=2),
    Plan(epochs=3, batch=7, optimizer="sgd", momentum=0.0, schedule="constant"),
)
PLACES = ("before_checkpoint_tensors", "between_checkpoint_files", "after_checkpoint", "step")


@given(
    st.sampled_from(PLANS),
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 9)), min_size=1, max_size=4),
    st.sampled_from([(0.0, 0.0), (0.0, 1e9), (1e9, 1e9)]),
)
@settings(max_examples=30)
def test_wherever_it_dies_the_weights_are_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    plan: Training,
    deaths: list[tuple[str, int]],
    seconds: tuple[float, float],
) -> None:
    """Die some times, at the n-th time that a place is reached, and go on each time."""
    undisturbed, expected = run(tmp_path_factory.mktemp("undisturbed"), plan, seconds=(1e9, 1e9))
    folder = tmp_path_factory.mktemp("folder")
    for place, nth in deaths:
        torch.manual_seed(nth)  # what torch would draw outside does not matter
        try:
            with dying_at(place, nth, plan):
                run(folder, plan, seconds=seconds)
        except Died:
            continue
        break
    weights, history = run(folder, plan, seconds=seconds)
    assert same(weights, undisturbed)
    assert told(history) == told(expected)


def test_it_goes_on_where_it_was_and_not_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    original = torch.optim.AdamW.step

    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal steps
        steps += 1
        if steps == 13:
            raise Died
        return original(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    with pytest.raises(Died):
        run(tmp_path, PLANS[0])
    assert json.loads((tmp_path / "checkpoint.json").read_text())["facts"]["step"] == 12
    _, history = run(tmp_path, PLANS[0])
    assert (steps, history.steps) == (13 + 8, 20)


def test_one_checkpoint_is_kept_and_none_of_the_last_step(tmp_path: Path) -> None:
    run(tmp_path, PLANS[0])
    tensors, record = sorted(path.name for path in tmp_path.iterdir())
    assert (tensors.split("-")[1], record) == ("19", "checkpoint.json")
    Checkpoints(tmp_path, IDENTITY).clear()
    assert list(tmp_path.iterdir()) == []


def test_another_training_is_never_gone_on_with(tmp_path: Path) -> None:
    first, _ = run(tmp_path, PLANS[0])
    other, history = run(tmp_path, PLANS[0], identity={"task": "t", "seed": 4})
    assert history.seconds > 0
    assert same(first, other)  # all 20 steps were made again from the beginning
    assert Checkpoints(tmp_path, IDENTITY).read() is None
    found = Checkpoints(tmp_path, {"task": "t", "seed": 4}).read()
    assert found is not None
    assert found.facts["step"] == 19


@pytest.mark.parametrize("damage", ["record", "tensors", "missing"])
def test_a_damaged_checkpoint_is_none(damage: str, tmp_path: Path) -> None:
    expected, _ = run(tmp_path, PLANS[0])
    path = next(tmp_path.glob("*.safetensors"))
    if damage == "record":
        (tmp_path / "checkpoint.json").write_text('{"identity": {"ta')
    elif damage == "tensors":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.unlink()
    assert Checkpoints(tmp_path, IDENTITY).read() is None
    assert same(run(tmp_path, PLANS[0])[0], expected)


def test_time_decides_when_one_is_due(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = 100.0
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now)
    kept = Checkpoints(tmp_path, IDENTITY, epoch_seconds=20, step_seconds=300)
    assert not kept.due(epoch_ends=True)
    now = 120.0
    assert kept.due(epoch_ends=True)
    assert not kept.due(epoch_ends=False)
    now = 400.0
    assert kept.due(epoch_ends=False)
    kept.write(1, State({"a": torch.ones(1)}, {}))
    assert not kept.due(epoch_ends=True)


@given(st.lists(st.floats(allow_nan=False), max_size=5), st.integers(0, 10))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], length: int
) -> None:
    kept = Checkpoints(tmp_path_factory.mktemp("kept"), IDENTITY)
    tensors = {"a.b": torch.rand(length), "state": torch.get_rng_state(), "turned": torch.rand(3, 4).T}
    kept.write(5, State(tensors, {"losses": numbers}))
    found = kept.read()
    assert found is not None
    assert found.facts == {"losses": numbers}
    assert same(dict(found.tensors), tensors)


def test_a_disk_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="no checkpoint can be written"):
        Checkpoints(tmp_path / "file", IDENTITY).write(1, State({}, {}))


@pytest.mark.parametrize(
    ("name", "form", "chosen"),
    [
        ("bert", "labels", Full(epochs=2, lr=1e-3)),
        ("llama", "text", LoRA(epochs=2, dropout=0.2)),
        ("gpt2", "choices", Full(epochs=2, lr=1e-3, precision="float32", batch=5)),
        ("t5", "text", LoRA(epochs=2, dropout=0.2, optimizer="sgd", lr=0.05)),
    ],
)
def test_real_networks_go_on_bit_for_bit(
    name: str,
    form: str,
    chosen: Training,
    model: Callable[[str], Any],
    task: Callable[[str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Dropout and all, through the adaptation itself; what it leaves behind is what it always leaves behind."""
    from safetensors.torch import load_file

    chosen.adapt(model(name), task(form), 0, tmp_path / "undisturbed", Silent())
    monkeypatch.setattr(Checkpoints, "due", lambda self, *, epoch_ends: True)
    reached = 0

    def die(place: str) -> None:
        nonlocal reached
        reached += place == "between_checkpoint_files"
        if reached in (2, 5):
            reached += 1
            raise Died

    monkeypatch.setattr(checkpoints, "failpoint", die)
    for _ in range(2):
        with pytest.raises(Died):
            chosen.adapt(model(name), task(form), 0, tmp_path / "stopped", Silent())
    adapted = chosen.adapt(model(name), task(form), 0, tmp_path / "stopped", Silent())
    ours, other = (
        load_file(tmp_path / folder / "tensors.safetensors") for folder in ("stopped", "undisturbed")
    )
    assert same(ours, other)
    assert adapted.cost.best_epoch is not None
    assert sorted(path.name for path in (tmp_path / "stopped").iterdir()) == [
        "adapted.json",
        "tensors.safetensors",
    ]
