"""Pre-training from nothing: a tokenizer, then a small language model, on an endless stream of documents.

`python -m tianti.adapt.pretrain FOLDER` trains the nano model that the product carries.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import LlamaConfig, PreTrainedTokenizerFast

from tianti.core.fingerprint import file_digest
from tianti.core.seeds import derive_seed
from tianti.models.nano import NANO, nano_folder, untrained
from tianti.tasks.nano import PRIMER, documents

END, PAD = "<|end|>", "<|pad|>"
RECORDED = 20  # how many of the first losses stand on the card, for a test to meet again


@dataclass(frozen=True)
class Pretraining:
    """All that the result depends on. Lengths and `vocabulary` in tokens, `batch` in sequences."""

    seed: int = 1
    vocabulary: int = 2048
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    positions: int = 1024
    length: int = 384
    batch: int = 3
    steps: int = 4000
    warmup: int = 100
    learning_rate: float = 4e-3
    weight_decay: float = 0.1
    clip: float = 1.0
    interval: int = 400  # steps between validations
    tokenizer_documents: int = 10_000
    threads: int = 1

    def rate(self, step: int) -> float:
        """The learning rate: linear warm-up, then a cosine down to a tenth."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.55 + 0.45 * math.cos(math.pi * done))


@dataclass(frozen=True)
class Card:
    """What is written beside the weights as `card.json`. Losses: mean negative log-likelihood per token, in nats."""

    description: str
    licence: str
    date: str
    architecture: str
    parameters: int
    settings: dict[str, Any]
    tokens: int
    seconds: float
    precision: str
    first_losses: list[float]
    training_loss: float
    validation_losses: dict[str, float]
    validation_loss: float
    tokenizer_sha256: str
    weights_sha256: str


def pretrain(
    settings: Pretraining,
    folder: Path,
    progress: Callable[[int, int, float], None] | None = None,
    steps: int | None = None,
) -> Card:
    """Train from nothing and write weights (fp16), config, tokenizer and card into `folder`.

    `progress` is called with (steps done, steps in all, loss). `steps` ends the run early, on the schedule of the
    whole one, which gives the first losses of the whole one again.
    """
    started, before = time.monotonic(), torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        tokenizer = train_tokenizer(settings)
        model = untrained(llama_config(settings, tokenizer), derive_seed("pretrain", settings.seed) % 2**31)
        losses, validation = _train(model, tokenizer, settings, progress, steps or settings.steps)
    finally:
        torch.set_num_threads(before)
    folder.mkdir(parents=True, exist_ok=True)
    _save(model, tokenizer, folder)
    recent = losses[-settings.interval :]
    card = Card(
        description=DESCRIPTION,
        licence="Apache-2.0",
        date=datetime.now(UTC).date().isoformat(),
        architecture=type(model).__name__,
        parameters=model.num_parameters(),
        settings=asdict(settings),
        tokens=len(losses) * settings.batch * settings.length,
        seconds=round(time.monotonic() - started, 1),
        precision="bfloat16 products, float32 weights" if _has_bfloat16(model.device) else "float32",
        first_losses=losses[:RECORDED],
        training_loss=sum(recent) / len(recent),
        validation_losses=validation,
        validation_loss=validation[str(len(losses))],
        tokenizer_sha256=file_digest(folder / "tokenizer.json"),
        weights_sha256=file_digest(folder / "model.safetensors"),
    )
    (folder / "card.json").write_text(json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return card


DESCRIPTION = (
    "A small causal language model of a made-up town, in English and Chinese. It was trained from random weights, "
    "on generated text only (tianti.tasks.nano.documents), and knows nothing of the world. It is meant for "
    "demonstrations, tests and teaching, where a real model would be too large; it is not meant to be talked to. "
    "No person or place of the test samples occurs in its text, and many of their wordings do not either. Its "
    "tokenizer adds no special token by itself; <|end|> ends a document and stands for an empty context."
)


def train_tokenizer(settings: Pretraining) -> PreTrainedTokenizerFast:
    """A byte-level BPE in which every Chinese character and every line break stands alone.

    A name that nobody has seen is then cut like any other, and a prompt's tokens do not depend on what follows.
    """
    tokenizer = Tokenizer(models.BPE())
    alone = pre_tokenizers.Split(Regex(r"\n|\p{Han}|\p{N}"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [alone, pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocabulary,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(
        islice(documents(settings.seed, PRIMER), settings.tokenizer_documents), trainer
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=PAD,
        model_max_length=settings.positions,
        clean_up_tokenization_spaces=False,
    )


def llama_config(settings: Pretraining, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.hidden,
        intermediate_size=settings.hidden * 8 // 3 // 16 * 16,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.positions,
        initializer_range=0.06,  # narrow matrices start larger, or attention takes long to sharpen
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def batches(
    tokenizer: PreTrainedTokenizerFast, settings: Pretraining, seed: int, start: int = 0
) -> Iterator[Tensor]:
    """Token ids (batch, length). Each sequence begins with a document, as a prompt does, and is then filled up."""
    stream = documents(seed, start)
    while True:
        yield torch.tensor([_sequence(tokenizer, stream, settings.length) for _ in range(settings.batch)])


def _sequence(tokenizer: PreTrainedTokenizerFast, stream: Iterator[str], length: int) -> list[int]:
    ids: list[int] = []
    while len(ids) < length:
        ids += [*tokenizer.encode(next(stream)), tokenizer.eos_token_id]
    return ids[:length]


def causal_loss(model: Any, ids: Tensor) -> Tensor:
    """The mean negative log-likelihood of each next token."""
    with torch.autocast(ids.device.type, torch.bfloat16, enabled=_has_bfloat16(ids.device)):
        loss: Tensor = model(input_ids=ids, labels=ids).loss
    return loss


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32: on a CPU without instructions for it, it is twenty times slower."""
    return device.type != "cpu" or bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _train(
    model: Any,
    tokenizer: PreTrainedTokenizerFast,
    settings: Pretraining,
    progress: Callable[[int, int, float], None] | None,
    steps: int,
) -> tuple[list[float], dict[str, float]]:
    """The loss of each step, and the validation loss by the number of steps before it."""
    optimizers = _optimizers(model, settings)
    held = list(islice(batches(tokenizer, settings, derive_seed("validation", settings.seed), PRIMER), 24))
    stream = batches(tokenizer, settings, settings.seed)
    losses: list[float] = []
    validation: dict[str, float] = {}
    for step, ids in zip(range(steps), stream, strict=False):
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = settings.rate(step)
        loss = causal_loss(model, ids)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        for optimizer in optimizers:
            optimizer.step()
        model.zero_grad()
        losses.append(loss.item())
        if progress:
            progress(step + 1, steps, losses[-1])
        if (step + 1) % settings.interval == 0 or step + 1 == steps:
            validation[str(step + 1)] = _validate(model, held)
    return losses, validation


def _optimizers(model: Any, settings: Pretraining) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between the layers, AdamW for embeddings and gains.

    On this text Muon needs about a third fewer tokens than AdamW alone for the same loss; its steps are scaled to
    the size of AdamW's, so that one learning rate serves both.
    """
    embeddings = model.get_input_embeddings().weight
    matrices = [weight for weight in model.parameters() if weight.dim() == 2 and weight is not embeddings]
    others = [weight for weight in model.parameters() if weight.dim() == 1 or weight is embeddings]
    return [
        torch.optim.Muon(matrices, weight_decay=settings.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0, foreach=True),
    ]


@torch.no_grad()
def _validate(model: Any, held: list[Tensor]) -> float:
    model.eval()
    loss = sum(causal_loss(model, ids).item() for ids in held) / len(held)
    model.train()
    return loss


def _save(model: Any, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """Weights as fp16, the tied output head left out, so that they are small; the config says fp16, too."""
    tied = set(model._tied_weights_keys or ())
    weights = {
        name: value.half().contiguous() for name, value in model.state_dict().items() if name not in tied
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.dtype = torch.float16
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    from rich.progress import Progress

    parser = argparse.ArgumentParser(description="Train nano:llama from nothing.")
    parser.add_argument("folder", type=Path, nargs="?", default=nano_folder("llama"), help=NANO["llama"])
    parser.add_argument("--steps", type=int, help="end early, after so many steps")
    chosen = parser.parse_args()
    with Progress() as bar:
        task = bar.add_task("pre-training", total=None)

        def show(done: int, total: int, loss: float) -> None:
            bar.update(task, completed=done, total=total, description=f"pre-training, loss {loss:.3f}")

        card = pretrain(Pretraining(), chosen.folder, show, chosen.steps)
    print(f"validation loss {card.validation_loss:.4f} after {card.seconds:.0f} s: {chosen.folder}")


if __name__ == "__main__":
    main()
