"""Scores of networks whose positions are another matter in long texts.

With the rotary positions called LongRoPE (Phi-3) all frequencies, also those of the first tokens, depend on whether
what is read at once is longer than the texts of the first training were. A long text shares nothing with a short one
then, not even what they begin with, and neither may stand in a batch or a step with the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tianti.engine.requests import Failure
from tianti.engine.scoring.logits import Scored, Scorer
from tianti.engine.tokens import Window


def frequencies_change_after(network: Any, max_length: int) -> list[int]:
    """The lengths, shorter than `max_length` and in rising order, behind which frequencies of `network` are others.

    Frequencies of the type `dynamic` change too, but only behind `max_position_embeddings`, where no text reaches.
    """
    configs = [part.config for part in network.modules() if hasattr(part, "config")]
    given = [getattr(config, "rope_parameters", None) or {} for config in configs]
    # Where layers differ there is one set of parameters for each kind of layer.
    given += [inner for parameters in given for inner in parameters.values() if isinstance(inner, dict)]
    lengths = {
        int(parameters["original_max_position_embeddings"])
        for parameters in given
        if parameters.get("rope_type") == "longrope"
    }
    return sorted(length for length in lengths if length < max_length)


class LengthwiseScorer:
    """Scores windows in groups by their length: the shortest by `short`, all others by `long`, each group alone.

    `long` must read every window from its beginning on in one piece: its batches then have the right frequencies as
    soon as all that is in them is long.
    """

    def __init__(self, short: Scorer, long: Scorer, lengths: Sequence[int]) -> None:
        self.short = short
        self.long = long
        self.lengths = lengths

    def facts(self) -> Mapping[str, Any]:
        return {**self.short.facts(), "frequencies_change_after": list(self.lengths)}

    def prepare(self, windows: Sequence[Window]) -> None:
        self.short.prepare([window for window in windows if self._group(window) == 0])

    def score(self, windows: Sequence[Window]) -> Iterator[tuple[int, Scored | Failure]]:
        groups: list[list[int]] = [[] for _ in range(len(self.lengths) + 1)]
        for number, window in enumerate(windows):
            groups[self._group(window)].append(number)
        for group, numbers in enumerate(groups):
            scorer = self.long if group else self.short
            for place, result in scorer.score([windows[number] for number in numbers]) if numbers else ():
                yield numbers[place], result

    def _group(self, window: Window) -> int:
        return bisect_left(self.lengths, len(window.tokens) - 1)
