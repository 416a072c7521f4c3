"""How a model is made ready for a task: one adaptation per file, all listed here.

A new adaptation is a frozen dataclass in a file of its own, plus one line in `ADAPTATIONS`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from tianti.adapt.adaptation import Adaptation, Adapted, Cost
from tianti.adapt.bottleneck import Adapters
from tianti.adapt.chain import BETWEEN, Chain
from tianti.adapt.chain_of_thought import ChainOfThought, SelfConsistency
from tianti.adapt.continual.continual import Continual
from tianti.adapt.few_shot import FewShot
from tianti.adapt.fit import Fit
from tianti.adapt.full import Full
from tianti.adapt.head_only import HeadOnly
from tianti.adapt.ia3 import IA3
from tianti.adapt.lora import DoRA, LoRA, RsLoRA
from tianti.adapt.options import all_settings, changed, settings
from tianti.adapt.own_parts import BitFit, LayerNorm
from tianti.adapt.prefix import PrefixTuning
from tianti.adapt.search import Searched, searched_from
from tianti.adapt.soft_prompts import PromptTuning, PTuning
from tianti.adapt.space import split_arguments
from tianti.adapt.transfer import FROM, Transfer
from tianti.adapt.update import Update
from tianti.adapt.zero_shot import ZeroShot
from tianti.core.call import Call, parse_call, split_source, split_steps
from tianti.core.exceptions import UnknownNameError

ADAPTATIONS: dict[str, type[Adaptation]] = {
    adaptation.name: adaptation
    for adaptation in (
        ZeroShot,
        FewShot,
        ChainOfThought,
        SelfConsistency,
        HeadOnly,
        PromptTuning,
        PTuning,
        PrefixTuning,
        BitFit,
        LayerNorm,
        IA3,
        LoRA,
        DoRA,
        RsLoRA,
        Adapters,
        Full,
        Update,
        Continual,
        Fit,
    )
}
"""Every adaptation by its name, from the lightest to the heaviest."""


def parse_adaptation(text: str) -> Adaptation:
    """Read the short notation: `lora(r=8, lr=1e-3, epochs=3)`, or several in a chain: `lora(r=8) + few-shot(k=4)`.

    With something to choose from in place of a value, `lora(lr=1e-4..1e-2, epochs=1|3)`, settings are searched. With
    `lora from nano/sentiment` that task is learned, whichever is asked.

    Raises:
        UnknownNameError: no such adaptation, or it has no such argument.
        InputError: an argument has another type or is out of its range.
    """
    text, source = split_source(text)
    if source:
        return Transfer(parse_adaptation(text), source)
    steps = split_steps(text)
    return Chain(tuple(map(_parse_step, steps))) if len(steps) > 1 else _parse_step(text)


def _parse_step(text: str) -> Adaptation:
    call = parse_call(text)
    if call.name not in ADAPTATIONS:
        raise UnknownNameError("adaptation", call.name, ADAPTATIONS)
    adaptation: Any = ADAPTATIONS[call.name]
    given, searched = split_arguments(call.arguments) if adaptation.trains else (call.arguments, {})
    names = [field.name for field in fields(adaptation)]
    for name in given:
        if name not in names:
            remedy = "" if names else "it has no arguments"
            raise UnknownNameError("argument", name, names, where=call.name, remedy=remedy)
    made: Adaptation = adaptation(**given)
    return searched_from(made, searched) if searched else made


def label(adaptation: Adaptation) -> str:
    """The short notation with what differs from the defaults: `lora`, `lora(r=16)`, `few-shot(k=4)`."""
    if isinstance(adaptation, Transfer):
        return f"{label(adaptation.base)}{FROM}{adaptation.data}"
    if isinstance(adaptation, Chain):
        return BETWEEN.join(map(label, adaptation.steps))
    if isinstance(adaptation, Continual):
        return adaptation.label
    if isinstance(adaptation, Searched):
        return str(Call(adaptation.name, adaptation.shown_settings))
    return str(Call(adaptation.name, changed(adaptation)))


__all__ = [
    "ADAPTATIONS",
    "IA3",
    "Adaptation",
    "Adapted",
    "Adapters",
    "BitFit",
    "Chain",
    "ChainOfThought",
    "Continual",
    "Cost",
    "DoRA",
    "FewShot",
    "Fit",
    "Full",
    "HeadOnly",
    "LayerNorm",
    "LoRA",
    "PTuning",
    "PrefixTuning",
    "PromptTuning",
    "RsLoRA",
    "Searched",
    "SelfConsistency",
    "Transfer",
    "Update",
    "ZeroShot",
    "all_settings",
    "label",
    "parse_adaptation",
    "settings",
]
