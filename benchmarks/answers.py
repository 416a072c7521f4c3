"""The shape of written answers: of mixed lengths, and the same for all who write them.

A random network ends no answer by itself. So its answers are written once beforehand, and a stop string is chosen that
ends them after lengths as evenly spread as can be. It is one for all questions, as a task has it: lm-evaluation-harness
batches only what has the same stop strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from language import CONSONANTS, SPECIAL, VOWELS, Language
from shapes import Lengths, Shape, make_prompts
from transformers import LogitsProcessor, LogitsProcessorList

from tianti.engine import GenerateRequest

SHORTEST = 5
"""Tokens of the shortest answer that is wished for."""
CLEAR = 1e-3
"""How far the likeliest token must be ahead of the next, in nats, for rounding never to choose between them."""
PROMPTS_AT_ONCE = 8


@dataclass(frozen=True)
class Draft:
    """A prompt with the most that may be written after it, greedily; `margins` says how clear each token was."""

    prompt: str
    tokens: list[int]
    margins: list[float]


def make_answers(lengths: Lengths, language: Language, network: Any) -> Shape:
    """The shape of written answers for a network.

    In float32 only questions are asked whose answers are clear: two ways of computing then write the same text. In
    other types of number no text is that clear.

    Raises:
        ValueError: too few answers are clear.
    """
    exact = next(network.parameters()).dtype == torch.float32
    prompts = make_prompts(lengths, language, lengths.questions * 3 // 2 + 2)
    drafts = write_drafts(network, language, prompts, lengths.written)
    # An end-of-text token would end an answer too.
    drafts = [draft for draft in drafts if min(draft.tokens) >= len(SPECIAL)]
    stop = choose_stop(drafts, language.tokenizer)
    kept = []
    for draft in drafts:
        written = answer_length(draft.tokens, stop, language.tokenizer)
        if not exact or min(draft.margins[:written]) > CLEAR:
            kept.append((draft, written))
    if len(kept) < lengths.questions:
        raise ValueError(
            f"only {len(kept)} of {len(prompts)} answers are clear, {lengths.questions} are needed: ask fewer questions"
        )
    kept = kept[: lengths.questions]
    requests = tuple(GenerateRequest(draft.prompt, (stop,), lengths.written) for draft, _ in kept)
    return Shape("answers", requests, 1, tuple(written for _, written in kept))


def answer_length(tokens: Sequence[int], stop: str, tokenizer: Any) -> int:
    """How many tokens are written until the stop string is there, or all of them."""
    text = ""
    for count, token in enumerate(tokens, 1):
        text += tokenizer.decode([token])
        if stop in text:
            return count
    return len(tokens)


def choose_stop(drafts: Sequence[Draft], tokenizer: Any) -> str:
    """The syllable that ends the drafts after lengths as evenly spread as can be."""
    count, most = len(drafts), max(len(draft.tokens) for draft in drafts)
    wished = [SHORTEST + (most - SHORTEST) * place / max(1, count - 1) for place in range(count)]
    pieces = [tokenizer.batch_decode([[token] for token in draft.tokens]) for draft in drafts]

    def unevenness(stop: str) -> float:
        found = sorted(
            next((place for place, piece in enumerate(those, 1) if stop in piece), len(those))
            for those in pieces
        )
        return sum(abs(length - wish) for length, wish in zip(found, wished, strict=True))

    syllables = ["".join(pair) for pair in product(CONSONANTS, VOWELS)]
    return min([*syllables, *(f" {syllable}" for syllable in syllables)], key=unevenness)


def write_drafts(network: Any, language: Language, prompts: Sequence[str], tokens: int) -> list[Draft]:
    """What the network writes greedily after each prompt, stopped by nothing."""
    drafts: list[Draft] = []
    for start in range(0, len(prompts), PROMPTS_AT_ONCE):
        some = list(prompts[start : start + PROMPTS_AT_ONCE])
        inputs = language.tokenizer(some, padding=True, padding_side="left", return_tensors="pt")
        inputs = {name: inputs[name].to(network.device) for name in ("input_ids", "attention_mask")}
        margins = _Margins()
        output = network.generate(
            **inputs,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            do_sample=False,
            logits_processor=LogitsProcessorList([margins]),
        )
        written = output[:, inputs["input_ids"].shape[1] :].tolist()
        drafts += [Draft(*each) for each in zip(some, written, margins.rows(), strict=True)]
    return drafts


class _Margins(LogitsProcessor):
    """Notes how far the likeliest token is ahead of the next one at each step."""

    def __init__(self) -> None:
        self.steps: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        first, second = scores.float().topk(2).values.unbind(dim=-1)
        self.steps.append(first - second)
        return scores

    def rows(self) -> list[list[float]]:
        """The margins of each row, step by step."""
        found: list[list[float]] = torch.stack(self.steps, dim=1).tolist()
        return found
