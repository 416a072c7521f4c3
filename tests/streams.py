"""Short streams for tests: tasks that one word decides, tiny models, and learning as the conductor does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stub_task import StubTask
from tianti.adapt import Continual
from tianti.adapt.stages import address, stages
from tianti.core.progress import Silent
from tianti.evaluation.evaluate import evaluate
from tianti.models import LoadedModel, from_objects
from tianti.tasks.task import Example, Shots
from tiny import tiny_bert, tiny_llama, tiny_t5, tiny_tokenizer

# All tasks are about all words, and each asks for another one: what one task has learned is wrong in the next.
WORDS = {"first": ("wonderful", "dull"), "second": ("dull", "wonderful"), "third": ("warm", "cold")}
NAMES = ("Anna", "Ben", "Carla", "Dan", "Eva", "Finn", "Gus", "Ida")
NETWORKS = {"llama": tiny_llama, "bert": tiny_bert, "t5": tiny_t5}
METHODS = {"full": "full(lr=3e-3, epochs=6, batch=8)", "lora": "lora(r=4, lr=2e-2, epochs=6, batch=8)"}
"""Settings with which the tiny models learn a task in a second."""


def task_of(name: str) -> StubTask:
    """Sixteen examples, right or wrong by one of two words."""
    examples = [
        Example(
            f"{name}: {who} says {word}. It is", f" {('right', 'wrong')[label]}", f"{name}: {who} says {word}.",
            ("right", "wrong")[label], ("right", "wrong"), label,
        )
        for who in NAMES for label, word in enumerate(WORDS[name])
    ]  # fmt: skip
    return StubTask(examples, examples[:4], name=f"stub/{name}")


def stream_of(method: str, strategy: str = "plain", stage: int | None = None, names: Any = None) -> Continual:
    """A stream of the tasks above: the first two, where no names are given."""
    tasks = [task_of(name) for name in names or ("first", "second")]
    references = [task.info.name for task in tasks]
    return Continual.over(
        tasks, references, method=METHODS.get(method, method), strategy=strategy, stage=stage
    )


def model_of(name: str) -> LoadedModel:
    """A tiny llama, bert or t5."""
    return from_objects(NETWORKS[name](), tiny_tokenizer(), name)


def learned(adaptation: Continual, model: LoadedModel, task: Any, folder: Path, seed: int = 0) -> Any:
    """Adapted as the conductor does: in the folder that the address names."""
    adaptation.check(model, task)
    place = folder / address(model, stages(adaptation, task, seed))[:16]
    return adaptation.adapt(model, task, seed, place, Silent())


def accuracy(adapted: Any, task: Any) -> float:
    """The share of right answers on the task's own examples."""
    answers = [answer for shard in evaluate(adapted.backend, task, Shots(0)) for answer in shard]
    return sum(answer.values["acc"] for answer in answers) / len(answers)
