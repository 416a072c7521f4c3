"""Dialogue: the next reply, chosen among candidates, weighed by its probability, or written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from tianti.core.exceptions import TaskError
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    GenerateResponse,
    Request,
    Response,
    ScoreRequest,
    ScoreResponse,
)
from tianti.tasks.dialogue_metrics import (
    CANDIDATE_ACC,
    DIALOGUE_METRICS,
    DISTINCT,
    JOINT_SLOT_ACCURACY,
    LOGPROB_PER_BYTE,
    LOGPROB_PER_TOKEN,
    SLOT_ACCURACY,
    slots_said,
)
from tianti.tasks.kinds.kind import (
    Fields,
    Form,
    Sample,
    Setting,
    incompatible,
    prompted_example,
    read_choices,
    read_label,
)
from tianti.tasks.kinds.writing import WRITING_REFUSES, read_texts
from tianti.tasks.metric_rule import MetricRule
from tianti.tasks.metrics import count_bytes
from tianti.tasks.summary_metrics import words
from tianti.tasks.task import Example, Grade
from tianti.tasks.template import Row
from tianti.tasks.translation_metrics import BLEU, bleu_statistics, signatures

_WEIGHED = frozenset({LOGPROB_PER_TOKEN.name, LOGPROB_PER_BYTE.name})
_WRITTEN = frozenset(
    {BLEU.name, SLOT_ACCURACY.name, JOINT_SLOT_ACCURACY.name, *(rule.name for rule in DISTINCT)}
)


class Dialogue:
    """`doc_to_target` is the right reply; `doc_to_choice` the candidates, `slots` what a reply must say, where given.

    What the metrics need is asked, as far as the backend can answer it: a metric that it cannot answer is missing for
    it, and the model is refused where that is the first one.
    """

    name: ClassVar[str] = "dialogue"
    summary: ClassVar[str] = "the next reply of a dialogue, chosen, weighed or written"
    metrics: ClassVar[Mapping[str, MetricRule]] = {
        rule.name: rule for rule in (CANDIDATE_ACC, BLEU, *DIALOGUE_METRICS)
    }
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text",)
    refuses: ClassVar[tuple[str, ...]] = (
        *(key for key in WRITING_REFUSES if key != "doc_to_choice"),
        "perturbations",
        "group",
    )
    version: ClassVar[int] = 1

    def default_metrics(self, language: str) -> tuple[str, ...]:
        return ("logprob_per_byte", "bleu", "distinct_1", "distinct_2")

    def read(self, fields: Fields, row: Row, place: str) -> Form:
        slots = _slots(fields, row, place)
        if fields.choices is None:
            return replace(read_texts(fields, row, place), details=slots)
        choices = read_choices(fields.choices, row, place, fields.where)
        label = read_label(fields, choices, row, place)
        return Form((choices[label],), choices, label, details=slots)

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        wanted, choices, between = frozenset(setting.metrics), sample.form.choices, setting.target_delimiter
        requests: list[Request] = []
        answered: set[str] = set()
        if ScoreRequest in types and wanted & {CANDIDATE_ACC.name, *_WEIGHED}:
            texts = choices if CANDIDATE_ACC.name in wanted else (sample.target,)
            requests += [ScoreRequest(prompt, between + text) for text in texts]
            answered |= {CANDIDATE_ACC.name, *_WEIGHED}
        elif ChooseRequest in types and CANDIDATE_ACC.name in wanted:
            requests.append(ChooseRequest(sample.head_text, choices))
            answered.add(CANDIDATE_ACC.name)
        if GenerateRequest in types and wanted & _WRITTEN:
            requests.append(replace(setting.generation, context=prompt))
            answered |= _WRITTEN
        if setting.metrics[0] not in answered:
            need = "writes text" if setting.metrics[0] in _WRITTEN else "weighs replies"
            raise incompatible(setting.task, self.name, f"{need}, for {setting.metrics[0]}", types)
        return tuple(requests)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        values: dict[str, Any] = {}
        prediction = ""
        chosen = [response for response in responses if isinstance(response, ChooseResponse)]
        scores = [response for response in responses if isinstance(response, ScoreResponse)]
        logprobs = chosen[0].logprobs if chosen else [response.logprob for response in scores]
        if len(logprobs) > 1:
            best = max(range(len(logprobs)), key=logprobs.__getitem__)
            prediction = sample.form.choices[best]
            values["acc"] = float(best == sample.form.label)
        if scores:
            values |= _weight(scores[sample.form.label or 0 if len(scores) > 1 else 0], sample, setting)
        for response in responses:
            if isinstance(response, GenerateResponse):
                prediction = response.text.strip()
                values |= _worth(prediction, sample, setting.language)
        return Grade(prediction, values)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        if metric == CANDIDATE_ACC.name:
            return sum(1 / len(sample.form.choices) for sample in samples) / len(samples)
        return 0.0 if metric == JOINT_SLOT_ACCURACY.name else None

    def signatures(self, setting: Setting) -> Mapping[str, str]:
        """That of BLEU, as sacreBLEU writes it."""
        return {BLEU.name: signatures(setting.language)[BLEU.name]}


def _weight(response: ScoreResponse, sample: Sample, setting: Setting) -> dict[str, Any]:
    """How probable the right reply is; per token only where the backend says how many there are."""
    size = count_bytes(setting.target_delimiter + sample.target)
    tokens = len(response.token_logprobs)
    values = {LOGPROB_PER_BYTE.name: [response.logprob, size]}
    return values | ({LOGPROB_PER_TOKEN.name: [response.logprob, tokens]} if tokens else {})


def _worth(reply: str, sample: Sample, language: str) -> dict[str, Any]:
    """What a written reply is worth."""
    slots = sample.form.details
    said = slots_said(reply, slots, language)
    values: dict[str, Any] = {
        BLEU.name: bleu_statistics(reply, sample.form.targets, language),
        SLOT_ACCURACY.name: [said, len(slots)],
        **{rule.name: words(reply, language) for rule in DISTINCT},
    }
    return values | ({JOINT_SLOT_ACCURACY.name: float(said == len(slots))} if slots else {})


def _slots(fields: Fields, row: Row, place: str) -> dict[str, tuple[str, ...]]:
    """For each slot that the reply must fill the values that are accepted; names without a value are left out."""
    field = fields.own.get("slots")
    value = field.value(row, place) if field is not None else {}
    if not isinstance(value, Mapping):
        raise TaskError(
            f"{fields.where}: {place}: slots gives {value!r:.80}",
            remedy="name a column of objects, {name: value} or {name: [value, …]}",
        )
    found = {
        str(name): tuple(
            str(each) for each in (accepted if isinstance(accepted, list | tuple) else [accepted])
        )
        for name, accepted in value.items()
        if accepted is not None and accepted != []
    }
    if not all(text.strip() for accepted in found.values() for text in accepted):
        raise TaskError(
            f"{fields.where}: {place}: slots has an empty value: {value!r:.80}", remedy="fill it in"
        )
    return found
