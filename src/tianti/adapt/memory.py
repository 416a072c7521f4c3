"""What training adds to the memory that was in use before."""

from __future__ import annotations

import gc

import torch

from tianti.core.environment import begin_peak_memory, recent_peak_memory_bytes


class AddedMemory:
    """Counts from where it is made, and so does not depend on what the process held before."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._before: int | None = None
        if device.type == "cuda":
            gc.collect()
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
        elif device.type == "cpu":
            self._before = begin_peak_memory()

    @property
    def most(self) -> int | None:
        """The most that was in use at once since then − what was then, in bytes; None where nobody counts."""
        if self._before is None:
            return None
        on_gpu = self._device.type == "cuda"
        peak = torch.cuda.max_memory_allocated(self._device) if on_gpu else recent_peak_memory_bytes()
        return max(peak - self._before, 0)
