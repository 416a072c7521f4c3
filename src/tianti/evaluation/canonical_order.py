"""The canonical-order test of a model on a task's data (Oren et al. 2024, arXiv:2310.17623)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tianti.core.exceptions import IncompatibleError
from tianti.core.seeds import derived_random
from tianti.engine import Backend, Failure, RollingRequest, RollingResponse
from tianti.stats.canonical_order import CanonicalOrder, canonical_order_test
from tianti.tasks.task import Shots, Task

SHARDS = 50
PERMUTATIONS = 20
BETWEEN_ITEMS = "\n\n"


def check_order(
    backend: Backend,
    task: Task,
    *,
    limit: int | None = None,
    shards: int = SHARDS,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> CanonicalOrder:
    """Compare the data's own order with shuffled ones, shard by shard.

    Items that share a cluster stand together in the data, so whole clusters are shuffled. A shard has at least two
    of them; there are fewer shards where the data is small. A text that is longer than the model's context is read
    in windows.

    Raises:
        IncompatibleError: the model gives no log-probabilities of texts, or there are too few items.
    """
    if RollingRequest not in backend.request_types:
        raise IncompatibleError("the model gives no log-probabilities of whole texts")
    units = _units(task, backend.request_types, limit)
    count = min(shards, len(units) // 2)
    if count < 2:
        raise IncompatibleError(f"{len(units)} items in an order are too few for a test")
    requests = [
        RollingRequest(BETWEEN_ITEMS.join(order))
        for number, shard in enumerate(np.array_split(np.array(units, dtype=object), count))
        for order in _orders(list(shard), permutations, f"{seed}/{number}")
    ]
    answered = dict(backend.answer(requests))
    logprobs = []
    for index in range(len(requests)):
        response = answered[index]
        if not isinstance(response, RollingResponse):
            reason = response.reason if isinstance(response, Failure) else "no log-probability"
            raise IncompatibleError(f"the model could not read a shard: {reason}")
        logprobs.append(response.logprob)
    return canonical_order_test(np.array(logprobs).reshape(count, 1 + permutations), seed)


def _orders(items: Sequence[str], permutations: int, key: str) -> list[list[str]]:
    """The canonical order, and random ones."""
    generator = derived_random("canonical order", key)
    return [list(items), *(generator.sample(items, len(items)) for _ in range(permutations))]


def _units(task: Task, types: frozenset[type], limit: int | None) -> list[str]:
    """Question and answer of each item, in the order of the data; those of a cluster that stand together as one."""
    units: list[tuple[str, str]] = []
    for question in task.questions(Shots(), types, limit):
        text = f"{question.prompt} {question.target}".strip()
        if question.cluster and units and units[-1][0] == question.cluster:
            units[-1] = (question.cluster, f"{units[-1][1]}{BETWEEN_ITEMS}{text}")
        else:
            units.append((question.cluster, text))
    return [text for _, text in units]
