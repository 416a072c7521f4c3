"""Texts written by an encoder–decoder network, greedy or sampled, as transformers' `generate` makes them."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from transformers import LogitsProcessorList, StoppingCriteriaList
from transformers.modeling_outputs import BaseModelOutput

from tianti.engine.gather import padded
from tianti.engine.generation import Generator, Prompt, _Draw, _Ends
from tianti.engine.requests import Failure, GenerateResponse
from tianti.engine.tokens import Tokens


class Seq2SeqGenerator(Generator):
    """Runs batches of prompts through the encoder, each distinct one once, and then through `network.generate`.

    lm-evaluation-harness adds the length of the (padded) prompt to the number of tokens that may be written, and so
    does not look for stop strings in as many tokens; here `max_tokens` is what the request says. Prompts are padded on
    the right, so that a network with a table of positions reads them as it reads them alone.
    """

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Prompt]) -> list[GenerateResponse | Failure]:
        """The responses to prompts that all have the same `max_tokens`."""
        distinct: dict[bytes, int] = {}
        row = [distinct.setdefault(prompt.tokens.tobytes(), len(distinct)) for prompt in prompts]
        read = self._padded([prompts[row.index(number)].tokens for number in range(len(distinct))])
        hidden = self.network.get_encoder()(**read).last_hidden_state
        draw = _Draw([prompt.request for prompt in prompts], self.device)
        ends = _Ends(self.tokenizer, prompts, 1, self.end_tokens)
        config = copy.copy(self.config)
        config.max_new_tokens = prompts[0].request.max_tokens
        output = self.network.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=hidden[row]),
            attention_mask=read["attention_mask"][row],
            generation_config=config,
            logits_processor=LogitsProcessorList([draw]),
            stopping_criteria=StoppingCriteriaList([ends]),
        )
        # The decoder's start token is no part of the text.
        written = output[:, 1:].tolist()
        return [
            Failure("error", "non_finite: the model's logits are NaN or infinite", tokens=len(prompt.tokens))
            if broken
            else self._response(prompt, new_tokens[:length], length is not None)
            for prompt, new_tokens, length, broken in zip(
                prompts, written, ends.lengths, draw.broken, strict=True
            )
        ]

    def _padded(self, prompts: Sequence[Tokens]) -> dict[str, torch.Tensor]:
        tokens, mask = padded(list(prompts), self.config.pad_token_id, self.device)
        return {"input_ids": tokens, "attention_mask": mask}
