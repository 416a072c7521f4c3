"""Tiny networks of many families, with weights so large that every answer depends on what stands before, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch

POSITIONS = 128
"""How much every network reads; those without positions of their own are told so by the tokenizer."""


@dataclass(frozen=True, eq=False)
class Family:
    """One architecture of transformers, or one feature of it.

    `config` is the name of a config class of transformers without its last word. `without` turns the feature that the
    entry is there for off (the weights stay): a test can tell that the feature changes the answers.
    """

    name: str
    config: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    without: Mapping[str, Any] = field(default_factory=dict)
    plain: bool = True
    """Whether the config has the usual names for its sizes (`hidden_size` and so on)."""
    alone: bool = False
    """Whether transformers gives other numbers beside other rows, so that only a batch of one row can be right."""


_SIZES: dict[str, Any] = {
    "vocab_size": 420,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": POSITIONS,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _rope(kind: str, **settings: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10000.0, **settings}}


_GROUPED = {"num_key_value_heads": 2}
_HEADS_OF_8 = {**_GROUPED, "head_dim": 8}
_NEVER_CAPPED = 1e6
_WIDE = 4 * POSITIONS
_HALF_AND_HALF = ["sliding_attention", "full_attention"]
_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}

FAMILIES = (
    # Learned positions.
    Family("gpt2", "GPT2", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS}, plain=False),
    Family("opt", "OPT", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    Family(
        "gpt-bigcode-mqa",
        "GPTBigCode",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS},
        plain=False,
    ),
    # Distances in place of positions.
    Family("bloom", "Bloom", {"n_layer": 2, "n_head": 4}),
    Family("mpt", "Mpt", {"d_model": 32, "n_layers": 2, "n_heads": 4}, plain=False),
    Family("falcon-alibi", "Falcon", {"alibi": True}, {"alibi": False}),
    # Rotary positions.
    Family("falcon-mqa", "Falcon", {"multi_query": True, "new_decoder_architecture": False}),
    Family("falcon-gqa", "Falcon", {"new_decoder_architecture": True, "num_kv_heads": 2}),
    Family("gpt-neox", "GPTNeoX"),
    Family(
        "gpt-j",
        "GPTJ",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS, "rotary_dim": 4},
        plain=False,
    ),
    Family("phi", "Phi", {"partial_rotary_factor": 0.5}),
    Family("phi3", "Phi3", _GROUPED),
    Family("stablelm", "StableLm", _GROUPED),
    Family("llama", "Llama"),
    Family("llama-gqa", "Llama", _GROUPED),
    Family("llama-mqa", "Llama", {"num_key_value_heads": 1}),
    Family("llama-linear", "Llama", _rope("linear", factor=2.0), _rope("default")),
    Family("llama-dynamic", "Llama", _rope("dynamic", factor=2.0)),
    Family(
        "llama-llama3",
        "Llama",
        _rope(
            "llama3",
            factor=8.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=32,
        ),
        _rope("default"),
    ),
    Family(
        "llama-yarn",
        "Llama",
        _rope("yarn", factor=4.0, original_max_position_embeddings=32),
        _rope("default"),
    ),
    Family("olmo2", "Olmo2", _GROUPED),
    Family("qwen2", "Qwen2", _GROUPED),
    Family("qwen3", "Qwen3", _HEADS_OF_8),
    Family("gemma", "Gemma", _HEADS_OF_8),
    Family(
        "granite",
        "Granite",
        {
            **_GROUPED,
            "logits_scaling": 3.0,
            "embedding_multiplier": 2.0,
            "residual_multiplier": 0.5,
            "attention_multiplier": 0.2,
        },
        {"logits_scaling": 1.0},
    ),
    Family("cohere", "Cohere", {**_GROUPED, "logit_scale": 0.25}, {"logit_scale": 1.0}),
    Family(
        "deepseek-v3",
        "DeepseekV3",
        {
            "q_lora_rank": 16,
            "kv_lora_rank": 8,
            "qk_rope_head_dim": 4,
            "qk_nope_head_dim": 8,
            "v_head_dim": 8,
            "moe_intermediate_size": 16,
            "n_routed_experts": 4,
            "n_group": 2,
            "topk_group": 1,
            "num_experts_per_tok": 2,
            "first_k_dense_replace": 1,
        },
    ),
    # Windows shorter than the texts.
    Family("mistral-window", "Mistral", {**_GROUPED, "sliding_window": 16}, {"sliding_window": None}),
    Family(
        "qwen2-window",
        "Qwen2",
        {
            **_GROUPED,
            "use_sliding_window": True,
            "sliding_window": 16,
            "max_window_layers": 1,
            "layer_types": _HALF_AND_HALF,
        },
        {"sliding_window": _WIDE},
    ),
    Family(
        "gemma2",
        "Gemma2",
        {**_HEADS_OF_8, "sliding_window": 16, "final_logit_softcapping": 3.0, "attn_logit_softcapping": 5.0},
        {"attn_logit_softcapping": _NEVER_CAPPED},
    ),
    Family(
        "gemma3",
        "Gemma3Text",
        {**_HEADS_OF_8, "sliding_window": 16, "layer_types": _HALF_AND_HALF},
        {"sliding_window": _WIDE},
    ),
    Family(
        "cohere2",
        "Cohere2",
        {**_HEADS_OF_8, "sliding_window": 16, "layer_types": _HALF_AND_HALF},
        {"sliding_window": _WIDE},
    ),
    Family(
        "gpt-neo",
        "GPTNeo",
        {
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 16,
            "hidden_size": 32,
            "max_position_embeddings": POSITIONS,
        },
        {"window_size": _WIDE},
        plain=False,
    ),
    Family(
        "llama4-chunks",
        "Llama4Text",
        {
            **_HEADS_OF_8,
            **_EXPERTS,
            "num_experts_per_tok": 1,
            "intermediate_size_mlp": 48,
            "attention_chunk_size": 16,
            "layer_types": ["chunked_attention", "full_attention"],
        },
        {"attention_chunk_size": _WIDE},
    ),
    Family(
        "exaone4",
        "Exaone4",
        {**_HEADS_OF_8, "sliding_window": 16, "layer_types": _HALF_AND_HALF},
        {"sliding_window": _WIDE},
    ),
    Family(
        "gemma3n",
        "Gemma3nText",
        {
            **_HEADS_OF_8,
            "sliding_window": 16,
            "layer_types": _HALF_AND_HALF,
            "hidden_size_per_layer_input": 8,
            "vocab_size_per_layer_input": 420,
            "num_kv_shared_layers": 0,
            "laurel_rank": 4,
            "intermediate_size": 48,
            "activation_sparsity_pattern": [0.0, 0.0],
        },
        {"sliding_window": _WIDE},
    ),
    # Experts.
    Family("mixtral", "Mixtral", {**_GROUPED, **_EXPERTS}),
    Family(
        "qwen3-moe",
        "Qwen3Moe",
        {**_HEADS_OF_8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
    ),
    Family(
        "gpt-oss",
        "GptOss",
        {**_HEADS_OF_8, **_EXPERTS, "sliding_window": 16, "layer_types": _HALF_AND_HALF},
        {"sliding_window": _WIDE},
    ),
    # A state in place of keys and values, or beside them.
    Family("mamba", "Mamba", {"state_size": 4}),
    Family(
        "mamba2", "Mamba2", {"state_size": 8, "head_dim": 8, "num_heads": 8, "n_groups": 2, "chunk_size": 16}
    ),
    # A batch of single tokens mixes its rows, and padding on the left is read.
    Family("rwkv", "Rwkv", {"attention_hidden_size": 32}, alone=True),
    Family(
        "recurrent-gemma",
        "RecurrentGemma",
        {"num_key_value_heads": 1, "num_hidden_layers": 3, "attention_window_size": 16, "lru_width": 32},
        alone=True,
    ),
    Family(
        "jamba",
        "Jamba",
        {
            **_GROUPED,
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "num_experts": 2,
            "expert_layer_period": 2,
            "mamba_d_state": 4,
            "use_mamba_kernels": False,
        },
    ),
    Family(
        "falcon-h1",
        "FalconH1",
        {
            **_HEADS_OF_8,
            "mamba_d_state": 8,
            "mamba_d_ssm": 32,
            "mamba_n_heads": 4,
            "mamba_d_head": 8,
            "mamba_chunk_size": 16,
        },
    ),
    Family(
        "zamba2",
        "Zamba2",
        {
            "num_hidden_layers": 3,
            "mamba_d_state": 8,
            "mamba_headdim": 8,
            "n_mamba_heads": 8,
            "mamba_ngroups": 2,
            "num_mem_blocks": 1,
            "chunk_size": 16,
            "layers_block_type": ["mamba", "hybrid", "mamba"],
            "hybrid_layer_ids": [1],
        },
    ),
    Family(
        "qwen3-next",
        "Qwen3Next",
        {
            **_HEADS_OF_8,
            "num_hidden_layers": 2,
            "layer_types": ["linear_attention", "full_attention"],
            "num_experts": 4,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 16,
            "shared_expert_intermediate_size": 16,
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 8,
            "linear_value_head_dim": 8,
        },
    ),
    Family("lfm2", "Lfm2", {**_GROUPED, "layer_types": ["conv", "full_attention"]}),
)

LONGROPE = Family(
    "phi3-longrope",
    "Phi3",
    {
        **_GROUPED,
        "original_max_position_embeddings": 48,
        **_rope(
            "longrope",
            short_factor=[1.0, 1.2, 1.5, 2.0],
            long_factor=[1.0, 2.0, 4.0, 8.0],
            original_max_position_embeddings=48,
        ),
    },
    _rope("default"),
    alone=True,
)
"""Its frequencies depend on whether the longest row of the batch is longer than 48 tokens."""


def build(family: Family, **changes: Any) -> Any:
    """A network of the family, equal each time; `changes` go to its config.

    With the usual initial weights all logits are nearly equal and attention looks everywhere alike: matrices are drawn
    anew ten times as large, and vectors (biases, norms, attention sinks) are moved from where they start.
    """
    import transformers

    usual = (
        _SIZES
        if family.plain
        else {key: _SIZES[key] for key in ("vocab_size", "pad_token_id", "bos_token_id", "eos_token_id")}
    )
    config = getattr(transformers, f"{family.config}Config")(**{**usual, **family.changes, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = transformers.AutoModelForCausalLM.from_config(config)
    generator = torch.Generator().manual_seed(1)
    for name, parameter in network.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.numel() == max(parameter.shape) or "A_log" in name:
            parameter.data += 0.1 * noise
        else:
            parameter.data = 0.3 * noise
    return network.eval()


@cache
def build_once(family: Family) -> Any:
    """The network of a family, for tests that leave it as it is."""
    return build(family)
