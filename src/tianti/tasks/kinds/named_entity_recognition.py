"""Named entity recognition: a head tags each word, a language model writes the entities down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import GenerateRequest, GenerateResponse, Request, Response, TagRequest, TagResponse
from tianti.tasks.entities import (
    OUTSIDE,
    Named,
    entities_of,
    locate_words,
    read_entities,
    tag_set,
    write_entities,
)
from tianti.tasks.kinds.kind import Fields, Form, Sample, Setting, incompatible, prompted_example
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.structure_metrics import SPAN_F1, SPAN_PRECISION, SPAN_RECALL
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row

_METRICS = (SPAN_F1, SPAN_PRECISION, SPAN_RECALL)


class NamedEntityRecognition:
    """`doc_to_target` gives the tags (IOB2) of the `words`, which stand in `head_text` one after the other."""

    name: ClassVar[str] = "named-entity-recognition"
    summary: ClassVar[str] = "the names in a text and what they name"
    metrics: ClassVar[Mapping[str, MetricRule]] = {rule.name: rule for rule in _METRICS}
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "head_text", "words", "entity_types")
    refuses: ClassVar[tuple[str, ...]] = (
        "doc_to_choice",
        "option_order",
        "perturbations",
        "repeats",
        "group",
    )
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return tuple(rule.name for rule in _METRICS)

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        words, tags = _texts(fields, "words", row, place), _texts(fields, "doc_to_target", row, place)
        if len(words) != len(tags):
            raise TaskError(
                f"{fields.where}: {place}: {len(words)} words and {len(tags)} tags",
                remedy="give one tag for each word",
            )
        choices = tag_set(sorted(fields.entity_types))  # a mapping's order is no part of the fingerprint
        unknown = next((tag for tag in tags if tag not in choices), None)
        if unknown is not None:
            raise TaskError(
                f"{fields.where}: {place}: unknown tag {unknown!r}",
                remedy=f"one of {', '.join(choices)}; the types are those of entity_types",
            )
        text = fields.head.text(row, place) if fields.head else ""
        places = locate_words(words, text)
        if places is None:
            raise TaskError(
                f"{fields.where}: {place}: the words do not stand in head_text one after the other: {text!r:.60}",
                remedy="let head_text be the text that the words are taken from",
            )
        names = tuple(fields.entity_types.items())
        answer = write_entities(entities_of(tags), text, places, dict(names), fields.language)
        return Form((answer,), choices, None, places, tuple(tags), names)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        if GenerateRequest in types:
            return (replace(setting.generation, context=prompt),)
        if TagRequest in types:
            return (TagRequest(sample.head_text, sample.form.words, sample.form.choices),)
        raise incompatible(setting.task, self.name, "writes text or tags words", types)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        form, names = sample.form, dict(sample.form.type_names)
        prediction, named = "", Named((), 0)
        match responses[0]:
            case GenerateResponse(text):
                prediction, named = text, read_entities(text, sample.head_text, form.words, names)
            case TagResponse(tags):
                named = Named(tuple(entities_of(tags)), 0)
                prediction = write_entities(
                    named.entities, sample.head_text, form.words, names, setting.language
                )
        there = entities_of(form.tags)
        counts = [len({*there} & {*named.entities}), len(named.entities) + named.unplaced, len(there)]
        return Grade(prediction, {rule.name: counts for rule in _METRICS})

    def example(self, sample: Sample, setting: Setting) -> Example:
        return replace(prompted_example(sample, setting), words=sample.form.words, tags=sample.form.tags)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        return None


def _texts(fields: Fields, key: str, row: Row, place: str) -> list[str]:
    """The list of texts that a key gives; a text with spaces is such a list too (a CSV has no lists)."""
    field = fields.words if key == "words" else fields.target
    value = None if field is None or isinstance(field, int) else field.parsed(row, place)
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
        raise TaskError(
            f"{fields.where}: {place}: {key} gives {value!r:.60}, expected a list of texts",
            remedy=f"name a column of lists, such as {['Ada', 'sings'] if key == 'words' else ['B-PER', OUTSIDE]}",
        )
    return list(value)
