"""A transformers folder on disk: what must lie in it, what kind of model it is, and its fingerprint.

Nothing here imports torch: a folder is judged by the names, sizes and headers of its files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from tianti.core.exceptions import ModelError
from tianti.core.fingerprint import files_fingerprint

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
    "vocab.txt",
    "vocab.json",
)
"""One of these makes a tokenizer."""

MODEL_FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "chat_template.jinja",
    *TOKENIZER_FILES,
)
"""The files that decide what a model answers: they are downloaded and fingerprinted, nothing else is."""

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")
_PICKLE_MAGIC = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""A zip archive (torch.save) or a bare pickle of protocols 2 to 5."""

SAFETENSORS_REMEDY = (
    "pickle files can run code when they are read; save the weights as safetensors on a machine that you "
    "trust: model.save_pretrained(FOLDER) in transformers"
)


def files_of(folder: Path) -> list[Path]:
    """The files of `folder` that decide what the model answers, by name."""
    return sorted({path for pattern in MODEL_FILES for path in folder.glob(pattern) if path.is_file()})


def check_folder(folder: Path) -> None:
    """Raise ModelError when `folder` is not a transformers model with a tokenizer and sound safetensors."""
    names = {path.name for path in folder.iterdir()}
    if "config.json" not in names:
        if "adapter_config.json" in names:
            raise ModelError(
                f"{folder}: an adapter without its base model (adapter_config.json, no config.json)",
                remedy="merge it into its base model (PeftModel.merge_and_unload) and save that",
            )
        raise ModelError(f"{folder}: no config.json, so not a transformers model", remedy=_layout())
    if not names & set(TOKENIZER_FILES):
        raise ModelError(
            f"{folder}: no tokenizer; expected one of {', '.join(TOKENIZER_FILES)}",
            remedy="save it beside the weights: tokenizer.save_pretrained(FOLDER)",
        )
    if not any(name.endswith(".safetensors") for name in names):
        pickles = sorted(name for name in names if name.endswith(PICKLE_SUFFIXES))
        if pickles:
            raise ModelError(
                f"{folder}: weights only as pickle ({pickles[0]}), refused", remedy=SAFETENSORS_REMEDY
            )
        raise ModelError(f"{folder}: no weights (*.safetensors)", remedy=_layout())


def refuse_pickle_file(path: Path) -> None:
    """Raise ModelError for a reference that is a file: weights alone are not a model."""
    with path.open("rb") as file:
        pickled = path.name.endswith(PICKLE_SUFFIXES) or file.read(4).startswith(_PICKLE_MAGIC)
    if pickled:
        raise ModelError(f"{path}: a pickle file, refused", remedy=SAFETENSORS_REMEDY)
    raise ModelError(f"{path}: a file, expected a folder", remedy=_layout())


def read_config(path: Path) -> dict[str, Any]:
    """The config.json at `path`; raises ModelError when it is broken or asks to run code of its own."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path}: expected an object, got {type(config).__name__}")
    if "auto_map" in config:
        raise ModelError(
            f"{path}: the model brings code of its own (auto_map), which is never run",
            remedy="use a version of the model that transformers knows, without auto_map",
        )
    return config


def architecture_of(config: dict[str, Any], where: str) -> Literal["causal", "seq2seq", "masked", "encoder"]:
    """What kind of model a config describes, by the class that its weights were saved from.

    `causal`: a causal language model. `seq2seq`: an encoder–decoder model that writes text. `masked`: an encoder with
    the head that it was pre-trained with, which predicts masked tokens. `encoder`: an encoder without it.

    Raises:
        ModelError: it is something else.
    """
    name = str((config.get("architectures") or [""])[0])
    model_type = str(config.get("model_type", ""))
    if name.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal"
    # transformers' own tables say which families are what; importing them takes two seconds.
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    if config.get("is_encoder_decoder"):
        writer = MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES.get(model_type)
        if writer is not None and name in ("", writer):
            return "seq2seq"
    elif model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "masked" if name == MODEL_FOR_MASKED_LM_MAPPING_NAMES[model_type] else "encoder"
    elif model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and not name:
        return "causal"
    raise ModelError(
        f"{where}: cannot use {name or model_type or 'a model without architecture'}; supported are causal language "
        "models (…ForCausalLM), encoder–decoder models that write text (…ForConditionalGeneration of T5, BART and "
        "their like), masked language models (…ForMaskedLM) and encoders (BERT and its like)"
    )


def count_parameters(folder: Path) -> int:
    """The number of parameters in the safetensors files of `folder`, buffers of integers left out.

    Raises:
        ModelError: a file is broken, missing, or a pickle under a false name.
    """
    tensors = (tensor for path in _weight_files(folder) for tensor in _tensors(path))
    return sum(math.prod(shape) for dtype, shape in tensors if dtype not in ("I64", "BOOL"))


def folder_fingerprint(folder: Path) -> str:
    """sha256 over names and contents of the model's files."""
    return files_fingerprint(files_of(folder))


def _weight_files(folder: Path) -> list[Path]:
    """The files that the index names if there is one, otherwise every safetensors file."""
    for index in sorted(folder.glob("*.safetensors.index.json")):
        try:
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f"{index}: not an index of safetensors files: {error!r}") from error
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise ModelError(
                f"{folder}: {missing[0]} is missing ({index.name} names it)", remedy="download it again"
            )
        return [folder / name for name in names]
    return sorted(folder.glob("*.safetensors"))


def _tensors(path: Path) -> Iterator[tuple[str, list[int]]]:
    """dtype and shape of each tensor, from the header alone, which safetensors checks against the size."""
    from safetensors import SafetensorError, safe_open

    with path.open("rb") as file:
        if file.read(4).startswith(_PICKLE_MAGIC):
            raise ModelError(
                f"{path}: a pickle under the name of safetensors, refused", remedy=SAFETENSORS_REMEDY
            )
    try:
        with safe_open(path, framework="numpy") as tensors:
            for key in tensors.keys():  # noqa: SIM118 (not a mapping)
                part = tensors.get_slice(key)
                yield part.get_dtype(), part.get_shape()
    except SafetensorError as error:
        raise ModelError(
            f"{path}: broken safetensors file ({error})",
            remedy="it was cut off or overwritten: copy or download it again",
        ) from error


def _layout() -> str:
    return (
        "a model folder holds config.json, *.safetensors and a tokenizer (tokenizer.json), "
        "as save_pretrained(FOLDER) of model and tokenizer writes them"
    )
