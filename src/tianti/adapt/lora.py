"""Low-rank matrices beside the frozen linear layers learn, by peft: LoRA (Hu et al. 2021, arXiv 2106.09685), DoRA (Liu
et al. 2024, arXiv 2402.09353) and rsLoRA (Kalajdzievski 2023, arXiv 2312.03732)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tianti.adapt.options import PositiveFloat, PositiveInt
from tianti.adapt.trained import Trained
from tianti.core.exceptions import UnknownNameError


@dataclass(frozen=True)
class LoRA(Trained):
    """Each target layer W [out, in] becomes W + alpha / r · B A, with A [r, in] and B [out, r] trained, B from zero.

    Trainable parameters: r · (in + out) for each target, and an encoder's head.
    """

    name: ClassVar[str] = "lora"
    summary: ClassVar[str] = "low-rank matrices beside the frozen layers learn (LoRA)"
    variant: ClassVar[dict[str, bool]] = {}
    """What peft is told beyond the settings."""

    r: PositiveInt = 8
    alpha: PositiveFloat = 16.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """The linear layers of the blocks: all, or those whose name ends with one of these (q_proj, v_proj)."""

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        if find_targets(network, "all-linear"):
            return unknown_targets(network, self.targets)
        return "no linear layer in its blocks", "use head-only or full"

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        """A copy that shares the frozen weights; LoRA's matrices are in float32."""
        from peft import LoraConfig
        from transformers.pytorch_utils import Conv1D

        from tianti.adapt.networks import injected

        targets = find_targets(network, self.targets)
        config = LoraConfig(
            r=self.r,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets,
            # GPT-2's layers hold their weight as [in, out].
            fan_in_fan_out=any(isinstance(network.get_submodule(target), Conv1D) for target in targets),
            **self.variant,
        )
        return injected(network, config)


@dataclass(frozen=True)
class DoRA(LoRA):
    """As LoRA, for the direction of W alone: W becomes m · V / ‖V‖ with V = W + alpha / r · B A, where the norm is that
    of each output's row, and the magnitudes m [out], from ‖W‖, learn as well.

    Trainable parameters: r · (in + out) + out for each target, and an encoder's head.
    """

    name: ClassVar[str] = "dora"
    summary: ClassVar[str] = (
        "LoRA for the direction of the weights, and their magnitudes by themselves (DoRA)"
    )
    variant: ClassVar[dict[str, bool]] = {"use_dora": True}


@dataclass(frozen=True)
class RsLoRA(LoRA):
    """As LoRA, with the update scaled by alpha / √r, so that its size does not fall with the rank."""

    name: ClassVar[str] = "rslora"
    summary: ClassVar[str] = "LoRA whose update does not shrink with its rank (rsLoRA)"
    variant: ClassVar[dict[str, bool]] = {"use_rslora": True}


def find_targets(network: Any, targets: str | tuple[str, ...]) -> list[str]:
    """The full names of the linear layers inside the network's blocks, or of those of them that `targets` names.

    Raises:
        UnknownNameError: a target that no layer's name ends with.
    """
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    layers = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and re.search(r"\.\d+\.", name)
    ]
    if isinstance(targets, str):
        return layers
    for target in targets:
        if not any(_ends_with(layer, target) for layer in layers):
            endings = {layer.rpartition(".")[2] for layer in layers}
            raise UnknownNameError("target layer", target, endings)
    return [layer for layer in layers if any(_ends_with(layer, target) for target in targets)]


def unknown_targets(network: Any, targets: str | tuple[str, ...]) -> tuple[str, str] | None:
    """(why these targets do not fit the network, the remedy); None where they do."""
    try:
        find_targets(network, targets)
    except UnknownNameError as error:
        return error.message, "name layers that are there, or leave the setting out"
    return None


def _ends_with(layer: str, target: str) -> bool:
    return layer == target or layer.endswith(f".{target}")
