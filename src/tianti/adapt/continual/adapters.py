"""An adapter for each task, and a router that says which one a text is for: a dynamic architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tianti.adapt.continual.bounds import Separate
from tianti.adapt.continual.orthogonal import need_lora
from tianti.adapt.options import PositiveInt
from tianti.engine.tokens import Tokens, Window
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import Family, OfTask

BATCH = 32


@dataclass(frozen=True)
class PerTask(Separate):
    """LoRA matrices for each task beside the same frozen weights. Where the task is known nothing is forgotten, by
    construction.

    Where it is not known, a text goes to the task whose mean features are nearest (Euclidean; the mean over tokens
    of the untrained model's last hidden states, over `samples` training examples). The board's answers are those of
    the known task; the share of the task's validation examples (training examples where it has none) that the router
    sends to it stands in each run's facts as `router`, with the split that they are from.
    """

    name: ClassVar[str] = "adapters"
    routes: ClassVar[bool] = True
    summary: ClassVar[str] = "LoRA matrices for each task, and a router that tells the tasks apart"

    samples: PositiveInt = 64

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        need_lora(self.name, method, "a whole model for each task is what separate does")

    def route(self, family: Family, task: int) -> Mapping[str, Any]:
        """How well the router knows task `task` of an untrained family over all tasks of the stream."""
        import torch

        if len(family.objectives) < 2:
            return {}
        family.train(False)
        centres = torch.stack(
            [self._features(family, number, "train").mean(dim=0) for number in range(len(family.objectives))]
        )
        lesson = family.objectives[task].lesson
        split = "validation" if lesson.examples(lesson.adaptation.max_examples)[1] else "train"
        asked = self._features(family, task, split)
        chosen = nearest(asked, centres)
        return {
            "router": {
                "accuracy": float((chosen == task).float().mean()),
                "examples": len(asked),
                "split": split,
                "tasks": len(centres),
            }
        }

    def _features(self, family: Family, task: int, split: str) -> Tensor:
        lesson = family.objectives[task].lesson
        train, validation = lesson.examples(lesson.adaptation.max_examples)
        examples = validation if split == "validation" else train
        return features_of(family, family.items(task, examples[: self.samples]))


def features_of(family: Family, items: Sequence[OfTask]) -> Tensor:
    """[items, width]: the mean of the last hidden states over the tokens of what is asked, without the answer."""
    import torch

    from tianti.adapt.networks import body_of
    from tianti.adapt.samples import pad

    body = family.shared if family.head is not None else body_of(family.shared)
    found = []
    with torch.no_grad():
        for start in range(0, len(items), BATCH):
            rows = [asked(item.item) for item in items[start : start + BATCH]]
            ids, mask = pad(rows, 0, next(family.parameters()).device)
            hidden = body(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            weights = mask.unsqueeze(-1).float()
            found.append((hidden * weights).sum(dim=1) / weights.sum(dim=1))
    return torch.cat(found).cpu()


def asked(item: Any) -> Tokens:
    """The tokens of an example that are there before it is answered."""
    from tianti.engine.seq2seq.pairs import Pair

    if isinstance(item, Window):
        context = item.tokens[: -item.scored]
        return context if len(context) else item.tokens[:1]
    if isinstance(item, Pair):
        return item.context
    first: Tokens = item.rows[0]
    return first


def nearest(features: Tensor, centres: Tensor) -> Tensor:
    """For each row of features [n, width] the number of the nearest centre [tasks, width]."""
    import torch

    return torch.cdist(features, centres).argmin(dim=1)
