"""(IA)³: vectors that scale what the frozen layers compute learn (Liu et al. 2022, arXiv 2205.05638), by peft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tianti.adapt.lora import find_targets, unknown_targets
from tianti.adapt.trained import Trained


@dataclass(frozen=True)
class IA3(Trained):
    """Each target layer's output is multiplied by a trained vector, that of a feed-forward target's input, from ones.

    Trainable parameters: `out` for each target, `in` for each feed-forward target, and an encoder's head.
    """

    name: ClassVar[str] = "ia3"
    summary: ClassVar[str] = "vectors that scale keys, values and feed-forward layers learn (IA³)"

    targets: Literal["auto"] | tuple[str, ...] = "auto"
    """Endings of the names of linear layers; auto is peft's choice for the kind of model."""
    feedforward: Literal["auto"] | tuple[str, ...] = "auto"
    """Those of the targets whose input is scaled instead of their output; auto is peft's choice."""

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        found = self._targets(network)
        if found is not None:
            return unknown_targets(network, found[0]) or self._stray(found[0])
        return (
            f"peft has no choice of layers for the kind of model {network.config.model_type}",
            "name them: ia3(targets=[k_proj, v_proj, down_proj], feedforward=[down_proj])",
        )

    def _stray(self, targets: tuple[str, ...]) -> tuple[str, str] | None:
        named = () if self.feedforward == "auto" else self.feedforward
        stray = [ending for ending in named if ending not in targets]
        if not stray:
            return None
        return (
            f"feedforward names {', '.join(stray)}, and the targets are {', '.join(targets)}",
            f"name it among the targets as well: ia3(targets=[{', '.join((*targets, *stray))}], …)",
        )

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        """A copy that shares the frozen weights; the vectors are in float32."""
        from peft import IA3Config
        from transformers.pytorch_utils import Conv1D

        from tianti.adapt.networks import injected

        targets, feedforward = self._targets(network) or ((), ())
        names = find_targets(network, targets)
        config = IA3Config(
            target_modules=names,
            feedforward_modules=find_targets(network, feedforward) if feedforward else [],
            fan_in_fan_out=any(isinstance(network.get_submodule(name), Conv1D) for name in names),
        )
        return injected(network, config)

    def _targets(self, network: Any) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The endings of targets and of feed-forward targets, None where there is no choice for such a model."""
        from peft.utils.constants import (
            TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING as FEEDFORWARD,
        )
        from peft.utils.constants import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as TARGETS

        kind = network.config.model_type
        targets = TARGETS.get(kind) if self.targets == "auto" else self.targets
        if targets is None:
            return None
        feedforward = FEEDFORWARD.get(kind, ()) if self.feedforward == "auto" else self.feedforward
        return tuple(targets), tuple(ending for ending in feedforward if ending in targets)
