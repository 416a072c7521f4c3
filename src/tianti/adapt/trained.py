"""What the trained adaptations have in common: each is a frozen dataclass that says which parameters learn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from tianti.adapt.adaptation import Adapted
from tianti.adapt.fitting import need_head, need_trainable
from tianti.adapt.options import Training
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class Trained(Training):
    """An adaptation that learns by gradients. A method gives `prepare`, and `reason_against` where it does not fit all.

    `head` puts a task head on the body of a language model, which otherwise learns answers as text. An encoder has
    such a head anyway.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = True
    own_weights: ClassVar[bool] = False
    """Whether weights of the model itself learn: in float32, and back in the model's dtype for answering. What is added
    to a model stays in float32."""
    goes_on: ClassVar[bool] = True
    """Whether the next trained step of a chain can start from it: its weights are the model's, or merge into them."""

    head: bool = field(default=False, kw_only=True)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Settings that say nothing beside the others: `head` came later, and false is what was before."""
        return super().left_out if self.head else (*super().left_out, "head")

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        form = need_trainable(self.name, model, task)
        if self.head:
            need_head(self.name, model, form)
        found = self.reason_against(learner(model, self.head))
        if found is not None:
            reason, remedy = found
            raise IncompatibleError(f"{self.name} does not fit {model.model.name}: {reason}", remedy=remedy)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.learning import learn
        from tianti.adapt.lesson import Lesson

        prepare = partial(self.prepare, tokenizer=model.pair()[1])
        return learn(Lesson(self, model, task, seed), prepare, folder, progress)

    @abstractmethod
    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        """A copy of `network` in which the parameters that learn, and no others, require a gradient.

        `network` is a language model, or the body under a head. Fresh weights are drawn from torch's global random
        state.
        """

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        """(why `network` cannot be adapted so, the remedy); None where it can."""
        return None


def learner(model: LoadedModel, head: bool) -> Any:
    """The network that is prepared: the language model, or the body that gets a head."""
    from tianti.adapt.networks import body_of

    network, _ = model.pair()
    by_head = head or model.model.architecture in ("encoder", "masked")
    return body_of(network) if by_head else network
