"""Networks that adaptations train: copies of a model, and a head on pooled features."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tianti.adapt.samples import Rows, pad, size, sorted_batches
from tianti.core.exceptions import IncompatibleError
from tianti.engine.tokens import Tokens


def own_copy(network: Any) -> Any:
    """A copy with weights of its own, in float32: small updates vanish in half precision."""
    return copy.deepcopy(network).float()


def shared_copy(network: Any) -> Any:
    """A copy whose weights are frozen views of the same memory; what is added to it leaves the original alone."""
    views = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in network.parameters()}
    return copy.deepcopy(network, views)


def partly_own_copy(network: Any, learning: Sequence[str]) -> Any:
    """A copy in which the parameters of these names are its own and require a gradient; the rest is frozen.

    In float32 the rest is shared with the original. In half precision all of the copy is in float32, as one layer
    does not compute in two precisions.
    """
    whole = all(parameter.dtype == torch.float32 for parameter in network.parameters())
    copied = shared_copy(network) if whole else own_copy(network).requires_grad_(False)
    wanted = set(learning)
    for name, parameter in copied.named_parameters():
        if name in wanted:
            parameter.data = parameter.data.clone()
            parameter.requires_grad_(True)
    return copied


def injected(network: Any, config: Any) -> Any:
    """A copy that shares the frozen weights, with the layers of a peft method in float32."""
    from peft import inject_adapter_in_model

    adapted = inject_adapter_in_model(config, shared_copy(network))
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def body_of(network: Any) -> Any:
    """What reads a text in a network: all of it but its output head; of an encoder–decoder model the encoder."""
    return network.get_encoder() if network.config.is_encoder_decoder else network.base_model


class PooledNetwork(nn.Module):
    """A transformer body, the mean of its hidden states over each row's tokens, and a linear head on it.

    Mean pooling is what sentence encoders are trained for, and it serves causal bodies as well.
    """

    def __init__(self, body: Any, outputs: int, separator: int | None = None, *, means: int = 1) -> None:
        super().__init__()
        if getattr(body, "pooler", None) is not None:
            body.pooler = None  # BERT's own pooling head, trained on next-sentence prediction; not used here
        self.body = body
        width = body.config.hidden_size
        self.head = nn.Linear(means * width, outputs, device=body.device)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.separator = separator
        """The token between the two texts of a pair, where the body tells its halves apart by token types."""
        names = inspect.signature(type(body).forward).parameters
        self.options = {"use_cache": False} if "use_cache" in names else {}

    @property
    def config(self) -> Any:
        """The body's config."""
        return self.body.config

    def hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → the last hidden states [rows, tokens, width] in float32, those of the given tokens alone:
        whatever an adaptation puts before them (a soft prompt) is left out."""
        types = {} if self.separator is None else {"token_type_ids": token_types(input_ids, self.separator)}
        read = self.body(input_ids=input_ids, attention_mask=attention_mask, **types, **self.options)
        states: Tensor = read.last_hidden_state[:, -input_ids.shape[1] :].float()
        return states

    def features(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → [rows, width], in float32."""
        hidden = self.hidden(input_ids, attention_mask)
        mask = attention_mask.unsqueeze(-1).float()
        return torch.sum(hidden * mask, dim=1) / mask.sum(dim=1)

    def item_features(self, items: Sequence[Any]) -> Tensor:
        """What the head reads of the rows of all items, [rows, width]."""
        return self.features(*pad([row for item in items for row in item.rows], 0, self.head.weight.device))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → logits [rows, outputs]."""
        logits: Tensor = self.head(self.features(input_ids, attention_mask))
        return logits


class TokenNetwork(PooledNetwork):
    """A transformer body and a linear head on each of its last hidden states."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """[rows, tokens] → logits [rows, tokens, outputs]."""
        logits: Tensor = self.head(self.hidden(input_ids, attention_mask))
        return logits


class Windows(Protocol):
    """A text in one or more rows of tokens, and the positions of each row that are looked at."""

    @property
    def rows(self) -> tuple[Tokens, ...]: ...

    @property
    def kept(self) -> tuple[tuple[int, int], ...]: ...


def read_windows(
    network: PooledNetwork, items: Sequence[Windows], *, head: bool = True, fill: int = 0
) -> list[Tensor]:
    """For each item the outputs of all its tokens, [tokens, outputs]; their hidden states without `head`."""
    ids, mask = pad([row for item in items for row in item.rows], fill, network.head.weight.device)
    read = network(ids, mask) if head else network.hidden(ids, mask)
    rows = iter(read)
    return [torch.cat([next(rows)[start:stop] for start, stop in item.kept]) for item in items]


def token_types(input_ids: Tensor, separator: int) -> Tensor:
    """0 up to the first separator, 1 behind it: how BERT tells the first text of a pair from the second."""
    separators = (input_ids == separator).long()
    return (separators.cumsum(dim=1) - separators).clamp(max=1)


def pair_separator(config: Any, tokenizer: Any) -> int | None:
    """The token after which the second text of a pair begins, for a body that tells them apart; None for one that
    does not.

    Raises:
        IncompatibleError: token types that do not change at the separator.
    """
    encoded = tokenizer("a", "b")
    types = encoded.get("token_type_ids")
    if types is None or max(types) == 0 or getattr(config, "type_vocab_size", 0) < 2:
        return None
    separator: int | None = tokenizer.sep_token_id
    ids = torch.tensor([encoded["input_ids"]])
    if separator is None or token_types(ids, separator).tolist() != [types]:
        raise IncompatibleError(
            f"{type(tokenizer).__name__} marks the halves of a pair as {types}, which is not done here",
            remedy="use a model that marks them as BERT does, or not at all",
        )
    return separator


def compute_features(network: PooledNetwork, items: Sequence[Rows], batch: int = 32) -> Tensor:
    """The features of all rows of all items, [rows, width] on the CPU, computed once in batches of similar length."""
    ends = np.cumsum([len(item.rows) for item in items])
    found = torch.empty(int(ends[-1]), network.head.in_features)
    network.train(False)
    with torch.no_grad():
        for indices in sorted_batches([size(item) for item in items], batch):
            read = network.item_features([items[index] for index in indices]).cpu()
            places = [np.arange(ends[index] - len(items[index].rows), ends[index]) for index in indices]
            found[torch.from_numpy(np.concatenate(places))] = read
    return found
