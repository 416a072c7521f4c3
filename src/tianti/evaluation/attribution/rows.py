"""A question of choices as the rows of tokens that a network reads for it, and the places of the text in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from tianti.adapt import Adapted
from tianti.adapt.answering import ChoiceBackend
from tianti.adapt.fitting import join
from tianti.adapt.networks import PooledNetwork
from tianti.core.exceptions import IncompatibleError
from tianti.engine import ChooseRequest, Failure, ScoreRequest
from tianti.engine.causal import CausalBackend
from tianti.engine.classifier import ClassifierBackend
from tianti.engine.seq2seq.backend import Seq2SeqBackend
from tianti.evaluation.attribution.scorers import CausalScorer, HeadScorer, PairScorer
from tianti.models import LoadedModel
from tianti.tasks.task import Question

Read = TypeVar("Read")
Span = tuple[int, int]
"""[start, end) in characters of the text that is explained."""


@dataclass(frozen=True)
class Rows:
    """What is read for one question.

    `ids` holds one row of tokens for each of the network's inputs: one row where a head gives all labels at once, else
    one a choice. `places[r]` gives for positions of row r the characters of `text` that stand there; what has no place
    (the prompt around the text, special tokens, the choices) is never changed. `scorer` gives the log-probabilities
    over the choices.
    """

    text: str
    choices: tuple[str, ...]
    ids: tuple[tuple[int, ...], ...]
    places: tuple[dict[int, Span], ...]
    scorer: nn.Module

    @property
    def spans(self) -> list[Span]:
        """The tokens of the text that every row holds, in their order."""
        common = set.intersection(*(set(row.values()) for row in self.places))
        return sorted(common)

    def without(self, dropped: frozenset[Span]) -> list[list[int]]:
        """The rows without the tokens of these spans."""
        return [
            [token for position, token in enumerate(row) if places.get(position) not in dropped]
            for row, places in zip(self.ids, self.places, strict=True)
        ]

    def replaced(self, filler: int) -> list[list[int]]:
        """The rows with a token that says nothing in place of each token of the text."""
        return [
            [filler if position in places else token for position, token in enumerate(row)]
            for row, places in zip(self.ids, self.places, strict=True)
        ]


def read_rows(adapted: Adapted, model: LoadedModel, question: Question) -> Rows:
    """The rows of a question as the adapted model was asked it.

    Raises:
        IncompatibleError: it is no question of choices, or the model is none whose gradients are followed here.
    """
    backend, tokenizer = adapted.backend, model.tokenizer
    network = adapted.network if adapted.network is not None else getattr(backend, "network", None)
    _refuse(tokenizer, network)
    requests = question.requests
    if isinstance(backend, ClassifierBackend | ChoiceBackend) and type(network) is PooledNetwork:
        return _of_head(backend, network, tokenizer, _one_choice(requests))
    scored = [request for request in requests if isinstance(request, ScoreRequest)]
    context = scored[0].context if scored else ""
    # A question that is asked in other forms too is explained as it is.
    scored = [request for request in scored if request.context == context]
    if len(scored) < 2:
        raise _not_choices()
    if isinstance(backend, CausalBackend):
        return _of_causal(backend, network, tokenizer, question, scored)
    if isinstance(backend, Seq2SeqBackend):
        return _of_pairs(backend, network, tokenizer, question, scored)
    raise IncompatibleError(
        f"the answers of {type(backend).__name__} cannot be explained by gradients",
        remedy="take a head, a causal or an encoder–decoder model",
    )


def _refuse(tokenizer: Any, network: Any) -> None:
    if network is None:
        raise IncompatibleError(
            "there is no network whose gradients could be followed", remedy="take a model with weights"
        )
    if not getattr(tokenizer, "is_fast", False):
        raise IncompatibleError(
            "the model's tokenizer does not say where its tokens stand in the text",
            remedy="take a model with a fast tokenizer (tokenizer.json)",
        )
    body = getattr(network, "body", network)
    if getattr(body, "soft_prompt_length", 0) or getattr(network, "active_peft_config", None) is not None:
        raise IncompatibleError(
            "virtual tokens stand before the text, and what they do cannot be told apart from it",
            remedy="explain another adaptation: lora, full, head-only, zero-shot, few-shot",
        )


def _not_choices() -> IncompatibleError:
    return IncompatibleError(
        "attributions are given for answers that are chosen, and this one is not",
        remedy="take a task with labels or choices",
    )


def _one_choice(requests: Sequence[Any]) -> ChooseRequest:
    found = [request for request in requests if isinstance(request, ChooseRequest)]
    if not found:
        raise _not_choices()
    return found[0]


def _of_head(backend: Any, network: PooledNetwork, tokenizer: Any, request: ChooseRequest) -> Rows:
    """One row for a head with an output for each label; one a choice for a scorer of choices."""
    if request.pair is not None:
        raise IncompatibleError("pairs of texts are not explained yet", remedy="take a task of single texts")
    labels = isinstance(backend, ClassifierBackend)
    texts = [request.text] if labels else [join(request.text, choice) for choice in request.choices]
    encoded = tokenizer(texts, return_offsets_mapping=True, verbose=False)
    places = [
        {
            position: (start, min(end, len(request.text)))
            for position, (start, end) in enumerate(offsets)
            if start < min(end, len(request.text))
        }
        for offsets in encoded["offset_mapping"]
    ]
    ids = tuple(tuple(row) for row in encoded["input_ids"])
    return Rows(request.text, request.choices, ids, tuple(places), HeadScorer(network))


def _all_read(read: Sequence[Read | Failure]) -> list[Read]:
    """What the backend made of each choice.

    Raises:
        IncompatibleError: one of them it cannot read.
    """
    for each in read:
        if isinstance(each, Failure):
            raise IncompatibleError(f"it was not answered: {each.reason}", remedy="explain another sample")
    return [each for each in read if not isinstance(each, Failure)]


def _of_causal(
    backend: CausalBackend, network: Any, tokenizer: Any, question: Question, scored: Sequence[ScoreRequest]
) -> Rows:
    windows = _all_read(backend.tokens.windows(scored))
    rows = [(window.tokens.tolist(), window.scored) for window in windows]
    text, offsets = _text_places(tokenizer, question, scored[0].context)
    places = [_aligned(row[: len(row) - count], offsets) for row, count in rows]
    scorer = CausalScorer(network, [count for _, count in rows])
    return Rows(text, _choices(scored), tuple(tuple(row) for row, _ in rows), tuple(places), scorer)


def _of_pairs(
    backend: Seq2SeqBackend, network: Any, tokenizer: Any, question: Question, scored: Sequence[ScoreRequest]
) -> Rows:
    found = _all_read(backend.tokens.pairs(scored))
    text, offsets = _text_places(tokenizer, question, scored[0].context)
    rows = tuple(tuple(pair.context.tolist()) for pair in found)
    scorer = PairScorer(network, [pair.continuation.tolist() for pair in found])
    return Rows(text, _choices(scored), rows, tuple(_aligned(row, offsets) for row in rows), scorer)


def _choices(scored: Sequence[ScoreRequest]) -> tuple[str, ...]:
    return tuple(request.continuation.strip() for request in scored)


def _text_places(
    tokenizer: Any, question: Question, context: str
) -> tuple[str, list[tuple[int, Span | None]]]:
    """The text that is explained, and the tokens of the context with their places in it.

    It is the sample's own text where the prompt holds it word for word; else all of the prompt.
    """
    context = context.rstrip()
    text = getattr(question.sample, "head_text", "") or context
    begin = context.rfind(text)
    if begin < 0:
        text, begin = context, 0
    encoded = tokenizer(context, return_offsets_mapping=True, add_special_tokens=False, verbose=False)
    found: list[tuple[int, Span | None]] = []
    for token, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        low, high = max(start - begin, 0), min(end - begin, len(text))
        found.append((token, (low, high) if low < high else None))
    return text, found


def _aligned(row: Sequence[int], offsets: Sequence[tuple[int, Span | None]]) -> dict[int, Span]:
    """The places in a row whose last tokens are those of the context; a truncated one has lost its first.

    Special tokens may stand behind the context.
    """
    tokens = [token for token, _ in offsets]
    for behind in range(3):
        end = len(row) - behind
        length = min(len(tokens), end)
        if length and list(row[end - length : end]) == tokens[len(tokens) - length :]:
            start = end - length
            spans = [span for _, span in offsets[len(tokens) - length :]]
            return {start + index: span for index, span in enumerate(spans) if span is not None}
    raise IncompatibleError(
        "the tokens that were scored cannot be found in the text again",
        remedy="explain a task whose prompt this tokenizer reads the same way by itself",
    )
