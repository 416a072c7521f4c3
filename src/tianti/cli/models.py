"""`tianti models list|show`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tianti.cli.options import JsonOption

app = typer.Typer(
    help="The models that come with tianti, and the forms of a model reference.", no_args_is_help=True
)

FORMS = {
    "./folder": "a transformers model on disk (causal, seq2seq, masked, encoder): config.json, safetensors, tokenizer",
    "org/name@revision": "a model of the hub; the revision is resolved to its commit and recorded",
}


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Print the built-in models and the other forms that MODEL may take."""
    from tianti.cli.tables import print_rows
    from tianti.models import list_models

    print_rows(("model", "what it is"), [*list_models().items(), *FORMS.items()], as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="nano:llama, a folder, org/name@revision, …")],
    as_json: JsonOption = False,
) -> None:
    """Print a model's architecture, size and fingerprint, and its card where it has one."""
    from tianti.cli.tables import print_facts
    from tianti.models import ARCHITECTURES, open_model

    model = open_model(name)
    facts = {
        "name": model.name,
        "source": model.source,
        "architecture": model.architecture,
        "what it does": ARCHITECTURES[model.architecture],
        "parameters": model.parameters,
        "revision": model.revision,
        "fingerprint": model.fingerprint,
    }
    card = model.path / "card.json" if model.path else None
    if card is not None and card.exists():
        facts["card"] = json.loads(card.read_text(encoding="utf-8"))
    print_facts(facts, as_json=as_json)
