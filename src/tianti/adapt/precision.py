"""Less time and memory for a step: bfloat16 where the device has it natively, activations that are not kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from tianti.core.exceptions import IncompatibleError


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 here: on a CPU without instructions for it, it is twenty times slower."""
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return device.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


def mixed(precision: Literal["auto", "float32", "bfloat16"], device: torch.device) -> torch.autocast:
    """The context in which the network computes while it is trained.

    Raises:
        IncompatibleError: bfloat16 was asked for and this device would only imitate it.
    """
    native = has_bfloat16(device)
    if precision == "bfloat16" and not native:
        raise IncompatibleError(
            f"precision=bfloat16 does not fit this {device.type}: it has no instructions for bfloat16 and would be "
            "many times slower",
            remedy="use precision=auto, which takes bfloat16 only where it is native",
        )
    return torch.autocast(device.type, torch.bfloat16, enabled=native and precision != "float32")


@contextmanager
def recomputed(network: Any, enabled: bool) -> Iterator[None]:
    """Inside, a backward pass computes the activations of each block anew instead of having kept them.

    Chen et al. 2016, Training deep nets with sublinear memory cost (arXiv 1604.06174).
    """
    if not enabled:
        yield
        return
    body = getattr(network, "body", network)
    if not getattr(body, "supports_gradient_checkpointing", False):
        raise IncompatibleError(
            f"gradient_checkpointing does not fit {type(body).__name__}: transformers cannot compute its blocks anew",
            remedy="leave gradient_checkpointing out, and take a smaller batch with accumulate",
        )
    body.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        yield
    finally:
        body.gradient_checkpointing_disable()
