from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt.adaptation import Cost
from tianti.adapt.trace import MOST, Trace, joined


def traced(losses: list[float], steps: int | None = None) -> Trace:
    trace = Trace(steps or len(losses), torch.zeros(()), torch.zeros(()))
    for step, loss in enumerate(losses, 1):
        trace.add(torch.tensor(2 * loss), 2)
        trace.after(step)
    trace.close(len(losses))
    return trace


@given(st.lists(st.integers(0, 9).map(float), min_size=1, max_size=700))
def test_a_curve_has_few_points_and_the_mean_of_all_losses(losses: list[float]) -> None:
    trace = traced(losses)
    assert len(trace.steps) == len(trace.losses) <= MOST
    assert trace.steps == sorted(set(trace.steps))
    assert trace.steps[-1] == len(losses)
    lengths = [end - start for start, end in zip([0, *trace.steps], trace.steps, strict=False)]
    whole = sum(length * loss for length, loss in zip(lengths, trace.losses, strict=True))
    assert whole == pytest.approx(sum(losses), rel=1e-5)


def test_up_to_so_many_steps_each_has_a_point() -> None:
    assert traced([3.0, 1.0, 2.0]).losses == [3.0, 1.0, 2.0]


def test_a_training_that_stops_early_keeps_what_it_had() -> None:
    trace = traced([1.0] * 5, steps=4 * MOST)
    assert (trace.steps, trace.losses) == ([4, 5], [1.0, 1.0])


def test_it_goes_on_from_where_it_stood() -> None:
    whole, first = traced([1.0, 2.0, 3.0, 5.0, 8.0], steps=2 * MOST), Trace(2 * MOST, *torch.zeros(2))
    for step, loss in ((1, 1.0), (2, 2.0), (3, 3.0)):
        first.add(torch.tensor(loss), 1)
        first.after(step)
    second = Trace(2 * MOST, torch.zeros(()), torch.zeros(()))
    second.restore(first.state())
    for step, loss in ((4, 5.0), (5, 8.0)):
        second.add(torch.tensor(loss), 1)
        second.after(step)
    second.close(5)
    assert (second.steps, second.losses) == (whole.steps, whole.losses)


def test_two_trainings_stand_one_behind_the_other() -> None:
    first = Cost(steps=4, loss_steps=(2, 4), loss_by_step=(3.0, 2.0), epoch_steps=(4,))
    both = first.then(Cost(steps=3, loss_steps=(3,), loss_by_step=(1.0,), epoch_steps=(3,)))
    assert (both.steps, both.loss_steps, both.loss_by_step) == (7, (2, 4, 7), (3.0, 2.0, 1.0))
    assert both.epoch_steps == (4, 7)


def test_a_long_curve_is_made_shorter() -> None:
    steps, losses = joined((range(1, MOST), [2.0] * (MOST - 1)), ([1, 2], [8.0, 4.0]), MOST - 1)
    assert len(steps) == len(losses) == (MOST + 2) // 2
    assert (steps[0], steps[-1]) == (2, MOST + 1)
    assert (losses[0], losses[-2], losses[-1]) == (2.0, 5.0, 4.0)
