"""Pre-training from nothing: a tokenizer, a network with fresh weights, the loop, and the folder that comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from tianti.adapt.pretrain.architectures import make_config
from tianti.adapt.pretrain.card import CARD, Card, read_card, save_model, write_card
from tianti.adapt.pretrain.checkpoints import State, drop_checkpoints
from tianti.adapt.pretrain.corpus import Corpus
from tianti.adapt.pretrain.loop import Lesson, run_lesson, uses_bfloat16
from tianti.adapt.pretrain.objectives import make_objective
from tianti.adapt.pretrain.packing import Encoder, sources
from tianti.adapt.pretrain.settings import ARCHITECTURES, Pretraining
from tianti.adapt.pretrain.tokenizer import read_tokenizer, train_tokenizer
from tianti.core.exceptions import InputError
from tianti.core.fingerprint import file_digest, fingerprint
from tianti.core.progress import Progress, Silent
from tianti.core.seeds import derive_seed
from tianti.models.loading import find_device
from tianti.models.nano import untrained

RECORDED = 20
"""How many of the first losses stand on the card, for a test to meet again."""

OBJECTIVES = {"llama": "next token", "gpt2": "next token", "bert": "masked tokens", "t5": "span corruption"}


def pretrain(
    settings: Pretraining,
    corpus: Corpus,
    folder: Path,
    *,
    tokenizer: Path | None = None,
    progress: Progress | None = None,
    steps: int | None = None,
    device: str = "cpu",
    half: bool = False,
    description: str = "",
    after_step: Callable[[int], None] = lambda step: None,
) -> Card:
    """Train from nothing and write weights, config, tokenizer and card into `folder`.

    A training that was stopped goes on from its last checkpoint there; one that is done is found and not done again.
    `tokenizer` is a folder with one, instead of training it. `steps` ends early, on the schedule of the whole training.
    `half` writes fp16 weights. `after_step` is called with the number of steps done.

    Raises:
        InputError: too little data, or the folder holds another model.
        IncompatibleError: the tokenizer does not fit the architecture.
        StoreError: the folder cannot be written, or holds the beginning of another training.
    """
    progress = progress or Silent()
    stop = min(steps or settings.steps, settings.steps)
    identity = _identity(settings, corpus, tokenizer)
    if (done := _done(folder, identity, stop)) is not None:
        progress.say(f"Pre-trained before: {folder}")
        return done
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        lesson, reader = _prepare(settings, corpus, tokenizer, identity, device)
        state = run_lesson(lesson, settings, folder, progress, stop=stop, after_step=after_step)
    finally:
        torch.set_num_threads(before)
    save_model(lesson.network, reader, folder, half=half)
    card = _card(settings, corpus, lesson, state, folder, description)
    write_card(folder, card)
    drop_checkpoints(folder)
    return card


def make_tokenizer(settings: Pretraining, corpus: Corpus, folder: Path | None) -> Any:
    """The tokenizer of `folder`, or one that is trained on documents of the corpus."""
    if folder is not None:
        return read_tokenizer(folder, settings.architecture)
    return train_tokenizer(corpus.sample(settings.tokenizer_documents), settings)


def _identity(settings: Pretraining, corpus: Corpus, tokenizer: Path | None) -> str:
    """Threads, precision and how often is validated change nothing of what is learned, but rounding."""
    chosen = {
        key: value
        for key, value in asdict(settings).items()
        if key not in ("threads", "precision", "interval")
    }
    given = file_digest(tokenizer / "tokenizer.json") if tokenizer and _has_file(tokenizer) else None
    return fingerprint({"settings": chosen, "data": corpus.identity(), "tokenizer": given})


def _has_file(tokenizer: Path) -> bool:
    return (tokenizer / "tokenizer.json").is_file()


def _done(folder: Path, identity: str, stop: int) -> Card | None:
    """The card of the same training that is done already.

    Raises:
        InputError: the folder holds another model.
    """
    card = read_card(folder)
    if card is not None and card.identity == identity:
        return card if card.steps >= stop else None
    if (folder / CARD).exists() or (folder / "config.json").exists():
        raise InputError(
            f"{folder}: holds a model already, made with other settings, data or tokenizer",
            remedy="give another --out, or delete the folder",
        )
    return None


def _prepare(
    settings: Pretraining, corpus: Corpus, tokenizer: Path | None, identity: str, device: str
) -> tuple[Lesson, Any]:
    place = find_device(device)
    reader = make_tokenizer(settings, corpus, tokenizer)
    network = untrained(make_config(settings, reader), derive_seed("pretrain", settings.seed) % 2**31)
    network.to(place).train()
    encoder = Encoder(reader, settings.architecture, settings.length)
    learned, held = sources(corpus, encoder, settings.seed)
    return Lesson(network, make_objective(settings, reader), learned, held, identity), reader


def _card(
    settings: Pretraining, corpus: Corpus, lesson: Lesson, state: State, folder: Path, description: str
) -> Card:
    recent = state.losses[-settings.interval :]
    fast = uses_bfloat16(lesson.network.device, settings)
    return Card(
        description=description or f"{ARCHITECTURES[settings.architecture]}. Trained from random weights.",
        licence="Apache-2.0" if description else "",
        date=datetime.now(UTC).date().isoformat(),
        architecture=type(lesson.network).__name__,
        objective=OBJECTIVES[settings.architecture],
        parameters=lesson.network.num_parameters(),
        settings=asdict(settings),
        data=corpus.identity(),
        steps=state.step,
        tokens=state.tokens,
        seconds=round(state.seconds, 1),
        precision="bfloat16 products, float32 weights" if fast else "float32",
        first_losses=state.losses[:RECORDED],
        training_loss=sum(recent) / len(recent),
        validation_losses=state.validation,
        validation_loss=state.validation[str(state.step)],
        tokenizer_sha256=file_digest(folder / "tokenizer.json"),
        weights_sha256=file_digest(folder / "model.safetensors"),
        identity=lesson.identity,
    )
