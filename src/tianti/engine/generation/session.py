"""One session of continuous batching: texts that follow one trunk, of which as many as memory allows are in progress.

Each step writes one token of every text in progress. A text that ends makes room for the next prompt at once.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tianti.engine.batches import BatchLimit, Usage, free_memory, out_of_memory
from tianti.engine.generation.sampling import draw
from tianti.engine.generation.slot_reader import SlotReader
from tianti.engine.generation.slots import Segment, Slots
from tianti.engine.generation.text import Text
from tianti.engine.generation.writing import Writing
from tianti.engine.requests import Failure, GenerateResponse
from tianti.engine.scoring.tree import SMALLEST_STEP
from tianti.engine.tokens import Tokens

WORTH_SHARING = 512
"""Tokens in equal prompts from which on they are kept once for all, which takes attention of its own."""

Result = tuple[int, GenerateResponse | Failure]


@dataclass
class Load:
    """How much is kept and read at once. It becomes less when memory runs out."""

    limit: BatchLimit
    tokens_at_once: int

    def read_less(self) -> bool:
        """Halve the tokens of a pass over prompts; false when there are as few as may be."""
        if self.tokens_at_once <= SMALLEST_STEP:
            return False
        self.tokens_at_once //= 2
        return True


class Session:
    """Writes texts that all follow one trunk; iterate it once."""

    def __init__(
        self,
        writings: Mapping[int, Writing],
        slots: Slots,
        reader: SlotReader,
        load: Load,
        usage: Usage,
    ) -> None:
        self.slots = slots
        self.reader = reader
        self.load = load
        self.usage = usage
        texts = [Text(number, writing, slots.depth) for number, writing in writings.items()]
        # Longest first: what does not fit in memory shows at once. Equal ones side by side.
        texts.sort(key=lambda text: (-len(text.prompt), text.prompt.tobytes()))
        counts = Counter(text.prompt.tobytes() for text in texts)
        for text in texts:
            if (counts[text.prompt.tobytes()] - 1) * (len(text.prompt) - 1) >= WORTH_SHARING:
                text.share()
        self.segments: dict[bytes, Segment] = {}
        self.sharers = Counter(text.shared for text in texts)
        self.waiting = deque(texts)
        self.active: list[Text] = []
        self.suspects: deque[Text] = deque()
        self.most = max(len(text.prompt) + text.writing.prompt.room for text in texts)
        self.admitting = False

    def __iter__(self) -> Iterator[Result]:
        while self.waiting or self.active or self.suspects:
            if not (self.waiting or self.active):
                self.waiting.append(self.suspects.popleft())
            results = self._attempt()
            if results is None:
                results = self._shrink()
            yield from results

    @torch.inference_mode()
    def _attempt(self) -> list[Result] | None:
        """The responses that one more token of each text gives, or None when memory runs out."""
        self.usage.limit = self.load.limit
        try:
            with self.usage.timed():
                self._make_way()
                self._admit()
                return self._step()
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            return None

    def _shrink(self) -> list[Result]:
        """Start again with less at once. What was written stays written."""
        limit, count = self.load.limit, len(self.active)
        longest = max(text.length for text in self.active)
        self.slots.clear()
        self.segments.clear()
        free_memory()
        self.usage.halvings += 1
        for text in self.active:
            text.held, text.segment = 0, None
        self.waiting.extendleft(reversed(self.active))
        self.active = []
        if self.admitting and self.load.read_less():
            return []
        if count > 1:
            self.load.limit = limit.below(count, limit.tokens, limit.scored, count * longest)
        else:
            text = self.waiting.popleft()
            self._finish(text)
            tokens = len(text.writing.prompt.tokens) + len(text.writing.written)
            return [(text.number, Failure("error", f"out of memory with one row of {tokens} tokens", tokens))]
        return []

    def _make_way(self) -> None:
        """Let texts wait when all together have grown too long: those that have written the least."""
        self.admitting = False
        cached = self.load.limit.cached
        while (
            self.load.limit.rows is None
            and len(self.active) > 1
            and len(self.active) * (max(text.held for text in self.active) + 1) > cached - self._shared()
        ):
            row = min(range(len(self.active)), key=lambda row: len(self.active[row].writing.written))
            text = self._leave(row)
            text.held, text.segment = 0, None
            self.waiting.appendleft(text)

    def _admit(self) -> None:
        """Read the prompts of as many waiting texts as there is room for."""
        count, first = self._admissible(), len(self.active)
        if not count:
            return
        self.admitting = True
        self.active += [self.waiting.popleft() for _ in range(count)]
        for text in self.active[first:]:
            self._find_segment(text)
        self._reserve()
        rows = {text.prompt.tobytes(): row for row, text in enumerate(self.active[:first]) if not text.shared}
        read: dict[bytes | None, dict[int, Tokens]] = {}
        for row, text in enumerate(self.active[first:], start=first):
            source = None if text.writing.written or text.shared else rows.get(text.prompt.tobytes())
            text.held = text.length - 1
            if source is not None:
                self.slots.copy([source], [row], text.held)
            elif text.held:
                read.setdefault(text.shared, {})[row] = text.before_last()
        at_once = self.load.tokens_at_once
        for texts in read.values():
            segment = self.active[min(texts)].segment
            tokens = self.reader.prefill(self.slots, list(texts), list(texts.values()), at_once, segment)
            self.usage.read(tokens, tokens, rows=len(texts))
        self.admitting = False

    def _find_segment(self, text: Text) -> None:
        """Have what a text shares with others read, unless it is there already."""
        if text.shared is None:
            return
        if text.shared not in self.segments:
            tokens = np.frombuffer(text.shared, dtype=np.int32)
            segment = self.reader.read_segment(self.slots, tokens, self.load.tokens_at_once)
            self.usage.read(len(tokens), len(tokens), rows=1)
            self.segments[text.shared] = segment
        text.segment = self.segments[text.shared]

    def _shared(self) -> int:
        """The tokens in segments."""
        return sum(segment.length for segment in self.segments.values())

    def _finish(self, text: Text) -> None:
        """Let the segment of a text go with the last that shares it."""
        self.sharers[text.shared] -= 1
        if text.shared is not None and not self.sharers[text.shared]:
            self.segments.pop(text.shared, None)

    def _admissible(self) -> int:
        """How many of the waiting texts may begin: a group at a time, which is read faster than each alone."""
        limit, there = self.load.limit, len(self.active)
        if limit.rows is not None:
            count = min(limit.rows - there, len(self.waiting))
        else:
            longest, count = max((text.need for text in self.active), default=0), 0
            kept = set(self.segments)
            room = limit.cached - self._shared()
            for text in self.waiting:
                longest = max(longest, text.need)
                if text.shared is not None and text.shared not in kept:
                    kept.add(text.shared)
                    room -= len(text.shared) // np.dtype(np.int32).itemsize
                if there + count > 0 and (there + count + 1) * longest > room:
                    break
                count += 1
        few = count < min(len(self.waiting), (there + count) // 8)
        return 0 if there and few else count

    def _step(self) -> list[Result]:
        """Read one more token of each text; the responses of those that it ends."""
        self._reserve()
        held, tokens = [text.held for text in self.active], [text.next_token for text in self.active]
        segments = [text.segment for text in self.active]
        logits = self.reader.decode(self.slots, held, segments, tokens)
        self.usage.read(len(held), len(held), rows=len(held))
        for text in self.active:
            text.held += 1
        # Tokens that were put there, not written, are read one after the other.
        rows = [row for row, text in enumerate(self.active) if text.held == text.length]
        self._write(rows, logits if len(rows) == len(held) else logits[rows])
        done = [row for row in reversed(range(len(held))) if self.active[row].writing.done]
        return [result for row in done for result in self._result(self._leave(row))]

    def _result(self, text: Text) -> Iterator[Result]:
        """The response of a text that ended. Numbers that are not finite may be those of others beside it."""
        if text.writing.broken and not text.alone:
            text.start_again_alone()
            self.suspects.append(text)
        else:
            self._finish(text)
            yield text.number, text.writing.response()

    def _write(self, rows: Sequence[int], logits: torch.Tensor) -> None:
        """Write the likeliest or a drawn token of each of these rows."""
        highest, likeliest = logits.max(dim=-1)
        whole, tokens = highest.isfinite().tolist(), likeliest.tolist()
        writings = [self.active[row].writing for row in rows]
        sampled = [
            place
            for place, writing in enumerate(writings)
            if whole[place] and writing.request.temperature > 0
        ]
        if sampled:
            drawing = [writings[place] for place in sampled]
            drawn = draw(logits[sampled], [w.request for w in drawing], [w.generator for w in drawing])
            for place, token in zip(sampled, drawn.tolist(), strict=True):
                tokens[place] = token
        for row, writing, token, is_whole in zip(rows, writings, tokens, whole, strict=True):
            if is_whole:
                writing.add(token)
            else:
                self.slots.erase(row)
                writing.fail()

    def _leave(self, row: int) -> Text:
        """Take a text out; the last one moves into its row, so that the rows stay together."""
        text, last = self.active[row], self.active.pop()
        if last is not text:
            self.slots.copy([len(self.active)], [row], last.held)
            self.active[row] = last
        return text

    def _reserve(self) -> None:
        count, room = len(self.active), max(text.length for text in self.active)
        limited = self.load.limit.rows is None and count > 1
        most = min(self.most, self.load.limit.cached // count) if limited else self.most
        self.slots.reserve(count, room, most)
