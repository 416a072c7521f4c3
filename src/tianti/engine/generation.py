"""Continuations of prompts, greedy or sampled, as transformers' `generate` makes them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.configuration_utils import GenerationMode

from tianti.core.exceptions import IncompatibleError
from tianti.engine.requests import Failure, GenerateRequest, GenerateResponse
from tianti.engine.scoring import about_equal
from tianti.engine.tokens import Tokens


@dataclass(frozen=True)
class Prompt:
    """A request with the tokens of its context."""

    request: GenerateRequest
    tokens: Tokens


class Generator:
    """Runs batches of prompts through `network.generate`.

    transformers keeps the cache of each family and applies what the model's generation_config asks for (a repetition
    penalty, say), as in lm-evaluation-harness; sampling is ours, since theirs draws from the global generator.
    """

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.network = network
        self.tokenizer = tokenizer
        self.device = next(network.parameters()).device
        self.config = _greedy_config(network, tokenizer)
        self.end_tokens = frozenset(self.config.eos_token_id or ())
        eos = tokenizer.eos_token_id
        self.end_text: str = "" if eos is None else tokenizer.decode(eos)
        self.can_pad = self._padding_is_right()
        """Whether prompts of different lengths may share a batch: recurrent networks may read the padding too."""

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Prompt]) -> list[GenerateResponse | Failure]:
        """The responses to prompts that all have the same `max_tokens`."""
        longest = max(len(prompt.tokens) for prompt in prompts)
        draw = _Draw([prompt.request for prompt in prompts], self.device)
        ends = _Ends(self.tokenizer, prompts, longest, self.end_tokens)
        config = copy.copy(self.config)
        config.max_new_tokens = prompts[0].request.max_tokens
        output = self.network.generate(
            **self._padded([prompt.tokens for prompt in prompts]),
            generation_config=config,
            logits_processor=LogitsProcessorList([draw]),
            stopping_criteria=StoppingCriteriaList([ends]),
        )
        written = output[:, longest:].tolist()
        return [
            Failure("error", "non_finite: the model's logits are NaN or infinite", tokens=len(prompt.tokens))
            if broken
            else self._response(prompt, new_tokens[:length], length is not None)
            for prompt, new_tokens, length, broken in zip(
                prompts, written, ends.lengths, draw.broken, strict=True
            )
        ]

    def _padded(self, prompts: Sequence[Tokens]) -> dict[str, torch.Tensor]:
        """Tokens (rows × longest), padded on the left, with their mask."""
        longest = max(len(tokens) for tokens in prompts)
        input_ids = torch.full((len(prompts), longest), self.config.pad_token_id)
        attention_mask = torch.zeros_like(input_ids)
        for row, tokens in enumerate(prompts):
            input_ids[row, longest - len(tokens) :] = torch.from_numpy(tokens)
            attention_mask[row, longest - len(tokens) :] = 1
        return {"input_ids": input_ids.to(self.device), "attention_mask": attention_mask.to(self.device)}

    @torch.inference_mode()
    def _padding_is_right(self) -> bool:
        """Whether a short prompt gets the same logits beside a longer one as alone."""
        config = copy.copy(self.config)
        config.max_new_tokens, config.return_dict_in_generate, config.output_logits = 1, True, True
        short, long = np.arange(3, dtype=np.int32), np.arange(6, dtype=np.int32)
        beside, alone = (
            self.network.generate(**self._padded(prompts), generation_config=config).logits[0][0]
            for prompts in ([short, long], [short])
        )
        return about_equal(beside, alone)

    def _response(self, prompt: Prompt, written: Sequence[int], ended: bool) -> GenerateResponse:
        """The text of the new tokens, cut as lm-evaluation-harness cuts it: by one stop string after the other."""
        whole = text = self.tokenizer.decode(written, skip_special_tokens=True)
        for stop in (*prompt.request.stop, self.end_text):
            if stop:
                text = text.partition(stop)[0]
        truncated = not ended and text == whole
        return GenerateResponse(text, truncated, tokens=len(prompt.tokens) + len(written))


def _greedy_config(network: Any, tokenizer: Any) -> Any:
    """The model's own generation_config, made greedy and ending at the tokenizer's end-of-text token too.

    Raises:
        IncompatibleError: it asks for beams or another search of its own.
    """
    config = copy.deepcopy(network.generation_config)
    config.do_sample, config.temperature, config.top_p, config.top_k = False, 1.0, 1.0, 50
    config.return_dict_in_generate = False
    config.max_length = None
    mode = config.get_generation_mode()
    if mode != GenerationMode.GREEDY_SEARCH:
        raise IncompatibleError(
            f"the model's generation_config asks for {mode.value}, and only greedy and sampled text can be generated",
            remedy="remove num_beams and the like from its generation_config.json",
        )
    own = config.eos_token_id
    ends = set() if own is None else {own} if isinstance(own, int) else set(own)
    if tokenizer.eos_token_id is not None:
        ends.add(tokenizer.eos_token_id)
    config.eos_token_id = sorted(ends) or None
    pads = (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.eos_token_id, 0)
    config.pad_token_id = next(token for token in pads if token is not None)
    return config


class _Draw(LogitsProcessor):
    """Leaves of a sampled row only the token that was drawn, so that greedy search takes it.

    Each row has a generator of its own: what is drawn does not depend on its neighbours in the batch.
    """

    def __init__(self, requests: Sequence[GenerateRequest], device: torch.device) -> None:
        self.requests = requests
        self.sampled = [row for row, request in enumerate(requests) if request.temperature > 0]
        self.generators = {row: torch.Generator().manual_seed(requests[row].seed) for row in self.sampled}
        self._broken = torch.zeros(len(requests), dtype=torch.bool, device=device)

    @property
    def broken(self) -> list[bool]:
        """The rows that had no largest logit."""
        found: list[bool] = self._broken.tolist()
        return found

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self._broken |= ~scores.amax(dim=-1).isfinite()
        for row in self.sampled:
            token = self._drawn(scores[row], self.requests[row], self.generators[row])
            scores[row] = -torch.inf
            scores[row, token] = 0.0
        return scores

    @staticmethod
    def _drawn(scores: torch.Tensor, request: GenerateRequest, generator: torch.Generator) -> torch.Tensor:
        """A token drawn from the likeliest ones that together have `top_p` of the probability."""
        ordered, tokens = torch.sort(scores / request.temperature, descending=True, stable=True)
        probabilities = ordered.double().softmax(dim=-1)
        before = probabilities.cumsum(dim=-1) - probabilities
        reached = (probabilities * (before < request.top_p)).cumsum(dim=-1)
        point = torch.rand((), generator=generator, dtype=torch.float64).to(scores.device) * reached[-1]
        place = torch.searchsorted(reached, point, right=True)
        return tokens[place.clamp(max=len(tokens) - 1)]


class _Ends(StoppingCriteria):
    """Says which rows have written one of their stop strings or an end token; `lengths` says after how many tokens."""

    def __init__(
        self, tokenizer: Any, prompts: Sequence[Prompt], start: int, end_tokens: frozenset[int]
    ) -> None:
        self.tokenizer = tokenizer
        self.start = start
        self.end_tokens = end_tokens
        self.stops = [tuple(stop for stop in prompt.request.stop if stop) for prompt in prompts]
        self.lengths: list[int | None] = [None] * len(prompts)
        distinct = {stop for stops in self.stops for stop in stops}
        # A stop string may be written in other tokens than the tokenizer would choose: look at two more.
        self.look_back = 2 + max(
            (len(tokenizer.encode(s, add_special_tokens=False)) for s in distinct), default=0
        )

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        length = input_ids.shape[1] - self.start
        rows = [row for row, ended in enumerate(self.lengths) if ended is None]
        tails = input_ids[:, -min(length, self.look_back) :].tolist()
        for row in rows:
            if tails[row][-1] in self.end_tokens or self._stopped(tails[row], self.stops[row]):
                self.lengths[row] = length
        return torch.tensor([ended is not None for ended in self.lengths], device=input_ids.device)

    def _stopped(self, tail: list[int], stops: tuple[str, ...]) -> bool:
        if not stops:
            return False
        text = self.tokenizer.decode(tail)
        return any(stop in text for stop in stops)
