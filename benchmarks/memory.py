"""Peak memory of one side in a process of its own, above what the loaded model takes.

    python benchmarks/memory.py '{"side": "ours", "model": "34m-150k", ...}'

prints the bytes as JSON. Runs as a child of `engine.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Ask:
    """Whose memory to measure, doing what."""

    side: Literal["ours", "harness"]
    model: str
    shape: str
    small: bool
    dtype: str
    device: str
    threads: int
    rows: int
    """The harness's batch size."""


def peak_above_model(ask: Ask) -> int | None:
    """Bytes at the peak of answering above those of the loaded model; None where this cannot be measured.

    Raises:
        RuntimeError: the child failed.
    """
    child = subprocess.run(
        [sys.executable, str(Path(__file__)), json.dumps(asdict(ask))], capture_output=True, text=True
    )
    if child.returncode != 0:
        raise RuntimeError(f"the process that measures memory failed:\n{child.stderr}")
    found: int | None = json.loads(child.stdout.splitlines()[-1])
    return found


def measure(ask: Ask) -> int | None:
    """The same in this process."""
    import torch
    from language import make_language
    from measure import make_shape
    from networks import make_network, vocabulary_of
    from peers import Harness, Ours
    from shapes import SHAPES

    torch.set_num_threads(ask.threads)
    language = make_language(vocabulary_of(ask.model))
    network = make_network(ask.model, ask.dtype, ask.device)
    lengths = SHAPES[ask.shape].small() if ask.small else SHAPES[ask.shape]
    shape = make_shape(ask.shape, lengths, language, network)
    side = (
        Ours(network, language.tokenizer)
        if ask.side == "ours"
        else Harness(network, language.tokenizer, ask.rows)
    )
    # Libraries load parts of themselves at their first use.
    side.answer(shape.part(1).requests)
    if ask.device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        side.answer(shape.requests)
        return torch.cuda.max_memory_allocated() - before
    resident = _resident_after_reset()
    if resident is None:
        return None
    side.answer(shape.requests)
    peak = _status("VmHWM")
    return None if peak is None else peak - resident


def _resident_after_reset() -> int | None:
    """Bytes resident now, from where on the peak is counted anew.

    `getrusage` cannot be used: a child's peak begins at what its parent had in memory.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return None
    return _status("VmRSS")


def _status(name: str) -> int | None:
    """A size in bytes of this process, from Linux."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None


if __name__ == "__main__":
    print(json.dumps(measure(Ask(**json.loads(sys.argv[1])))))
