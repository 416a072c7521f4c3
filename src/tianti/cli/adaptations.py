"""`tianti adaptations list|show`."""

from __future__ import annotations

from typing import Annotated

import typer

from tianti.cli.options import JsonOption

app = typer.Typer(help="The ways of adapting a model.", no_args_is_help=True)


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """Print every adaptation with what it does."""
    from tianti.adapt import ADAPTATIONS
    from tianti.cli.tables import print_rows

    rows = [(name, adaptation.summary) for name, adaptation in ADAPTATIONS.items()]
    print_rows(("adaptation", "what it does"), rows, as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="lora, or with settings: lora(r=16)")],
    as_json: JsonOption = False,
) -> None:
    """Print an adaptation's settings with their values."""
    from tianti.adapt import all_settings, label, parse_adaptation
    from tianti.cli.tables import print_facts

    adaptation = parse_adaptation(name)
    facts = {
        "adaptation": label(adaptation),
        "what it does": adaptation.summary,
        "trains": adaptation.trains,
        "settings": all_settings(adaptation),
        "write it as": f"{adaptation.name}({', '.join(f'{name}=…' for name in all_settings(adaptation))})"
        if all_settings(adaptation)
        else adaptation.name,
    }
    print_facts(facts, as_json=as_json)
