"""What training adds to the memory in use does not depend on what the process held before."""

from pathlib import Path

import pytest
import torch

from streams import learned, model_of, stream_of, task_of
from tianti.adapt.adaptation import Cost
from tianti.adapt.memory import AddedMemory
from tianti.core.environment import begin_peak_memory

MEGABYTE = 1_000_000
counted = pytest.mark.skipif(begin_peak_memory() is None, reason="this system does not count a peak anew")


def added_by(megabytes: int) -> float:
    """What is counted, in megabytes, where so many are taken and freed again: in small pieces, which the C library
    keeps for later ones."""
    memory = AddedMemory(torch.device("cpu"))
    pieces = [torch.ones(MEGABYTE // 40) for _ in range(10 * megabytes)]
    del pieces
    return (memory.most or 0) / MEGABYTE


@counted
def test_what_was_held_and_what_was_freed_before_do_not_count() -> None:
    added_by(20)  # what the first use of a library takes
    first = added_by(100)
    held = torch.ones(50 * MEGABYTE)
    again = added_by(100)
    del held
    assert first == pytest.approx(100, abs=10)
    assert again == pytest.approx(first, abs=10)
    assert added_by(10) < 20


@counted
def test_a_stream_adds_as_much_however_many_were_learned_before(tmp_path: Path) -> None:
    model, task = model_of("llama"), task_of("first")
    found = [
        learned(stream_of("full"), model, task, tmp_path / str(seed), seed).cost.added_memory_bytes
        for seed in range(4)
    ]
    assert max(found[1:]) - min(found[1:]) < 8 * MEGABYTE
    held = torch.ones(50 * MEGABYTE)
    later = learned(stream_of("full"), model, task, tmp_path / "held", 9).cost.added_memory_bytes
    assert later < max(found) + 8 * MEGABYTE
    del held


def test_a_gpu_is_asked_what_torch_took_there(monkeypatch: pytest.MonkeyPatch) -> None:
    reset: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset.append)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 300)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 1000)
    memory = AddedMemory(torch.device("cuda"))
    assert reset == [torch.device("cuda")]
    assert memory.most == 700


def test_where_nobody_counts_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tianti.adapt.memory.begin_peak_memory", lambda: None)
    assert AddedMemory(torch.device("cpu")).most is None
    assert AddedMemory(torch.device("mps")).most is None


def test_of_several_stages_the_most_counts() -> None:
    assert Cost(added_memory_bytes=5).then(Cost(added_memory_bytes=3)).added_memory_bytes == 5
    assert Cost().then(Cost(added_memory_bytes=3)).added_memory_bytes == 3
