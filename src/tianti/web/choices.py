"""The choices of a question as the page of an answer shows them: what the model gave each, and which one it took.

A question may have been asked in further forms: perturbed, with its options in another order, with its groups swapped,
without content. Their responses stand behind those to the question as it is. Of these forms no order is on record, so
only the question as it is has choices that can be named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tianti.engine import ScoreResponse
from tianti.evaluation.answer import Answer
from tianti.tasks.aspect_metrics import ASPECT_METRICS
from tianti.tasks.calibrated import CONTENT_FREE, calibrated

NEEDS = {rule.name: rule.needs for rule in ASPECT_METRICS}
MUTUAL_INFORMATION = "acc_mutual_info"
"""lm-eval's, which asks for each choice once more without the question."""
CLOSE = 1e-9


@dataclass(frozen=True)
class Choice:
    """A choice of a question by its place, from 1; its text is on record where it was chosen or right."""

    number: int
    logprob: float
    probability: float
    chosen: bool
    right: bool
    text: str


@dataclass(frozen=True)
class Choices:
    """`forms`: how often all choices were asked about, of which the first is shown; None where that is not on record,
    and then `shown` is empty. `calibrated`: the prior of the labels is taken out of the probabilities."""

    shown: Sequence[Choice] = ()
    forms: int | None = 1
    calibrated: bool = False

    def __bool__(self) -> bool:
        """Whether the answer was one of several."""
        return bool(self.shown) or self.forms is None


def choices_of(answer: Answer, manifest: Mapping[str, Any]) -> Choices:
    """The choices with their log-probabilities and the probabilities over them: the softmax that the task's own
    confidence (`ece`) is read from. Empty where the answer was none of several."""
    heads = [each["logprobs"] for each in answer.responses if "logprobs" in each]
    scores = [float(each["logprob"]) for each in answer.responses if "is_greedy" in each]
    if answer.state != "ok" or not (heads or len(scores) > 1):
        return Choices()
    if heads:
        return Choices(_named(answer, heads[0], heads[0]), len(heads))
    prior_is_out = _said(manifest["adaptation"], "calibrate")
    count = _count(answer, manifest, len(scores), len(CONTENT_FREE) if prior_is_out else 0)
    if count is None:
        return Choices(forms=None)
    own: Sequence[float] = scores[:count]
    forms = len(scores) // count
    if not prior_is_out:
        return Choices(_named(answer, own, own), forms)
    weighed = calibrated([ScoreResponse(score, is_greedy=False) for score in scores], count)[0].logprobs
    return Choices(_named(answer, own, weighed), forms - len(CONTENT_FREE), calibrated=True)


def _named(answer: Answer, given: Sequence[float], compared: Sequence[float]) -> list[Choice]:
    """The choices with what the model gave them; `compared` is what the answer was chosen by, the first of equals."""
    highest = max(compared)
    total = math.fsum(math.exp(score - highest) for score in compared)
    chosen = max(range(len(compared)), key=compared.__getitem__)
    wrote = any("text" in each for each in answer.responses)  # what was written is then the answer on record
    texts = {} if wrote else {chosen: answer.prediction}
    right = _place_of_the_right_one(answer)
    if right is None and (answer.values.get("acc") == 1 if wrote else answer.prediction == answer.target):
        right = chosen
    if right is not None:
        texts[right] = answer.target
    return [
        Choice(
            number=place + 1,
            logprob=logprob,
            probability=math.exp(score - highest) / total,
            chosen=place == chosen,
            right=place == right,
            text=texts.get(place, ""),
        )
        for place, (logprob, score) in enumerate(zip(given, compared, strict=True))
    ]


def _place_of_the_right_one(answer: Answer) -> int | None:
    """Where a metric has it: F1 is computed from (right, chosen), the gap of places from (right, 1 or 0) of each
    order, of which the first is the usual one."""
    pair, orders = answer.values.get("f1"), answer.values.get("position_gap")
    if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(each, int) for each in pair):
        return int(pair[0])
    return int(orders[0][0]) if orders else None


def _count(answer: Answer, manifest: Mapping[str, Any], scores: int, without_content: int) -> int | None:
    """How many choices there were, where so many scores were given over all forms; None where that is not on record."""
    metrics = {metric["name"]: metric for metric in manifest["task"]["metrics"]}
    needs = {NEEDS.get(name, "") for name in metrics}
    if "perturbations" in needs:
        # How many perturbations there were is not on record. Guessing is right once in so many choices.
        return _by_chance([metric.get("chance") for metric in metrics.values()], scores)
    forms = 1 + without_content + ("counterfactual" in needs) + (MUTUAL_INFORMATION in metrics)
    forms += len(answer.values["position_gap"]) - 1 if "option_order" in needs else 0
    return scores // forms if scores % forms == 0 else None


def _by_chance(levels: Sequence[float | None], scores: int) -> int | None:
    known = [level for level in levels if level]
    if not known:
        return None
    count = round(1 / known[0])
    return count if abs(1 / known[0] - count) < CLOSE and scores % count == 0 else None


def _said(facts: Any, name: str) -> bool:
    """Whether a setting is true, on any level: of a chain, of the prompt of a method that trains."""
    if isinstance(facts, Mapping):
        return facts.get(name) is True or any(_said(value, name) for value in facts.values())
    return isinstance(facts, list | tuple) and any(_said(each, name) for each in facts)
