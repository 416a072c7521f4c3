"""A model without its weights, to ask what fits it before anything is loaded."""

from __future__ import annotations

from typing import Any

from tianti.models.loading import READERS, check_vllm, read_tokenizer, unreadable
from tianti.models.model import LoadedModel, LoadOptions, Model


def outline_model(model: Model, options: LoadOptions) -> LoadedModel:
    """All layers and the tokenizer of `model`, with weights that hold no numbers and take no memory: it cannot answer.

    Raises:
        ModelError: transformers cannot read its config or its tokenizer.
        IncompatibleError: the engine cannot run it.
    """
    if model.path is None:
        return LoadedModel(model, options)
    tokenizer = read_tokenizer(model.path)
    if options.engine == "vllm":
        check_vllm(model, options)
        return LoadedModel(model, options, tokenizer=tokenizer)
    import torch
    import transformers

    reader: Any = getattr(transformers, READERS[model.architecture])
    try:
        config = transformers.AutoConfig.from_pretrained(
            model.path, trust_remote_code=False, local_files_only=True
        )
        with torch.device("meta"):
            network = reader.from_config(config)
    except Exception as error:
        raise unreadable(model, error) from error
    return LoadedModel(model, options, network, tokenizer)
