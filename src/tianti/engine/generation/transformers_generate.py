"""Continuations of prompts, greedy or sampled, as transformers' `generate` makes them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList
from transformers.generation.configuration_utils import GenerationMode

from tianti.core.exceptions import IncompatibleError
from tianti.engine.advice import without_advice
from tianti.engine.generation.sampling import draw
from tianti.engine.generation.writing import Ends, Prompt, Writing
from tianti.engine.requests import Failure, GenerateResponse
from tianti.engine.scoring.logits import about_equal
from tianti.engine.tokens import Tokens


class Generator:
    """Runs batches of prompts through `network.generate`.

    transformers keeps the cache of each family and applies what the model's generation_config asks for (a repetition
    penalty, say), as in lm-evaluation-harness; sampling is ours, since theirs draws from the global generator.
    """

    def __init__(self, network: Any, tokenizer: Any) -> None:
        self.network = network
        self.device = next(network.parameters()).device
        self.config = greedy_config(network, tokenizer)
        self.ends = Ends(tokenizer, self.config.eos_token_id or ())
        self.can_pad = self._padding_is_right()
        """Whether prompts of different lengths may share a batch: recurrent networks may read the padding too."""

    def facts(self) -> Mapping[str, Any]:
        """What a run records about the way."""
        return {"generating": "transformers"}

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Prompt]) -> list[GenerateResponse | Failure]:
        """The responses to prompts; those that may write as many tokens are written together."""
        writings = [Writing(prompt, self.ends) for prompt in prompts]
        while left := [writing for writing in writings if not writing.done]:
            for room, together in groupby(sorted(left, key=_room), key=_room):
                self._write(list(together), room)
        return [writing.response() for writing in writings]

    def _write(self, writings: Sequence[Writing], room: int) -> None:
        """Write up to `room` tokens of each, thought or answer."""
        turn = _Turn(writings)
        config = copy.copy(self.config)
        config.max_new_tokens = room
        with without_advice():
            self.network.generate(
                **self._inputs(writings),
                generation_config=config,
                logits_processor=LogitsProcessorList([_Draw(turn)]),
                stopping_criteria=StoppingCriteriaList([_Stop(turn)]),
            )

    def _inputs(self, writings: Sequence[Writing]) -> dict[str, Any]:
        """What `generate` is given to go on from."""
        return self._padded(
            [
                np.concatenate((writing.prompt.tokens, np.array(writing.written, dtype=np.int32)))
                for writing in writings
            ]
        )

    def _padded(self, prompts: Sequence[Tokens]) -> dict[str, Any]:
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
        with without_advice():
            beside, alone = (
                self.network.generate(**self._padded(prompts), generation_config=config).logits[0][0]
                for prompts in ([short, long], [short])
            )
        return about_equal(beside, alone)


def _room(writing: Writing) -> int:
    return writing.room


def greedy_config(network: Any, tokenizer: Any) -> Any:
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


class _Turn:
    """The texts that one call of `generate` goes on with; each is there until its thought or it itself ends."""

    def __init__(self, writings: Sequence[Writing]) -> None:
        self.writings = writings
        self.live = dict(enumerate(writings))
        self._thinking = [writing.is_thinking for writing in writings]

    def add(self, row: int, token: int) -> None:
        writing = self.writings[row]
        writing.add(token)
        if writing.done or writing.is_thinking != self._thinking[row]:
            del self.live[row]

    def fail(self, row: int) -> None:
        self.live.pop(row).fail()


class _Draw(LogitsProcessor):
    """Leaves of a sampled row only the token that was drawn, so that greedy search takes it."""

    def __init__(self, turn: _Turn) -> None:
        self.turn = turn

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        whole = scores.amax(dim=-1).isfinite().tolist()
        for row in [row for row in self.turn.live if not whole[row]]:
            self.turn.fail(row)
        sampled = {row: writing for row, writing in self.turn.live.items() if writing.request.temperature > 0}
        if sampled:
            rows, writings = list(sampled), list(sampled.values())
            tokens = draw(scores[rows], [w.request for w in writings], [w.generator for w in writings])
            scores[rows] = -torch.inf
            scores[rows, tokens] = 0.0
        return scores


class _Stop(StoppingCriteria):
    """Takes down what was written, and says which rows need no more."""

    def __init__(self, turn: _Turn) -> None:
        self.turn = turn

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        tokens = input_ids[:, -1].tolist()
        for row in list(self.turn.live):
            self.turn.add(row, tokens[row])
        stopped = [row not in self.turn.live for row in range(len(tokens))]
        return torch.tensor(stopped, device=input_ids.device)
