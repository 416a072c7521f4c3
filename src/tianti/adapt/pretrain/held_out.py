"""The held-out documents as a task beside the model, so that its perplexity is measured as any other number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from tianti.core.exceptions import StoreError

MOST = 200
"""So many documents are enough for a tight interval."""


def write_held_out(folder: Path, texts: Sequence[str]) -> Path:
    """Write `held-out.yaml` and its data into `folder`; returns the task file.

    Raises:
        StoreError: the folder cannot be written.
    """
    task = {
        "task": f"{folder.resolve().name}-held-out",
        "kind": "language-modelling",
        "data": "held-out.jsonl",
        "doc_to_target": "text",
        "metric_list": ["bits_per_byte", "byte_perplexity"],
        "metadata": {"description": "Documents held out of the model's own text for pre-training."},
    }
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts[:MOST])]
    try:
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / "held-out.jsonl").write_text(lines, encoding="utf-8")
        path = folder / "held-out.yaml"
        path.write_text(yaml.safe_dump(task, sort_keys=False, allow_unicode=True), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written: {error}", remedy="free some space and run again"
        ) from error
    return path
