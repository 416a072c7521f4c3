"""Batches: every row once, within the limit, and smaller when memory runs out."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.engine import Failure
from tianti.engine.batches import Batches, BatchLimit, Row, Usage, batch_limit, out_of_memory

ROWS = st.lists(
    st.builds(Row, length=st.integers(0, 60), scored=st.integers(1, 9), room=st.sampled_from([0, 0, 3, 7])),
    max_size=40,
)
LIMITS = st.one_of(
    st.builds(BatchLimit, rows=st.integers(1, 9)),
    st.builds(BatchLimit, tokens=st.integers(1, 300), scored=st.integers(1, 30), cached=st.integers(1, 300)),
)


@given(ROWS, LIMITS)
def test_every_row_is_run_once_within_the_limit(rows: list[Row], limit: BatchLimit):
    batches: list[list[Row]] = []

    def run(batch: Sequence[int]) -> list[int]:
        batches.append([rows[number] for number in batch])
        return [number * 10 for number in batch]

    assert sorted(Batches(rows, run, limit)) == [(number, number * 10) for number in range(len(rows))]
    for batch in batches:
        longest = batch[0]
        assert longest.length == max(row.length for row in batch)
        assert {row.room for row in batch} == {longest.room}
        if len(batch) == 1:
            continue
        if limit.rows is not None:
            assert len(batch) <= limit.rows
        elif longest.room:
            assert len(batch) * (longest.length + longest.room) <= limit.cached
        else:
            assert len(batch) * longest.length <= limit.tokens
            assert sum(row.scored for row in batch) <= limit.scored


@settings(max_examples=15)
@given(ROWS.filter(bool), LIMITS, st.integers(1, 7))
def test_out_of_memory_halves_until_it_fits(rows: list[Row], limit: BatchLimit, fits: int):
    def run(batch: Sequence[int]) -> list[int]:
        if len(batch) > fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return list(batch)

    usage = Usage()
    found = dict(Batches(rows, run, limit, usage))
    assert found == {number: number for number in range(len(rows))}
    assert usage.largest_batch <= fits
    assert usage.tokens == sum(row.length for row in rows)


def test_a_single_row_too_large_is_an_error_and_the_rest_goes_on():
    def run(batch: Sequence[int]) -> list[str]:
        if 1 in batch:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …")
        return ["ok"] * len(batch)

    usage = Usage()
    found = dict(Batches([Row(5), Row(50), Row(6)], run, BatchLimit(), usage))
    assert found[0] == found[2] == "ok"
    assert found[1] == Failure("error", "out of memory with one row of 50 tokens", tokens=50)
    assert usage.halvings > 0
    assert usage.facts()["batch_halvings"] == usage.halvings


def test_other_errors_are_not_taken_for_memory():
    def run(batch: Sequence[int]) -> list[str]:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        list(Batches([Row(5)], run, BatchLimit()))
    assert out_of_memory(RuntimeError("MPS backend out of memory"))


def test_similar_lengths_share_a_batch():
    usage = Usage()
    rows = [Row(length) for length in [300] * 4 + [20] * 60]
    list(Batches(rows, lambda batch: list(batch), BatchLimit(tokens=100_000), usage))
    assert usage.batches == 2
    assert usage.facts()["padding_share"] == 0


def _network(device: str) -> Any:
    """A 1B model in bfloat16."""
    weight = SimpleNamespace(device=SimpleNamespace(type=device), element_size=lambda: 2)
    config = SimpleNamespace(hidden_size=2048, num_hidden_layers=16)
    return SimpleNamespace(parameters=lambda: iter([weight]), config=config)


def test_the_limit_of_a_cpu_keeps_logits_small():
    assert batch_limit(_network("cpu"), 7, 50_000) == BatchLimit(rows=7)
    limit = batch_limit(_network("cpu"), "auto", 100_000)
    assert limit.scored * 100_000 <= 1 << 27
    assert limit.tokens <= BatchLimit().tokens


def test_the_limit_of_a_cpu_whose_memory_is_scarce(monkeypatch: pytest.MonkeyPatch):
    memory = SimpleNamespace(available=256 << 20)
    monkeypatch.setattr("psutil.virtual_memory", lambda: memory)
    limit = batch_limit(_network("cpu"), "auto", 100_000)
    assert 64 <= limit.tokens < BatchLimit().tokens
    assert limit.tokens * 40 * 2048 * 2 <= memory.available / 4
    assert limit.scored * 100_000 * 12 <= memory.available / 4


@pytest.mark.parametrize("gigabytes", [16, 80])
def test_the_limit_of_a_gpu_is_a_share_of_its_free_memory(gigabytes: int, monkeypatch: pytest.MonkeyPatch):
    free = gigabytes << 30
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (free, 2 * free))
    limit = batch_limit(_network("cuda"), "auto", 128_000)
    assert limit.tokens * 40 * 2048 * 2 <= free / 4
    assert limit.scored * 128_000 * 12 <= free / 4
    assert free / 8 < limit.cached * 2 * 16 * 2048 * 2 <= free / 2
