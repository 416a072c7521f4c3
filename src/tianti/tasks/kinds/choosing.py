"""What classification and multiple choice share: one request per choice, and the most probable one is the answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from tianti.engine import ChooseRequest, ChooseResponse, Request, Response, ScoreRequest, ScoreResponse
from tianti.tasks.aspect_metrics import (
    ACC_OVER_ORDERS,
    CALIBRATION,
    COUNTERFACTUAL,
    FAIRNESS_GAP,
    ROBUST,
    ROBUSTNESS_GAP,
)
from tianti.tasks.kinds.kind import Sample, Setting, incompatible, prompted_example
from tianti.tasks.metrics import ACC, ACC_BYTES, ACC_NORM, count_bytes
from tianti.tasks.task import Example, Grade

ACCURACY_ASPECTS = (
    *CALIBRATION,
    *(ROBUST[rule.name] for rule in (ACC, ACC_NORM, ACC_BYTES)),
    ROBUSTNESS_GAP,
    *COUNTERFACTUAL,
    FAIRNESS_GAP,
)
"""What may be measured of any choice, besides accuracy."""
FIRST_PROBABILITY = "first_probability"
"""The name of the first choice's probability among the values of a grade; for what compares two of them."""
_ACCURACIES = {rule.name for rule in (ACC, ACC_NORM, ACC_BYTES, ACC_OVER_ORDERS)}


class Choosing:
    """A kind that asks which choice is right; a subclass names it, reads its choices and the right one of them."""

    name: ClassVar[str]
    takes_shots: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("doc_to_text", "doc_to_choice")
    refuses: ClassVar[tuple[str, ...]] = ("generation_kwargs", "thinking", "repeats")

    def requests(
        self, prompt: str, sample: Sample, setting: Setting, types: frozenset[type]
    ) -> tuple[Request, ...]:
        """A `ScoreRequest` per choice where the backend reads prompts, else one `ChooseRequest` of the head's text."""
        choices = sample.form.choices
        if ScoreRequest in types:
            return tuple(ScoreRequest(prompt, setting.target_delimiter + choice) for choice in choices)
        if ChooseRequest in types:
            return (ChooseRequest(sample.head_text, choices, sample.pair),)
        raise incompatible(setting.task, self.name, "scores a continuation or chooses", types)

    def grade(self, sample: Sample, responses: Sequence[Response], setting: Setting) -> Grade:
        return grade_choices(sample, responses)

    def example(self, sample: Sample, setting: Setting) -> Example:
        return prompted_example(sample, setting)

    def chance(self, metric: str, samples: Sequence[Sample]) -> float | None:
        """What guessing gives: the share of right guesses for an accuracy, None for what is none."""
        return guessing(samples) if metric in _ACCURACIES else None


def grade_choices(sample: Sample, responses: Sequence[Response]) -> Grade:
    """`acc`, `acc_norm`, `acc_bytes`, the label pair for `f1`, and how sure the model was.

    A head's log-probabilities are over labels and know no length, so its three accuracies are the same.
    """
    choices, gold = sample.form.choices, sample.form.label
    scores, by_text = _scores(responses)
    predicted = _best(scores)
    per_character, per_byte = predicted, predicted
    if by_text:
        per_character = _best([score / len(choice) for score, choice in zip(scores, choices, strict=True)])
        per_byte = _best([score / count_bytes(choice) for score, choice in zip(scores, choices, strict=True)])
    values = {
        "acc": float(predicted == gold),
        "acc_norm": float(per_character == gold),
        "acc_bytes": float(per_byte == gold),
        "f1": [gold, predicted],
        **_calibration(scores, predicted, gold),
    }
    return Grade(choices[predicted], values)


def guessing(samples: Sequence[Sample]) -> float:
    """The accuracy of a guess: the mean of 1 / number of choices."""
    return sum(1 / len(sample.form.choices) for sample in samples) / len(samples)


def _calibration(scores: Sequence[float], predicted: int, gold: int | None) -> dict[str, float | list[float]]:
    """The values behind Brier score, log loss and calibration error, from the softmax over the choices."""
    highest = max(scores)
    total = math.fsum(math.exp(score - highest) for score in scores)
    logarithms = [score - highest - math.log(total) for score in scores]
    probabilities = [math.exp(logarithm) for logarithm in logarithms]
    confidence = [probabilities[predicted], float(predicted == gold)]
    return {
        "brier": math.fsum((p - (index == gold)) ** 2 for index, p in enumerate(probabilities)),
        "log_loss": -logarithms[gold or 0],
        "ece": confidence,
        "ece_excess": confidence,
        FIRST_PROBABILITY: probabilities[0],
    }


def _scores(responses: Sequence[Response]) -> tuple[Sequence[float], bool]:
    if len(responses) == 1 and isinstance(responses[0], ChooseResponse):
        return responses[0].logprobs, False
    return [response.logprob for response in responses if isinstance(response, ScoreResponse)], True


def _best(scores: Sequence[float]) -> int:
    """The index of the highest score; the first of equals."""
    return max(range(len(scores)), key=scores.__getitem__)
