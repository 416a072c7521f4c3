"""The benchmark of training compares like with like. No time is looked at."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
specification = importlib.util.spec_from_file_location("benchmark_adapt", BENCHMARKS / "adapt.py")
assert specification is not None
assert specification.loader is not None
adapt = importlib.util.module_from_spec(specification)
sys.modules["benchmark_adapt"] = adapt
specification.loader.exec_module(adapt)


def test_a_quick_run_makes_the_same_steps_and_prints_every_side(capsys: pytest.CaptureFixture[str]) -> None:
    threads = torch.get_num_threads()
    adapt.main(["--quick", "--rows", "32", "--epochs", "1", "--head-epochs", "1,2", "--markdown"])
    torch.set_num_threads(threads)
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][2:]
    assert [row[1].strip() for row in rows] == ["full", "lora", "head-only", "head-only"]
    assert [row[9].strip() for row in rows[:2]] == ["2 / 2"] * 2
    assert all(float(cell) > 0 for row in rows for cell in row[3:7])


def test_both_sides_start_from_the_same_weights() -> None:
    body, tokenizer = adapt.tiny()
    bench = adapt.Bench(body, tokenizer, adapt.made_up(20), 4, torch.device("cpu"))
    for method, expected in (("full", True), ("lora", False), ("head-only", False)):
        one, other = bench.network(method), bench.network(method)
        for (name, ours), (_, theirs) in zip(one.named_parameters(), other.named_parameters(), strict=True):
            assert torch.equal(ours, theirs)
            assert ours.requires_grad == theirs.requires_grad
            if "lora" not in name and not name.startswith("head"):
                assert ours.requires_grad == expected


def test_what_the_trainer_makes_small_is_our_loss() -> None:
    body, tokenizer = adapt.tiny()
    bench = adapt.Bench(body, tokenizer, adapt.made_up(8), 4, torch.device("cpu"))
    network = bench.network("full").eval()
    rows = tokenizer(
        [each.text for each in bench.rows.train],
        padding=True,
        return_token_type_ids=False,
        return_tensors="pt",
    )
    labels = torch.tensor([each.label for each in bench.rows.train])
    theirs = adapt.WithLoss(network)(rows["input_ids"], rows["attention_mask"], labels)["loss"]
    reader = adapt.Reader(network, tokenizer)
    read = reader.read([each.text for each in bench.rows.train])
    items = [adapt.Labelled((row,), each.label) for row, each in zip(read, bench.rows.train, strict=True)]
    summed, terms = adapt.choice_loss(network, items)
    assert theirs.item() == pytest.approx((summed / terms).item(), rel=1e-5)
