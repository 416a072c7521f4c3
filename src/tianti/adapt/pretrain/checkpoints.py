"""Checkpoints of a pre-training: a folder per checkpoint, whole or absent, without pickle.

`training/step-00000400/` holds the weights and the optimizers' tensors as safetensors, and `state.json` with the
rest and the digests of both. It is written under another name and renamed when all of it is on the disk. The last two
are kept: one whose bytes went bad is passed over.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from tianti.core.exceptions import StoreError
from tianti.core.fingerprint import file_digest
from tianti.core.progress import Progress

FOLDER, STATE, WEIGHTS, OPTIMIZERS = "training", "state.json", "weights.safetensors", "optimizers.safetensors"
KEPT = 2


@dataclass
class State:
    """How far a training is. `position`: the next piece of text; losses in nats by step, validation by steps done."""

    step: int = 0
    position: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    validation: dict[str, float] = field(default_factory=dict)


def save_checkpoint(
    folder: Path, identity: str, state: State, network: Any, optimizers: Sequence[torch.optim.Optimizer]
) -> None:
    """Write a checkpoint into `folder`/training; `identity` says of what training it is.

    Raises:
        StoreError: it cannot be written.
    """
    place = folder / FOLDER / f"step-{state.step:08}"
    part = place.with_suffix(".part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        save_file(_weights(network), part / WEIGHTS)
        save_file(_optimizer_tensors(optimizers), part / OPTIMIZERS)
        digests = {name: file_digest(part / name) for name in (WEIGHTS, OPTIMIZERS)}
        record = {"identity": identity, "state": asdict(state), "digests": digests}
        (part / STATE).write_text(json.dumps(record), encoding="utf-8")
        for path in (*part.iterdir(), part):
            _to_disk(path)
        shutil.rmtree(place, ignore_errors=True)  # one that was passed over
        part.replace(place)
        _to_disk(place.parent)
        for old in _complete(folder)[KEPT:]:
            shutil.rmtree(old)
    except OSError as error:
        raise StoreError(
            f"{place}: the checkpoint cannot be written: {error}", remedy="free some space and run again"
        ) from error


def load_checkpoint(
    folder: Path, identity: str, network: Any, optimizers: Sequence[torch.optim.Optimizer], progress: Progress
) -> State:
    """Bring network and optimizers to the newest sound checkpoint; a fresh State where there is none.

    Raises:
        StoreError: the checkpoints are of another training.
    """
    for place in _complete(folder):
        try:
            record = json.loads((place / STATE).read_text(encoding="utf-8"))
            known, state, digests = record["identity"], State(**record["state"]), record["digests"]
            sound = all(file_digest(place / name) == digest for name, digest in digests.items())
        except (OSError, ValueError, KeyError, TypeError):
            sound = False
        if not sound:
            progress.say(f"{place}: passed over, its bytes are not those that were written")
            continue
        if known != identity:
            raise StoreError(
                f"{folder}: holds the beginning of another pre-training (other settings, data or tokenizer)",
                remedy=f"give another --out, or delete {folder / FOLDER} to begin anew",
            )
        _put_weights(network, load_file(place / WEIGHTS))
        _put_optimizers(optimizers, load_file(place / OPTIMIZERS))
        return state
    return State()


def drop_checkpoints(folder: Path) -> None:
    """Remove all checkpoints: the training is done."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def _complete(folder: Path) -> list[Path]:
    """The folders of whole checkpoints, newest first."""
    return sorted((folder / FOLDER).glob("step-" + "[0-9]" * 8), reverse=True)


def _weights(network: Any) -> dict[str, torch.Tensor]:
    """Each parameter once: tied ones have one name here."""
    return {name: weight.detach().cpu().contiguous() for name, weight in network.named_parameters()}


def _put_weights(network: Any, tensors: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_(tensors[name])


def _optimizer_tensors(optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, torch.Tensor]:
    """`optimizer/parameter/name` → tensor. Every entry of the state of AdamW and Muon is a tensor."""
    return {
        f"{number}/{parameter}/{name}": value.detach().cpu().contiguous()
        for number, optimizer in enumerate(optimizers)
        for parameter, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _put_optimizers(optimizers: Sequence[torch.optim.Optimizer], tensors: dict[str, torch.Tensor]) -> None:
    states: list[dict[int, dict[str, torch.Tensor]]] = [{} for _ in optimizers]
    for key, value in tensors.items():
        number, parameter, name = key.split("/")
        states[int(number)].setdefault(int(parameter), {})[name] = value
    for optimizer, state in zip(optimizers, states, strict=True):
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
