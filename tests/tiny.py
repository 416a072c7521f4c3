"""Tiny models and a tiny tokenizer for tests: random weights, made in milliseconds, equal for equal seeds.

Every call gives a fresh network (tests may train it); the tokenizer is trained once and copied.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

CORPUS = (
    "The little town lies by the river. Anna bakes bread in the old mill, and Ben reads letters in the shop.",
    "Question: Where does Anna work? Answer: in the mill. Question: What does Ben read? Answer: letters.",
    "This film is wonderful, warm and funny. This film is dull, cold and much too long.",
    "A B C D. Which one is right? The first, the second, the third or the fourth: 0 1 2 3 4 5 6 7 8 9.",
    "小镇在河边。安娜在老磨坊里烤面包，本在商店里读信。这部电影很好看。",
    "def add(a, b):\n    return a + b\n\nprint(add(2, 40))  # 42\n",
)


@cache
def _trained_tokenizer(add_bos: bool) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<pad>", "<s>", "</s>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    if add_bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        mask_token="<mask>",
        clean_up_tokenization_spaces=False,
    )


def tiny_tokenizer(*, add_bos: bool = False) -> PreTrainedTokenizerFast:
    """A byte-level BPE of 420 tokens: pad 0, bos 1, eos 2, mask 3. `add_bos`: <s> before each text."""
    return copy.deepcopy(_trained_tokenizer(add_bos))


@cache
def _trained_metaspace_tokenizer() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers

    # As in Llama 2: a space is a letter, one stands before each text, and what no piece covers goes byte by byte.
    spaces = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained = Tokenizer(models.BPE())
    trained.normalizer = spaces
    trained.train_from_iterator(
        [word for text in CORPUS for word in text.split()],
        trainers.BpeTrainer(vocab_size=260, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False),
    )
    learned = json.loads(trained.to_str())["model"]
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += [piece for piece in learned["vocab"] if piece not in pieces]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={piece: number for number, piece in enumerate(pieces)},
            merges=[tuple(merge) for merge in learned["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = spaces
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        clean_up_tokenization_spaces=False,
    )


def tiny_metaspace_tokenizer() -> PreTrainedTokenizerFast:
    """A BPE in the way of SentencePiece: unk 0, bos 1 before each text, eos 2, then 256 bytes and learned pieces."""
    return copy.deepcopy(_trained_metaspace_tokenizer())


def _sizes(changes: dict[str, Any], **usual: Any) -> dict[str, Any]:
    return {"vocab_size": len(_trained_tokenizer(False)), **usual, **changes}


def _build(network_class: Any, config: Any, seed: int) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = network_class(config)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            # With the usual initial weights all logits are nearly equal: a test could not tell them apart.
            parameter.data.mul_(4)
    network.eval()
    return network


def tiny_llama(seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A Llama with grouped queries: 2 layers, width 32, 128 positions. `changes` go to its config."""
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = _sizes(
        changes,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    network: PreTrainedModel = _build(LlamaForCausalLM, LlamaConfig(**sizes), seed)
    return network


def tiny_gpt2(seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A GPT-2: 2 layers, width 32, 128 positions. `changes` go to its config."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = _sizes(
        changes,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    network: PreTrainedModel = _build(GPT2LMHeadModel, GPT2Config(**sizes), seed)
    return network


def tiny_bert(seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A BERT encoder without a head: 2 layers, width 32, 128 positions. `changes` go to its config."""
    from transformers import BertConfig, BertModel

    sizes = _sizes(
        changes,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        pad_token_id=0,
    )
    network: PreTrainedModel = _build(BertModel, BertConfig(**sizes), seed)
    return network


def tiny_t5(seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A T5: 2 layers each in encoder and decoder, width 32, 128 tokens. `changes` go to its config."""
    from transformers import T5Config, T5ForConditionalGeneration

    sizes = _sizes(
        changes,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        n_positions=128,
        pad_token_id=0,
        eos_token_id=2,
        initializer_factor=0.25,  # its own initial weights are large already
        decoder_start_token_id=0,
    )
    network: PreTrainedModel = _build(T5ForConditionalGeneration, T5Config(**sizes), seed)
    return network


def tiny_bart(seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A BART: 2 layers each in encoder and decoder, width 32, 128 positions. `changes` go to its config."""
    from transformers import BartConfig, BartForConditionalGeneration

    sizes = _sizes(
        changes,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )
    network: PreTrainedModel = _build(BartForConditionalGeneration, BartConfig(**sizes), seed)
    return network


def tiny_masked(family: str = "Bert", seed: int = 0, **changes: Any) -> PreTrainedModel:
    """A masked language model (Bert, Roberta, …): 2 layers, width 32, 128 positions. `changes` go to its config."""
    import transformers

    sizes = _sizes(
        changes,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        pad_token_id=0,
    )
    config = getattr(transformers, f"{family}Config")(**sizes)
    network: PreTrainedModel = _build(getattr(transformers, f"{family}ForMaskedLM"), config, seed)
    return network


def with_special_tokens(
    tokenizer: PreTrainedTokenizerFast, before: str = "", after: str = ""
) -> PreTrainedTokenizerFast:
    """The tokenizer, which now puts these special tokens around each text."""
    from tokenizers import processors

    single = " ".join(part for part in (before, "$A", after) if part)
    marks = [(mark, tokenizer.convert_tokens_to_ids(mark)) for mark in {before, after} - {""}]
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=marks
    )
    return tokenizer
