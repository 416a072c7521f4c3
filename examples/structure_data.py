"""Writes the sets of pairs, relations, entities and spans as rows: RTE, SemEval-2010 task 8, WNUT17, SQuAD, XQuAD, ARC.

Each function reads a set as its authors publish it from the folder `data` and gives its splits as rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]

WNUT17_FILES = {
    "train": "wnut17train.conll",
    "validation": "emerging.dev.conll",
    "test": "emerging.test.conll",
}
SEMEVAL_FILES = {"train": "TRAIN_FILE.TXT", "test": "TEST_FILE_FULL.TXT"}


def structured_sets(data: Path) -> Iterator[tuple[str, Rows]]:
    """(name of the file without its suffix, rows) for every split of every set."""
    for split, file in WNUT17_FILES.items():
        yield f"wnut17_{split}", wnut17(data / "wnut17" / file, split)
    for split, file in SEMEVAL_FILES.items():
        yield f"semeval2010_{split}", semeval(data / "semeval2010_task8" / file)
    # One in ten of the 20,000 questions to learn from: a tenth of them is read again to choose among penalties.
    yield "squad_train", squad(data / "squad" / "train-v1.1-20k.json")[::10]
    yield "squad_test", squad(data / "squad" / "dev-v1.1.json")
    for language in ("en", "zh"):
        yield f"xquad_{language}", squad(data / "xquad" / f"xquad.{language}.json")
    for split in ("train", "test"):
        yield f"rte_{split}", rte(data / "continual_olora" / "NLI" / "RTE" / f"{split}.json", split)
    for name, folder in (("Easy", "ARC-e"), ("Challenge", "ARC-c")):
        for split, part in (("train", "Dev"), ("test", "Test")):
            yield f"arc_{name.lower()}_{split}", arc(data / "arc" / folder / f"ARC-{name}-{part}.jsonl")


def wnut17(path: Path, split: str) -> Rows:
    """Sentences as words and tags; where annotators gave a word several tags, the first counts."""
    rows: Rows = []
    words: list[str] = []
    tags: list[str] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        word, _, tag = line.strip().partition("\t")
        if word:
            words.append(word)
            tags.append(tag.strip().split(",")[0])
        elif words:
            rows.append({"id": f"{split}-{len(rows)}", "text": " ".join(words), "words": words, "tags": tags})
            words, tags = [], []
    return rows


def semeval(path: Path) -> Rows:
    """Sentences with two marked parts and their relation."""
    rows: Rows = []
    for block in path.read_text(encoding="utf-8").replace("\r", "").strip().split("\n\n"):
        sentence, relation = block.strip().split("\n")[:2]
        number, _, quoted = sentence.partition("\t")
        marked = quoted.strip().strip('"')
        parts = [re.search(rf"<{mark}>(.*?)</{mark}>", marked) for mark in ("e1", "e2")]
        head, tail = (part[1] for part in parts if part)
        rows.append(
            {
                "id": number,
                "text": re.sub(r"</?e[12]>", "", marked),
                "marked": marked,
                "head": head,
                "tail": tail,
                "relation": relation.strip(),
            }
        )
    return rows


def squad(path: Path) -> Rows:
    """Questions with their passage; the right answers, each once, and where they begin."""
    rows: Rows = []
    for article, document in enumerate(json.loads(path.read_text(encoding="utf-8"))["data"]):
        for number, paragraph in enumerate(document["paragraphs"]):
            for question in paragraph["qas"]:
                answers = {answer["text"]: answer["answer_start"] for answer in reversed(question["answers"])}
                texts = list(reversed(answers))
                rows.append(
                    {
                        "id": question["id"],
                        "passage": paragraph["context"],
                        "question": question["question"],
                        "answers": texts,
                        "answer_start": [answers[text] for text in texts],
                        "paragraph": f"{article}-{number}",
                    }
                )
    return rows


def rte(path: Path, split: str) -> Rows:
    """Premise, hypothesis and label, as the stream for continual learning has them in one text."""
    rows: Rows = []
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        match = re.fullmatch(r"sentence 1: (.*)\nsentence 2: (.*)", row["sentence"].strip(), re.DOTALL)
        if match is None:
            raise ValueError(f"{path}: row {number} is no pair: {row['sentence']!r:.80}")
        premise, hypothesis = match[1], match[2]
        rows.append(
            {
                "id": f"{split}-{number}",
                "premise": premise,
                "hypothesis": hypothesis,
                "label": row["label"],
            }
        )
    return rows


def arc(path: Path) -> Rows:
    """Questions with three to five choices, the index of the right one."""
    rows: Rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        choices = item["question"]["choices"]
        labels = [choice["label"] for choice in choices]
        rows.append(
            {
                "id": item["id"],
                "question": item["question"]["stem"],
                "choices": [choice["text"] for choice in choices],
                "answer": labels.index(item["answerKey"]),
            }
        )
    return rows
