"""An encoder learns how two marked parts of a text are related: a linear head on the text and on both parts.

The head reads the mean of the last hidden states of all tokens, of the first part's and of the second part's, side by
side; of the ways to read a relation off a transformer in Baldini Soares et al. 2019 (Matching the blanks, arXiv
1906.03158) this is mention pooling, beside the whole text. The marks themselves are taken out of the text before it is
read: they are no words, and in short sentences they would be a third of the tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tianti.adapt.answering import network_facts
from tianti.adapt.entropy import PLAIN, Entropy
from tianti.adapt.lesson import Prepare
from tianti.adapt.losses import right_tokens
from tianti.adapt.networks import PooledNetwork, body_of
from tianti.adapt.objectives.labels import Labels
from tianti.adapt.samples import pad
from tianti.adapt.token_rows import Framed, TokenReader, span_tokens
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Backend, ChooseRequest, Failure, Request, Response
from tianti.engine.classifier import ClassifierBackend
from tianti.engine.tokens import Tokens
from tianti.tasks.task import Example

MARKS = ("e1", "e2")
"""The parts of a text, in the order in which the head reads them."""

Part = tuple[int, int]
"""[start, end), in characters of a text or in tokens of a row."""


@dataclass(frozen=True, slots=True)
class Related:
    """A text as one row of tokens, the tokens of its two parts, and the number of their relation."""

    rows: tuple[Tokens]
    parts: tuple[Part, ...]
    label: int


class RelationNetwork(PooledNetwork):
    """A transformer body, and a linear head on the means over the whole text and over its two parts."""

    def __init__(self, body: Any, outputs: int) -> None:
        super().__init__(body, outputs, means=1 + len(MARKS))

    def item_features(self, items: Sequence[Related]) -> Tensor:
        """What the head reads of each item, [items, 3 · width] in float32."""
        ids, mask = pad([item.rows[0] for item in items], 0, self.head.weight.device)
        weights = torch.zeros(len(items), 1 + len(MARKS), ids.shape[1])
        for number, item in enumerate(items):
            for row, (start, end) in enumerate(((0, len(item.rows[0])), *item.parts)):
                weights[number, row, start:end] = 1 / (end - start)
        return torch.bmm(weights.to(ids.device), self.hidden(ids, mask)).flatten(1)

    def read(self, items: Sequence[Related]) -> Tensor:
        """The logits [items, relations]."""
        logits: Tensor = self.head(self.item_features(items))
        return logits


@dataclass(frozen=True)
class Relations(Labels):
    """Cross-entropy of the right relation."""

    def build(self, prepare: Prepare) -> RelationNetwork:
        network, _ = self.lesson.model.pair()
        return RelationNetwork(prepare(body_of(network)), self.lesson.outputs)

    def items(self, network: Any, examples: Sequence[Example]) -> list[Any]:
        reader = TokenReader(network, self.lesson.model.pair()[1], self.lesson.max_length)
        read = read_marked([example.text for example in examples], reader, cut=True)
        found = []
        for example, each in zip(examples, read, strict=True):
            if isinstance(each, Failure):
                raise IncompatibleError(f"cannot train on {example.text[:60]!r}: {each.reason}")
            found.append(Related(each.rows, each.parts, example.label or 0))
        return found

    def loss(self, network: RelationNetwork, items: Sequence[Any]) -> tuple[Tensor, int | Tensor]:
        return relation_loss(network, items, self.entropy)

    def hits(self, network: RelationNetwork, items: Sequence[Any]) -> tuple[float, int]:
        return right_tokens(network.read(items), _labels(network, items))

    def backend(self, network: Any) -> Backend:
        return RelationBackend(network, self.lesson.model.pair()[1], self.lesson.model.options.batch)


class RelationBackend(ClassifierBackend):
    """Answers choose requests whose text has both parts marked; others, and longer ones than are read, are skipped."""

    def __init__(self, network: RelationNetwork, tokenizer: Any, batch: Any) -> None:
        self.reader = TokenReader(network, tokenizer)
        self.network = network
        super().__init__(
            self._forward,
            tokenizer,
            max_length=self.reader.max_length,
            batch=batch,
            facts=network_facts(network) | {"pooling": "mean of the text, of e1 and of e2"},
        )

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        kept = []
        for index, request in enumerate(requests):
            read = read_marked([request.text], self.reader)[0] if isinstance(request, ChooseRequest) else None
            if isinstance(read, Failure):
                yield index, read
            else:
                kept.append(index)
        for place, response in super().answer([requests[index] for index in kept]):
            yield kept[place], response

    def count_tokens(self, texts: Sequence[str | tuple[str, str]]) -> list[int]:
        return super().count_tokens([unmarked(text)[0] if isinstance(text, str) else text for text in texts])

    def _forward(self, texts: Sequence[str]) -> Tensor:
        read = read_marked(texts, self.reader)
        return self.network.read([each for each in read if isinstance(each, Related)])


def relation_loss(
    network: RelationNetwork, items: Sequence[Related], entropy: Entropy = PLAIN
) -> tuple[Tensor, int | Tensor]:
    """Summed cross-entropy of the right relations, and the number of items."""
    return entropy(network.read(items), _labels(network, items))


def is_marked(examples: Sequence[Example]) -> bool:
    """Whether every text has both parts marked: <e1>Mira</e1> lives in <e2>Elmport</e2>."""
    return bool(examples) and all(len(unmarked(example.text)[1]) == len(MARKS) for example in examples)


def unmarked(text: str) -> tuple[str, tuple[Part, ...]]:
    """The text without marks, and where e1 and e2 stand in it, the first time each; those that are marked."""
    parts = []
    for mark in MARKS:
        match = re.search(f"<{mark}>(.*?)</{mark}>", text, re.DOTALL)
        if match and _bare(match[1]):
            parts.append((len(_bare(text[: match.start(1)])), len(_bare(text[: match.end(1)]))))
    return _bare(text), tuple(parts)


def _bare(text: str) -> str:
    return re.sub(r"</?e[12]>", "", text)


def read_marked(texts: Sequence[str], reader: TokenReader, *, cut: bool = False) -> list[Related | Failure]:
    """Each text as a row of tokens with its parts and the label 0, or why it cannot be read so.

    With `cut` a text that is too long ends where the reader's length does, where both parts stand before that.
    """
    bare = [unmarked(text) for text in texts]
    framed = reader.texts([text for text, _ in bare])
    return [
        _related(read, parts, reader.max_length, cut) for read, (_, parts) in zip(framed, bare, strict=True)
    ]


def _related(read: Framed, parts: Sequence[Part], longest: int, cut: bool) -> Related | Failure:
    length = len(read.before) + len(read.content) + len(read.after)
    if len(parts) < len(MARKS):
        reason = "the text has no two parts marked <e1>…</e1> and <e2>…</e2>"
        return Failure("skipped", reason, tokens=length)
    if length > longest and not cut:
        return Failure("skipped", f"text of {length} tokens, the model reads {longest}", tokens=length)
    kept = len(read.content) - max(length - longest, 0)
    first = len(read.before)
    tokens = [span_tokens(part, read.offsets[:kept]) for part in parts]
    found = tuple((first + span[0], first + span[1] + 1) for span in tokens if span is not None)
    if len(found) < len(MARKS):
        reason = f"no token of a marked part is among the {longest} that are read"
        return Failure("skipped", reason, tokens=length)
    return Related((np.concatenate((read.before, read.content[:kept], read.after)),), found, 0)


def _labels(network: RelationNetwork, items: Sequence[Related]) -> Tensor:
    return torch.tensor([item.label for item in items], device=network.head.weight.device)
