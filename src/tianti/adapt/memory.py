"""The peak of memory while something is trained."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import torch

from tianti.core.environment import begin_peak_memory, recent_peak_memory_bytes


class PeakMemory:
    """Inside the context the peak is counted anew; afterwards `peak` is it, in bytes, or None where nobody counts."""

    peak: int | None = None

    def __init__(self, network: Any) -> None:
        self.device = next(network.parameters()).device
        self._counts = False

    def __enter__(self) -> Self:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        self._counts = begin_peak_memory()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(self.device)
        elif self.device.type == "cpu" and self._counts:
            self.peak = recent_peak_memory_bytes()
