"""The networks that can be pre-trained, as configs of transformers."""

from __future__ import annotations

import math
from typing import Any

from transformers import (
    BertConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    T5Config,
)

from tianti.adapt.pretrain.settings import Pretraining


def make_config(settings: Pretraining, tokenizer: PreTrainedTokenizerFast) -> PreTrainedConfig:
    """The config of the network that `settings` describe. There is no dropout: it serves where text is read many times.

    `architectures` names the class, so that the config says what the network is for.
    """
    common: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }
    return _MAKERS[settings.architecture](settings, common)


def _spread(settings: Pretraining) -> float:
    """The deviation of fresh matrices: narrow ones start larger, or attention takes long to sharpen."""
    return round(0.68 / math.sqrt(settings.hidden), 3)


def _llama(settings: Pretraining, common: dict[str, Any]) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=settings.hidden,
        intermediate_size=max(16, settings.hidden * 8 // 3 // 16 * 16),
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.positions,
        initializer_range=_spread(settings),
        architectures=["LlamaForCausalLM"],
        **common,
    )


def _gpt2(settings: Pretraining, common: dict[str, Any]) -> GPT2Config:
    return GPT2Config(
        n_embd=settings.hidden,
        n_layer=settings.layers,
        n_head=settings.heads,
        n_positions=settings.positions,
        initializer_range=_spread(settings),
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        architectures=["GPT2LMHeadModel"],
        **common,
    )


def _bert(settings: Pretraining, common: dict[str, Any]) -> BertConfig:
    return BertConfig(
        hidden_size=settings.hidden,
        intermediate_size=4 * settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=settings.positions,
        initializer_range=_spread(settings),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        architectures=["BertForMaskedLM"],
        **common,
    )


def _t5(settings: Pretraining, common: dict[str, Any]) -> T5Config:
    """`layers` in the encoder, and as many in the decoder. T5 has a rule of its own for fresh matrices."""
    own: dict[str, Any] = {
        "n_positions": settings.positions,  # it has no table of them; this says how much it is meant to read
        "decoder_start_token_id": common["pad_token_id"],
    }
    return T5Config(
        d_model=settings.hidden,
        d_kv=settings.hidden // settings.heads,
        d_ff=4 * settings.hidden,
        num_layers=settings.layers,
        num_heads=settings.heads,
        dropout_rate=0.0,
        architectures=["T5ForConditionalGeneration"],
        **own,
        **common,
    )


_MAKERS = {"llama": _llama, "gpt2": _gpt2, "bert": _bert, "t5": _t5}
