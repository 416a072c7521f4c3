"""Networks that read virtual tokens before a text.

A causal language model is wrapped by peft, as the engine knows it. A body under a head and the encoder of an
encoder–decoder model, which peft does not serve rightly (it pools virtual tokens, prompts the decoder, or refuses),
get peft's module and a hook that puts what it makes before each text.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tianti.adapt.networks import shared_copy
from tianti.core.exceptions import IncompatibleError


def start_embeddings(
    network: Any,
    tokenizer: Any,
    length: int,
    init: Literal["vocabulary", "random", "text"],
    text: str | None,
) -> Tensor:
    """The embeddings at which virtual tokens start, [length, width] in float32.

    Raises:
        IncompatibleError: the text has no tokens.
    """
    weight: Tensor = network.get_input_embeddings().weight.detach().float()
    if init == "random":
        noise = torch.randn(length, weight.shape[1]).to(weight.device)
        return weight.mean(dim=0) + noise * weight.std(dim=0)
    if init == "vocabulary":
        special = set(tokenizer.all_special_ids)
        known = [token for token in range(min(len(tokenizer), len(weight))) if token not in special]
        tokens = [known[place] for place in torch.randint(len(known), (length,)).tolist()]
    else:
        read = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if not read:
            raise IncompatibleError(
                f"prompt-tuning: the tokenizer makes no token of {text!r}", remedy="give another text"
            )
        tokens = [read[place % len(read)] for place in range(length)]
    return weight[torch.tensor(tokens, device=weight.device)].clone()


def with_virtual_tokens(network: Any, config: Any, start: Tensor | None) -> Any:
    """A copy with shared frozen weights, in which the module of `config` (peft's), in float32, learns.

    `start` is where the embeddings of a prompt start.
    """
    copied = shared_copy(network)
    if network.get_output_embeddings() is None:
        return VirtualTokens.before(copied, config, start)
    if network.config.is_encoder_decoder:
        encoder = VirtualTokens.before(copied.get_encoder(), config, start)
        copied.get_decoder().register_forward_pre_hook(encoder.virtual_tokens.unmask, with_kwargs=True)
        copied.soft_prompt_length = config.num_virtual_tokens
        return copied
    from peft import get_peft_model

    config.task_type = "CAUSAL_LM"
    with warnings.catch_warnings():
        # peft asks transformers for an attribute by the name that it had before.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        wrapped = get_peft_model(copied, config)
    module = wrapped.prompt_encoder["default"].float()
    if start is not None:
        module.embedding.weight.data.copy_(start)
    return wrapped


class VirtualTokens(nn.Module):
    """What peft's module makes of virtual tokens, put before each text that a body reads."""

    def __init__(self, body: Any, config: Any, start: Tensor | None) -> None:
        from peft import PrefixTuningConfig, PromptTuningConfig
        from peft.tuners import PrefixEncoder, PromptEmbedding, PromptEncoder

        super().__init__()
        self.length: int = config.num_virtual_tokens
        config.num_transformer_submodules = 1
        self.is_prefix = isinstance(config, PrefixTuningConfig)
        if self.is_prefix:
            heads, width = _key_shape(body.config)
            config.num_layers, config.num_attention_heads = body.config.num_hidden_layers, heads
            config.token_dim = heads * width
            config.encoder_hidden_size = config.encoder_hidden_size or config.token_dim
            self.shape = (self.length, body.config.num_hidden_layers, 2, heads, width)
            self.made: Any = PrefixEncoder(config)
        elif isinstance(config, PromptTuningConfig):
            self.made = PromptEmbedding(config, body.get_input_embeddings())
        else:
            self.made = PromptEncoder(config)
        if start is not None:
            self.made.embedding.weight.data.copy_(start)

    @classmethod
    def before(cls, body: Any, config: Any, start: Tensor | None) -> Any:
        """`body`, which from now on reads virtual tokens before each text."""
        body.virtual_tokens = cls(body, config, start).to(body.device)
        body.soft_prompt_length = config.num_virtual_tokens
        body.register_forward_pre_hook(body.virtual_tokens.put, with_kwargs=True)
        return body

    def forward(self, rows: int) -> Tensor:
        """Virtual embeddings [rows, length, width], or as many rows of keys and values."""
        made: Tensor = self.made(torch.arange(self.length, device=next(self.parameters()).device))
        return made.expand(rows, *made.shape[-2:])

    def put(self, body: Any, given: tuple[Any, ...], inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """As a forward pre-hook of the body: texts as token ids, with a mask, become texts with virtual tokens."""
        ids, mask = inputs.pop("input_ids"), inputs["attention_mask"]
        virtual = self(len(ids))
        ones = mask.new_ones(len(ids), self.length)
        longer = {**inputs, "attention_mask": torch.cat((ones, mask), dim=1)}
        if self.is_prefix:
            return given, {**longer, "input_ids": ids, "past_key_values": self._cache(virtual, body.dtype)}
        if (types := inputs.get("token_type_ids")) is not None:
            longer["token_type_ids"] = torch.cat((types.new_zeros(len(ids), self.length), types), dim=1)
        read = body.get_input_embeddings()(ids)
        return given, {**longer, "inputs_embeds": torch.cat((virtual.to(read.dtype), read), dim=1)}

    def unmask(
        self, decoder: Any, given: tuple[Any, ...], inputs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """As a forward pre-hook of the decoder that reads the body: it sees the virtual tokens' states as well."""
        states, mask = inputs.get("encoder_hidden_states"), inputs.get("encoder_attention_mask")
        if states is not None and mask is not None and mask.shape[1] + self.length == states.shape[1]:
            ones = mask.new_ones(len(mask), self.length)
            inputs = {**inputs, "encoder_attention_mask": torch.cat((ones, mask), dim=1)}
        return given, inputs

    def _cache(self, virtual: Tensor, dtype: torch.dtype) -> Any:
        from transformers import DynamicCache

        parts = virtual.to(dtype).view(len(virtual), *self.shape).permute(2, 3, 0, 4, 1, 5)
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(parts):
            cache.update(keys, values, layer)
        return cache


def _key_shape(config: Any) -> tuple[int, int]:
    """Heads of the keys in a layer, and the width of one."""
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return getattr(config, "num_key_value_heads", None) or heads, width
