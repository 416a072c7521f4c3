"""Data augmentation: a model writes training texts from a few examples, and a classifier shows what they are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response
from tianti.tasks.augmentation_metrics import AUGMENTATION_METRICS
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Field, Row
from tianti.tasks.text_classifier import fit_classifier


@dataclass(frozen=True)
class Labelled:
    """A text of an episode: what asks for it, itself, and its label."""

    prompt: str
    text: str
    label: str


@dataclass(frozen=True)
class Episode:
    """A few labelled texts to start from, and others to judge by."""

    labels: tuple[str, ...]
    seeds: tuple[Labelled, ...]
    evaluation: tuple[Labelled, ...]


class DataAugmentation:
    """A row is an episode: columns of `seeds` and of `evaluation`, each a list of objects with `text` and `label`.

    `doc_to_text` and `doc_to_target` are rendered with the `text` and `label` of each of them. For each label the
    prompt shows its seeds, and `generate` texts are sampled from it.
    """

    name: ClassVar[str] = "data-augmentation"
    summary: ClassVar[str] = "training texts, judged by what a classifier gains from them"
    metrics: ClassVar[Mapping[str, MetricRule]] = {rule.name: rule for rule in AUGMENTATION_METRICS}
    takes_shots: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "augmentation")
    refuses: ClassVar[tuple[str, ...]] = (
        "doc_to_choice", "option_order", "repeats", "perturbations", "group", "head_text", "fewshot_split",
    )  # fmt: skip
    version: ClassVar[int] = 2

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("gain", "augmented_acc", "seed_acc", "usable_share")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        seeds = _labelled(fields, "seeds", row, place)
        evaluation = _labelled(fields, "evaluation", row, place)
        labels = tuple(dict.fromkeys(each.label for each in seeds))
        unknown = {each.label for each in evaluation} - set(labels)
        if len(labels) < 2 or unknown:
            raise TaskError(
                f"{fields.where}: {place}: seeds have the labels {', '.join(labels)}, evaluation also "
                f"{', '.join(sorted(unknown)) or 'none'}",
                remedy="give seeds of each label, at least two labels",
            )
        episode = Episode(labels, seeds, evaluation)
        listed = "\n".join(
            f"{each.label}: {each.text}" for each in seeds
        )  # each label's prompt has its own of them
        return Form((f"{len(evaluation)} texts to judge by",), details=episode, prompt=listed)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if GenerateRequest not in types:
            raise incompatible(setting.task, self.name, "writes text", types, taught=False)
        return tuple(
            # Each has a number of its own, from which its seed is derived.
            replace(setting.generation, context=context, seed=1 + number)
            for number, context in enumerate(
                context
                for label in sample.form.details.labels
                for context in [shown(sample, label, setting)] * setting.generate
            )
        )

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        episode: Episode = sample.form.details
        texts = [response.text.strip() for response in responses if isinstance(response, GenerateResponse)]
        labels = [label for label in episode.labels for _ in range(setting.generate)]
        seen = {seed.text.strip() for seed in episode.seeds}
        new = []
        for text, label in zip(texts, labels, strict=True):
            if text and text not in seen:
                seen.add(text)
                new.append((text, label))
        seeds = [(seed.text, seed.label) for seed in episode.seeds]
        alone = _accuracy(seeds, episode, setting.language)
        augmented = _accuracy(seeds + new, episode, setting.language)
        values = {
            "gain": augmented - alone,
            "augmented_acc": augmented,
            "seed_acc": alone,
            "usable_share": len(new) / len(texts),
        }
        return Grade("\n".join(f"{label}: {text}" for text, label in new), values)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return self.examples(sample, setting)[0]

    def examples(self, sample: Sample, setting: Setting) -> list[Example]:
        """Texts to judge by, behind the seeds of their label, as many of each as there are seeds: so a model learns to
        write more of a kind, from about as many examples as other tasks have."""
        return [
            Example(
                context=shown(sample, each.label, setting),
                continuation=setting.target_delimiter + each.text,
                text=each.prompt,
                target=each.text,
            )
            for each in _taught(sample.form.details)
        ]

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return 0.0 if metric == "gain" else None


def _taught(episode: Episode) -> list[Labelled]:
    """The first texts to judge by of each label, as many as the label has seeds."""
    wanted = Counter(seed.label for seed in episode.seeds)
    found = []
    for each in episode.evaluation:
        if wanted[each.label] > 0:
            wanted[each.label] -= 1
            found.append(each)
    return found


def shown(sample: Sample, label: str, setting: Setting) -> str:
    """The prompt for one more text of a label: its seeds as solved examples."""
    seeds = [seed for seed in sample.form.details.seeds if seed.label == label]
    before = [seed.prompt + setting.target_delimiter + seed.text + setting.shot_delimiter for seed in seeds]
    return f"{sample.description}{''.join(before)}{seeds[0].prompt}"


def _accuracy(known: Sequence[tuple[str, str]], episode: Episode, language: str) -> float:
    classify = fit_classifier([text for text, _ in known], [label for _, label in known], language)
    found = classify([each.text for each in episode.evaluation])
    right = sum(label == each.label for label, each in zip(found, episode.evaluation, strict=True))
    return right / len(episode.evaluation)


def _labelled(fields: Fields, name: str, row: Row, place: str) -> tuple[Labelled, ...]:
    value: Any = fields.own[f"augmentation.{name}"].value(row, place)
    valid = isinstance(value, list | tuple) and all(
        isinstance(each, Mapping) and {"text", "label"} <= each.keys() for each in value
    )
    if not valid or not value:
        raise TaskError(
            f"{fields.where}: {place}: augmentation: {name} gives {value!r:.60}",
            remedy="name a column of lists of objects with text and label",
        )
    target = fields.target
    found = []
    for each in value:
        inner = {**row, **each}
        text = str(target) if not isinstance(target, Field) else target.text(inner, place)
        found.append(Labelled(fields.text.text(inner, place), text, str(each["label"])))
    return tuple(found)
