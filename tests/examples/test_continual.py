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


@pytest.fixture
def page(measure: ModuleType) -> ModuleType:
    return importlib.import_module("streams_page")


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


STREAM = Stream("m", "lora(lr=0.001)", "plain", ("a", "b"), (0, 1, 2), ((0.5, 0.5), (0.9, 0.5), (0.7, 0.9)))


def test_only_what_all_seeds_have_finished_stands_in_the_table(measure: ModuleType, page: ModuleType) -> None:
    study = measure.read("news-first", "lora")
    done = replace(STREAM, seeds=study.seeds)
    assert page.is_finished(done, study)
    assert not page.is_finished(replace(done, seeds=study.seeds[:1]), study)
    assert not page.is_finished(replace(done, missing=3), study)


def test_a_study_that_was_not_begun_has_no_rows(
    measure: ModuleType, page: ModuleType, tmp_path: Path
) -> None:
    with Store(tmp_path / "store"):
        pass
    text = page.section([measure.read("news-first", "lora")], tmp_path / "store")
    assert text.startswith("**stream-agnews → stream-amazon")
    assert text.endswith("**: not measured yet.\n")


def test_rows_that_the_store_lacks_stay_and_others_are_replaced(
    measure: ModuleType, page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = {order: [measure.read(order, method) for method in measure.METHODS] for order in measure.ORDERS}
    text = tmp_path / "page.md"
    text.write_text(f"above\n{page.BEGIN}\n{page.END}\nbelow\n")
    found = {"news-first-lora": [STREAM, replace(STREAM, strategy="l2(to=last)", kept_bytes=2_000_000)]}
    monkeypatch.setattr(page, "finished", lambda study, store: found.get(study.study, []))
    page.write_tables(text, orders, tmp_path, {})
    found["news-first-lora"] = [replace(STREAM, strategy="l2(strength=9.0)"), replace(STREAM, strategy="si")]
    found["films-first-full"] = [replace(STREAM, method="full")]
    cost = replace(STREAM, training_seconds=9.6, added_memory_bytes=3_000_000)
    page.write_tables(text, orders, tmp_path, {("lora", "plain"): cost})
    rows = [line for line in text.read_text().splitlines() if line.startswith(("| lora", "| full"))]
    none = "| – | – | – | – | – | – | – | "
    assert rows == [
        f"| lora(lr=0.001) | plain {none}10 | 3.0 | – |",
        f"| lora(lr=0.001) | si {none}– | – | – |",
        f"| lora(lr=0.001) | l2(strength=9.0) {none}– | – | – |",
        f"| full | plain {none}– | – | – |",
    ]
    assert text.read_text().startswith("above\n")
    assert text.read_text().endswith("\nbelow\n")


def test_the_page_as_it_stands_is_read_to_its_last_row(measure: ModuleType, page: ModuleType) -> None:
    standing = page.PAGE.read_text(encoding="utf-8")
    for order in measure.ORDERS:
        studies = [measure.read(order, method) for method in measure.METHODS]
        rows = page.standing_rows(standing.partition(page.END)[0], page.order_heading(studies[0]))
        assert {method for method, _ in rows} == {"full", "lora"}
        assert {name for _, name in rows} <= set(STRATEGIES)


def test_costs_are_taken_from_every_strategy_with_a_fifth_of_the_rows_and_one_seed(
    measure: ModuleType,
) -> None:
    for method in measure.METHODS:
        study = measure.read("news-first", method)
        costing = measure.costing(study)
        assert (costing.limit, len(costing.seeds), costing.stream) == (4, 1, study.stream)
        assert all("max_examples=120" in text for text in costing.adaptations)
        before, after = ([parse_strategy(text) for text in each.strategies] for each in (study, costing))
        sampled = [replace(each, samples=40) if "ewc" in each.name else each for each in before]
        assert after == sampled


def test_links_and_rows_are_in_place_at_once_and_leave_nothing_beside(tmp_path: Path) -> None:
    prepare = importlib.import_module("prepare")
    weights, link, rows = tmp_path / "weights", tmp_path / "link", tmp_path / "rows.jsonl"
    weights.write_text("w")
    for _ in range(2):
        prepare.link_to(weights, link)
        prepare.write_rows(rows, [{"a": "字"}])
    assert (link.resolve(), rows.read_text(encoding="utf-8")) == (weights, '{"a": "字"}\n')
    assert {file.name for file in tmp_path.iterdir()} == {"weights", "link", "rows.jsonl"}
