"""Update: a model that has learned goes on learning, on data that came later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tianti.adapt.adaptation import Adaptation, Adapted
from tianti.adapt.options import Checked, PositiveFloat, PositiveInt
from tianti.adapt.prompting import Text
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class Update(Checked):
    """The parameters that the step before has trained are trained on, from where they stand, on other examples.

    Without `data` the training split is cut: this step gets `share` of it, drawn with the seed in the proportions of
    the labels, and the steps before never see that part. With `data` the new examples are the training split of
    another task (a reference such as `nano/sentiment(seed=7)` or a task file), and nothing is cut.

    It is plain training: nothing is done against forgetting. `lr` and `epochs` are those of the step before where
    they are not given.
    """

    name: ClassVar[str] = "update"
    summary: ClassVar[str] = "the step before goes on learning, on data that came later"
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = True

    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    data: Text | None = None
    lr: PositiveFloat | Literal["auto"] | None = None
    epochs: PositiveInt | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data is not None and self.share is not None:
            raise InputError(
                "update: share and data do not go together",
                remedy="share cuts the task's own split, data is other data",
            )
        if self.data is None and self.share is None:
            object.__setattr__(self, "share", 0.5)

    @property
    def part(self) -> float:
        """The share of the task's own training split that this step takes."""
        return self.share or 0.0

    def after(self, step: Adaptation) -> Adaptation:
        """`step` as it goes on: its own settings, and those that are given here.

        Raises:
            InputError: `step` has no such setting.
        """
        given = {"lr": self.lr, "epochs": self.epochs}
        changes = {name: value for name, value in given.items() if value is not None}
        for name in changes:
            if not hasattr(step, name):
                raise InputError(f"update: {step.name} has no {name} to change", remedy=f"leave {name} out")
        changed: Any = step
        return replace(changed, **changes) if changes else step

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        raise _alone()

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        raise _alone()


def _alone() -> IncompatibleError:
    return IncompatibleError(
        "update goes on with what another step has trained, and stands alone",
        remedy="write it behind that step: lora + update(share=0.5)",
    )
