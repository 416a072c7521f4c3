"""The streams of real tasks: their studies are read, their sets are written, their table is put in its place."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
import run_all

from tianti.adapt.continual import STRATEGIES, parse_strategy
from tianti.board.streams import Stream
from tianti.study import read_study

FOLDER = Path(run_all.__file__).parent / "continual"


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_two_orders_have_the_same_tasks_and_every_strategy_for_encoders(measure: ModuleType) -> None:
    first, second = (read_study(FOLDER / f"{name}.yaml") for name in measure.STUDIES)
    assert first.stream == tuple(reversed(second.stream))
    assert first.strategies == second.strategies
    assert {parse_strategy(text).name for text in first.strategies} == set(STRATEGIES) - {"generative"}
    small = measure.shrunk(first)
    assert (small.limit, len(small.seeds), small.stream) == (4, 1, first.stream)


def test_labels_are_places_in_the_list_and_undecided_rows_are_left_out(
    measure: ModuleType, tmp_path: Path
) -> None:
    for folder in measure.SETS.values():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "labels.json").write_text('["a", "b"]')
        text = "sentence 1: x\nsentence 2: y" if folder.startswith("NLI") else " z\n"
        rows = [{"sentence": text, "label": label} for label in ("b", "-", "a")]
        for split in ("train", "test"):
            (tmp_path / folder / f"{split}.json").write_text(json.dumps(rows))
    measure.write_sets(tmp_path, tmp_path / "work")
    lines = (tmp_path / "work" / "mnli_test.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == [1, 0]
    assert json.loads(lines[0])["premise"] == "x"
    assert json.loads((tmp_path / "work" / "sst2_train.jsonl").read_text().splitlines()[0])["sentence"] == "z"


def test_the_table_has_a_row_for_each_stream(measure: ModuleType) -> None:
    stream = Stream("m", "lora", "plain", ("a", "b"), (0, 1), ((0.5, 0.5), (0.9, 0.5), (0.7, 0.9)))
    text = measure.measured([stream])
    assert "**a → b**, m, 2 seeds" in text
    assert "| lora | plain | – |" in text
