"""Looks a task over before it is run: its prompts, labels, lengths, and what may be wrong with its data."""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tianti.core.exceptions import InputError
from tianti.core.wording import counted
from tianti.engine import ChooseRequest, GenerateRequest, RollingRequest, ScoreRequest
from tianti.tasks.data import columns
from tianti.tasks.labels import numbered_labels
from tianti.tasks.metrics import UNSPACED_LANGUAGES
from tianti.tasks.registry import load_tasks
from tianti.tasks.task import Shots, Task, TaskInfo
from tianti.tasks.template import names_in
from tianti.tasks.yaml_task import YamlTask

CountTokens = Callable[[list[str]], list[int]]

_EVERY_REQUEST = frozenset({ScoreRequest, GenerateRequest, RollingRequest, ChooseRequest})
_SAME_CHOICES = ("classification", "pair-matching", "relation-extraction", "named-entity-recognition")
"""Kinds whose samples share their choices."""
_NAMED = 5
"""So many rows of a kind are named."""
_FEW = 100
"""Below this many samples an accuracy's 95 % interval is wider than about ±10 points."""


@dataclass(frozen=True)
class Rendered:
    """One sample as a model sees it, without shots."""

    sample_id: str
    prompt: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lengths:
    """Of prompt and right answer together, without shots."""

    minimum: int
    median: float
    maximum: int


@dataclass(frozen=True)
class SplitCheck:
    """One split in numbers."""

    split: str
    samples: int
    labels: Mapping[str, int]
    """How often each label (or, where choices differ, each position) is right; empty where there are no choices."""
    characters: Lengths
    tokens: Lengths | None
    """None where no tokenizer was given."""
    duplicates: int
    """Samples whose text stood in this split before."""
    overlap: int
    """Samples whose text also stands in the train split; 0 for the train split itself."""


@dataclass(frozen=True)
class TaskCheck:
    """What `check_task` found."""

    info: TaskInfo
    fingerprint: str
    prompts: tuple[Rendered, ...]
    splits: tuple[SplitCheck, ...]
    warnings: tuple[str, ...]


def check_task(reference: Path | str, count_tokens: CountTokens | None = None) -> TaskCheck:
    """Look over the task that `reference` names.

    `count_tokens` gives the number of tokens of each text, as a model's tokenizer counts.

    Raises:
        InputError: those of `load_tasks`, all that is wrong with the data, or a group of several tasks.
    """
    tasks = load_tasks(str(reference))
    if len(tasks) > 1:
        raise InputError(
            f"{reference} names {len(tasks)} tasks, a check looks at one",
            remedy=f"take one of {', '.join(task.info.name for task in tasks[:10])}",
        )
    return _check(tasks[0], count_tokens)


@dataclass(frozen=True)
class _Item:
    """One sample of any task: `label` is empty where there are no choices."""

    id: str
    prompt: str
    answer: str
    label: str = ""
    choices: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Equal for samples whose texts differ in case, spaces and punctuation only."""
        text = unicodedata.normalize("NFKC", "\n".join([self.prompt or self.answer, *sorted(self.choices)]))
        return re.sub(r"\W+", " ", text.casefold()).strip() or text


def _check(task: Task, count_tokens: CountTokens | None) -> TaskCheck:
    items = _own_items(task) if isinstance(task, YamlTask) else _any_items(task)
    train = {item.key for item in items.get("train", ())}
    splits = tuple(
        _split(name, found, train if name != "train" else set(), count_tokens)
        for name, found in items.items()
    )
    shown = items[task.info.split][:3]
    return TaskCheck(
        info=task.info,
        fingerprint=task.fingerprint,
        prompts=tuple(Rendered(item.id, item.prompt, item.answer, item.choices) for item in shown),
        splits=splits,
        warnings=tuple(_warnings(task, items, splits)),
    )


def _own_items(task: YamlTask) -> dict[str, list[_Item]]:
    """All splits of a task with a task file."""
    same_choices = task.info.kind in _SAME_CHOICES
    items: dict[str, list[_Item]] = {}
    for split in task.file.splits:
        items[split] = []
        for sample in task.samples(split):
            label = sample.form.label
            name = (
                "" if label is None else sample.form.choices[label] if same_choices else f"choice {label + 1}"
            )
            choices = () if same_choices else sample.form.choices
            items[split].append(
                _Item(sample.id, sample.description + sample.text, sample.target, name, choices)
            )
    return items


def _any_items(task: Task) -> dict[str, list[_Item]]:
    """The splits that the protocol of tasks shows: what is asked, and what is learned from."""
    items: dict[str, list[_Item]] = {}
    learned: tuple[Literal["train", "validation"], ...] = ("train", "validation")
    for split in learned:
        examples = task.examples(split)
        if examples:
            items[split] = [
                _Item(str(number), example.context, example.target) for number, example in enumerate(examples)
            ]
    questions = task.questions(Shots(), _EVERY_REQUEST)
    items[task.info.split] = [
        _Item(question.sample_id, question.prompt, question.target) for question in questions
    ]
    return items


def _split(
    name: str, items: Sequence[_Item], train: set[str], count_tokens: CountTokens | None
) -> SplitCheck:
    texts = [item.prompt + item.answer for item in items]
    keys = [item.key for item in items]
    return SplitCheck(
        split=name,
        samples=len(items),
        labels=dict(sorted(Counter(item.label for item in items if item.label).items())),
        characters=_lengths([len(text) for text in texts]),
        tokens=_lengths(count_tokens(texts)) if count_tokens else None,
        duplicates=len(keys) - len(set(keys)),
        overlap=sum(key in train for key in keys),
    )


def _lengths(values: Sequence[int]) -> Lengths:
    return Lengths(min(values), statistics.median(values), max(values))


def _warnings(task: Task, items: Mapping[str, Sequence[_Item]], splits: Sequence[SplitCheck]) -> list[str]:
    """What is allowed and yet likely not meant, one line each."""
    found = []
    asked = next(check for check in splits if check.split == task.info.split)
    if asked.samples < _FEW:
        found.append(f"split {asked.split} has {asked.samples} samples: intervals will be wide below {_FEW}")
    if "train" not in items:
        found.append("no split train: nothing to take shots from or to learn from")
    for check in splits:
        if check.duplicates:
            found.append(f"split {check.split} has {check.duplicates} duplicates")
        if check.overlap:
            found.append(
                f"{check.overlap} samples of split {check.split} stand in train too: scores will flatter"
            )
        if len(check.labels) == 1 and check.samples > 1:
            found.append(f"split {check.split} knows only one right answer: {next(iter(check.labels))}")
    if isinstance(task, YamlTask):
        found += [*_empty_values(task), *_delimiter_warnings(task, items)]
    if numbered := numbered_labels(task):
        found.append(numbered)
    return found


def _empty_values(task: YamlTask) -> Iterator[str]:
    """Rows that have nothing where the prompt or the head reads a column."""
    for split in task.file.splits:
        rows = task.rows(split)
        for key in ("doc_to_text", "head_text"):
            given = getattr(task.file, key) or ""
            sources = [given] if isinstance(given, str) else given
            read = [{source} if source in columns(rows) else names_in(source) for source in sources]
            for column in sorted(set().union(*read)):
                empty = [
                    number for number, row in enumerate(rows, 1) if not str(row.get(column, "-")).strip()
                ]
                if empty:
                    named = ", ".join(map(str, empty[:_NAMED])) + (", …" if len(empty) > _NAMED else "")
                    count = counted(len(empty), "row")
                    yield f"split {split}: {count} with nothing in column {column!r} of {key}: {named}"


def _delimiter_warnings(task: YamlTask, items: Mapping[str, Sequence[_Item]]) -> list[str]:
    delimiter, unspaced = task.file.target_delimiter, task.file.language in UNSPACED_LANGUAGES
    prompts = [item.prompt for item in items[task.split] if item.prompt]
    if not prompts:
        return []
    found = []
    if unspaced and delimiter == " ":
        found.append(
            'target_delimiter " " puts a space before the answer, which this language does not write'
        )
    gap = any(prompt[-1].isspace() for prompt in prompts)
    if gap and delimiter[:1].isspace():
        found.append("doc_to_text ends in a space and target_delimiter begins with one: the model sees two")
    if not gap and not delimiter and not unspaced:
        found.append("nothing stands between doc_to_text and the answer: target_delimiter is empty")
    return found
