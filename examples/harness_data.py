"""Write lm-eval tasks over local copies of their data sets, for machines that cannot reach a hub.

    python examples/harness_data.py DATA FOLDER
    tianti run … --task harness:hellaswag_local --include FOLDER

DATA holds the sets as their authors publish them: `hellaswag/hellaswag_val_1000.jsonl` (rows with query, choices and
gold), `arc/ARC-e/*.jsonl`, `gsm8k/{train,test}.jsonl`, `mmlu/{dev,test}/*.csv`, `truthfulqa/TruthfulQA.csv`. FOLDER
gets, for each set that is there, its rows as JSON lines with the column names that the task expects, and a YAML file
that takes everything else (prompt, choices, filters, metrics) from the task that comes with lm-eval. Tasks:
hellaswag_local, arc_easy_local, gsm8k_local, truthfulqa_mc2_local and mmlu_SUBJECT_local.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tianti.tasks.harness_index import tasks_folder

Rows = Iterable[Mapping[str, Any]]
MMLU_SUBJECTS = ("anatomy", "astronomy", "world_religions")


def write_task(
    folder: Path, name: str, packaged: str, splits: Mapping[str, Rows], changes: Mapping[str, Any]
) -> None:
    """The YAML of one task and its rows.

    Args:
        name: the name of the new task.
        packaged: the YAML that it takes the rest from, relative to lm-eval's folder of tasks.
        splits: the rows of each split, under the split names that the packaged task uses.
        changes: keys that differ from the packaged task besides where the data lies; null takes a key away.
    """
    files = {}
    for split, rows in splits.items():
        path = folder.resolve() / f"{name}_{split}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        files[split] = str(path)
    task = {
        "include": str(tasks_folder() / packaged),
        "task": name,
        "tag": None,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": files},
        **changes,
    }
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), encoding="utf-8")


def hellaswag(data: Path, folder: Path) -> None:
    """These rows are processed already, so that the task's own processing is taken away."""
    rows = [
        {"query": row["query"], "choices": row["choices"], "label": str(row["gold"])}
        for row in _json_lines(data / "hellaswag" / "hellaswag_val_1000.jsonl")
    ]
    changes = {"process_docs": None, "training_split": None}
    write_task(folder, "hellaswag_local", "hellaswag/hellaswag.yaml", {"validation": rows}, changes)


def arc_easy(data: Path, folder: Path) -> None:
    """The official files, flattened as the hub has them."""

    def rows(split: str) -> Iterator[dict[str, Any]]:
        for row in _json_lines(data / "arc" / "ARC-e" / f"ARC-Easy-{split}.jsonl"):
            choices = row["question"]["choices"]
            yield {
                "id": row["id"],
                "question": row["question"]["stem"],
                "choices": {
                    "text": [choice["text"] for choice in choices],
                    "label": [choice["label"] for choice in choices],
                },
                "answerKey": row["answerKey"],
            }

    splits = {"validation": rows("Dev"), "test": rows("Test")}
    write_task(folder, "arc_easy_local", "arc/arc_easy.yaml", splits, {"training_split": None})


def gsm8k(data: Path, folder: Path) -> None:
    """The official files as they are."""
    splits = {split: _json_lines(data / "gsm8k" / f"{split}.jsonl") for split in ("train", "test")}
    write_task(folder, "gsm8k_local", "gsm8k/gsm8k.yaml", splits, {})


def mmlu(data: Path, folder: Path) -> None:
    """A few subjects; the tables have no header: question, four choices, letter."""

    def rows(subject: str, split: str) -> Iterator[dict[str, Any]]:
        with (data / "mmlu" / split / f"{subject}_{split}.csv").open(encoding="utf-8", newline="") as file:
            for question, *choices, letter in csv.reader(file):
                yield {"question": question, "choices": choices, "answer": "ABCD".index(letter)}

    for subject in MMLU_SUBJECTS:
        splits = {split: rows(subject, split) for split in ("dev", "test")}
        write_task(folder, f"mmlu_{subject}_local", f"mmlu/default/mmlu_{subject}.yaml", splits, {})


def truthfulqa(data: Path, folder: Path) -> None:
    """The task with several right answers, from the table's columns of right and wrong ones."""

    def rows() -> Iterator[dict[str, Any]]:
        with (data / "truthfulqa" / "TruthfulQA.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                right, wrong = _answers(row["Correct Answers"]), _answers(row["Incorrect Answers"])
                labels = [1] * len(right) + [0] * len(wrong)
                yield {
                    "question": row["Question"],
                    "mc2_targets": {"choices": right + wrong, "labels": labels},
                }

    write_task(folder, "truthfulqa_mc2_local", "truthfulqa/truthfulqa_mc2.yaml", {"validation": rows()}, {})


TASKS: Mapping[str, Callable[[Path, Path], None]] = {
    "hellaswag": hellaswag,
    "arc": arc_easy,
    "gsm8k": gsm8k,
    "mmlu": mmlu,
    "truthfulqa": truthfulqa,
}


def write_tasks(data: Path, folder: Path) -> list[str]:
    """Write the tasks whose data is there; gives the names of their data sets."""
    folder.mkdir(parents=True, exist_ok=True)
    there = [name for name in TASKS if (data / name).is_dir()]
    for name in there:
        TASKS[name](data, folder)
    return there


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _answers(text: str) -> list[str]:
    return [answer.strip() for answer in text.split(";") if answer.strip()]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    written = write_tasks(Path(sys.argv[1]), Path(sys.argv[2]))
    print(f"{', '.join(written) or 'No tasks'} in {sys.argv[2]}")
