"""`tianti pretrain`: a tokenizer and a small model from nothing, and its perplexity on the board."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tianti.cli.options import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from tianti.adapt.pretrain import Corpus, Pretraining
    from tianti.core.progress import Progress

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def pretrain(
    arch: Annotated[str, typer.Option("--arch", help="llama, gpt2, bert or t5.")],
    data: Annotated[
        list[str],
        typer.Option(
            "--data", help="nano (the built-in town), or text files and tables of documents. May be repeated."
        ),
    ],
    size: Annotated[
        str, typer.Option("--size", help="nano, tiny, mini, small, medium, base, or WIDTHxLAYERSxHEADS.")
    ] = "nano",
    tokens: Annotated[
        str, typer.Option("--tokens", help="How many tokens are learned from: 500k, 5M, 1G.")
    ] = "5M",
    out: Annotated[Path | None, typer.Option("--out", help="Where the model is written.")] = None,
    tokenizer: Annotated[
        Path | None, typer.Option("--tokenizer", help="A folder with a tokenizer; else one is trained.")
    ] = None,
    vocabulary: Annotated[int, typer.Option("--vocabulary", help="Tokens of a trained tokenizer.")] = 4096,
    column: Annotated[str, typer.Option("--column", help="The column of the text in tables.")] = "text",
    seed: Annotated[int, typer.Option("--seed", help="Of weights, order and what is hidden.")] = 0,
    batch: Annotated[int, typer.Option("--batch", help="Sequences of a step.")] = 8,
    length: Annotated[int, typer.Option("--length", help="Tokens of a sequence.")] = 256,
    lr: Annotated[
        float | None, typer.Option("--lr", help="The highest learning rate; else by the width.")
    ] = None,
    interval: Annotated[
        int | None, typer.Option("--interval", help="Steps between validations and checkpoints.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")] = "auto",
    dtype: Annotated[
        str, typer.Option("--dtype", help="auto, float32 or bfloat16 (products only).")
    ] = "auto",
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Pre-train a model from nothing. The same command goes on where it was stopped."""
    from tianti.adapt.pretrain import Pretraining, default_rate, open_corpus, parse_size
    from tianti.adapt.pretrain import pretrain as train
    from tianti.cli.progress import TerminalProgress
    from tianti.core.exceptions import InputError

    hidden, layers, heads = parse_size(size)
    if batch < 1 or length < 1:
        raise InputError(f"{batch} sequences of {length} tokens", remedy="give at least 1 of each")
    steps = math.ceil(parse_tokens(tokens) / (batch * length))
    settings = Pretraining(
        architecture=arch, seed=seed, vocabulary=vocabulary, hidden=hidden, layers=layers, heads=heads,
        # What has no table of positions reads on beyond what it was trained on.
        positions=length if arch in ("bert", "gpt2") else max(1024, length),
        length=length, batch=batch, steps=steps, warmup=min(100, math.ceil(steps / 10)),
        learning_rate=default_rate(hidden) if lr is None else lr,
        interval=interval or math.ceil(steps / 10), threads=_threads(hidden), precision=dtype,
    )  # fmt: skip
    corpus = open_corpus(data, seed, column)
    folder = out or Path(f"{arch}-{size}")
    progress = TerminalProgress()
    progress.say(f"{arch}, {size}: {steps:,} steps of {batch} × {length} tokens into {folder}")
    card = train(settings, corpus, folder, tokenizer=tokenizer, progress=progress, device=device)
    typer.echo(
        f"{card.architecture} of {card.parameters:,} parameters, {card.tokens:,} tokens in {card.seconds:,.0f} s; "
        f"validation loss {card.validation_loss:.4f} nats per token ({card.objective})"
    )
    _show(settings, corpus, folder, store, device, progress)


def parse_tokens(text: str) -> int:
    """A number of tokens, with k, M or G for thousands, millions and billions.

    Raises:
        InputError: it is none.
    """
    from tianti.core.exceptions import InputError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)", text.strip().lower())
    count = 0 if found is None else round(float(found[1]) * UNITS[found[2]])
    if count < 1:
        raise InputError(
            f"--tokens {text}: expected a number of tokens", remedy="give 500k, 5M, 1G or the like"
        )
    return count


def _threads(hidden: int) -> int:
    """Small products are fastest in one thread."""
    import torch

    return 1 if hidden <= 256 else torch.get_num_threads()


def _show(
    settings: Pretraining, corpus: Corpus, folder: Path, store: Path, device: str, progress: Progress
) -> None:
    """The perplexity of a causal model on its held-out text, as a run on the board; and what to do next."""
    reference = str(folder) if folder.is_absolute() else f"./{folder}"
    if settings.architecture in ("llama", "gpt2"):
        _measure(corpus, folder, reference, store, device, progress)
    else:
        typer.echo(
            f"Not on the board: a {settings.architecture} model gives no probability of a whole text. "
            "Its validation loss is on its card."
        )
    typer.echo(f"The model:  {folder}  (tianti models show {reference})")
    typer.echo(f"Use it:     tianti run {reference} --task nano/sentiment")


def _measure(
    corpus: Corpus, folder: Path, reference: str, store: Path, device: str, progress: Progress
) -> None:
    from rich.console import Console

    from tianti.adapt.pretrain.held_out import write_held_out
    from tianti.api import run_study
    from tianti.board.terminal import render
    from tianti.cli.summary import print_summary
    from tianti.store import Store
    from tianti.study import study_of, trials

    task = write_held_out(folder, corpus.held)
    study = study_of(study="pretrain", models=[reference], tasks=[str(task)], device=device)
    console = Console()
    with Store(store) as opened:
        result = run_study(study, trials(study), opened, progress)
        console.print(render(result.board))
        print_summary(result.outcomes, opened, console)
