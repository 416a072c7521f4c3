"""Documentation is enforced: what can be used must be described."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from tianti.adapt import ADAPTATIONS, all_settings
from tianti.adapt.continual import STRATEGIES
from tianti.adapt.defaults import LEARNING_RATES
from tianti.adapt.trained import Trained
from tianti.cli.application import application
from tianti.core.call import parse_call
from tianti.tasks.kinds import KINDS
from tianti.tasks.metrics import METRICS

ROOT = Path(__file__).parents[1]
COMMANDS = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
ADAPTATIONS_PAGE = (ROOT / "docs/reference/adaptations.md").read_text(encoding="utf-8")
CONTINUAL_PAGE = (ROOT / "docs/reference/continual.md").read_text(encoding="utf-8")
TASKS_PAGE = (ROOT / "docs/reference/tasks.md").read_text(encoding="utf-8")


def _commands() -> list[tuple[str, typer.core.TyperCommand]]:
    found = []

    def walk(command: typer.core.TyperGroup | typer.core.TyperCommand, path: str) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.append((path, command))
            return
        for name, child in children.items():
            walk(child, f"{path} {name}")

    walk(get_command(application()), "tianti")  # type: ignore[arg-type]
    return found


def _section(path: str) -> str:
    """The part of the commands page under the command's heading."""
    heading = f"## `{path}`"
    assert heading in COMMANDS, f"docs/reference/commands.md has no section {heading}"
    return COMMANDS.split(heading, 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize(("path", "command"), _commands(), ids=[path for path, _ in _commands()])
def test_every_command_and_option_is_documented(path: str, command: typer.core.TyperCommand) -> None:
    section = _section(path)
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("--"):
                assert f"`{option}" in section, f"{path}: {option} is not in docs/reference/commands.md"


def _settings_of(name: str) -> str:
    """The section of an adaptation, and behind it that of what all trained ones share."""
    heading = f"## `{name}`"
    assert heading in ADAPTATIONS_PAGE
    section = ADAPTATIONS_PAGE.split(heading, 1)[1].split("\n## ", 1)[0]
    if issubclass(ADAPTATIONS[name], Trained):
        assert "(#settings-of-training)" in section
        section += ADAPTATIONS_PAGE.split("## Settings of training", 1)[1].split("\n## ", 1)[0]
    return section


@pytest.mark.parametrize("name", ADAPTATIONS)
def test_every_adaptation_and_its_settings_are_documented(name: str) -> None:
    section = _settings_of(name)
    for field in fields(ADAPTATIONS[name]):  # type: ignore[arg-type]
        assert f"`{field.name}`" in section, f"{name}: {field.name} is not in docs/reference/adaptations.md"


DEFAULTS_IN_WORDS = {"all": None, "none": None, "the model's": None}


def _table(section: str) -> list[list[str]]:
    """The rows of the tables of a section, without their headings and rulers."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in rows[2:] if row[0] != "setting" and set(row[0]) != {"-"}]


@pytest.mark.parametrize("name", [name for name in ADAPTATIONS if fields(ADAPTATIONS[name])])  # type: ignore[arg-type]
def test_documented_defaults_are_the_defaults(name: str) -> None:
    documented = {setting: default for setting, default, _ in _table(_settings_of(name))}
    defaults = all_settings(ADAPTATIONS[name]())
    assert documented.keys() == defaults.keys()
    for setting, written in documented.items():
        value = (
            DEFAULTS_IN_WORDS[written]
            if written in DEFAULTS_IN_WORDS
            else parse_call(f"a(b={written})").arguments["b"]
        )
        assert value == defaults[setting], f"{name}: {setting}"


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_and_its_settings_are_documented(name: str) -> None:
    heading = f"### `{name}`"
    assert heading in CONTINUAL_PAGE
    section = CONTINUAL_PAGE.split(heading, 1)[1].split("\n## ", 1)[0].split("\n### ", 1)[0]
    documented = {setting: default for setting, default, _ in _table(section)}
    defaults = all_settings(STRATEGIES[name]())
    assert {key: parse_call(f"a(b={value})").arguments["b"] for key, value in documented.items()} == defaults


def test_documented_learning_rates_are_those_of_the_table() -> None:
    section = ADAPTATIONS_PAGE.split("## Learning rates", 1)[1]
    documented = {method: tuple(map(float, rates)) for method, *rates in _table(section)}
    assert documented == LEARNING_RATES


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_kind_is_documented(kind: str) -> None:
    assert f"### `{kind}`" in TASKS_PAGE


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_is_documented(metric: str) -> None:
    families = {"pass@": "pass@k", "robust_": "robust_*"}
    name = next((family for start, family in families.items() if metric.startswith(start)), metric)
    assert f"| `{name}` |" in TASKS_PAGE


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}, which is not there"
