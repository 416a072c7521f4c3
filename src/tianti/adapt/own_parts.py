"""A small part of the model's own weights learns: its biases (BitFit, Ben Zaken et al. 2022, arXiv 2106.10199), or the
scales and shifts of its normalisation (Qi et al. 2022, arXiv 2211.08682; Zhao et al. 2023, arXiv 2312.11420)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tianti.adapt.trained import Trained


@dataclass(frozen=True)
class BitFit(Trained):
    """All biases of a copy learn, those of its normalisation as well, and nothing else but an encoder's head."""

    name: ClassVar[str] = "bitfit"
    summary: ClassVar[str] = "the model's biases learn (BitFit)"
    own_weights: ClassVar[bool] = True

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        if biases(network):
            return None
        return (
            "it has no biases, as Llama and T5 have none",
            "use layer-norm, which trains about as few weights, or ia3",
        )

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from tianti.adapt.networks import partly_own_copy

        return partly_own_copy(network, biases(network))


@dataclass(frozen=True)
class LayerNorm(Trained):
    """Scale and shift of every normalisation of a copy learn, and nothing else but an encoder's head."""

    name: ClassVar[str] = "layer-norm"
    summary: ClassVar[str] = "the scales and shifts of the model's normalisation learn"
    own_weights: ClassVar[bool] = True

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        return None if normalisation(network) else ("its normalisation has no weights", "use lora or full")

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        from tianti.adapt.networks import partly_own_copy

        return partly_own_copy(network, normalisation(network))


def biases(network: Any) -> list[str]:
    """The names of all biases. T5's table of relative positions, which is called a bias, is a weight."""
    return [name for name, _ in network.named_parameters() if name.rpartition(".")[2] == "bias"]


def normalisation(network: Any) -> list[str]:
    """The names of the parameters of LayerNorm, RMSNorm and their kin, by the names of their classes."""
    return [
        f"{name}.{own}" if name else own
        for name, module in network.named_modules()
        if "norm" in type(module).__name__.lower()
        for own, _ in module.named_parameters(recurse=False)
    ]
