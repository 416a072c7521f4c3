"""The outputs of a network for examples of a task: what distillation and dark experience compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tianti.adapt.fitting import form_of
from tianti.core.exceptions import IncompatibleError
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import Family


def outputs(family: Family, task: int, items: Sequence[Any]) -> Tensor:
    """The logits of task `task` for these items: [tokens of the answers, vocabulary], or [items, labels] of its
    head."""
    from tianti.adapt.losses import answer_logits, choice_scores
    from tianti.adapt.objectives.relations import RelationNetwork
    from tianti.adapt.objectives.seq2seq_text import pair_logits

    network = family.networks[task]
    if isinstance(network, RelationNetwork):
        return network.read(items)
    if family.head is not None:
        return choice_scores(network, items)[0]
    read = pair_logits if network.config.is_encoder_decoder else answer_logits
    return read(network, items)[0]


def check_outputs(name: str, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
    """Raise IncompatibleError unless the outputs for all tasks are a row of labels for each example, or text."""
    by_head = model.model.architecture in ("encoder", "masked") or method.head
    for task in tasks if by_head else ():
        form = form_of(task.examples("train"), task.info.kind)
        if form != "labels":
            raise IncompatibleError(
                f"{name} does not fit {task.info.name} on {model.model.name}: it compares outputs by label, and this "
                f"task is learned as {form}",
                remedy="use replay, or a language model without a head",
            )
