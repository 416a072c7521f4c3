"""What the studies on real data must show, checked on their stored results: nothing here is typed in but the bars."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from sacrebleu.metrics import CHRF
from sklearn.feature_extraction.text import TfidfVectorizer

import tianti
from tianti.api import compare_entries
from tianti.board import Entry
from tianti.engine import GenerateRequest, GenerateResponse
from tianti.engine.causal import CausalBackend
from tianti.models import load_model, open_model
from tianti.store import Run, Store

STORIES_OF_THE_NOTE = 40
ACCURACY_BARS = {"head-only": 0.75, "bitfit": 0.80, "lora": 0.80, "adapters": 0.80, "full": 0.80}
BASELINE_BARS = {"wnut17": "full", "semeval2010": "full"}
"""What must beat every baseline of a study whose one task has its name."""
ENCODER, TRANSLATOR = "all-minilm-l6-v2", "untrained-t5"


@dataclass(frozen=True)
class Check:
    """Something that was expected, what was found, and whether that is good."""

    what: str
    expected: str
    found: str
    good: bool


def all_checks(store: Path, data: Path, work: Path) -> list[Check]:
    """Every check, on the results of all studies in `store`."""
    source = data / "weights_stories260K"
    return [
        loss_check(store, source),
        story_check(work, source),
        *accuracy_checks(store),
        *gain_checks(store),
        *baseline_checks(store),
        translation_check(store, work),
    ]


def loss_check(store: Path, source: Path) -> Check:
    """The mean loss of stories260K on the first stories is the one that the weights' note gives, within 1 %."""
    published = re.search(r"mean NLL ([\d.]+) nats/token", (source / "NOTE.txt").read_text(encoding="utf-8"))
    if published is None:
        raise ValueError(f"{source / 'NOTE.txt'} names no mean NLL")
    expected, found = float(published[1]), mean_loss(store)
    return Check(
        f"loss of stories260K on the first {STORIES_OF_THE_NOTE} stories, within 1 %",
        f"{expected:.4f} nats/token",
        f"{found:.4f} nats/token",
        abs(found / expected - 1) <= 0.01,
    )


def mean_loss(store: Path) -> float:
    """Nats per token over the first stories, from the answers of the run whose tokenizer adds no begin token."""
    with Store(store) as opened:
        run = find_run(opened, "stories260k-perplexity", "stories260k-no-begin")
        answers = opened.answers(run.run_id)[:STORIES_OF_THE_NOTE]
    return -math.fsum(answer.values["bits_per_byte"][0] for answer in answers) / sum(
        answer.tokens for answer in answers
    )


def find_run(store: Store, study: str, model: str) -> Run:
    """The finished run of a model in a study of one task and one adaptation."""
    (run,) = (run for run in store.runs(study) if run.manifest["model"]["name"] == model)
    return run


def story_check(work: Path, source: Path) -> Check:
    """The most probable text is the one printed in the weights' page, word for word."""
    page = (source / "stories260K.md").read_text(encoding="utf-8")
    printed = re.search(r"-t 0\.0\n(.*?)\n```", page, re.DOTALL)
    if printed is None:
        raise ValueError(f"{source / 'stories260K.md'} prints no text of temperature 0")
    expected, found = printed[1], greedy_story(work / "stories260k")
    same = next((n for n, (a, b) in enumerate(zip(expected, found, strict=False)) if a != b), len(expected))
    return Check(
        "the story that stories260K tells without sampling",
        f"the {len(expected)} characters of stories260K.md",
        f"the same {same} characters" if found == expected else f"differs after {same} characters",
        found == expected,
    )


def greedy_story(folder: Path) -> str:
    """256 tokens after the begin token, by tianti's engine."""
    torch.set_num_threads(1)  # a step of so small a model is too little work to share
    backend = CausalBackend(*load_model(open_model(folder)).pair())
    ((_, response),) = backend.answer([GenerateRequest("", stop=(), max_tokens=256)])
    if not isinstance(response, GenerateResponse):
        raise ValueError(f"no story: {response}")
    return response.text


def accuracy_checks(store: Path) -> list[Check]:
    """Each adaptation of the sentence encoder reaches its bar on SST-2."""
    board = tianti.load_board(store, "sst2")
    found = []
    for adaptation, bar in ACCURACY_BARS.items():
        value = _entry(board, adaptation).cells["sst2"].value
        reached = value is not None and value >= bar
        found.append(
            Check(f"SST-2 by {adaptation}", f"≥ {bar:.2f}", f"{value:.3f}" if value else "none", reached)
        )
    return found


def gain_checks(store: Path) -> list[Check]:
    """What trains more than the head beats the head alone, sentence by sentence, with the whole interval above 0."""
    found, board = [], tianti.load_board(store, "sst2")
    for adaptation in (name for name in ACCURACY_BARS if name != "head-only"):
        names = (_entry(board, adaptation).name, _entry(board, "head-only").name)
        (gain,) = compare_entries(store, *names, study="sst2").tasks
        shown = "none"
        if gain.difference is not None and gain.low is not None and gain.high is not None:
            shown = f"{gain.difference:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], n = {gain.n}"
        better = gain.low is not None and gain.low > 0
        found.append(Check(f"SST-2: {adaptation} minus head-only", "> 0", shown, better))
    return found


def baseline_checks(store: Path) -> list[Check]:
    """On names and on relations the sentence encoder beats every baseline."""
    found = []
    for name, adaptation in BASELINE_BARS.items():
        board = tianti.load_board(store, name)
        value = _entry(board, adaptation).cells[name].value
        baselines = [
            entry.cells[name].value or 0.0 for entry in board.entries if entry.model.startswith("baseline:")
        ]
        bar = max(baselines)
        shown = "none" if value is None else f"{value:.3f}"
        reached = value is not None and value > bar
        found.append(Check(f"{name} by {adaptation}, above all baselines", f"> {bar:.3f}", shown, reached))
    return found


def translation_check(store: Path, work: Path) -> Check:
    """A translator that was trained from nothing beats those that know no German."""
    board = tianti.load_board(store, "multi30k")
    value = _entry(board, "full", TRANSLATOR).cells["multi30k"].value
    bars = {
        "the most common caption": _entry(board, "fit", "baseline:majority").cells["multi30k"].value or 0.0
    }
    bars |= untaught_translations(work)
    listed = ", ".join(f"{name} {bar:.1f}" for name, bar in bars.items())
    return Check(
        "multi30k by full, above all baselines, in chrF",
        f"> {max(bars.values()):.1f} ({listed})",
        "none" if value is None else f"{value:.1f}",
        value is not None and value > max(bars.values()),
    )


def untaught_translations(work: Path) -> dict[str, float]:
    """The corpus chrF of two ways to translate captions: to leave them as they are, and to take the translation of the
    training caption with most in common, by TF-IDF of words."""
    rows = {split: _rows(work / f"multi30k_{split}.jsonl") for split in ("train", "test")}
    sources, targets = ([row[key] for row in rows["test"]] for key in ("source", "target"))
    vectors = TfidfVectorizer()
    known = vectors.fit_transform([row["source"] for row in rows["train"]])
    nearest = (vectors.transform(sources) @ known.T).argmax(axis=1).A1
    found = {
        "the source as it is": sources,
        "the nearest caption's translation": [rows["train"][number]["target"] for number in nearest],
    }
    return {name: CHRF().corpus_score(texts, [targets]).score for name, texts in found.items()}


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _entry(board: tianti.Board, method: str, model: str = ENCODER) -> Entry:
    (entry,) = (entry for entry in board.entries if (entry.model, entry.method) == (model, method))
    return entry
