"""The sets of the streams: small parts of five tasks of Wang et al. 2023 (O-LoRA), as JSON lines with a task file each.

Learning and choosing see rows of the training files alone: `TAUGHT` that are learned, `VALIDATING` that choose the best
epoch, and `CHOOSING` that the settings of the methods were chosen on (`choose.py`).
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from prepare import write_rows  # noqa: E402
from structure_data import rte as pairs  # noqa: E402

TAUGHT, VALIDATING, CHOOSING = 600, 32, 100
"""Rows of each task."""
WORDS = 24
"""Of each text the first ones are kept: whoever learns and whoever answers reads the same, and little."""
TEXTS = ("sentence", "premise", "hypothesis")
SEED = 0
"""Of the order in which they are taken from the training file."""
SETS = {
    "agnews": "TC/agnews",
    "amazon": "SC/amazon",
    "sst2": "SC/SST-2",
    "mnli": "NLI/MNLI",
    "rte": "NLI/RTE",
}
"""Where each task lies in the stream."""
UNDECIDED = "-"
"""The label of MNLI's rows on which its annotators did not agree: they are left out."""


def write_sets(source: Path, work: Path) -> None:
    """Each part of each task as JSON lines; a label is its place in the set's own list of labels."""
    work.mkdir(parents=True, exist_ok=True)
    for name, folder in SETS.items():
        taught = labelled(name, source / folder, "train")
        random.Random(SEED).shuffle(taught)
        ends = (TAUGHT, TAUGHT + VALIDATING, TAUGHT + VALIDATING + CHOOSING)
        write_rows(work / f"{name}_train.jsonl", taught[: ends[0]])
        write_rows(work / f"{name}_validation.jsonl", taught[ends[0] : ends[1]])
        write_rows(work / f"{name}_choosing.jsonl", taught[ends[1] : ends[2]])
        write_rows(work / f"{name}_test.jsonl", labelled(name, source / folder, "test"))


def labelled(name: str, folder: Path, split: str) -> list[dict[str, Any]]:
    """The rows of a split whose label is known."""
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    path = folder / f"{split}.json"
    if name in ("mnli", "rte"):
        rows = list(pairs(path, split))
    else:
        rows = [
            {"id": f"{split}-{number}", **row, "sentence": row["sentence"].strip()}
            for number, row in enumerate(json.loads(path.read_text(encoding="utf-8")))
        ]
    return [
        {key: shortened(value) if key in TEXTS else value for key, value in row.items()}
        | {"label": labels.index(row["label"])}
        for row in rows
        if row["label"] != UNDECIDED
    ]


def shortened(text: str) -> str:
    """The first `WORDS` words of a text."""
    return " ".join(text.split()[:WORDS])
