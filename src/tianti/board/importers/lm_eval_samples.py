"""Samples of lm-evaluation-harness: one JSON object per sample and filter; old versions write a JSON list of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tianti.board.importers import lm_eval
from tianti.board.importers.form import ITEMS, Content, table_of
from tianti.board.importers.source import SourceFile
from tianti.core.exceptions import InputError
from tianti.core.wording import counted
from tianti.tasks.harness_metrics import metric_name

NAME = "lm-eval samples"
NO_METRICS = frozenset(
    {
        "doc_id",
        "doc",
        "target",
        "arguments",
        "resps",
        "filtered_resps",
        "filter",
        "metrics",
        "truth",
        "index",
        "fold",
    }
)
_NO_METRIC = re.compile(r"(prompt|logit|description|num_fewshot).*|.*_hash")
_TIME = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(?:\.\d+)?)$")


def recognises(file: SourceFile) -> bool:
    if file.kind not in (".jsonl", ".json"):
        return False
    if file.kind == ".json" and isinstance(file.json, dict):
        return False
    first = file.first_record
    return "doc_id" in first and bool({"resps", "arguments", "prompt_0", "doc"} & first.keys())


def read(file: SourceFile) -> Content:
    """The values of each sample, with the whole record beside them. What is said of the run stands in the results
    file, which is looked for beside it.

    Raises:
        InputError: a line is broken, a record has no doc_id, no metric has numbers, or no model is named.
    """
    results = _results_beside(file.path)
    model = file.model or (
        lm_eval.model_name(results, file.path) if results else lm_eval.name_of_path(file.path)
    )
    if model is None:
        raise InputError(
            f"{file.path}: samples do not say which model answered",
            remedy="keep the results file of the run beside it, or name the model with --model org/name",
        )
    task = _task(file, results)
    about = {
        **lm_eval.who(results, model),
        "task": task,
        "version": lm_eval.version_of(results, task),
        "shots": lm_eval.shots_of(results, task),
    }
    del about["parameters"]
    rows, texts, empty = _rows(file, about)
    if not rows:
        raise InputError(
            f"{file.path}: no metric has a number for each sample: {', '.join(sorted(texts)) or 'none'}"
        )
    ranking = lm_eval.ranking_metric(dict.fromkeys(row["metric"] for row in rows))
    for row in rows:
        row["main"] = row["metric"] == ranking
        row["higher_is_better"] = lm_eval.higher_is_better(results, task, row["metric"])
    notes = [
        f"{metric} is no number for each sample, so it has no intervals from samples"
        for metric in sorted(texts)
    ]
    notes += [f"{counted(empty, 'sample')} without any number left out"] if empty else []
    whole = lm_eval.samples_of(results, task)[0]
    part = lm_eval.part_of_task(len({row["item"] for row in rows}), whole)
    notes += [f"{task}: {part}"] if part else []
    facts = {"n-samples": {task: {"original": whole}}} if whole else {}
    return Content(NAME, lm_eval.NAME, {"items": table_of(ITEMS, rows)}, facts, tuple(notes))


def _rows(file: SourceFile, about: Mapping[str, Any]) -> tuple[list[dict[str, Any]], set[str], int]:
    """A row for each metric of each sample, the record in the first of them; the metrics that are no numbers; and how
    many samples have none that is."""
    rows: list[dict[str, Any]] = []
    texts: set[str] = set()
    empty = 0
    for number, record in file.records():
        if "doc_id" not in record:
            raise InputError(
                f"{file.path}, record {number}: has no doc_id", remedy="mend it; nothing was imported"
            )
        given = record.get("filter")
        values = _values(record, texts)
        empty += not values
        for place, (metric, value) in enumerate(values):
            rows.append(
                {
                    **about,
                    "metric": metric_name(metric, given if isinstance(given, str) else "none"),
                    "item": str(record["doc_id"]),
                    "value": value,
                    "record": None if place else json.dumps(record, ensure_ascii=False),
                }
            )
    return rows, texts, empty


def _values(record: Mapping[str, Any], texts: set[str]) -> list[tuple[str, float]]:
    """The metrics of a record that are numbers; the names of the others go to `texts`."""
    listed = record.get("metrics")
    names = listed if isinstance(listed, list) else [
        name for name in record if name not in NO_METRICS and not _NO_METRIC.fullmatch(name)
    ]  # fmt: skip
    found = []
    for name in map(str, names):
        try:
            # Old versions write True and 0.5 as text.
            value = float({"True": 1.0, "False": 0.0}.get(record.get(name), record.get(name)))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            texts.add(name)
            continue
        if math.isfinite(value):
            found.append((name, value))
    return found


def _results_beside(path: Path) -> Mapping[str, Any]:
    """The results file of the same run: the same time stands in both names; empty where there is none."""
    stem = path.name.partition(".json")[0] if not _TIME.search(path.stem) else path.stem
    time = _TIME.search(stem)
    beside = path.with_name(f"results_{time[1]}.json") if time else path.with_name("results.json")
    if not beside.is_file():
        return {}
    content = SourceFile(beside).json
    return content if isinstance(content, dict) else {}


def _task(file: SourceFile, results: Mapping[str, Any]) -> str:
    """The task, from the file's name: `samples_TASK_TIME`, `…_TASK`, `TASK_write_out_info`."""
    stem = _TIME.sub("", file.stem).removesuffix("_write_out_info")
    known = results.get("results")
    ending = [task for task in known if stem.endswith(str(task))] if isinstance(known, Mapping) else []
    return max(ending, key=len) if ending else stem.removeprefix("samples_")
