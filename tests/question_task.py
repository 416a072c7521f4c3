"""A small task of questions and answers for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tianti.engine import GenerateRequest, ScoreRequest
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.yaml_task import YamlTask

TEXT = frozenset({ScoreRequest, GenerateRequest})
QUESTIONS: dict[str, Any] = {
    "task": "mine",
    "kind": "question-answering",
    "data": {"train": "train.jsonl", "test": "test.jsonl"},
    "doc_to_text": "Q: {{q}}\nA:",
    "doc_to_target": "a",
}
"""The keys of its file."""


def question_task(folder: Path, train: list[dict], test: list[dict], **keys: Any) -> YamlTask:
    """The task over these rows, with `keys` in place of its own or beside them."""
    for split, content in (("train", train), ("test", test)):
        lines = "".join(json.dumps(row) + "\n" for row in content)
        (folder / f"{split}.jsonl").write_text(lines, "utf-8", newline="")
    file = parse_task_file(QUESTIONS | keys, "mine.yaml")
    return YamlTask(file, folder / "mine.yaml")


def numbered(count: int, start: int = 0) -> list[dict]:
    """Rows with a number as the question and as the answer."""
    return [{"q": f"{number}?", "a": f"{number}!"} for number in range(start, start + count)]
