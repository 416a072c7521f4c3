"""Texts written by an encoder–decoder network, greedy or sampled, as transformers' `generate` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from transformers.modeling_outputs import BaseModelOutput

from tianti.engine.generation.transformers_generate import Generator
from tianti.engine.generation.writing import Writing
from tianti.engine.padding import padded
from tianti.engine.tokens import Tokens


class Seq2SeqGenerator(Generator):
    """Runs batches of prompts through the encoder, each distinct one once, and then through `network.generate`.

    lm-evaluation-harness adds the length of the (padded) prompt to the number of tokens that may be written, and so
    does not look for stop strings in as many tokens; here `max_tokens` is what the request says. Prompts are padded on
    the right, so that a network with a table of positions reads them as it reads them alone.
    """

    def _inputs(self, writings: Sequence[Writing]) -> dict[str, Any]:
        prompts = [writing.prompt.tokens for writing in writings]
        distinct: dict[bytes, int] = {}
        row = [distinct.setdefault(tokens.tobytes(), len(distinct)) for tokens in prompts]
        read = self._padded([prompts[row.index(number)] for number in range(len(distinct))])
        hidden = self.network.get_encoder()(**read).last_hidden_state
        return {
            "encoder_outputs": BaseModelOutput(last_hidden_state=hidden[row]),
            "attention_mask": read["attention_mask"][row],
        }

    def _padded(self, prompts: Sequence[Tokens]) -> dict[str, Any]:
        tokens, mask = padded(list(prompts), self.config.pad_token_id, self.device)
        return {"input_ids": tokens, "attention_mask": mask}
