"""What answers: a Model is pinned weights (or a baseline), a LoadedModel is those weights in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Architecture = Literal["causal", "seq2seq", "masked", "encoder", "baseline"]
"""What `models/folder.py` tells apart, and baselines, which have no network."""

ARCHITECTURES: dict[Architecture, str] = {
    "causal": "a language model that reads from left to right: scores answers, rates whole texts, writes",
    "seq2seq": "an encoder–decoder model (T5, BART): scores answers, writes",
    "masked": "an encoder with its masked-language-model head (BERT, RoBERTa): scores answers, takes other heads",
    "encoder": "an encoder without a head: chooses among answers once a head is trained",
    "baseline": "a classical method without a network: is fitted",
}
"""What each architecture can do."""


@dataclass(frozen=True)
class Model:
    """A model that can be named again: what a trial's id is made of.

    `fingerprint` is the sha256 over the files (weights, config, tokenizer) or, for a baseline, over its name and
    version. `revision` is the 40-hex commit of a hub model.
    """

    name: str
    source: Literal["nano", "folder", "hub", "baseline", "object"]
    architecture: Architecture
    fingerprint: str
    path: Path | None = None
    revision: str | None = None
    parameters: int | None = None
    reference: str = field(default="", compare=False)
    """What `open_model` is given to get this model again, where that is more than the name."""


@dataclass(frozen=True)
class LoadOptions:
    """How weights are brought into memory."""

    device: str = "auto"
    dtype: str = "auto"
    """`auto` is the dtype of the weights on a GPU and float32 on a CPU; otherwise float32, bfloat16 or float16."""
    batch: int | Literal["auto"] = "auto"
    """Rows of a batch when answering; `auto` chooses by tokens and halves when memory runs out."""
    engine: Literal["transformers", "vllm"] = "transformers"
    """What runs a causal language model that answers as it is."""


@dataclass
class LoadedModel:
    """Weights in memory. `network` and `tokenizer` are None for a baseline, `network` where vLLM holds the weights."""

    model: Model
    options: LoadOptions
    network: PreTrainedModel | None = None
    tokenizer: PreTrainedTokenizerBase | None = None
    llm: Any = None
    """vLLM's engine, where that is what answers."""
    learned: Mapping[str, Any] = field(default_factory=dict)
    """What an earlier step has trained beside the network, by name: parameters of these names start from it."""

    def pair(self) -> tuple[Any, Any]:
        """Network and tokenizer of a model that has them."""
        if self.network is None or self.tokenizer is None:
            raise AssertionError(f"{self.model.name} has no network")
        return self.network, self.tokenizer
