"""An encoder learns choices: it reads the text with each of them, one output scores them, a softmax compares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tianti.adapt.answering import ChoiceBackend
from tianti.adapt.entropy import Entropy, smoothed
from tianti.adapt.networks import PooledNetwork
from tianti.adapt.objectives.labels import Labels
from tianti.engine import Backend


@dataclass(frozen=True)
class Choices(Labels):
    """Cross-entropy of the right choice among those of its question."""

    @cached_property
    def entropy(self) -> Entropy:
        return smoothed(self.lesson.adaptation)

    def backend(self, network: PooledNetwork) -> Backend:
        return ChoiceBackend(network, self.lesson.model.pair()[1], self.lesson.model.options.batch)
