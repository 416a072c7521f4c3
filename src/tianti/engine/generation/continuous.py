"""Texts written by continuous batching over the prefix tree.

A step writes one token of every text in progress; a text that ends makes room for the next prompt at once, so that
long and short answers cost what they are. What prompts share is read once: their common beginning is kept once, and
prompts that are admitted together are read as a tree.

transformers has continuous batching of its own (`generate_batch`), which does not serve here: it knows end tokens but
no stop strings; the global generator draws for all rows, so that a sampled text depends on its neighbours; its cache is
by default a fixed share of the memory (on a CPU 60 % of it), taken beforehand; attention without kernels of
flash-attention runs over the keys of all requests under one mask; and when memory runs out it ends with requests
unanswered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from transformers import LogitsProcessorList

from tianti.engine.batches import BatchLimit, Usage, free_memory, out_of_memory
from tianti.engine.generation.session import Load, Result, Session
from tianti.engine.generation.slot_reader import SlotReader
from tianti.engine.generation.slots import Slots
from tianti.engine.generation.transformers_generate import greedy_config
from tianti.engine.generation.writing import Ends, Prompt, Writing
from tianti.engine.prefix.step_attention import Stack
from tianti.engine.scoring.shared import common_start, follows_trunk
from tianti.engine.tokens import Tokens, Window

SHORTEST_TRUNK = 16
"""Fewer tokens in common are not worth attention of their own."""


class ContinuousGenerator:
    """Writes the texts of many prompts at once.

    What `prepare` found to be common to prompts (the trunk) stays for later calls.
    """

    def __init__(self, network: Any, tokenizer: Any, limit: BatchLimit, usage: Usage) -> None:
        config = greedy_config(network, tokenizer)
        self.ends = Ends(tokenizer, config.eos_token_id or ())
        self._asks_more = _asks_more(network, config)
        self.reader = SlotReader(network)
        self.load = Load(limit, limit.tokens)
        self.usage = usage
        self.trunk: Tokens = np.zeros(0, dtype=np.int32)
        self.trunk_stack = Stack()

    def is_right(self) -> bool:
        """Whether this network gives the texts that transformers' own `generate` gives.

        The model's generation_config may ask for more (a repetition penalty, say) than the likeliest token.
        """
        return not self._asks_more and self.reader.is_right()

    def facts(self) -> Mapping[str, Any]:
        """What a run records about the way."""
        return {"generating": "continuous"}

    def prepare(self, prompts: Sequence[Prompt]) -> None:
        """Compute what these prompts have in common, and keep it for prompts to come that have it too."""
        self.trunk, self.trunk_stack = self._read_trunk(prompts)

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[Result]:
        """(number of the prompt, its response), as they become ready."""
        follows = [follows_trunk(Window(prompt.tokens, 0), self.trunk) for prompt in prompts]
        on_trunk = {number: prompt for number, prompt in enumerate(prompts) if follows[number]}
        others = {number: prompt for number, prompt in enumerate(prompts) if not follows[number]}
        if on_trunk:
            yield from self._write(on_trunk, Slots(self.trunk_stack, len(self.trunk)))
        if others:
            trunk, stack = self._read_trunk(list(others.values()))
            yield from self._write(others, Slots(stack, len(trunk)))

    def _write(self, prompts: Mapping[int, Prompt], slots: Slots) -> Iterator[Result]:
        writings = {number: Writing(prompt, self.ends) for number, prompt in prompts.items()}
        yield from Session(writings, slots, self.reader, self.load, self.usage)

    def _read_trunk(self, prompts: Sequence[Prompt]) -> tuple[Tokens, Stack]:
        """The tokens that all prompts begin with, and a stack that holds them."""
        trunk = common_start([Window(prompt.tokens, 0) for prompt in prompts])
        while len(trunk) >= SHORTEST_TRUNK:
            stack = Stack()
            try:
                with self.usage.timed():
                    self.reader.read_trunk(trunk, stack, self.load.tokens_at_once)
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
            else:
                self.usage.read(len(trunk), len(trunk), rows=1)
                return trunk, stack
            del stack
            free_memory()
            self.usage.halvings += 1
            if not self.load.read_less():
                break
        return trunk[:0], Stack()


def _asks_more(network: Any, config: Any) -> bool:
    processors = network._get_logits_processor(
        generation_config=config, input_ids_seq_length=1, logits_processor=LogitsProcessorList()
    )
    return bool(processors or config.stop_strings or config.max_time or config.token_healing)
