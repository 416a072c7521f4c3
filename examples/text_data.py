"""Writes sets of written text as rows: Multi30k, Tatoeba, SGD, IFEval, GSM8K; and a model that knows no text yet.

Each function reads a set as its authors publish it from the folder `data` and gives its rows.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tianti.adapt.pretrain import Pretraining
from tianti.adapt.pretrain.architectures import make_config
from tianti.adapt.pretrain.card import save_model
from tianti.adapt.pretrain.tokenizer import train_tokenizer
from tianti.models.nano import untrained

Rows = list[dict[str, Any]]

MULTI30K_FILES = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
TATOEBA_GROUPS = {"test": 500, "validation": 300}
"""Groups of sentences that translate each other; what is left is for training."""
TATOEBA_SEED = 0
SGD_FOLDERS = {"train": "train", "validation": "dev", "test": "test"}
SGD_TURNS = 6
"""So many of the last turns are shown before a reply."""
SGD_SEED = 0
CANDIDATES = 4
TRANSLATOR = Pretraining(architecture="t5", vocabulary=4096, layers=3, positions=256, length=128, seed=0)
"""The shape of nano:t5, with more words."""


def text_sets(data: Path) -> Iterator[tuple[str, Rows]]:
    """(name of the file without its suffix, rows) for every split of every set."""
    for split, rows in multi30k(data / "multi30k").items():
        yield f"multi30k_{split}", rows
    for split, rows in tatoeba(data / "tatoeba_cmn_eng" / "cmn.txt").items():
        yield f"tatoeba_{split}", rows
    for split, folder in SGD_FOLDERS.items():
        yield f"sgd_{split}", sgd(data / "sgd_dialogue" / folder / "dialogues_001.json", split)
    yield "ifeval_test", ifeval(data / "ifeval" / "input_data.jsonl")
    for split in ("train", "test"):
        yield f"gsm8k_{split}", gsm8k(data / "gsm8k" / f"{split}.jsonl", split)


def multi30k(folder: Path) -> dict[str, Rows]:
    """Captions of pictures in English and German; the test is that of 2016. No split has a caption of another."""
    return _without_overlap(
        {
            split: [
                {"id": f"{split}-{number}", "source": source, "target": target}
                for number, (source, target) in enumerate(
                    zip(_lines(folder / f"{file}.en.gz"), _lines(folder / f"{file}.de.gz"), strict=True)
                )
            ]
            for split, file in MULTI30K_FILES.items()
        }
    )


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [line.strip() for line in file.read().rstrip("\n").split("\n")]


def _without_overlap(splits: Mapping[str, Rows]) -> dict[str, Rows]:
    """The splits, where a row goes if the source or the target of a later split's row is its own."""
    kept: dict[str, Rows] = {}
    seen: set[str] = set()
    for split, rows in reversed(splits.items()):
        kept[split] = [row for row in rows if row["source"] not in seen and row["target"] not in seen]
        seen |= {row[column] for row in rows for column in ("source", "target")}
    return dict(reversed(kept.items()))


def tatoeba(path: Path) -> dict[str, Rows]:
    """Sentences in English and Chinese with all their known translations: `en_train` has the English ones, and so on.

    Sentences that are translations of each other, over any number of steps, stay in one split in both directions.
    """
    pairs = [line.split("\t")[:2] for line in path.read_text(encoding="utf-8").splitlines() if line]
    groups = list(_connected(pairs))
    random.Random(TATOEBA_SEED).shuffle(groups)
    test, known = TATOEBA_GROUPS["test"], sum(TATOEBA_GROUPS.values())
    parts = {"train": groups[known:], "validation": groups[test:known], "test": groups[:test]}
    return {
        f"{language}_{split}": _sources(part, side, split)
        for side, language in enumerate(("en", "zh"))
        for split, part in parts.items()
    }


def _connected(pairs: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """The pairs in groups that share no sentence, in the order of their first pairs."""
    parent: dict[str, str] = {}

    def root(sentence: str) -> str:
        while parent.setdefault(sentence, sentence) != sentence:
            sentence = parent[sentence]
        return sentence

    for english, chinese in pairs:
        parent[root(chinese)] = root(english)
    groups: dict[str, list[Sequence[str]]] = {}
    for pair in pairs:
        groups.setdefault(root(pair[0]), []).append(pair)
    yield from groups.values()


def _sources(groups: Iterable[Iterable[Sequence[str]]], side: int, split: str) -> Rows:
    """One row for each sentence of one language."""
    found: dict[str, dict[str, None]] = {}
    for pair in (pair for group in groups for pair in group):
        found.setdefault(pair[side], {})[pair[1 - side]] = None
    return [
        {"id": f"{split}-{number}", "source": source, "targets": list(targets)}
        for number, (source, targets) in enumerate(found.items())
    ]


def sgd(path: Path, split: str) -> Rows:
    """Each reply of the system: what was said before, four candidates, and the values that the reply must name.

    The wrong candidates are replies of other dialogues of the split, drawn with a seed.
    """
    dialogues = json.loads(path.read_text(encoding="utf-8"))
    replies = {
        each["dialogue_id"]: [turn["utterance"] for turn in each["turns"] if turn["speaker"] == "SYSTEM"]
        for each in dialogues
    }
    rows: Rows = []
    for dialogue in dialogues:
        name, turns = dialogue["dialogue_id"], dialogue["turns"]
        others = sorted({text for other, texts in replies.items() if other != name for text in texts})
        for place, turn in enumerate(turns):
            if turn["speaker"] == "SYSTEM":
                key = f"{split}-{name}-{place}"
                wrong = [text for text in others if text != turn["utterance"]]
                rows.append({"id": key, "dialogue": name} | _reply(turns[: place + 1], wrong, key))
    return rows


def _reply(turns: Sequence[Mapping[str, Any]], wrong: Sequence[str], key: str) -> dict[str, Any]:
    *before, turn = turns
    drawn = random.Random(f"{SGD_SEED} {key}")
    candidates = [turn["utterance"], *drawn.sample(wrong, CANDIDATES - 1)]
    drawn.shuffle(candidates)
    return {
        "history": [f"{said['speaker'].capitalize()}: {said['utterance']}" for said in before[-SGD_TURNS:]],
        "candidates": candidates,
        "answer": candidates.index(turn["utterance"]),
        "slots": {
            span["slot"]: turn["utterance"][span["start"] : span["exclusive_end"]]
            for frame in turn["frames"]
            for span in frame["slots"]
        },
    }


def ifeval(path: Path) -> Rows:
    """Prompts with the instructions that programs check; there is no split to learn from."""
    return [
        {"id": str(row["key"])} | {key: row[key] for key in ("prompt", "instruction_id_list", "kwargs")}
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def gsm8k(path: Path, split: str) -> Rows:
    """Questions with a solution in steps, without the marks for a calculator, and the number behind its `####`."""
    rows: Rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        item = json.loads(line)
        solution = re.sub(r"<<.*?>>", "", item["answer"])
        rows.append(
            {
                "id": f"{split}-{number}",
                "question": item["question"],
                "solution": solution,
                "answer": solution.rpartition("#### ")[2].replace(",", ""),
            }
        )
    return rows


def untrained_translator(rows: Rows, folder: Path) -> None:
    """A model of the shape of nano:t5 with random weights, and a tokenizer trained on both languages of the rows."""
    texts = (row[column] for row in rows for column in ("source", "target"))
    tokenizer = train_tokenizer(texts, TRANSLATOR)
    save_model(untrained(make_config(TRANSLATOR, tokenizer), TRANSLATOR.seed), tokenizer, folder, half=False)
