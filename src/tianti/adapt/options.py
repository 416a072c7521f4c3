"""The fields of adaptations: checked when one is made, listed for manifests, shown in the short notation."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from tianti.core.exceptions import InputError, nearest

PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Weights = Annotated[tuple[NotNegative, ...], Field(min_length=2)]


class Checked:
    """A base of frozen dataclasses whose fields are checked against their annotations when one is made."""

    name: ClassVar[str]
    listed: ClassVar[str] = "`tianti adaptations show {name}` lists the arguments"
    """The remedy of an error: where the settings are described."""

    def __post_init__(self) -> None:
        adaptation: Any = type(self)
        for key, adapter in _adapters(adaptation).items():
            object.__setattr__(self, key, self._check(key, getattr(self, key), adapter))

    def _check(self, key: str, value: Any, adapter: TypeAdapter[Any]) -> Any:
        """`value` as the annotation wants it: [a, b] becomes a tuple, 1 a float, but never "8" a number."""
        try:
            return adapter.validate_json(json.dumps(value), strict=True)
        except (ValidationError, TypeError) as error:
            expected = (
                [fault["msg"] for fault in error.errors()] if isinstance(error, ValidationError) else []
            )
            wanted = (
                " or ".join(dict.fromkeys(text[:1].lower() + text[1:] for text in expected)) or "plain JSON"
            )
            near = nearest(value, re.findall(r"'([^']+)'", wanted)) if isinstance(value, str) else []
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise InputError(
                f"{self.name}: {key} cannot be {value!r}: {wanted}{hint}",
                remedy=self.listed.format(name=self.name),
            ) from error


@cache
def _adapters(adaptation: Any) -> dict[str, TypeAdapter[Any]]:
    hints = get_type_hints(adaptation, include_extras=True)
    return {field.name: TypeAdapter(hints[field.name]) for field in fields(adaptation)}


def all_settings(adaptation: Any) -> dict[str, Any]:
    """All fields with their values, as JSON; those that can only be given by name stand last."""
    names = [field.name for field in sorted(fields(adaptation), key=lambda field: bool(field.kw_only))]
    values = {name: getattr(adaptation, name) for name in names}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def settings(adaptation: Any) -> dict[str, Any]:
    """The settings that mean something beside the others; together with the name they say what the adaptation is.

    Those of a chain are its steps; one that is searched is what it is chosen from; those of a stream are written out
    with all settings of its method and strategy. Where another task is learned, that task stands under `from`.
    """
    if hasattr(adaptation, "base") and hasattr(adaptation, "data"):
        return {**settings(adaptation.base), "from": adaptation.data}
    if hasattr(adaptation, "space"):
        return dict(adaptation.all_settings)
    if hasattr(adaptation, "in_full"):
        return dict(adaptation.in_full)
    if hasattr(adaptation, "steps"):
        return {"steps": [{"name": step.name, "settings": settings(step)} for step in adaptation.steps]}
    left_out = getattr(adaptation, "left_out", ())
    return {key: value for key, value in all_settings(adaptation).items() if key not in left_out}


def changed(adaptation: Any) -> dict[str, Any]:
    """The fields that differ from their defaults, and those that the class always shows."""
    always = getattr(adaptation, "always_shown", ())
    default = {field.name: field.default for field in fields(adaptation)}
    return {
        name: value
        for name, value in settings(adaptation).items()
        if name in always or default[name] is MISSING or getattr(adaptation, name) != default[name]
    }


@dataclass(frozen=True)
class Training(Checked):
    """What all trained adaptations share.

    `lr` and `batch` auto are those of `defaults.py`. After each epoch the loss on the validation split is taken (on a
    tenth of the training split where there is none), and the weights of the best epoch are kept.
    """

    lr: PositiveFloat | Literal["auto"] = "auto"
    epochs: PositiveInt = 3
    batch: PositiveInt | Literal["auto"] = 16
    """Examples that go through the network at once; a step of the optimizer takes `accumulate` times as many."""
    warmup: Share = 0.06
    """Share of the steps in which the learning rate rises from 0; then it follows the schedule."""
    weight_decay: NotNegative = 0.01
    max_grad_norm: PositiveFloat = 1.0
    max_examples: PositiveInt | None = None
    """Train on so many examples, drawn with the seed."""
    max_length: PositiveInt | None = None
    """Tokens of an example; what the model reads where it is not given."""
    optimizer: Literal["adamw", "sgd"] = field(default="adamw", kw_only=True)
    momentum: BelowOne = field(default=0.9, kw_only=True)
    """Of sgd."""
    schedule: Literal["linear", "cosine", "constant"] = field(default="linear", kw_only=True)
    accumulate: PositiveInt = field(default=1, kw_only=True)
    """Batches whose gradients are added up to one step: the gradient of a larger batch in the memory of a small one."""
    batches: Literal["grouped", "packed", "random"] = field(default="grouped", kw_only=True)
    """`grouped`: examples of about equal length meet in a batch. `random`: any do. `packed`: any do, and they are laid
    end to end instead of padded (causal models)."""
    class_weights: Literal["balanced"] | Weights | None = field(default=None, kw_only=True)
    """What an example weighs in the loss, by its label: given, or such that all labels weigh the same together."""
    label_smoothing: BelowOne = field(default=0.0, kw_only=True)
    monitor: Literal["loss", "metric"] = field(default="loss", kw_only=True)
    """The validation figure that chooses the best epoch: the loss, or the share of right answers."""
    patience: PositiveInt | None = field(default=None, kw_only=True)
    """Stop after so many epochs without a better one; None trains all epochs."""
    precision: Literal["auto", "float32", "bfloat16"] = field(default="float32", kw_only=True)
    """Of the matrix products; weights and sums stay in float32. `auto`: bfloat16 where the device has it natively."""
    head_lr: PositiveFloat | None = field(default=None, kw_only=True)
    """Learning rate of a fresh head on a body; None: that of all else. A head that starts from nothing often wants more
    than a body that is trained already."""
    gradient_checkpointing: bool = field(default=False, kw_only=True)
    """Compute activations twice instead of keeping them: about a third more time, a fraction of the memory."""

    later: ClassVar[tuple[str, ...]] = (
        "optimizer",
        "momentum",
        "schedule",
        "accumulate",
        "batches",
        "class_weights",
        "label_smoothing",
        "monitor",
        "patience",
        "precision",
        "head_lr",
        "gradient_checkpointing",
    )
    """Settings that came after there were trials: with their defaults they are no part of a manifest."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum != _defaults(self)["momentum"] and self.optimizer != "sgd":
            raise InputError(
                f"{self.name}: momentum is a setting of sgd, and the optimizer is {self.optimizer}",
                remedy="add optimizer=sgd, or leave momentum out",
            )

    @property
    def left_out(self) -> tuple[str, ...]:
        """What does not stand in a manifest, so that trials keep the ids that they had before there was more to set."""
        default = _defaults(self)
        unset = [name for name in self.later if getattr(self, name) == default[name]]
        return tuple(name for name in unset if not (name == "momentum" and self.optimizer == "sgd"))

    @property
    def step_examples(self) -> int:
        """Examples of one step of the optimizer; `batch` must be a number."""
        return self.batch_size * self.accumulate

    @property
    def batch_size(self) -> int:
        """`batch` as a number; `defaults.resolved` puts one there."""
        if self.batch == "auto":
            raise ValueError("batch is auto: use defaults.resolved first")
        return self.batch


def _defaults(adaptation: Any) -> dict[str, Any]:
    return {known.name: known.default for known in fields(adaptation)}
