"""Tasks of lm-evaluation-harness, asked through our engine: its prompts, filters and metrics, our answers.

A task's prompts are those of lm-eval on one process. Three rules where a study says more than lm-eval does:

- the study's number of shots wins over a `num_fewshot` in the task's YAML (zero-shot GSM8K has no shots, though its
  YAML says 5), but a task whose YAML says 0 has no place for shots and refuses them;
- how shots are chosen is the task's own choice (`random` and `first` give it, other selections are refused); they are
  drawn with lm-eval's default seed plus the seed of the shots, so that seed 0 gives lm-eval's prompts;
- a backend that can only choose (a head, a classifier) is shown the question and its choices, without shots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tianti.core.exceptions import IncompatibleError
from tianti.core.fingerprint import fingerprint
from tianti.core.progress import Progress
from tianti.engine import (
    ChooseRequest,
    ChooseResponse,
    GenerateRequest,
    Response,
    RollingRequest,
    ScoreRequest,
)
from tianti.tasks.harness_documents import choices_of, example_of, guess_language, guessing, target_text
from tianti.tasks.harness_filters import are_known, check_filters
from tianti.tasks.harness_fingerprint import configuration_of, describe, digest_documents, documents_of
from tianti.tasks.harness_index import harness_version, list_harness
from tianti.tasks.harness_load import build_lm_eval_tasks, explained, lm_eval_seeds, without_bar
from tianti.tasks.harness_metrics import harness_metrics, metric_name, without_lengths
from tianti.tasks.harness_requests import (
    answered,
    chat_arguments,
    to_request,
    to_value,
)
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, TaskInfo
from tianti.tasks.wording import Wording

__all__ = ["HarnessTask", "list_harness", "load_harness_tasks"]

FEWSHOT_SEED = 1234
"""lm-eval's default."""
_REQUEST_TYPES = {
    "loglikelihood": ScoreRequest,
    "multiple_choice": ScoreRequest,
    "loglikelihood_rolling": RollingRequest,
    "generate_until": GenerateRequest,
}


def load_harness_tasks(
    name: str, include: Sequence[Path] = (), progress: Progress | None = None
) -> list[HarnessTask]:
    """The tasks that a name of lm-eval stands for: one, or all of a group or tag.

    Args:
        include: folders of a user's own lm-eval YAML files (with `!function` too); their names win over packaged ones.

    Raises:
        UnknownNameError: there is no such name; carries the nearest ones.
        TaskError: a task, or the data set that it names, cannot be used.
        MissingExtraError: lm-eval is not installed.
    """
    return [HarnessTask(task) for task in build_lm_eval_tasks(name, include, progress)]


@dataclass(frozen=True)
class _Asked:
    """What `grade` needs of a question: lm-eval's instances for one document, in their order."""

    document: Any
    instances: tuple[Any, ...]


class HarnessTask:
    """One task of lm-evaluation-harness; `task` is lm-eval's own object."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._name = f"harness:{task.config.task}"
        self._shots_of_yaml: int | None = task.config.num_fewshot
        self._multiple_input = bool(getattr(task, "multiple_input", 0))
        self._configuration = configuration_of(task)
        self._filters_checked = are_known(task)

    @cached_property
    def info(self) -> TaskInfo:
        config = self._task.config
        dataset = "/".join(str(part) for part in (config.dataset_path, config.dataset_name) if part)
        return TaskInfo(
            name=self._name,
            kind=f"harness/{self._task.OUTPUT_TYPE}",
            language=guess_language(str(self._task.doc_to_text(self._documents[0]))),
            description=f"{config.task_alias or config.task}, from lm-evaluation-harness {harness_version()}",
            source=dataset,
            split=_evaluation_split(self._task),
            version=str(self._task.VERSION),
            settings={
                "num_fewshot of the YAML": self._shots_of_yaml,
                "sampler": str(config.fewshot_config.sampler),
                "generation_kwargs": describe(config.generation_kwargs),
                "repeats": config.repeats,
                "filters": [ensemble.name for ensemble in self._task._filters],
            },
        )

    @cached_property
    def fingerprint(self) -> str:
        digest = partial(digest_documents, self._name)
        with lm_eval_seeds():
            documents = {split: digest(documents) for split, documents in documents_of(self._task).items()}
        return fingerprint(
            {
                "lm_eval": harness_version(),
                "fewshot_seed": FEWSHOT_SEED,
                "configuration": self._configuration,
                "documents": documents,
            }
        )

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        task = self._task
        is_choice = task.OUTPUT_TYPE == "multiple_choice" and task.config.process_results is None
        return harness_metrics(task, guessing(task, self._documents) if is_choice else None)

    def count(self, limit: int | None = None) -> int:
        return len(self._documents) if limit is None else min(limit, len(self._documents))

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        self._check_shots(shots)
        choose = self._chooses(request_types)
        if choose and (shots.k or shots.chat is not None):
            raise IncompatibleError(
                f"{self._name}: shots and chats stand in a prompt, and this model reads none",
                remedy="adapt it another way",
            )
        return self._questions(self._instances(shots, limit), choose, shots.seed)

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        asked: _Asked = question.sample
        instances = answered(asked.instances, responses)
        self._task._instances = instances
        self._task.apply_filters()
        values: dict[str, Any] = {}
        for filter_name in instances[0].filtered_resps:
            results = [instance.filtered_resps[filter_name] for instance in instances]
            found = self._task.process_results(asked.document, results)
            if isinstance(responses[0], ChooseResponse):
                found = without_lengths(found)
            named = {metric_name(metric, filter_name): to_value(metric, found[metric]) for metric in found}
            # What is not a number (NaN) is missing, not a value.
            values |= {name: value for name, value in named.items() if value is not None}
        return Grade(prediction=self._prediction(asked, instances), values=values)

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        """Empty, too, where the split is the one that is evaluated: nobody learns from the questions."""
        name = self._task.config.training_split if split == "train" else self._task.config.validation_split
        has = self._task.has_training_docs() if split == "train" else self._task.has_validation_docs()
        if not has or (name or split) == _evaluation_split(self._task):
            return []
        with lm_eval_seeds(), explained(self._task.config.task, {}):
            self._task.set_fewshot_seed(FEWSHOT_SEED)
            documents = self._task.training_docs() if split == "train" else self._task.validation_docs()
            return [
                example_of(self._task, document, f"{self._name}, {split} document {index}")
                for index, document in enumerate(documents)
            ]

    @cached_property
    def _documents(self) -> Any:
        with lm_eval_seeds():
            return self._task.eval_docs

    def _check_shots(self, shots: Shots) -> None:
        if shots.wording != Wording():
            raise IncompatibleError(
                f"{self._name} is asked as its YAML says: it has no templates, instruction, calibration or chain of "
                "thought of ours",
                remedy="use zero-shot or few-shot without these, or write a task file of your own (tianti task new)",
            )
        if shots.chat is not None and self._task.OUTPUT_TYPE == "loglikelihood_rolling":
            raise IncompatibleError(
                f"{self._name} measures whole texts: there is no question for a chat", remedy="leave chat out"
            )
        if shots.k == 0:
            return
        if shots.selection not in ("random", "first"):
            raise IncompatibleError(
                f"{self._name} chooses its examples itself: it has no selection={shots.selection}",
                remedy="leave selection out, or write a task file of your own (tianti task new)",
            )
        if self._task.OUTPUT_TYPE == "loglikelihood_rolling":
            raise IncompatibleError(f"{self._name} measures whole texts: there is no place for shots")
        if self._shots_of_yaml == 0:
            raise IncompatibleError(
                f"{self._name} is asked without shots: its YAML says num_fewshot: 0", remedy="use zero-shot"
            )
        sampler = getattr(self._task, "sampler", None)
        available = len(sampler.df) if sampler is not None else None
        if available is not None and available < shots.k:
            raise IncompatibleError(f"{self._name} has {available} examples for shots, not {shots.k}")

    def _chooses(self, request_types: frozenset[type]) -> bool:
        """Whether the questions are asked as ChooseRequests; False: as lm-eval asks them."""
        needed = _REQUEST_TYPES[self._task.OUTPUT_TYPE]
        if needed in request_types:
            return False
        if (
            self._task.OUTPUT_TYPE == "multiple_choice"
            and not self._task.multiple_input
            and ChooseRequest in request_types
        ):
            return True
        raise IncompatibleError(
            f"{self._name} ({self._task.OUTPUT_TYPE}) needs a model that answers a {needed.__name__}; "
            f"this one answers {', '.join(sorted(kind.__name__ for kind in request_types)) or 'nothing'}",
            remedy="use a language model, or a task of another kind",
        )

    def _instances(self, shots: Shots, limit: int | None) -> list[Any]:
        """lm-eval's instances of all documents up to the limit, fresh each time."""
        with explained(self._task.config.task, {}), lm_eval_seeds(), without_bar():
            self._task.set_fewshot_seed(FEWSHOT_SEED + shots.seed)
            self._task.set_config("num_fewshot", shots.k)
            self._task.build_all_requests(limit=limit, **chat_arguments(shots.chat))
        instances: list[Any] = self._task.instances
        if not self._filters_checked:
            check_filters(self._task, instances)
            self._filters_checked = True
        return instances

    def _questions(self, instances: list[Any], choose: bool, seed: int) -> Iterator[Question]:
        for doc_id, group in groupby(instances, key=lambda instance: instance.doc_id):
            asked = tuple(sorted(group, key=lambda instance: instance.idx))
            document = asked[0].doc
            choices = choices_of(self._task, document)
            if choose:
                requests: tuple[Any, ...] = (ChooseRequest(asked[0].args[0], choices),)
            else:
                requests = tuple(
                    to_request(instance, repeat, seed)
                    for instance in asked
                    for repeat in range(instance.repeats)
                )
            yield Question(
                sample_id=str(doc_id),
                requests=requests,
                prompt="" if isinstance(requests[0], RollingRequest) else asked[0].args[0],
                target=target_text(self._task, document),
                sample=_Asked(document, asked),
            )

    def _prediction(self, asked: _Asked, instances: list[Any]) -> str:
        """The choice or text that the model gave; for a log-likelihood the target, if the model would have said it."""
        first = instances[0].resps[0]
        if choices := choices_of(self._task, asked.document):
            return choices[int(np.argmax([instance.resps[0][0] for instance in instances[: len(choices)]]))]
        if isinstance(first, str):
            return str(next(iter(instances[0].filtered_resps.values())))
        if isinstance(first, tuple) and first[1]:
            return str(asked.instances[0].args[1])
        return ""


def _evaluation_split(task: Any) -> str:
    if task.has_test_docs():
        return task.config.test_split or "test"
    return task.config.validation_split or "validation"
