"""The streams of real tasks: their studies are read, their sets are written, their table is put in its place."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import run_all

from tianti.adapt.continual import STRATEGIES, parse_strategy
from tianti.board.streams import Stream
from tianti.store import Store

FOLDER = Path(run_all.__file__).parent / "continual"


@pytest.fixture(scope="module")
def measure() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        yield importlib.import_module("measure_streams")


def test_the_two_orders_have_the_same_tasks_and_every_strategy_that_fits_encoders(
    measure: ModuleType,
) -> None:
    for method in measure.METHODS:
        first, second = (measure.read(order, method) for order in measure.ORDERS)
        assert first.stream == tuple(reversed(second.stream))
        assert (first.strategies, first.adaptations) == (second.strategies, second.adaptations)
        fitting = set(STRATEGIES) - {"generative"} - ({"adapters", "o-lora"} if method == "full" else set())
        assert {parse_strategy(text).name for text in first.strategies} == fitting
        small = measure.shrunk(first)
        assert (small.limit, len(small.seeds), small.stream) == (4, 1, first.stream[:2])
        assert {parse_strategy(text).name for text in small.strategies} <= fitting


def test_labels_are_places_in_the_list_and_undecided_rows_are_left_out(
    measure: ModuleType, tmp_path: Path
) -> None:
    sets = importlib.import_module("sets")
    for folder in sets.SETS.values():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "labels.json").write_text('["a", "b"]')
        text = "sentence 1: x\nsentence 2: y" if folder.startswith("NLI") else " z\n"
        rows = [{"sentence": text, "label": label} for label in ("b", "-", "a")]
        for split in ("train", "test"):
            (tmp_path / folder / f"{split}.json").write_text(json.dumps(rows))
    sets.write_sets(tmp_path, tmp_path / "work")
    lines = (tmp_path / "work" / "mnli_test.jsonl").read_text().splitlines()
    assert [json.loads(line)["label"] for line in lines] == [1, 0]
    assert json.loads(lines[0])["premise"] == "x"
    assert json.loads((tmp_path / "work" / "sst2_train.jsonl").read_text().splitlines()[0])["sentence"] == "z"


def test_what_is_learned_and_what_chooses_have_no_row_in_common(tmp_path: Path) -> None:
    sets = importlib.import_module("sets")
    source = tmp_path / "source"
    for folder in sets.SETS.values():
        (source / folder).mkdir(parents=True)
        (source / folder / "labels.json").write_text('["a", "b"]')
        text = "sentence 1: x{}\nsentence 2: y" if folder.startswith("NLI") else "z{}"
        rows = [{"sentence": text.format(number), "label": "ab"[number % 2]} for number in range(1000)]
        for split in ("train", "test"):
            (source / folder / f"{split}.json").write_text(json.dumps(rows))
    sets.write_sets(source, tmp_path)
    parts = [
        {json.loads(line)["id"] for line in (tmp_path / f"agnews_{part}.jsonl").read_text().splitlines()}
        for part in ("train", "validation", "choosing")
    ]
    assert [len(part) for part in parts] == [sets.TAUGHT, sets.VALIDATING, sets.CHOOSING]
    assert len(set.union(*parts)) == sum(map(len, parts))


def test_the_table_has_a_row_for_each_stream(measure: ModuleType) -> None:
    scores = ((0.5, 0.5), (0.9, 0.5), (0.7, 0.9))
    stream = Stream("m", "lora", "plain", ("a", "b"), (0, 1), scores, training_seconds=9.0)
    text = measure.measured([stream])
    assert "**a → b**, m, 2 seeds" in text
    assert "| lora | plain | – |" in text


def test_only_what_all_seeds_have_finished_stands_in_the_table(measure: ModuleType) -> None:
    study = measure.read("news-first", "lora")
    done = Stream("m", "lora", "plain", ("a", "b"), study.seeds, ((0.5, 0.5), (0.9, 0.5), (0.7, 0.9)))
    assert measure.is_finished(done, study)
    assert not measure.is_finished(replace(done, seeds=study.seeds[:1]), study)
    assert not measure.is_finished(replace(done, missing=3), study)


def test_a_study_that_was_not_begun_has_no_rows(measure: ModuleType, tmp_path: Path) -> None:
    with Store(tmp_path / "store"):
        pass
    assert measure.section("news-first", tmp_path / "store") == "**news-first**: not measured yet.\n"
