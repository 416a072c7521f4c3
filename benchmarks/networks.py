"""Random Llamas of usual sizes, named by the parameters in their layers and by their vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WEIGHTS = 0.08
"""Standard deviation of the weights. With the usual 0.02 all logits are nearly equal, and rounding would choose."""


@dataclass(frozen=True)
class Size:
    """Layers and widths of a Llama in which every head has its own keys and values."""

    layers: int
    width: int
    heads: int
    between: int


BODIES = {"tiny": Size(2, 64, 4, 192), "34m": Size(8, 512, 8, 2048), "125m": Size(12, 768, 12, 3456)}
VOCABULARIES = {"2k": 2_000, "32k": 32_000, "150k": 150_000}
MODELS = ("34m-32k", "34m-150k", "125m-32k", "125m-150k")


def vocabulary_of(model: str) -> int:
    """Tokens in the vocabulary of a model such as `34m-32k`.

    Raises:
        ValueError: there is no such model.
    """
    body, _, vocabulary = model.partition("-")
    if body not in BODIES or vocabulary not in VOCABULARIES:
        known = f"{', '.join(BODIES)}, a dash and {', '.join(VOCABULARIES)}"
        raise ValueError(f"no model {model!r}: expected one of {known}, such as {MODELS[0]}")
    return VOCABULARIES[vocabulary]


def make_network(model: str, dtype: str = "float32", device: str = "cpu", seed: int = 0) -> Any:
    """A network with random weights, equal for equal seeds.

    Its output head is not tied to the embedding: a random network with tied ones repeats its last token for ever, and
    generated text would be nothing like text. The head costs the same time either way.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    vocabulary = vocabulary_of(model)
    size = BODIES[model.partition("-")[0]]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size.width,
        intermediate_size=size.between,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=2048,
        initializer_range=WEIGHTS,
        tie_word_embeddings=False,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Any = LlamaForCausalLM(config)
    return network.to(device=device, dtype=getattr(torch, dtype)).eval()


@dataclass(frozen=True)
class Parameters:
    """Numbers of parameters: in the layers, and in the output head (the embedding has as many)."""

    layers: int
    head: int

    def __str__(self) -> str:
        return f"{self.layers / 1e6:.1f}M in the layers, 2 × {self.head / 1e6:.1f}M in embedding and head"


def count_parameters(network: Any) -> Parameters:
    """The parameters of a network with an output head of its own."""
    head = network.get_output_embeddings().weight.numel()
    embedding = network.get_input_embeddings().weight.numel()
    return Parameters(sum(p.numel() for p in network.parameters()) - head - embedding, head)
