"""A folder of small lm-eval tasks of every shape, and an lm-eval model that answers as our fake backend does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from lm_eval.api.model import LM

from tianti.engine import GenerateRequest, GenerateResponse, RollingRequest, ScoreRequest
from tianti.engine.fake import FakeBackend

COLOURS = ["red", "green", "blue", "dark yellow"]
ROWS = [
    {
        "number": number,
        "question": f"Colour of thing {number}?",
        "choices": COLOURS[: 2 + number % 3],
        "label": number % 2,
        "answers": [COLOURS[number % 2], "any"],
        "text": f"Thing {number} is {COLOURS[number % 2]}.  It lies here.",
    }
    for number in range(12)
]
MEAN = {"aggregation": "mean", "higher_is_better": True}
CHOICE = {
    "output_type": "multiple_choice",
    "doc_to_text": "Q: {{question}}\nA:",
    "doc_to_choice": "choices",
    "doc_to_target": "label",
}
WRITTEN = {
    "output_type": "generate_until",
    "doc_to_text": "Q: {{question}}\nA:",
    "doc_to_target": "{{choices[label]}}",
}
NUMBER = {"function": "regex", "regex_pattern": "([a-z]+)"}

TASKS: dict[str, dict[str, Any]] = {
    "choice": {
        **CHOICE,
        "description": "Name the colour.\n\n",
        "metric_list": [
            {"metric": name, **MEAN} for name in ("acc", "acc_norm", "acc_bytes", "acc_mutual_info")
        ],
    },
    "choice_begun": {**CHOICE, "gen_prefix": "It is"},
    "choice_begun_spaced": {**CHOICE, "gen_prefix": "It is ", "target_delimiter": ""},
    "choice_first": {**CHOICE, "fewshot_split": "train", "fewshot_config": {"sampler": "first_n"}},
    "choice_of_test": {**CHOICE, "fewshot_split": "test", "metric_list": [{"metric": "acc", **MEAN}]},
    "choice_corpus": {
        **CHOICE,
        "doc_to_choice": ["red", "green"],
        "metric_list": [
            {"metric": "f1", "aggregation": "f1"},
            {"metric": "brier_score", "aggregation": "brier_score"},
        ],
    },
    "contexts": {
        "output_type": "multiple_choice",
        "doc_to_text": "label",
        "doc_to_choice": "{{['One ' + choices[0], 'One ' + choices[1]]}}",
        "doc_to_target": "lies there",
    },
    "several_right": {**CHOICE, "doc_to_target": "{{[label]}}"},
    "cloze": {
        "output_type": "loglikelihood",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{' ' + choices[label]}}",
        "metric_list": [{"metric": "perplexity"}, {"metric": "acc"}],
    },
    "whole_text": {"output_type": "loglikelihood_rolling", "doc_to_text": "", "doc_to_target": "text"},
    "own_results": {
        **CHOICE,
        "process_docs": "!function helpers.keep_even",
        "process_results": "!function helpers.graded",
        "metric_list": [{"metric": "mass", **MEAN}],
    },
    "written": {
        **WRITTEN,
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 9},
        "metric_list": [{"metric": "exact_match", **MEAN, "ignore_case": True}],
        "filter_list": [
            {"name": "strict", "filter": [NUMBER, {"function": "take_first"}]},
            {"name": "none", "filter": [{"function": "take_first"}]},
        ],
    },
    "voted": {
        **WRITTEN,
        "repeats": 3,
        "generation_kwargs": {"until": ["\n"], "do_sample": True, "temperature": 0.7},
        "metric_list": [{"metric": "exact_match", **MEAN}],
        "filter_list": [
            {"name": "vote", "filter": [NUMBER, {"function": "majority_vote"}, {"function": "take_first"}]}
        ],
    },
    "several_answers": {
        **WRITTEN,
        "doc_to_target": "answers",
        "gen_prefix": "It is",
        "metric_list": [{"metric": "exact_match", **MEAN}],
    },
    "translated": {**WRITTEN, "metric_list": [{"metric": "bleu"}]},
    "own_class": {"class": "!function helpers.OwnClass"},
    "fetched_metric": {
        **WRITTEN,
        "metric_list": [{"metric": "exact_match", "aggregation": "!function helpers.fetched"}],
    },
    "no_shots": {**CHOICE, "num_fewshot": 0},
    "built_in_shots": {**CHOICE, "num_fewshot": 2},
    "crowd": {
        **WRITTEN,
        "filter_list": [
            {"name": "crowd", "filter": [{"function": "custom", "filter_fn": "!function helpers.longest"}]}
        ],
    },
    "beams": {**WRITTEN, "generation_kwargs": {"until": ["\n"], "num_beams": 10}},
    "runs_code": {**WRITTEN, "unsafe_code": True},
    "runs_code_offline": {
        **WRITTEN,
        "unsafe_code": True,
        "metric_list": [{"metric": "!function nowhere.graded", **MEAN}],
        "dataset_path": "nobody/nothing",
        "dataset_kwargs": {},
    },
    "pictures": {**WRITTEN, "doc_to_image": ["picture"]},
    "bad_template": {**CHOICE, "doc_to_text": "{{nothing_of_this_name}}"},
    "no_data": {**CHOICE, "dataset_path": "nobody/nothing", "dataset_kwargs": {}},
    "unlabelled": {**CHOICE, "doc_to_target": "{{9 if number == 0 else label}}"},
}
COMPARED = [
    ("choice", 0),
    ("choice", 3),
    ("choice_begun", 2),
    ("choice_first", 2),
    ("choice_of_test", 2),
    ("choice_corpus", 1),
    ("contexts", 0),
    ("contexts", 2),
    ("several_right", 0),
    ("cloze", 0),
    ("cloze", 2),
    ("whole_text", 0),
    ("own_results", 1),
    ("written", 2),
    ("voted", 0),
    ("several_answers", 1),
    ("translated", 0),
    ("own_class", 0),
    ("no_shots", 0),
    ("built_in_shots", 4),
]

HELPERS = """
import numpy as np
from datasets import Dataset
from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask


class OwnClass(ConfigurableTask):
    VERSION = 3

    def __init__(self, config=None):
        super().__init__(config={"metadata": {"version": 3}})

    def download(self, *_, **__):
        self.dataset = Dataset.from_list([{"number": number} for number in range(4)])

    def has_training_docs(self):
        return True

    def has_validation_docs(self):
        return True

    def has_test_docs(self):
        return False

    def training_docs(self):
        return self.dataset

    def validation_docs(self):
        return self.dataset

    def doc_to_text(self, document):
        return f"After {document['number']} comes"

    def doc_to_target(self, document):
        return f" {document['number'] + 1}"

    def construct_requests(self, doc, ctx, **kwargs):
        for name in ("apply_chat_template", "chat_template"):
            kwargs.pop(name, None)
        return [
            Instance("generate_until", doc, (ctx, {"until": ["."]}), 0, **kwargs),
            Instance("loglikelihood", doc, (ctx, self.doc_to_target(doc)), 1, **kwargs),
        ]

    def process_results(self, document, results):
        text, (logprob, _) = results
        return {"right": float(text == self.doc_to_target(document)), "logprob": logprob}

    def aggregation(self):
        return {"logprob": np.mean, "right": np.mean}

    def higher_is_better(self):
        return {"logprob": True, "right": True}


def fetched(values):
    raise FileNotFoundError("no network")


def keep_even(documents):
    return documents.filter(lambda document: document["number"] % 2 == 0)

def graded(document, results):
    probabilities = np.exp([logprob for logprob, _ in results])
    return {"mass": probabilities[document["label"]] / probabilities.sum(), "odd": float("nan")}

def longest(responses, documents):
    longest = max((text for group in responses for text in group), key=len)
    return [longest for _ in responses]
"""


class _Function(str):
    """A `!function` tag."""


yaml.SafeDumper.add_representer(
    _Function, lambda dumper, text: dumper.represent_scalar("!function", str(text))
)


def write_world(folder: Path) -> Path:
    """The YAML files of TASKS, a group and a tag over some of them, their data and their functions."""
    files = {split: _write_rows(folder / f"{split}.jsonl", rows) for split, rows in _splits().items()}
    shared = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "training_split": "train",
        "validation_split": "validation",
        "test_split": "test",
        "metadata": {"version": 2.0},
    }
    for name, task in TASKS.items():
        tag = {"tag": "colours"} if name in ("choice", "cloze") else {}
        _write(folder / f"{name}.yaml", _tagged({"task": name, **tag, **shared, **task}))
    _write(
        folder / "group.yaml",
        {"group": "two_kinds", "task": ["choice", {"task": "written", "num_fewshot": 1}]},
    )
    (folder / "helpers.py").write_text(HELPERS)
    return folder


def _splits() -> dict[str, list[dict[str, Any]]]:
    return {"train": ROWS[:6], "validation": ROWS[6:8], "test": [*ROWS[8:], *ROWS[:2]]}


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def _write(path: Path, content: Any) -> None:
    path.write_text(yaml.safe_dump(content))


def _tagged(value: Any) -> Any:
    match value:
        case str() if value.startswith("!function "):
            return _Function(value.removeprefix("!function "))
        case dict():
            return {key: _tagged(item) for key, item in value.items()}
        case list():
            return [_tagged(item) for item in value]
        case _:
            return value


class TalkingBackend(FakeBackend):
    """A fake whose texts differ, also between repeats of a sampled request."""

    def _answer(self, request: Any) -> Any:
        if isinstance(request, GenerateRequest):
            return GenerateResponse(say(request.context), tokens=1)
        return super()._answer(request)


def say(context: str) -> str:
    """A colour, sometimes with noise around it, that depends on the length of the context."""
    return ["red", " green, I say", "Red", "42"][len(context) % 4]


class SameAnswers(LM):
    """lm-eval's side of `TalkingBackend`."""

    def __init__(self) -> None:
        super().__init__()
        self.backend = TalkingBackend()

    def loglikelihood(self, requests: Any) -> list[tuple[float, bool]]:
        responses = self._ask([ScoreRequest(*request.args) for request in requests])
        return [(response.logprob, response.is_greedy) for response in responses]

    def loglikelihood_rolling(self, requests: Any) -> list[float]:
        return [
            response.logprob
            for response in self._ask([RollingRequest(*request.args) for request in requests])
        ]

    def generate_until(self, requests: Any) -> list[str]:
        return [say(request.args[0]) for request in requests]

    def _ask(self, requests: Any) -> list[Any]:
        answers = dict(self.backend.answer(requests))
        return [answers[index] for index in range(len(requests))]
