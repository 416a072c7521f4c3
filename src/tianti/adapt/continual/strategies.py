"""Every strategy. A file of its own, for strategies need torch, and most of what reads their names does not."""

from __future__ import annotations

from tianti.adapt.continual.adapters import PerTask
from tianti.adapt.continual.anchored import EWC, L2, OnlineEWC
from tianti.adapt.continual.bounds import Joint, Plain, Separate
from tianti.adapt.continual.distilling import LwF
from tianti.adapt.continual.generated import Generative
from tianti.adapt.continual.orthogonal import OLoRA
from tianti.adapt.continual.rehearsal import DarkReplay, Replay
from tianti.adapt.continual.strategy import Strategy
from tianti.adapt.continual.synaptic import SI

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
