"""The optimizers of a pre-training."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tianti.adapt.pretrain.settings import Pretraining

FACTOR = "factor"
"""The key of a group of parameters that says how much faster it learns than others."""


def make_optimizers(network: Any, settings: Pretraining) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the layers, AdamW for embeddings, the output head, gains and biases.

    On the nano text Muon needs about a third fewer tokens than AdamW alone for the same loss; its steps are scaled
    to the size of AdamW's, so that one learning rate serves both.
    """
    tables = {id(module.weight) for module in network.modules() if isinstance(module, nn.Embedding)}
    if (head := network.get_output_embeddings()) is not None:
        tables.add(id(head.weight))
    parameters = list(network.parameters())
    matrices = [weight for weight in parameters if weight.dim() == 2 and id(weight) not in tables]
    others = [weight for weight in parameters if weight.dim() != 2 or id(weight) in tables]
    groups: list[dict[str, Any]] = [{"params": others}]
    if settings.table_rate != 1:
        embedding = network.get_input_embeddings().weight
        groups = [
            {"params": [weight for weight in others if weight is not embedding]},
            {"params": [embedding], FACTOR: settings.table_rate},
        ]
    return [
        torch.optim.Muon(matrices, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.0, foreach=True),
    ]
