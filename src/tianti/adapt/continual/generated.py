"""Generative replay: a language model writes the samples of earlier tasks itself, and goes on learning them.

Shin et al. 2017 (arXiv 1705.08690) with a model beside the learner; Sun et al. 2020, LAMOL (arXiv 1909.03329) with the
learner itself, as here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from tianti.adapt.continual.distilling import frozen
from tianti.adapt.continual.strategy import Practice, Stage, Strategy
from tianti.adapt.options import NotNegative, PositiveFloat, PositiveInt
from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derive_seed
from tianti.engine import Backend, GenerateRequest, ScoreRequest
from tianti.models.model import LoadedModel
from tianti.tasks.task import Example, Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import OfTask


@dataclass(frozen=True)
class Generative(Strategy):
    """In each stage the model also learns to write its task's questions (`writing` · their mean loss per token);
    before the next stage it writes `size` of them for each earlier task and answers them itself, and each step then
    learns as many written samples as new ones, with `weight`. No sample of an earlier task is kept.
    """

    name: ClassVar[str] = "generative"
    summary: ClassVar[str] = "the model writes samples of earlier tasks itself, and learns them again"

    size: PositiveInt = 50
    weight: NotNegative = 1.0
    writing: NotNegative = 0.25
    temperature: PositiveFloat = 1.0
    max_tokens: PositiveInt = 64

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        if model.model.architecture in ("encoder", "masked") or method.head:
            raise IncompatibleError(
                f"generative does not fit {model.model.name}: what answers by a head writes no text, and no samples",
                remedy="use replay, or a language model without a head",
            )

    def begin(self, stage: Stage) -> Practice:
        return Writing(stage, self)


class Writing(Practice):
    """Writes what was learned before, and learns to write what is learned now."""

    def __init__(self, stage: Stage, settings: Generative) -> None:
        super().__init__(stage)
        self.settings = settings
        number = stage.number
        examples, _ = stage.lessons[number].examples(stage.settings.max_examples)
        questions = [question_of(stage, number, example) for example in examples if example.context]
        self.questions = stage.family.items(number, questions) if questions else []
        self.samples = self._written() if number else []

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        import torch

        from tianti.adapt.continual.family import loss

        losses = []
        for samples, weight in (
            (self.questions, self.settings.writing),
            (self.samples, self.settings.weight),
        ):
            if samples and weight:
                chosen = torch.randperm(len(samples))[: len(items)].tolist()
                summed, terms = loss(network, [samples[index] for index in chosen])
                losses.append(weight * summed / terms)
        return torch.stack(losses).sum() if losses else None

    def _written(self) -> list[OfTask]:
        stage = self.stage
        writer = frozen(stage.family)
        found: list[OfTask] = []
        for task in range(stage.number):
            backend = stage.family.objectives[task].backend(writer.networks[task])
            found += stage.family.items(task, written(stage, task, backend, self.settings))
        return found


def question_of(stage: Stage, task: int, example: Example) -> Example:
    """The writing of an example's question as an example itself: asked by the task's name."""
    return replace(
        example, context=prompt_of(stage, task), continuation=example.context, choices=(), label=None
    )


def prompt_of(stage: Stage, task: int) -> str:
    """What a question of the task is asked for by."""
    return f"{stage.lessons[task].task.info.name}: "


def written(stage: Stage, task: int, backend: Backend, settings: Generative) -> list[Example]:
    """Samples of an earlier task, question and answer by the model; a question that came out empty is left out."""
    prompt = prompt_of(stage, task)
    requests = [
        GenerateRequest(
            prompt,
            stop=(),
            max_tokens=settings.max_tokens,
            temperature=settings.temperature,
            seed=derive_seed("written", stage.draw, task, number),
        )
        for number in range(settings.size)
    ]
    backend.prepare(requests)
    texts = [response.text for _, response in sorted(backend.answer(requests)) if hasattr(response, "text")]
    questions = [text for text in texts if text.strip()]
    examples, _ = stage.lessons[task].examples(stage.settings.max_examples)
    # The answers that the task has, in their spelling; a task with free answers is answered by writing.
    answers = sorted({example.continuation for example in examples}) if examples[0].choices else []
    said = _chosen(backend, questions, answers) if answers else _free(backend, questions, settings)
    blank = replace(examples[0], choices=(), label=None)
    return [
        replace(blank, context=question, continuation=answer, text=question, target=answer.strip())
        for question, answer in zip(questions, said, strict=True)
        if answer.strip()
    ]


def _chosen(backend: Backend, questions: Sequence[str], answers: Sequence[str]) -> list[str]:
    requests = [ScoreRequest(question, answer, truncate=True) for question in questions for answer in answers]
    if not requests:
        return []
    backend.prepare(requests)
    scores = [-float("inf")] * len(requests)
    for index, response in backend.answer(requests):
        scores[index] = getattr(response, "logprob", -float("inf"))
    rows = [scores[start : start + len(answers)] for start in range(0, len(scores), len(answers))]
    return [answers[max(range(len(answers)), key=row.__getitem__)] for row in rows]


def _free(backend: Backend, questions: Sequence[str], settings: Generative) -> list[str]:
    requests = [
        GenerateRequest(question, stop=("\n",), max_tokens=settings.max_tokens) for question in questions
    ]
    if not requests:
        return []
    backend.prepare(requests)
    said = [""] * len(requests)
    for index, response in backend.answer(requests):
        said[index] = getattr(response, "text", "")
    return said
