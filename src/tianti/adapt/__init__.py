"""How a model is made ready for a task: one adaptation per file, all listed here.

A new adaptation is a frozen dataclass in a file of its own, plus one line in `ADAPTATIONS`.
"""

from __future__ import annotations

from dataclasses import fields

from tianti.adapt.adaptation import Adaptation, Adapted, Cost
from tianti.adapt.few_shot import FewShot
from tianti.adapt.fit import Fit
from tianti.adapt.full import Full
from tianti.adapt.head_only import HeadOnly
from tianti.adapt.lora import LoRA
from tianti.adapt.options import all_settings, changed, settings
from tianti.adapt.zero_shot import ZeroShot
from tianti.core.call import Call, parse_call
from tianti.core.exceptions import UnknownNameError

ADAPTATIONS: dict[str, type[Adaptation]] = {
    adaptation.name: adaptation for adaptation in (ZeroShot, FewShot, HeadOnly, LoRA, Full, Fit)
}
"""Every adaptation by its name, from the lightest to the heaviest."""


def parse_adaptation(text: str) -> Adaptation:
    """Read the short notation: `lora(r=8, lr=1e-3, epochs=3)`.

    Raises:
        UnknownNameError: no such adaptation, or it has no such argument.
        InputError: an argument has another type or is out of its range.
    """
    call = parse_call(text)
    if call.name not in ADAPTATIONS:
        raise UnknownNameError("adaptation", call.name, ADAPTATIONS)
    adaptation = ADAPTATIONS[call.name]
    names = [field.name for field in fields(adaptation)]  # type: ignore[arg-type]  # each of them is a dataclass
    for name in call.arguments:
        if name not in names:
            remedy = "" if names else "it has no arguments"
            raise UnknownNameError("argument", name, names, where=call.name, remedy=remedy)
    return adaptation(**call.arguments)


def label(adaptation: Adaptation) -> str:
    """The short notation with what differs from the defaults: `lora`, `lora(r=16)`, `few-shot(k=4)`."""
    return str(Call(adaptation.name, changed(adaptation)))


__all__ = [
    "ADAPTATIONS",
    "Adaptation",
    "Adapted",
    "Cost",
    "FewShot",
    "Fit",
    "Full",
    "HeadOnly",
    "LoRA",
    "ZeroShot",
    "all_settings",
    "label",
    "parse_adaptation",
    "settings",
]
