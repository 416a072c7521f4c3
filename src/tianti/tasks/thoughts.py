"""A task that is answered by writing a chain of thought, or several, of which the answer is extracted.

Wei et al. 2022 (arXiv 2201.11903) for examples with a rationale, Kojima et al. 2022 (arXiv 2205.11916) for the trigger
alone; here one text is written and the answer extracted by a rule. Several chains are Wang et al. 2023
(arXiv 2203.11171): what most chains answer counts, and a chain without an answer has no vote.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derive_seed
from tianti.engine import ChooseResponse, GenerateRequest, GenerateResponse, Response, Thinking
from tianti.tasks.chat import Delimiters
from tianti.tasks.extraction import extract, last_number
from tianti.tasks.kinds.kind import Sample
from tianti.tasks.metrics import UNSPACED_LANGUAGES, aspect_of, majority
from tianti.tasks.task import Grade, Question, Shots
from tianti.tasks.task_file.asking_keys import Pattern
from tianti.tasks.template import Field, bind
from tianti.tasks.wording import Thought

if TYPE_CHECKING:
    from tianti.tasks.yaml_task import YamlTask

TRIGGERS = {"en": "Let's think step by step.", "zh": "让我们一步一步地想。"}
WRITTEN = ("question-answering",)
CHOSEN = ("classification", "multiple-choice", "pair-matching")
NO_ANSWER = -1
"""Stands for the label of a chain without an answer; it is no label, and always wrong."""


class Thoughts:
    """Asks a task for chains of thought and grades the answers in them."""

    def __init__(self, task: YamlTask, thought: Thought) -> None:
        self.task = task
        self.thought = thought
        file = task.file
        trigger = thought.trigger
        self.trigger = TRIGGERS.get(file.language, TRIGGERS["en"]) if trigger is None else trigger
        rule = file.extract
        self.rule = rule.regex if isinstance(rule, Pattern) else rule or self._usual_rule

    @property
    def _usual_rule(self) -> str:
        return "answer" if self.task.kind.name in WRITTEN else "choice"

    def check(self, request_types: frozenset[type]) -> None:
        """Raise IncompatibleError where the task's answers are not of this form or the model writes nothing."""
        task = self.task
        if task.kind.name not in (*WRITTEN, *CHOSEN):
            raise IncompatibleError(
                f"{task.name}: the answers of {task.kind.name} are not extracted from a chain of thought",
                remedy=f"take a task of kind {', '.join((*WRITTEN, *CHOSEN))}, or zero-shot",
            )
        if task.file.perturbations or task.file.option_order or task.file.counterfactual or task.file.group:
            raise IncompatibleError(
                f"{task.name}: its further forms and groups are not asked for a chain of thought",
                remedy="leave perturbations, option_order, counterfactual and group out of the task file",
            )
        if GenerateRequest not in request_types:
            raise IncompatibleError(
                f"{task.name}: a chain of thought is written, and this model writes nothing",
                remedy="take a causal or an encoder–decoder model",
            )

    def questions(self, shots: Shots, limit: int | None) -> Iterator[Question]:
        """One request for each chain."""
        task = self.task
        if shots.k and task.file.doc_to_rationale is None:
            raise IncompatibleError(
                f"{task.name}: examples of a chain of thought show their rationale, and the task file names none",
                remedy="give it doc_to_rationale, a column or template that ends in the answer, or take k=0",
            )
        task.asker.check(shots, frozenset({GenerateRequest}))
        for sample in task.samples(task.split)[:limit]:
            prompt = self.prompt(sample, shots)
            seeds = (shots.seed, task.file.task, sample.id, "chain")
            request = replace(self._request(shots), context=prompt)
            yield Question(
                sample_id=sample.id,
                requests=tuple(
                    replace(request, seed=derive_seed(*seeds, number)) if request.temperature else request
                    for number in range(self.thought.chains)
                ),
                prompt=prompt,
                target=" / ".join(sample.form.targets),
                sample=sample,
                cluster=sample.cluster,
            )

    def prompt(self, sample: Sample, shots: Shots) -> str:
        """Description, examples with their rationale, the question and the trigger."""
        file = self.task.file
        space = "" if file.language in UNSPACED_LANGUAGES else " "
        between = Delimiters(space if self.trigger else file.target_delimiter, file.fewshot_delimiter)
        solved = [
            (self._asked(shot), self._rationale(shot)) for shot in self.task.asker.choose_shots(sample, shots)
        ]
        if shots.chat is not None:
            return shots.chat.prompt(sample.description, solved, self._asked(sample), between)
        before = [text + between.target + answer + between.shot for text, answer in solved]
        return "".join([sample.description, *before, self._asked(sample)])

    def grade(self, sample: Sample, responses: Sequence[Response]) -> Grade:
        """The values of the answer that most chains give."""
        texts = [response.text for response in responses if isinstance(response, GenerateResponse)]
        found = [answer for text in texts if (answer := extract(text, self.rule, sample.form.choices))]
        answer = majority(found, self.task.file.language) if found else ""
        values = self._chosen(sample, answer) if sample.form.choices else self._written(sample, answer)
        return Grade(answer, {name: values[name] for name in self.task.file.metric_names if name in values})

    def _written(self, sample: Sample, answer: str) -> dict[str, Any]:
        """A number is right when it is the same number; the normal form of texts would drop its sign and point."""
        judged = answer
        if self.rule == "last-number":
            judged = next(
                (target for target in sample.form.targets if answer and last_number(target) == answer), ""
            )
        response = GenerateResponse(judged)
        return dict(self.task.kind.grade(sample, [response], self.task.asker.setting).values)

    def _chosen(self, sample: Sample, answer: str) -> dict[str, Any]:
        """How sure the model was is not known of a choice that was written: those metrics have no value."""
        choices, gold = sample.form.choices, sample.form.label
        known = answer in choices
        place = choices.index(answer) if known else (gold or 0) - 1
        logprobs = [float("-inf")] * len(choices)
        logprobs[place] = 0.0
        values = self.task.kind.grade(
            sample, [ChooseResponse(tuple(logprobs))], self.task.asker.setting
        ).values
        return {
            name: [gold, NO_ANSWER] if isinstance(value, list) and not known else value
            for name, value in values.items()
            if aspect_of(name) != "calibration"
        }

    def _asked(self, sample: Sample) -> str:
        return sample.text + (self.task.file.target_delimiter + self.trigger if self.trigger else "")

    def _rationale(self, shot: Sample) -> str:
        return self._field.text(shot.row, f"sample {shot.id}")

    @cached_property
    def _field(self) -> Field:
        file = self.task.file
        columns = frozenset(self.task.samples(file.fewshot_split)[0].row)
        return bind("doc_to_rationale", file.doc_to_rationale or "", self.task.name, columns)

    def _request(self, shots: Shots) -> GenerateRequest:
        """With examples a chain ends where the next one would begin; without, where the model or the limit ends it."""
        thinking = self.task.file.thinking
        return GenerateRequest(
            context="",
            stop=(self.task.file.fewshot_delimiter,) if shots.k and shots.chat is None else (),
            max_tokens=self.thought.max_tokens,
            temperature=self.thought.temperature,
            top_p=self.thought.top_p,
            thinking=None if thinking is None else Thinking(thinking.max_tokens, thinking.end),
        )
