"""Head-only: the body is frozen, its features are computed once, and a linear head is fitted on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tianti.adapt.adaptation import Adapted
from tianti.adapt.fitting import need_trainable
from tianti.adapt.options import Checked, PositiveFloat, PositiveInt
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class HeadOnly(Checked):
    """One linear layer learns.

    - causal models: a copy of the output head, trained on the hidden states before the answers' tokens; what answers is
      still the prompt, so the head starts where zero-shot stands;
    - encoder–decoder models: the same on the decoder's states;
    - encoders, labels: multinomial logistic regression on the mean of the text's last hidden states, to its optimum;
    - encoders, choices: one scoring vector on the mean of question and choice, softmax over the choices, the same way;
    - encoders, tags: the regression on the last hidden state of each word's first token;
    - encoders, spans: one scoring vector for the answer's first token and one for its last, softmax over the passage.

    The number of passes, or the strength of the penalty, is chosen by the validation split, or by a tenth of the
    training split where there is none.
    """

    name: ClassVar[str] = "head-only"
    summary: ClassVar[str] = "a linear head is fitted on the frozen model's features"
    trains: ClassVar[bool] = True

    lr: PositiveFloat = 1e-3
    """Learning rate of an output head; the other heads are fitted by L-BFGS."""
    epochs: PositiveInt = 30
    """At most so many passes of an output head over its features."""
    max_examples: PositiveInt | None = None
    max_length: PositiveInt | None = None

    @property
    def seeded(self) -> bool:
        """The head is the optimum; only which examples are taken, where not all are, is drawn with the seed."""
        return self.max_examples is not None

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_trainable(self.name, model, task)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.heads import learn_head
        from tianti.adapt.lesson import Lesson

        # What little is drawn otherwise (held-out examples, the order of batches) is no part of the method.
        return learn_head(Lesson(self, model, task, seed if self.seeded else 0), folder, progress)
