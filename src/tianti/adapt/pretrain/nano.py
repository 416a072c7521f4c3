"""The recipes of the models that the product carries, trained on the text of the nano world.

`python -m tianti.adapt.pretrain.nano [llama|bert|t5 …]` trains them anew; `make nano` trains all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tianti.adapt.pretrain.card import CARD, Card
from tianti.adapt.pretrain.checkpoints import FOLDER
from tianti.adapt.pretrain.corpus import NanoCorpus
from tianti.adapt.pretrain.making import pretrain
from tianti.adapt.pretrain.settings import Pretraining
from tianti.core.exceptions import UnknownNameError
from tianti.core.progress import Progress, Silent
from tianti.models.nano import nano_folder

RECIPES = {
    "llama": Pretraining(steps=8000),
    # Both choices were measured in short runs: more hidden tokens teach a small model faster than 15 % do, and so do
    # faster embeddings, above all T5's, which start twenty times as large as others.
    "bert": Pretraining(
        architecture="bert",
        positions=512,
        length=512,
        batch=3,
        steps=8000,
        corrupted=0.3,
        table_rate=3.0,
    ),
    "t5": Pretraining(architecture="t5", layers=3, batch=4, answering=0.4, continuing=0.3, table_rate=20.0),
}
"""The settings of each, by name."""

_MADE = (
    "It was trained from random weights, on generated text only (tianti.tasks.nano.documents), and knows nothing of "
    "the world. It is meant for demonstrations, tests and teaching, where a real model would be too large; it is not "
    "meant to be talked to. No person or place of the test samples occurs in its text, and many of their wordings do "
    "not either."
)
DESCRIPTIONS = {
    "llama": f"A small causal language model of a made-up town, in English and Chinese. {_MADE} Its tokenizer adds no "
    "special token by itself; <|end|> ends a document and stands for an empty context.",
    "bert": f"A small masked language model of a made-up town, in English and Chinese. {_MADE} Its tokenizer puts a "
    "text between [CLS] and [SEP]; documents of one sequence did not see each other in training.",
    "t5": f"A small encoder–decoder model of a made-up town, in English and Chinese. {_MADE} In four of ten steps it "
    "learned to write what follows the colon of a document's last line, in three to go on behind a random place, in "
    "three to fill in spans that were taken out; its losses are the means over such steps.",
}


def pretrain_nano(name: str, folder: Path, progress: Progress, steps: int | None = None) -> Card:
    """Train `nano:<name>` into `folder` by its recipe, or the first `steps` of it.

    Raises:
        UnknownNameError: no such recipe.
    """
    if name not in RECIPES:
        raise UnknownNameError("nano model", name, RECIPES)
    settings = RECIPES[name]
    corpus = NanoCorpus(settings.seed)
    return pretrain(
        settings,
        corpus,
        folder,
        progress=progress,
        steps=steps,
        half=True,
        description=DESCRIPTIONS[name],
    )


class _Lines(Silent):
    """Progress as lines."""

    def say(self, text: str) -> None:
        print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the nano models from nothing.")
    parser.add_argument(
        "names", nargs="*", default=list(RECIPES), help=f"of {', '.join(RECIPES)}; all of them"
    )
    parser.add_argument("--out", type=Path, help="a folder for them, instead of the package's own")
    parser.add_argument("--steps", type=int, help="end early, after so many steps")
    chosen = parser.parse_args()
    for name in chosen.names:
        folder = chosen.out / name if chosen.out else nano_folder(name)
        if not (folder / FOLDER).exists():  # made anew; one that was stopped goes on
            for path in (folder / CARD, folder / "config.json"):
                path.unlink(missing_ok=True)
        card = pretrain_nano(name, folder, _Lines(), chosen.steps)
        print(f"nano:{name}: validation loss {card.validation_loss:.4f} after {card.seconds:.0f} s: {folder}")


if __name__ == "__main__":
    main()
