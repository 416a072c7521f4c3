"""The models that the product carries: small enough for any machine, trained on the text of `tasks.nano`.

Each is a folder in transformers' format with fp16 weights and a `card.json` that says how it was trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tianti.core.exceptions import UnknownNameError

_HERE = Path(__file__).parent

NANO = {
    "llama": "a causal language model (Llama) of the built-in town, in English and Chinese",
    "bert": "a masked language model (BERT) of the built-in town, in English and Chinese",
    "t5": "an encoder–decoder model (T5) of the built-in town, in English and Chinese",
}


def nano_folder(name: str) -> Path:
    """The folder of `nano:<name>`."""
    if name not in NANO:
        raise UnknownNameError("nano model", name, NANO)
    return _HERE / name


def untrained(source: Path | Any, seed: int) -> Any:
    """A model with fresh weights from `seed` (float32, on the CPU), of the architecture of a folder or config.

    It has the head that it is pre-trained with. The caller's random state is left as it was.
    """
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(source) if isinstance(source, Path) else source
    network_class = getattr(transformers, config.architectures[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network_class._from_config(config, dtype=torch.float32)
