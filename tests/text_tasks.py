"""Task files of written texts for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tianti.engine import GenerateRequest, GenerateResponse, RollingRequest, ScoreRequest
from tianti.tasks import Shots, load_tasks
from tianti.tasks.yaml_task import YamlTask

TEXT = frozenset({ScoreRequest, GenerateRequest, RollingRequest})


def make_task(folder: Path, rows: list[dict[str, Any]], **keys: Any) -> YamlTask:
    """A task over `rows`, which are its train and its test split."""
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    file = {"task": "mine", "data": {"train": "rows.jsonl", "test": "rows.jsonl"}} | keys
    (folder / "mine.yaml").write_text(yaml.safe_dump(file), "utf-8")
    (task,) = load_tasks(str(folder / "mine.yaml"))
    assert isinstance(task, YamlTask)
    return task


def write_all(task: YamlTask, texts: list[str]) -> dict[str, list[Any]]:
    """The values of each metric when the samples are answered with `texts`."""
    questions = list(task.questions(Shots(), TEXT))
    grades = [
        task.grade(question, [GenerateResponse(text)])
        for question, text in zip(questions, texts, strict=True)
    ]
    return {metric.name: [grade.values[metric.name] for grade in grades] for metric in task.metrics}
