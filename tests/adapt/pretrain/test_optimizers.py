"""Every parameter learns once: matrices by Muon, tables and vectors by AdamW, embeddings faster where asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tianti.adapt.pretrain import Pretraining
from tianti.adapt.pretrain.optimizers import FACTOR, make_optimizers
from tiny import tiny_gpt2, tiny_llama, tiny_masked, tiny_t5


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2, tiny_masked, tiny_t5])
@pytest.mark.parametrize("rate", [1.0, 5.0])
def test_every_parameter_is_in_one_group(
    make: Callable[[], object], rate: float, small: Callable[..., Pretraining]
) -> None:
    network = make()
    muon, adam = make_optimizers(network, small(table_rate=rate))
    counted = Counter(
        id(weight) for one in (muon, adam) for group in one.param_groups for weight in group["params"]
    )
    parameters = dict(network.named_parameters())  # type: ignore[attr-defined]
    assert set(counted) == {id(weight) for weight in parameters.values()}
    assert set(counted.values()) == {1}
    matrices = {id(weight) for group in muon.param_groups for weight in group["params"]}
    names = {name for name, weight in parameters.items() if id(weight) in matrices}
    assert names
    assert not any("embed" in name or "wte" in name or "wpe" in name or "shared" in name for name in names)
    faster = [group["params"] for group in adam.param_groups if group.get(FACTOR, 1) != 1]
    embedding = network.get_input_embeddings().weight  # type: ignore[attr-defined]
    assert (len(faster) == 1 and faster[0][0] is embedding) if rate != 1 else not faster
