"""Full fine-tuning: every weight learns, or all but those of the lowest layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from tianti.adapt.trained import Trained

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Full(Trained):
    """All parameters of a copy of the model are trained, an encoder's with a fresh head on its pooled output.

    `frozen` lowest layers, of an encoder–decoder model those of each side, stay as they are, and with them everything
    below: the embeddings, and an output layer that is tied to them.
    """

    name: ClassVar[str] = "full"
    summary: ClassVar[str] = "full fine-tuning: every weight learns"
    own_weights: ClassVar[bool] = True

    frozen: Annotated[int, Field(ge=0)] = field(default=0, kw_only=True)

    @property
    def left_out(self) -> tuple[str, ...]:
        return super().left_out if self.frozen else (*super().left_out, "frozen")

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        stacks = find_stacks(network)
        if self.frozen == 0:
            return None
        if not stacks:
            return "its layers are in no list that could be counted", "leave frozen out"
        if self.frozen > (least := min(map(len, stacks.values()))):
            return f"{self.frozen} layers to freeze, of {least}", f"give frozen=1 to frozen={least}"
        return None

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from tianti.adapt.networks import own_copy

        copied = own_copy(network).requires_grad_(True)
        if self.frozen:
            for parameter in _lowest(copied, self.frozen):
                parameter.requires_grad_(False)
        return copied


def find_stacks(network: Any) -> dict[str, nn.ModuleList]:
    """The lists of a network's blocks by name: one, or those of encoder and decoder."""
    from torch import nn

    stacks: dict[str, nn.ModuleList] = {}
    for name, module in network.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer in stacks)
        if isinstance(module, nn.ModuleList) and len(module) and not inside:
            stacks[name] = module
    return stacks


def _lowest(network: Any, layers: int) -> list[nn.Parameter]:
    """The parameters of the lowest blocks and of what stands before them: embeddings of all kinds and their norms."""
    from torch import nn

    stacks = find_stacks(network)
    found = [p for stack in stacks.values() for block in stack[:layers] for p in block.parameters()]
    for name, module in network.named_modules():
        inside = any(name.startswith(f"{stack}.") for stack in stacks)
        if not inside and (isinstance(module, nn.Embedding) or "embed" in name.rpartition(".")[2].lower()):
            found += module.parameters()
    return found
