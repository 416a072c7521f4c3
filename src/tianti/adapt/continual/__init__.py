"""Learning one task after another: strategies against forgetting, one family per file, all listed here.

A new strategy is a frozen dataclass in a file of its own, plus one line in `strategies.py`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tianti.adapt.options import all_settings, changed
from tianti.core.call import Call, parse_call
from tianti.core.exceptions import UnknownNameError

if TYPE_CHECKING:
    from tianti.adapt.continual.strategies import STRATEGIES
    from tianti.adapt.continual.strategy import Strategy


def parse_strategy(text: str) -> Strategy:
    """Read the short notation: `replay`, `ewc(strength=100)`.

    Raises:
        UnknownNameError: no such strategy, or it has no such argument.
        InputError: an argument has another type or is out of its range.
    """
    from tianti.adapt.continual.strategies import STRATEGIES

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


__all__ = ["STRATEGIES", "in_full", "parse_strategy", "short"]


def __getattr__(name: str) -> Any:
    if name == "STRATEGIES":
        from tianti.adapt.continual.strategies import STRATEGIES

        return STRATEGIES
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
