"""Mixed precision and activations that are computed twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tianti.adapt import precision
from tianti.adapt.full import Full
from tianti.adapt.precision import has_bfloat16, mixed, recomputed
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tiny import tiny_llama

CPU = torch.device("cpu")


def product() -> torch.dtype:
    return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_only_where_the_processor_has_it(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert has_bfloat16(CPU) == native
    with mixed("float32", CPU):
        assert product() == torch.float32
    with mixed("auto", CPU):
        assert product() == (torch.bfloat16 if native else torch.float32)
    if native:
        with mixed("bfloat16", CPU):
            assert product() == torch.bfloat16
    else:
        with pytest.raises(IncompatibleError, match="no instructions for bfloat16"):
            mixed("bfloat16", CPU)


def test_training_in_bfloat16_learns_weights_in_float32(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    adapted = Full(precision="bfloat16", lr=2e-3, epochs=3).adapt(
        model("bert"), task("labels"), 0, tmp_path, Silent()
    )
    assert adapted.cost.train_loss[-1] < adapted.cost.train_loss[0]
    from safetensors.torch import load_file

    assert {tensor.dtype for tensor in load_file(tmp_path / "tensors.safetensors").values()} == {
        torch.float32
    }


def test_activations_computed_twice_give_the_same_gradient() -> None:
    found = []
    for enabled in (False, True):
        network = tiny_llama()
        network.train()
        calls: list[int] = []
        network.base_model.layers[0].input_layernorm.register_forward_pre_hook(
            lambda *_, calls=calls: calls.append(1)
        )
        with recomputed(network, enabled):
            network(input_ids=torch.arange(4, 20)[None], use_cache=False).logits.square().mean().backward()
        found.append([parameter.grad.clone() for parameter in network.parameters()])
        assert len(calls) == 1 + enabled
        assert not network.base_model.gradient_checkpointing
    for plain, twice in zip(*found, strict=True):
        torch.testing.assert_close(plain, twice)


def test_a_network_that_cannot_is_refused() -> None:
    with (
        pytest.raises(IncompatibleError, match="gradient_checkpointing does not fit Linear"),
        recomputed(nn.Linear(2, 2), True),
    ):
        pass
