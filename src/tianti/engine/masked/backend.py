"""The backend for masked language models of transformers: BERT, RoBERTa and their kin."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from tianti.engine.backend import network_facts
from tianti.engine.batches import Batches, BatchLimit, Row, Usage, batch_limit
from tianti.engine.masked.masking import MaskedTokens, Text
from tianti.engine.padding import padded
from tianti.engine.requests import Failure, Request, Response, RollingRequest, ScoreRequest, ScoreResponse
from tianti.engine.scoring.logits import Head, about_equal, look_up
from tianti.engine.tokens import Tokens, find_max_length


@dataclass(frozen=True, slots=True)
class Asked:
    """One distinct masked row, and who asks for which token where: (index of the request, its n-th token)."""

    tokens: Tokens
    places: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    askers: list[tuple[int, int]] = field(default_factory=list)


class MaskedBackend:
    """Answers score requests by the pseudo-log-likelihood of the continuation's tokens (see `masked/masking.py`).

    `by_word` masks the rest of a word with each of its tokens; without it each token is masked alone. Choices that give
    the same masked row share it. The network is put into evaluation mode, and moved when `device` is given. `batch`
    is a number of rows, or `auto`: as many as fit a token budget that halves when memory runs out.

    Raises:
        IncompatibleError: the tokenizer has no mask token.
    """

    request_types = frozenset({ScoreRequest})

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        *,
        device: str | None = None,
        batch: int | Literal["auto"] = "auto",
        by_word: bool = True,
    ) -> None:
        self.network = (network if device is None else network.to(device)).eval()
        vocabulary = network.get_input_embeddings().weight.shape[0]
        self.tokens = MaskedTokens(tokenizer, usable_length(network, tokenizer), vocabulary)
        self.by_word = by_word
        self.batch = batch
        self.limit = batch_limit(network, batch, vocabulary)
        self.usage = Usage(limit=self.limit)
        self.device = next(network.parameters()).device
        pad = tokenizer.pad_token_id
        self.fill = 0 if pad is None else int(pad)
        self.head = Head(self.network)
        self.path = "gathered" if self._gathering_is_right() else "full"
        self.can_pad = self._padding_is_right()
        """Whether rows of different lengths may share a batch: convolutions and Fourier transforms read the padding."""

    def prepare(self, requests: Sequence[Request]) -> None:
        """Nothing is kept between calls: what a token sees on both sides differs from row to row."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        self.network.eval()
        texts: dict[int, Text] = {}
        score = {
            index: request for index, request in enumerate(requests) if isinstance(request, ScoreRequest)
        }
        for index, request in enumerate(requests):
            if index not in score:
                yield index, Failure("skipped", _refusal(request))
        with self.usage.timed():
            read = self.tokens.texts(list(score.values()))
        for index, text in zip(score, read, strict=True):
            if isinstance(text, Failure):
                yield index, text
            else:
                texts[index] = text
        yield from self._score(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self.tokens.count(texts)

    def facts(self) -> Mapping[str, Any]:
        return {
            "backend": "masked",
            **network_facts(self.network),
            "max_length": self.tokens.max_length,
            "masking": "word, left to right" if self.by_word else "token",
            "logits": self.path,
            "batch": self.batch,
            **self.usage.facts(),
        }

    def _score(self, texts: Mapping[int, Text]) -> Iterator[tuple[int, Response]]:
        """Each response as soon as the last row of its request is done."""
        rows = self._rows(texts)
        self.usage.asked_tokens += sum(len(text.tokens) * len(text.scored) for text in texts.values())
        found: dict[int, dict[int, tuple[float, bool] | Failure]] = {index: {} for index in texts}

        def run(batch: Sequence[int]) -> list[list[tuple[float, bool]]]:
            return self._look_up([rows[number] for number in batch])

        sizes = [Row(len(row.tokens), len(set(row.places))) for row in rows]
        limit = self.limit if self.can_pad else BatchLimit(rows=1)
        for number, result in Batches(sizes, run, limit, self.usage):
            for asker, (index, token) in enumerate(rows[number].askers):
                scores = found[index]
                scores[token] = result if isinstance(result, Failure) else result[asker]
                if len(scores) == len(texts[index].scored):
                    yield index, _response(texts[index], [scores[place] for place in range(len(scores))])
                    del found[index]

    def _rows(self, texts: Mapping[int, Text]) -> list[Asked]:
        """The distinct masked rows of all texts."""
        rows: dict[bytes, Asked] = {}
        for index, text in texts.items():
            for token, masked in enumerate(self.tokens.rows(text, by_word=self.by_word)):
                row = rows.setdefault(masked.tokens.tobytes(), Asked(masked.tokens))
                row.places.append(masked.place)
                row.targets.append(int(text.tokens[masked.place]))
                row.askers.append((index, token))
        return list(rows.values())

    @torch.inference_mode()
    def _look_up(self, batch: Sequence[Asked]) -> list[list[tuple[float, bool]]]:
        """For each row (log-probability, whether it is the largest) of its targets."""
        wanted = sorted({(number, place) for number, row in enumerate(batch) for place in row.places})
        at = {key: order for order, key in enumerate(wanted)}
        logits = self._logits(self.path, [row.tokens for row in batch], wanted)
        order = [at[number, place] for number, row in enumerate(batch) for place in row.places]
        targets = [target for row in batch for target in row.targets]
        logprobs, likeliest = look_up(logits, np.array(order), np.array(targets))
        found = iter(zip(logprobs.tolist(), likeliest.tolist(), strict=True))
        return [[next(found) for _ in row.askers] for row in batch]

    def _logits(self, path: str, rows: Sequence[Tokens], wanted: Sequence[tuple[int, int]]) -> torch.Tensor:
        """Logits (n × vocabulary) at each (row, place) of `wanted`."""
        tokens, mask = padded(rows, self.fill, self.device)
        row, place = torch.tensor(wanted, device=self.device).unbind(dim=1)
        if path == "gathered":
            with self.head.reads(lambda hidden: hidden[row, place]):
                logits: torch.Tensor = self.network(input_ids=tokens, attention_mask=mask).logits
            return logits[0]
        logits = self.network(input_ids=tokens, attention_mask=mask).logits
        return logits[row, place]

    @torch.inference_mode()
    def _gathering_is_right(self) -> bool:
        """Whether gathered logits of a row equal its full logits."""
        if not self.head.found:
            return False
        row, wanted = [self._probe(6)], [(0, 0), (0, 2), (0, 5)]
        return about_equal(self._logits("gathered", row, wanted), self._logits("full", row, wanted))

    @torch.inference_mode()
    def _padding_is_right(self) -> bool:
        """Whether a short row gets the same logits beside a longer one as alone."""
        short, wanted = self._probe(3), [(0, 0), (0, 2)]
        beside = self._logits(self.path, [short, self._probe(6)], wanted)
        return about_equal(beside, self._logits(self.path, [short], wanted))

    def _probe(self, length: int) -> Tokens:
        """A row of some tokens to check with."""
        return (np.arange(length, dtype=np.int32) * 7 + 5) % self.tokens.vocabulary


def usable_length(network: Any, tokenizer: Any) -> int:
    """The tokens that a network reads, special ones included.

    RoBERTa and its kin number positions from behind the padding token's id: that many rows of the table are not used.
    """
    length = min(find_max_length(network.config, tokenizer), int(tokenizer.model_max_length))
    for name, module in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, torch.nn.Embedding):
            unused = 0 if module.padding_idx is None else module.padding_idx + 1
            length = min(length, module.num_embeddings - unused)
    return length


def _refusal(request: Request) -> str:
    if isinstance(request, RollingRequest):
        return (
            "a masked language model sees both sides of each token: its pseudo-log-likelihood of a text is no "
            "perplexity and not comparable with one"
        )
    return f"a masked language model cannot answer a {type(request).__name__}"


def _response(text: Text, scores: Sequence[tuple[float, bool] | Failure]) -> Response:
    logprobs: list[float] = []
    greedy = True
    for score in scores:
        if isinstance(score, Failure):
            return score
        logprobs.append(score[0])
        greedy = greedy and score[1]
    read, total = len(text.tokens), sum(logprobs)
    if not math.isfinite(total):
        return Failure("error", f"non_finite: the log-probability is {total}", tokens=read)
    return ScoreResponse(total, greedy, tuple(logprobs), tokens=read)
