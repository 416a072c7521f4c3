"""A stand-in for vLLM: exactly the calls that the backend makes, answered by a network of transformers.

It has a prefix cache in blocks, and gives what vLLM gives for prompt tokens that it took from there: nothing, or
(`stale`) a number that is wrong.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

BLOCK = 4


@dataclass
class SamplingParams:
    """The parameters that the backend sets; another name is a TypeError."""

    max_tokens: int
    temperature: float
    top_p: float = 1.0
    seed: int | None = None
    stop: list[str] = field(default_factory=list)
    stop_token_ids: list[int] = field(default_factory=list)
    include_stop_str_in_output: bool = False
    detokenize: bool = True
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    allowed_token_ids: list[int] | None = None
    skip_reading_prefix_cache: bool | None = None


@dataclass
class Logprob:
    logprob: float
    rank: int


@dataclass
class Completion:
    token_ids: list[int]
    logprobs: list[dict[int, Logprob]] | None
    finish_reason: str
    stop_reason: int | str | None


@dataclass
class Output:
    prompt_token_ids: list[int]
    prompt_logprobs: list[dict[int, Logprob] | None] | None
    outputs: list[Completion]
    num_cached_tokens: int


@dataclass
class ModelConfig:
    max_model_len: int
    vocabulary: int
    dtype: torch.dtype = torch.float32

    def get_vocab_size(self) -> int:
        return self.vocabulary


class LLM:
    """`started` holds the arguments of every engine that was started by name."""

    network: Any = None
    tokenizer: Any = None
    started: list[dict[str, Any]] = []  # noqa: RUF012

    def __init__(
        self, network: Any = None, tokenizer: Any = None, *, stale: bool = False, **options: Any
    ) -> None:
        if options:
            LLM.started.append(options)
        self.network = network or LLM.network
        self.tokenizer = tokenizer or LLM.tokenizer
        self.stale = stale
        self.ends: tuple[int, ...] = ()
        """End tokens of the model's generation_config."""
        self.blocks: set[tuple[int, ...]] = set()
        self.asked: list[tuple[list[int], SamplingParams]] = []
        config = self.network.config
        self.llm_engine = types.SimpleNamespace(
            model_config=ModelConfig(config.max_position_embeddings, config.vocab_size)
        )

    def generate(
        self, prompts: Sequence[dict[str, list[int]]], parameters: Sequence[SamplingParams], *, use_tqdm: bool
    ) -> list[Output]:
        assert use_tqdm is False
        assert len(prompts) == len(parameters)
        return [
            self._one(prompt["prompt_token_ids"], one)
            for prompt, one in zip(prompts, parameters, strict=True)
        ]

    def _one(self, prompt: list[int], asked: SamplingParams) -> Output:
        assert 1 <= len(prompt) < self.llm_engine.model_config.max_model_len
        assert asked.logprobs is None or asked.logprobs <= 20
        self.asked.append((prompt, asked))
        skip = asked.skip_reading_prefix_cache
        cached = 0 if skip or (skip is None and asked.prompt_logprobs is not None) else self._cached(prompt)
        for end in range(BLOCK, len(prompt) + 1, BLOCK):
            self.blocks.add(tuple(prompt[:end]))
        written: list[int] = []
        entries: list[dict[int, Logprob]] = []
        finish, reason = "length", None
        for _ in range(asked.max_tokens):
            logprobs = self._logprobs([*prompt, *written])[-1]
            token = self._choose(logprobs, asked)
            written.append(token)
            entries.append(_entries(logprobs, token, asked.logprobs or 0))
            text = self.tokenizer.decode(written)
            found = [end for end in (*asked.stop_token_ids, *self.ends) if end == token]
            found += [stop for stop in asked.stop if stop in text]
            if found:
                finish, reason = "stop", found[0]
                break
        completion = Completion(written, None if asked.logprobs is None else entries, finish, reason)
        return Output(prompt, self._prompt(prompt, asked, cached), [completion], cached)

    def _cached(self, prompt: list[int]) -> int:
        """Tokens in whole blocks that were read before; the last token is always read."""
        ends = range(BLOCK, len(prompt), BLOCK)
        return max((end for end in ends if tuple(prompt[:end]) in self.blocks), default=0)

    def _prompt(self, prompt: list[int], asked: SamplingParams, cached: int) -> list[Any] | None:
        if asked.prompt_logprobs is None:
            return None
        logprobs = self._logprobs(prompt)
        found: list[Any] = [None]
        for place in range(1, len(prompt)):
            if place - 1 >= cached:
                found.append(_entries(logprobs[place - 1], prompt[place], asked.prompt_logprobs))
            else:
                found.append({prompt[place]: Logprob(-99.0, 1)} if self.stale else None)
        return found

    def _choose(self, logprobs: torch.Tensor, asked: SamplingParams) -> int:
        if asked.allowed_token_ids is not None:
            return max(asked.allowed_token_ids, key=lambda token: float(logprobs[token]))
        if asked.temperature == 0:
            return int(logprobs.argmax())
        generator = torch.Generator().manual_seed(asked.seed or 0)
        return int(torch.multinomial((logprobs / asked.temperature).softmax(dim=-1), 1, generator=generator))

    def _logprobs(self, tokens: list[int]) -> torch.Tensor:
        with torch.no_grad():
            logits: torch.Tensor = self.network(input_ids=torch.tensor([tokens])).logits[0]
        return logits.log_softmax(dim=-1)


def _entries(logprobs: torch.Tensor, token: int, most: int) -> dict[int, Logprob]:
    wanted = [token, *logprobs.topk(most).indices.tolist()]
    return {one: Logprob(float(logprobs[one]), int((logprobs > logprobs[one]).sum()) + 1) for one in wanted}


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> type[LLM]:
    """The stand-in under vLLM's name."""
    module = types.ModuleType("vllm")
    module.__spec__ = importlib.machinery.ModuleSpec("vllm", None)
    module.__dict__.update(LLM=LLM, SamplingParams=SamplingParams, __version__="0.0.fake")
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setattr(LLM, "started", [])
    return LLM
