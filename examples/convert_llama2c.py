"""Turns llama2.c weights and their SentencePiece tokenizer into a transformers folder.

    python examples/convert_llama2c.py WEIGHTS.bin TOKENIZER.model OUT_DIR [--no-begin]

With --no-begin the tokenizer does not put the begin token before each text.

The layout of the weights is llama2.c's legacy export (version 0), little-endian throughout: seven int32 (dim, hidden,
layers, heads, key/value heads, vocabulary, context), the vocabulary negative where the output head has weights of its
own, then float32 tensors, layer after layer within each. Two things differ from transformers:

- llama2.c rotates neighbouring pairs of a head's dimensions, transformers the two halves of the head; the rows of the
  query and key projections are put in the order that makes the scores equal.
- llama2.c ends a text at the token that begins the next one; `generation_config.json` says so.
"""

from __future__ import annotations

import struct
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = npt.NDArray[np.float32]

ROPE_BASE = 10_000.0
RMS_NORM_EPSILON = 1e-5
UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
BEGIN_ID, END_ID = 1, 2


@dataclass(frozen=True)
class Shape:
    """The header of a llama2.c file."""

    dim: int
    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    vocabulary: int
    context: int
    shared_head: bool

    @property
    def head_dim(self) -> int:
        return self.dim // self.heads


def main(arguments: list[str]) -> None:
    paths = [Path(argument) for argument in arguments if argument != "--no-begin"]
    if len(paths) != 3:
        sys.exit("usage: python examples/convert_llama2c.py WEIGHTS.bin TOKENIZER.model OUT_DIR [--no-begin]")
    weights, tokenizer, folder = paths
    convert(weights, tokenizer, folder, begins="--no-begin" not in arguments)
    print(folder)


def convert(weights: Path, tokenizer: Path, folder: Path, *, begins: bool = True) -> None:
    """Write `config.json`, safetensors and a fast tokenizer into `folder`.

    `begins`: the tokenizer puts the begin token before each text, as Llama's tokenizers do.

    Raises:
        ValueError: the file's length is not what its header asks for, or its rotations have another base.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    shape, tensors = read_weights(weights)
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.dim,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        max_position_embeddings=shape.context,
        rms_norm_eps=RMS_NORM_EPSILON,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_BASE},
        tie_word_embeddings=shape.shared_head,
        bos_token_id=BEGIN_ID,
        eos_token_id=END_ID,
    )
    network = LlamaForCausalLM(config)
    state = {name: torch.from_numpy(tensor) for name, tensor in transformers_state(shape, tensors).items()}
    network.load_state_dict(state)
    network.generation_config = GenerationConfig(bos_token_id=BEGIN_ID, eos_token_id=[BEGIN_ID, END_ID])
    network.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=fast_tokenizer(tokenizer, begins=begins),
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        padding_side="left",
        model_max_length=shape.context,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)


def read_weights(path: Path) -> tuple[Shape, dict[str, Array]]:
    """The header, and the tensors by llama2.c's names; those of layers have the layer as their first axis."""
    content = path.read_bytes()
    *sizes, vocabulary, context = struct.unpack_from("<7i", content)
    shape = Shape(*sizes, abs(vocabulary), context, shared_head=vocabulary > 0)
    dims = _layout(shape)
    values = np.frombuffer(content, "<f4", offset=28)
    expected = sum(int(np.prod(size)) for size in dims.values())
    if len(values) != expected:
        raise ValueError(
            f"{path}: {len(values):,} numbers, but its header {astuple(shape)} asks for {expected:,}"
        )
    ends = np.cumsum([np.prod(size) for size in dims.values()])
    parts = np.split(values, ends[:-1])
    tensors = {name: part.reshape(size) for (name, size), part in zip(dims.items(), parts, strict=True)}
    _check_rotations(path, shape, tensors)
    return shape, tensors


def _layout(shape: Shape) -> dict[str, tuple[int, ...]]:
    layers, dim, hidden = shape.layers, shape.dim, shape.hidden
    key_value = shape.key_value_heads * shape.head_dim
    layout: dict[str, tuple[int, ...]] = {
        "embedding": (shape.vocabulary, dim),
        "attention_norm": (layers, dim),
        "wq": (layers, dim, dim),
        "wk": (layers, key_value, dim),
        "wv": (layers, key_value, dim),
        "wo": (layers, dim, dim),
        "ffn_norm": (layers, dim),
        "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden),
        "w3": (layers, hidden, dim),
        "final_norm": (dim,),
        "cosines": (shape.context, shape.head_dim // 2),
        "sines": (shape.context, shape.head_dim // 2),
    }
    return layout if shape.shared_head else layout | {"head": (shape.vocabulary, dim)}


def _check_rotations(path: Path, shape: Shape, tensors: dict[str, Array]) -> None:
    """The file carries its rotation tables; transformers computes them, so they must agree."""
    frequencies = ROPE_BASE ** (-np.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = np.outer(np.arange(shape.context), frequencies)
    if not np.allclose(np.cos(angles), tensors["cosines"], atol=1e-3):
        raise ValueError(f"{path}: its rotary embedding has another base than {ROPE_BASE:g}")


def transformers_state(shape: Shape, tensors: dict[str, Array]) -> dict[str, Array]:
    """The state dict of `LlamaForCausalLM`."""
    state = {
        "model.embed_tokens.weight": tensors["embedding"],
        "model.norm.weight": tensors["final_norm"],
        "lm_head.weight": tensors["embedding" if shape.shared_head else "head"],
    }
    for layer in range(shape.layers):
        of_layer = {
            "input_layernorm": tensors["attention_norm"][layer],
            "self_attn.q_proj": _halves(tensors["wq"][layer], shape.heads),
            "self_attn.k_proj": _halves(tensors["wk"][layer], shape.key_value_heads),
            "self_attn.v_proj": tensors["wv"][layer],
            "self_attn.o_proj": tensors["wo"][layer],
            "post_attention_layernorm": tensors["ffn_norm"][layer],
            "mlp.gate_proj": tensors["w1"][layer],
            "mlp.down_proj": tensors["w2"][layer],
            "mlp.up_proj": tensors["w3"][layer],
        }
        state |= {f"model.layers.{layer}.{name}.weight": tensor for name, tensor in of_layer.items()}
    return {name: np.array(tensor) for name, tensor in state.items()}


def _halves(projection: Array, heads: int) -> Array:
    """Rows of each head from (pair 0, pair 0, pair 1, …) to (firsts of all pairs, seconds of all pairs)."""
    rows, columns = projection.shape
    paired = projection.reshape(heads, rows // heads // 2, 2, columns)
    return paired.transpose(0, 2, 1, 3).reshape(rows, columns)


def fast_tokenizer(path: Path, *, begins: bool) -> Tokenizer:
    """A tokenizer that gives what the SentencePiece BPE model at `path` gives, or the begin token and then that.

    One thing differs, as in every Llama tokenizer of transformers: the texts `<s>`, `</s>` and `<unk>` are tokens.
    """
    from sentencepiece import SentencePieceProcessor
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, processors

    source: Any = SentencePieceProcessor(model_file=str(path))
    scores = {source.id_to_piece(number): source.get_score(number) for number in range(len(source))}
    vocabulary = {piece: number for number, piece in enumerate(scores)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, _merges(scores), unk_token=UNKNOWN, fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"\A +"), ""),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Prepend("▁"),
            normalizers.Replace(" ", "▁"),
            normalizers.Replace(Regex(r"▁+\z"), ""),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
        ]
    )
    tokenizer.add_special_tokens([UNKNOWN, BEGIN, END])
    if begins:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN} $B", special_tokens=[(BEGIN, BEGIN_ID)]
        )
    return tokenizer


def _merges(scores: dict[str, float]) -> list[tuple[str, str]]:
    """Every way to put a piece together from two others, the best piece first: SentencePiece merges in this order."""
    ordered = sorted(scores, key=lambda piece: -scores[piece])
    return [
        (piece[:cut], piece[cut:])
        for piece in ordered
        for cut in range(1, len(piece))
        if piece[:cut] in scores and piece[cut:] in scores
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
