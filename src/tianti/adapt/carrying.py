"""From what a step has trained to the model that the next step starts from."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from tianti.adapt.adaptation import Adapted
from tianti.models.model import LoadedModel

HEAD = "head."
"""The names of the parameters of a head on a body begin so."""


def going_on(model: LoadedModel, done: Adapted, fingerprint: str) -> LoadedModel:
    """`model`, from which the step `done` started, beside what it has trained: the same parameters go on learning."""
    return replace(
        model,
        model=replace(model.model, fingerprint=fingerprint),
        learned=_tensors(done.network, done.trained),
    )


def carried(model: LoadedModel, done: Adapted, fingerprint: str) -> LoadedModel:
    """The model that the step `done` left: its network with what was added to it merged into its weights.

    A head is carried beside it, and the next step's head starts from it where it has the same shape.
    """
    original, _ = model.pair()
    network = merged(getattr(done.network, "body", done.network), original.dtype)
    head = [name for name in done.trained if name.startswith(HEAD)] if hasattr(done.network, "body") else []
    return replace(
        model,
        model=replace(model.model, fingerprint=fingerprint),
        network=network,
        learned=_tensors(done.network, head),
    )


def merged(network: Any, dtype: Any) -> Any:
    """A copy with weights of its own in which the matrices of LoRA and its kin are merged, in float32, then `dtype`."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    alone = copy.deepcopy(network).float()
    layers = {name: layer for name, layer in alone.named_modules() if isinstance(layer, BaseTunerLayer)}
    for name, layer in layers.items():
        layer.merge()
        parent, _, child = name.rpartition(".")
        setattr(alone.get_submodule(parent), child, layer.get_base_layer())
    return alone.to(dtype)


def start_from(network: nn.Module, learned: dict[str, Tensor] | Any) -> None:
    """Put what an earlier step has learned into the trainable parameters of the same name and shape."""
    parameters = {
        name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad
    }
    for name, tensor in learned.items():
        if name in parameters and parameters[name].shape == tensor.shape:
            parameters[name].data.copy_(tensor)


def _tensors(network: Any, names: Any) -> dict[str, Tensor]:
    parameters = dict(network.named_parameters())
    return {name: parameters[name].detach().to("cpu", copy=True) for name in names}
