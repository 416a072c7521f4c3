"""The fields of adaptations: checked when one is made, listed for manifests, shown in the short notation."""

from __future__ import annotations

import json
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from pydantic import Field, TypeAdapter, ValidationError

from tianti.core.exceptions import InputError

PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Checked:
    """A base of frozen dataclasses whose fields are checked against their annotations when one is made."""

    name: ClassVar[str]

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
            raise InputError(
                f"{self.name}: {key} cannot be {value!r}: {wanted}",
                remedy=f"`tianti adaptations show {self.name}` lists the arguments",
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

    Those of a chain are its steps.
    """
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

    `lr` auto takes the rate of `defaults.py`. After each epoch the loss on the validation split is taken (on a tenth
    of the training split where there is none), and the weights of the best epoch are kept.
    """

    lr: PositiveFloat | Literal["auto"] = "auto"
    epochs: PositiveInt = 3
    batch: PositiveInt = 16
    warmup: Share = 0.06
    """Share of the steps in which the learning rate rises from 0; it falls linearly to 0 in the others."""
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    max_grad_norm: PositiveFloat = 1.0
    max_examples: PositiveInt | None = None
    """Train on so many examples, drawn with the seed."""
    max_length: PositiveInt | None = None
    """Tokens of an example; what the model reads where it is not given."""
