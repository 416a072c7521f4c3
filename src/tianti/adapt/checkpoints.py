"""Checkpoints of a training that is not done: all that decides how it goes on, in safetensors and JSON.

A checkpoint is `checkpoint-N.safetensors` and, written last, `checkpoint.json`, which names it. Both are renamed into
place when their bytes are on the disk, so at any moment `checkpoint.json` names a whole file: the last one or the one
before. What belongs to another training is never used.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from tianti.adapt.saving import into_place
from tianti.core.exceptions import StoreError
from tianti.core.failpoints import failpoint

RECORD = "checkpoint.json"


@dataclass(frozen=True)
class State:
    """Where a training stands. Tensors by name on the CPU; `facts` is plain JSON, whose numbers come back exactly."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass
class Checkpoints:
    """The checkpoints of one training in its folder.

    `identity` is all that decides the weights that come out. A checkpoint is due `epoch_seconds` after the last one at
    the end of an epoch, and after `step_seconds` at any step: what an interruption can cost is bounded by the latter,
    and an epoch that is sooner done than written down is not written down.
    """

    folder: Path
    identity: Mapping[str, Any]
    epoch_seconds: float = 20.0
    step_seconds: float = 300.0
    _written: float = field(default_factory=lambda: time.monotonic())

    def due(self, *, epoch_ends: bool) -> bool:
        """Whether a checkpoint should be written now."""
        wait = self.epoch_seconds if epoch_ends else self.step_seconds
        return time.monotonic() - self._written >= wait

    def write(self, step: int, state: State) -> None:
        """Write the checkpoint of the state after `step` steps, and remove the one before.

        Raises:
            StoreError: the disk is full or the folder cannot be written.
        """
        from safetensors.torch import save_file

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # A name of its own: what `checkpoint.json` still names must not be written over.
            path = self.folder / f"checkpoint-{step}-{uuid.uuid4().hex[:8]}.safetensors"
            part = path.with_name(f"{path.name}.part")
            save_file({name: tensor.contiguous() for name, tensor in state.tensors.items()}, part)
            failpoint("before_checkpoint_tensors")
            into_place(part, path)
            failpoint("between_checkpoint_files")
            part = self.folder / f"{RECORD}.part"
            record = {"identity": dict(self.identity), "tensors": path.name, "facts": dict(state.facts)}
            part.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
            into_place(part, self.folder / RECORD)
            failpoint("after_checkpoint")
            self._remove(kept=path.name)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: no checkpoint can be written: {error}",
                remedy="free some space and run again",
            ) from error
        self._written = time.monotonic()

    def read(self) -> State | None:
        """The last whole checkpoint of this training, or None."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            record = json.loads((self.folder / RECORD).read_text(encoding="utf-8"))
            if record["identity"] != json.loads(json.dumps(dict(self.identity))):
                return None
            return State(load_file(self.folder / record["tensors"]), record["facts"])
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            # None was written, or it was damaged: the training begins anew and ends with the same weights.
            return None

    def clear(self) -> None:
        """Remove all checkpoints: the training is done."""
        (self.folder / RECORD).unlink(missing_ok=True)
        self._remove()

    def _remove(self, kept: str = "") -> None:
        for path in self.folder.glob("checkpoint*"):
            if path.name not in (kept, RECORD):
                path.unlink(missing_ok=True)
