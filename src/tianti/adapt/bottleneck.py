"""Bottleneck adapters: small layers inside the frozen blocks learn (Houlsby et al. 2019, arXiv 1902.00751; placed as by
Pfeiffer et al. 2021, arXiv 2005.00247)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tianti.adapt.options import PositiveInt
from tianti.adapt.trained import Trained

ATTENTION_OUTPUTS = (
    r"(self_attn|cross_attn|encoder_attn|attn|attention|self_attention)\.(o_proj|out_proj|c_proj|dense|out_lin)",
    r"attention\.output\.dense",
    r"(SelfAttention|EncDecAttention)\.o",
)
FEEDFORWARD_OUTPUTS = (
    r"(mlp|feed_forward|block_sparse_moe)\.(down_proj|c_proj|dense_4h_to_h|fc2|w2|proj_out)",
    r"\d+\.output\.dense",
    r"DenseReluDense\.wo",
    r"\d+\.fc2",
    r"ffn\.lin2",
)


@dataclass(frozen=True)
class Adapters(Trained):
    """Behind a sublayer, before what it is added to, x becomes x + W₂ gelu(W₁ x + b₁) + b₂ through a bottleneck of
    width / reduction.

    Houlsby's placement is behind attention (in a decoder both attentions) and feed-forward layers, Pfeiffer's behind
    the latter alone. The matrices start at N(0, 0.01²), so that the network starts near itself. Trainable parameters:
    2 · width · bottleneck + width + bottleneck for each place, and an encoder's head.
    """

    name: ClassVar[str] = "adapters"
    summary: ClassVar[str] = "bottleneck layers inside the frozen blocks learn (adapters)"
    goes_on: ClassVar[bool] = False

    placement: Literal["houlsby", "pfeiffer"] = "pfeiffer"
    reduction: PositiveInt = 16

    def reason_against(self, network: Any) -> tuple[str, str] | None:
        if find_places(network, FEEDFORWARD_OUTPUTS) and find_places(network, self._outputs):
            return None
        return (
            f"where the sublayers of a {type(network).__name__} end is not known here",
            "use lora, which needs no such place",
        )

    def prepare(self, network: Any, tokenizer: Any = None) -> Any:
        """A copy that shares the frozen weights; the bottlenecks are in float32."""
        from tianti.adapt.added_layers import Bottleneck
        from tianti.adapt.networks import shared_copy

        adapted = shared_copy(network)
        for name in find_places(adapted, self._outputs):
            Bottleneck.behind(adapted.get_submodule(name), self.reduction)
        return adapted

    @property
    def _outputs(self) -> tuple[str, ...]:
        attention = ATTENTION_OUTPUTS if self.placement == "houlsby" else ()
        return (*attention, *FEEDFORWARD_OUTPUTS)


def find_places(network: Any, outputs: tuple[str, ...]) -> list[str]:
    """The names of the linear layers inside the blocks that end a sublayer."""
    from tianti.adapt.lora import find_targets

    pattern = re.compile(rf"(^|\.)({'|'.join(outputs)})$")
    names = [name for name in find_targets(network, "all-linear") if pattern.search(name)]
    # BERT's attention output ends as its feed-forward output does.
    attention = re.compile(r"attention\.output\.dense$")
    return names if outputs != FEEDFORWARD_OUTPUTS else [n for n in names if not attention.search(n)]
