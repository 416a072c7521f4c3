"""Learning one task after another: strategies against forgetting, one family per file, all listed here.

A new strategy is a frozen dataclass in a file of its own, plus one line in `STRATEGIES`.
"""

from __future__ import annotations

from dataclasses import fields

from tianti.adapt.continual.adapters import PerTask
from tianti.adapt.continual.anchored import EWC, L2, OnlineEWC
from tianti.adapt.continual.bounds import Joint, Plain, Separate
from tianti.adapt.continual.distilling import LwF
from tianti.adapt.continual.generated import Generative
from tianti.adapt.continual.orthogonal import OLoRA
from tianti.adapt.continual.rehearsal import DarkReplay, Replay
from tianti.adapt.continual.strategy import Strategy
from tianti.adapt.continual.synaptic import SI
from tianti.adapt.options import all_settings, changed
from tianti.core.call import Call, parse_call
from tianti.core.exceptions import UnknownNameError

STRATEGIES: dict[str, type[Strategy]] = {
    strategy.name: strategy
    for strategy in (
        Plain,
        Joint,
        Separate,
        L2,
        EWC,
        OnlineEWC,
        SI,
        Replay,
        DarkReplay,
        LwF,
        Generative,
        PerTask,
        OLoRA,
    )
}
"""Every strategy by its name: the bounds, then what stands between them."""


def parse_strategy(text: str) -> Strategy:
    """Read the short notation: `replay`, `ewc(strength=100)`.

    Raises:
        UnknownNameError: no such strategy, or it has no such argument.
        InputError: an argument has another type or is out of its range.
    """
    call = parse_call(text)
    if call.name not in STRATEGIES:
        raise UnknownNameError("strategy", call.name, STRATEGIES)
    strategy = STRATEGIES[call.name]
    names = [field.name for field in fields(strategy)]
    for name in call.arguments:
        if name not in names:
            remedy = "" if names else "it has no arguments"
            raise UnknownNameError("argument", name, names, where=call.name, remedy=remedy)
    return strategy(**call.arguments)


def short(strategy: Strategy) -> str:
    """The notation with what differs from the defaults."""
    return str(Call(strategy.name, changed(strategy)))


def in_full(strategy: Strategy) -> str:
    """The notation with every setting."""
    return str(Call(strategy.name, {k: v for k, v in all_settings(strategy).items() if v is not None}))


__all__ = ["STRATEGIES", "Strategy", "in_full", "parse_strategy", "short"]
