"""`tianti version`: what is installed and on what."""

from __future__ import annotations

import json

import typer

from tianti.cli.options import JsonOption


def version(as_json: JsonOption = False) -> None:
    """Print the versions of tianti and of the packages that numbers depend on, and the hardware."""
    from tianti.core.environment import environment

    facts = environment()
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    for package, number in facts.pop("versions").items():
        typer.echo(f"{package} {number}")
    for key, value in facts.items():
        typer.echo(f"{key}: {value}")
