"""What comes out of a pre-training: an ordinary transformers folder, with a card that says how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

CARD = "card.json"


@dataclass(frozen=True)
class Card:
    """What is written beside the weights as `card.json`. Losses: mean negative log-likelihood per token, in nats."""

    description: str
    licence: str
    date: str
    architecture: str
    objective: str
    parameters: int
    settings: dict[str, Any]
    data: dict[str, Any]
    steps: int
    tokens: int
    seconds: float
    precision: str
    first_losses: list[float]
    training_loss: float
    validation_losses: dict[str, float]
    validation_loss: float
    tokenizer_sha256: str
    weights_sha256: str
    identity: str
    """Equal for equal settings, data and tokenizer."""


def write_card(folder: Path, card: Card) -> None:
    """Write the card; it comes last, so that a folder with one is complete."""
    part = folder / f"{CARD}.part"
    part.write_text(json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n", "utf-8")
    part.replace(folder / CARD)


def read_card(folder: Path) -> Card | None:
    """The card in `folder`, or None where there is none of a pre-training that was done."""
    try:
        return Card(**json.loads((folder / CARD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save_model(network: Any, tokenizer: Any, folder: Path, *, half: bool) -> None:
    """Weights (as fp16 if `half`), config and tokenizer as transformers reads them; tied weights are written once."""
    folder.mkdir(parents=True, exist_ok=True)
    tied = set(network._tied_weights_keys or ()) if network.config.tie_word_embeddings else set()
    weights = {
        name: (value.half() if half else value).cpu().contiguous()
        for name, value in network.state_dict().items()
        if name not in tied
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    network.config.dtype = torch.float16 if half else torch.float32
    network.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
