"""The penalties against numpy, finite differences and what they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from streams import learned, model_of, stream_of, task_of
from tianti.adapt.continual import parse_strategy
from tianti.adapt.continual.anchored import Anchored, kept, mean_squared_gradients, part, quadratic
from tianti.adapt.continual.distilling import distillation
from tianti.adapt.continual.family import loss
from tianti.adapt.continual.learn import Plan
from tianti.adapt.continual.outputs import outputs
from tianti.adapt.continual.rehearsal import balanced, packed, reservoir, unpacked
from tianti.adapt.continual.strategy import Stage
from tianti.adapt.continual.synaptic import SI
from tianti.adapt.continual.synaptic import Path as Way
from tianti.engine.seq2seq.pairs import Pair
from tianti.engine.tokens import Window


def _stage(network: str = "bert") -> Stage:
    adaptation = stream_of("full", stage=1)
    plan = Plan(adaptation.learner, adaptation.policy, model_of(network), adaptation.groups, 0)
    lessons = tuple(lesson for group in plan.lessons for lesson in group)
    return Stage(plan.family(1), lessons, 0, plan.settings)


@pytest.mark.parametrize("network", ["bert", "llama", "t5"])
def test_fisher_is_of_each_example_by_itself(network: str) -> None:
    stage = _stage(network)
    items = stage.items(0)[:5]
    found = mean_squared_gradients(stage.family, items)
    name = next(name for name in found if "layer" in name or "block" in name)
    parameter = stage.family.shared_parameters()[name]
    squares, together = np.zeros(parameter.shape), np.zeros(parameter.shape)
    for item in items:
        stage.family.zero_grad()
        loss(stage.family, [item])[0].backward()
        gradient = parameter.grad.numpy().astype(np.float64)  # type: ignore[union-attr]
        squares += gradient**2 / len(items)
        together += gradient / len(items)
    np.testing.assert_allclose(found[name].numpy(), squares, rtol=1e-3, atol=1e-9)
    # Avalanche and TRACE square the mean gradient of a batch, which is less.
    assert (together**2).sum() < 0.9 * squares.sum()


def test_fisher_agrees_with_finite_differences() -> None:
    stage = _stage()
    (item,) = stage.items(0)[:1]
    found = mean_squared_gradients(stage.family, [item])
    name, parameter = next(iter(stage.family.shared_parameters().items()))
    index = np.unravel_index(int(found[name].argmax()), tuple(parameter.shape))
    with torch.no_grad():
        values = []
        for step in (1e-3, -2e-3):
            parameter[index] += step
            values.append(float(loss(stage.family, [item])[0]))
    slope = (values[0] - values[1]) / 2e-3
    assert float(found[name][index]) == pytest.approx(slope**2, rel=0.05)


def test_one_quadratic_stands_for_those_of_all_earlier_tasks() -> None:
    """Σ Fₖ (θ − θₖ)² and F (θ − c)² have the same gradient, and differ by a constant."""
    draw = np.random.default_rng(0)
    fishers, optima = draw.random((3, 7)), draw.normal(size=(3, 7))
    total, centre = fishers.sum(axis=0), (fishers * optima).sum(axis=0) / fishers.sum(axis=0)
    values = []
    for point in draw.normal(size=(4, 7)):
        theta = torch.tensor(point, requires_grad=True)
        found = quadratic({"w": theta}, {"w": torch.tensor(total)}, {"w": torch.tensor(centre)}, 3.0)
        assert found is not None
        found.backward()
        separate = 1.5 * (fishers * (point - optima) ** 2).sum()
        slope = 3.0 * (fishers * (point - optima)).sum(axis=0)
        assert theta.grad is not None
        np.testing.assert_allclose(theta.grad.numpy(), slope, rtol=1e-9)
        values.append(float(found.detach()) - separate)
    assert np.ptp(values) < 1e-9


def test_ewc_keeps_the_weighted_mean_of_the_optima(tmp_path: Path) -> None:
    stage = _stage()
    names = list(stage.family.shared_parameters())
    before = {name: torch.full_like(p, 2.0) for name, p in stage.family.shared_parameters().items()}
    zero = {name: torch.zeros_like(p) for name, p in before.items()}
    from tianti.adapt.continual.anchored import EWC

    stage = Stage(stage.family, stage.lessons, 0, stage.settings, kept(before, zero))
    found = EWC(samples=4)._keep(Anchored(stage, 1.0, lambda done: {}))
    weights, centres = part(found, "weight."), part(found, "centre.")
    fisher = mean_squared_gradients(stage.family, _chosen(stage, 4))
    now = stage.family.shared_parameters()
    for name in names:
        torch.testing.assert_close(weights[name], 2.0 + fisher[name])
        torch.testing.assert_close(centres[name], fisher[name] * now[name].detach() / (2.0 + fisher[name]))


def _chosen(stage: Stage, samples: int) -> list[object]:
    items = stage.items(0)
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(stage.draw))[:samples].tolist()
    return [items[index] for index in order]


def test_the_path_integral_is_the_fall_of_the_loss() -> None:
    """With small steps Σ ω = L(start) − L(end), whatever the optimizer."""
    stage = _stage()
    way, family, items = Way(stage, SI()), stage.family, stage.items(0)
    family.train(False)
    optimizer = torch.optim.SGD(family.shared_parameters().values(), lr=1e-4)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        summed, terms = loss(family, items)
        losses.append(float(summed / terms))
        (summed / terms).backward()
        way.after_gradient(family)
        optimizer.step()
        way.after_step(family)
    end = float(loss(family, items)[0] / len(items))
    omega = sum(float(path.sum()) for path in way.path.values())
    assert losses[0] - end > 0
    assert omega == pytest.approx(losses[0] - end, rel=0.05)
    found = way.keep()
    name = next(iter(way.path))
    moved = (family.shared_parameters()[name].detach() - way.start[name]).numpy()
    wanted = np.maximum(way.path[name].numpy(), 0) / (moved**2 + 0.001)
    np.testing.assert_allclose(found[f"weight.{name}"].numpy(), wanted, rtol=1e-5)


def test_distillation_is_the_divergence_of_the_softened_outputs() -> None:
    draw = np.random.default_rng(1)
    now, then = draw.normal(size=(5, 4)), draw.normal(size=(5, 4))

    def by_hand(logits: np.ndarray, temperature: float = 2.0) -> float:
        p, q = (np.exp(each / temperature) for each in (then, logits))
        p, q = p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True)
        return float(temperature**2 * (p * np.log(p / q)).sum(axis=1).mean())

    given = torch.tensor(now, requires_grad=True)
    found = distillation(given, torch.tensor(then), 2.0)
    assert float(found.detach()) == pytest.approx(by_hand(now), rel=1e-5)
    found.backward()
    for index in ((0, 0), (3, 2)):
        up, down = now.copy(), now.copy()
        up[index] += 1e-5
        down[index] -= 1e-5
        assert given.grad is not None
        assert float(given.grad[index]) == pytest.approx((by_hand(up) - by_hand(down)) / 2e-5, rel=1e-3)
    assert float(distillation(torch.tensor(then), torch.tensor(then), 2.0)) == pytest.approx(0, abs=1e-7)


def test_a_reservoir_gives_every_example_the_same_chance() -> None:
    counts = np.zeros(60)
    for seed in range(400):
        places = reservoir([], [30], 10, seed)
        places = reservoir(places, [30, 30], 10, seed)
        assert len(set(places)) == 10
        for task, index in places:
            counts[30 * task + index] += 1
    # Each is there with the chance 1/6 in 400 draws: 66.7 ± 7.5.
    assert abs(counts[:30].sum() - counts[30:].sum()) < 300
    assert (np.abs(counts - 400 / 6) < 5 * 7.5).all()


def test_a_balanced_memory_has_as_many_of_each_task() -> None:
    places: list[tuple[int, int]] = []
    for task in range(3):
        places = balanced(places, [30] * (task + 1), 10, 0)
        assert len(set(places)) == len(places) == 10
    assert [sum(place[0] == task for place in places) for task in range(3)] == [4, 3, 3]


def test_outputs_are_kept_sample_by_sample() -> None:
    places = [(0, 3), (1, 2), (0, 1)]
    rows = [torch.rand(2, 4), torch.rand(1, 3), torch.rand(1, 4)]
    again = unpacked(packed(places, rows), places)
    assert all(torch.equal(one, other) for one, other in zip(rows, again, strict=True))


@pytest.mark.parametrize("network", ["bert", "llama", "t5"])
def test_dark_experience_adds_the_mean_square_of_the_paper_s_code(network: str) -> None:
    """weight · mean cross-entropy of one draw + dark · mean (z − z′)² of another, over samples and outputs alike."""
    adaptation = stream_of("full")
    plan = Plan(adaptation.learner, adaptation.policy, model_of(network), adaptation.groups, 0)
    lessons = tuple(lesson for group in plan.lessons for lesson in group)
    family, policy = plan.family(2), parse_strategy("derpp(size=6, weight=0.7, dark=0.3)")
    family.train(False)
    first = Stage(family, lessons, 0, plan.settings)
    items = first.items(0)
    then = [outputs(family, 0, [item.item]).detach().numpy() for item in items]
    kept = policy.begin(first).keep()
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    second = Stage(family, lessons, 1, plan.settings, kept)
    practice = policy.begin(second)
    torch.manual_seed(3)
    found = practice.penalty(family, second.items(1)[:4])
    torch.manual_seed(3)
    places = [int(index) for _, index in kept["buffer"].tolist()]
    learned_again, held = ([places[index] for index in torch.randperm(6)[:4]] for _ in range(2))
    entropies, squares = [], []
    for index in learned_again:
        now = outputs(family, 0, [items[index].item]).detach().numpy().astype(float)
        logprobs = now - np.log(np.exp(now).sum(axis=1, keepdims=True))
        entropies += [-row[target] for row, target in zip(logprobs, _targets(items[index].item), strict=True)]
    for index in held:
        now = outputs(family, 0, [items[index].item]).detach().numpy()
        squares.append((now - then[index]) ** 2)
    expected = 0.7 * np.mean(entropies) + 0.3 * np.mean(np.concatenate(squares))
    assert np.mean(np.concatenate(squares)) > 1e-4
    assert found is not None
    assert float(found.detach()) == pytest.approx(expected, rel=1e-3)  # what is kept has half precision


def _targets(item: Any) -> list[int]:
    if isinstance(item, Window):
        return item.tokens[-item.scored :].tolist()
    return item.continuation.tolist() if isinstance(item, Pair) else [item.label]


def test_dark_experience_holds_the_outputs_of_when_a_task_was_learned(tmp_path: Path) -> None:
    model = model_of("bert")
    adapted = learned(stream_of("full", "derpp(size=8)"), model, task_of("first"), tmp_path)
    assert adapted.cost.saved_bytes > 0
