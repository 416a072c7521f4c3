"""LoRA: small matrices beside the frozen linear layers learn (Hu et al. 2021, arXiv 2106.09685), by peft."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tianti.adapt.adaptation import Adapted
from tianti.adapt.fitting import need_trainable
from tianti.adapt.options import PositiveFloat, PositiveInt, Training
from tianti.core.exceptions import IncompatibleError, UnknownNameError
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task


@dataclass(frozen=True)
class LoRA(Training):
    """Each target layer W [out, in] becomes W + alpha / r · B A, with A [r, in] and B [out, r] trained, B from zero.

    Trainable parameters: r · (in + out) for each target, and an encoder's head.
    """

    name: ClassVar[str] = "lora"
    summary: ClassVar[str] = "low-rank matrices beside the frozen layers learn (LoRA)"
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = True

    r: PositiveInt = 8
    alpha: PositiveFloat = 16.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    """The linear layers of the blocks: all, or those whose name ends with one of these (q_proj, v_proj)."""

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        need_trainable(self.name, model, task)
        if not find_targets(model.pair()[0], self.targets):
            raise IncompatibleError(
                f"lora does not fit {model.model.name}: no linear layer in its blocks",
                remedy="use head-only or full",
            )

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.learning import learn
        from tianti.adapt.lesson import Lesson

        return learn(Lesson(self, model, task, seed), self._copy_with_lora, folder, progress)

    def _copy_with_lora(self, network: Any) -> Any:
        """A copy that shares the frozen weights; LoRA's matrices are in float32."""
        from peft import LoraConfig, inject_adapter_in_model
        from transformers.pytorch_utils import Conv1D

        from tianti.adapt.networks import shared_copy

        targets = find_targets(network, self.targets)
        config = LoraConfig(
            r=self.r,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=targets,
            # GPT-2's layers hold their weight as [in, out].
            fan_in_fan_out=any(isinstance(network.get_submodule(target), Conv1D) for target in targets),
        )
        adapted = inject_adapter_in_model(config, shared_copy(network))
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
        return adapted


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
            raise UnknownNameError("target layer", target, endings, where="lora")
    return [layer for layer in layers if any(_ends_with(layer, target) for target in targets)]


def _ends_with(layer: str, target: str) -> bool:
    return layer == target or layer.endswith(f".{target}")
