"""What a network learns in pre-training: one file per objective."""

from __future__ import annotations

from typing import Any

from tianti.adapt.pretrain.objectives.causal import NextToken
from tianti.adapt.pretrain.objectives.masked import MaskedTokens
from tianti.adapt.pretrain.objectives.objective import Batch, Objective
from tianti.adapt.pretrain.objectives.spans import SpanCorruption
from tianti.adapt.pretrain.settings import Pretraining

__all__ = ["Batch", "MaskedTokens", "NextToken", "Objective", "SpanCorruption", "make_objective"]


def make_objective(settings: Pretraining, tokenizer: Any) -> Objective:
    """The objective of the architecture."""
    if settings.architecture == "bert":
        return MaskedTokens(settings, tokenizer)
    if settings.architecture == "t5":
        return SpanCorruption(settings, tokenizer)
    return NextToken(settings)
