"""How the samples of a task file are asked: the examples before them, the prompt, repeats, other forms, seeds.

What changes prompts or the choice of examples raises `PROMPT_VERSION` in `yaml_task.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derive_seed
from tianti.engine import GenerateRequest, Request, ScoreRequest, Thinking
from tianti.tasks.chat import Delimiters
from tianti.tasks.kinds import KINDS
from tianti.tasks.kinds.kind import Sample, Setting, Variant
from tianti.tasks.samples import TaskData
from tianti.tasks.selection import ShotPool
from tianti.tasks.task import Question, Shots
from tianti.tasks.task_file import TaskFile


class Asker:
    """Makes the questions of one split; `name` stands for the task in errors."""

    def __init__(self, file: TaskFile, data: TaskData, split: str, name: str) -> None:
        self._file = file
        self._data = data
        self._split = split
        self._name = name
        self._kind = KINDS[file.kind]

    def check(self, shots: Shots, request_types: frozenset[type]) -> None:
        """Raise IncompatibleError where the task or the model has no place for these shots, or for a chat."""
        if shots.chat is not None:
            self._check_chat(request_types)
        if shots.k == 0:
            return
        if not self._kind.takes_shots:
            raise IncompatibleError(
                f"{self._name}: {self._kind.name} has no solved examples to show",
                remedy="adapt with zero-shot",
            )
        if self._file.fewshot_split not in self._file.splits:
            raise IncompatibleError(
                f"{self._name}: has no split {self._file.fewshot_split!r} to take shots from",
                remedy=f"give it in data, or set fewshot_split to one of {', '.join(self._file.splits)}",
            )
        if not request_types & {ScoreRequest, GenerateRequest}:
            raise IncompatibleError(
                f"{self._name}: shots stand in a prompt, and this model reads none",
                remedy="adapt it another way",
            )

    def question(self, sample: Sample, shots: Shots, request_types: frozenset[type]) -> Question:
        """The question of a sample: its requests, each as often as it is repeated, then those of its other forms."""
        prompt, setting = self.prompt(sample, shots), self.setting
        if shots.chat is not None:
            setting = replace(setting, target_delimiter="")  # the template says where the answer begins
        seeds = (shots.seed, self._file.task, sample.id)
        sample = replace(sample, variants=self._variants.get(sample.id, ()))
        others = [
            _seeded(request, (*seeds, "variant"), number)
            for number, variant in enumerate(sample.variants)
            for request in self._kind.requests(
                self.prompt(sample, shots, variant.sample), variant.sample, setting, request_types
            )
        ]
        return Question(
            sample_id=sample.id,
            requests=(
                *(
                    _seeded(request, seeds, repeat)
                    for request in self._kind.requests(prompt, sample, setting, request_types)
                    for repeat in range(self.answers)
                ),
                *others,
            ),
            prompt=prompt,
            target=" / ".join(sample.form.targets),
            sample=sample,
            cluster=sample.cluster,
        )

    def prompt(self, sample: Sample, shots: Shots, variant: Sample | None = None) -> str:
        """Description, solved examples and the sample's own text, joined as lm-evaluation-harness joins them.

        A `variant` of the sample has the same examples before it.
        """
        between = Delimiters(self._file.target_delimiter, self._file.fewshot_delimiter)
        solved = [(shot.text, shot.target) for shot in self.choose_shots(sample, shots)]
        sample = variant or sample
        if shots.chat is not None:
            return shots.chat.prompt(sample.description, solved, sample.text, between)
        before = [text + between.target + answer + between.shot for text, answer in solved]
        return "".join([sample.description, *before, sample.text])

    def choose_shots(self, sample: Sample, shots: Shots) -> list[Sample]:
        """The `shots.k` solved examples for one sample; see `tasks/selection.py`."""
        return self._shot_pool.choose(sample, shots) if shots.k else []

    @cached_property
    def setting(self) -> Setting:
        """What the kind must know to ask and to grade."""
        file, generation = self._file, self._file.generation_kwargs
        request = GenerateRequest(
            context="",
            stop=tuple(generation.until if generation.until is not None else [file.fewshot_delimiter]),
            max_tokens=generation.max_gen_toks,
            temperature=generation.temperature,
            top_p=generation.top_p,
            thinking=None if file.thinking is None else Thinking(file.thinking.max_tokens, file.thinking.end),
        )
        return Setting(
            task=self._name,
            language=file.language,
            target_delimiter=file.target_delimiter,
            generation=request,
            target_language=file.target_language or "",
            metrics=file.metric_names,
            shot_delimiter=file.fewshot_delimiter,
            generate=file.augmentation.generate if file.augmentation else 0,
        )

    @property
    def answers(self) -> int:
        """How many answers are drawn to a sample as it is: `repeats`, or where they are sampled and perturbations are
        asked, as many as there are forms with it, so that their worst can be compared."""
        perturbed = self._file.perturbations
        if perturbed is not None and self._file.generation_kwargs.do_sample:
            return 1 + len(perturbed.kinds)
        return self._file.repeats

    @cached_property
    def _shot_pool(self) -> ShotPool:
        split = self._file.fewshot_split
        return ShotPool(self._data.samples(split), self._file.task, self._name, split)

    def _check_chat(self, request_types: frozenset[type]) -> None:
        if not self._kind.takes_shots:
            raise IncompatibleError(
                f"{self._name}: {self._kind.name} has no question for a chat", remedy="leave chat out"
            )
        if not request_types & {ScoreRequest, GenerateRequest}:
            raise IncompatibleError(
                f"{self._name}: a chat is held in a prompt, and this model reads none",
                remedy="adapt it another way",
            )

    @cached_property
    def _variants(self) -> dict[str, tuple[Variant, ...]]:
        file = self._file
        if file.perturbations is None and file.option_order is None and file.counterfactual is None:
            return {}
        return self._data.variants(self._split)


def _seeded(request: Request, seeds: tuple[int | str, ...], repeat: int) -> Request:
    """A sampled request with a seed of its own for each repeat, the first one's being that of a single answer.

    Of several requests to a sample the kind gives each another number as its seed.
    """
    if not isinstance(request, GenerateRequest) or request.temperature == 0:
        return request
    number = ("request", request.seed) if request.seed else ()
    return replace(request, seed=derive_seed(*seeds, *number, *((repeat,) if repeat else ())))
