"""Learning curves of a study that was run."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner

from tianti.api import load_board, run
from tianti.board.assemble import assemble
from tianti.board.curves import curves, render_curves, shot_curves
from tianti.cli.application import application
from worlds import World


def test_a_study_with_sizes_gives_a_curve(tmp_path: Path) -> None:
    board = run(
        {
            "models": ["nano:llama-untrained"],
            "adaptations": ["zero-shot", "head-only(epochs=1)"],
            "tasks": ["nano/sentiment"],
            "train_sizes": [4, 16],
            "seeds": [0, 1],
            "limit": 6,
            "workers": 1,
        },
        store=tmp_path / "store",
    )
    (curve,) = curves(board)
    assert (curve.model, curve.adaptation) == ("nano:llama-untrained", "head-only(epochs=1)")
    assert [point.size for point in curve.points] == [4, 16]
    assert [len(point.cells["nano/sentiment"]["by_seed"]) for point in curve.points] == [2, 2]
    for point in curve.points:
        assert point.mean == board.entry(point.entry).mean
        assert point.entry == f"nano:llama-untrained · head-only(epochs=1, max_examples={point.size})"
    console = Console(width=100, record=True, file=(tmp_path / "out").open("w"))
    console.print(render_curves(board))
    lines = console.export_text().splitlines()
    assert "by training examples" in lines[0]
    assert lines[1].split()[-2:] == ["4", "16"]
    assert len([line for line in lines if "head-only(epochs=1)" in line]) == 1
    by_seed = [100 * value for value in curve.points[0].cells["nano/sentiment"]["by_seed"]]
    assert f"seeds {min(by_seed):.1f} to {max(by_seed):.1f}" in lines[3]
    printed = CliRunner().invoke(
        application(), ["board", "--curve", "--json", "--store", str(tmp_path / "store")]
    )
    assert [point["size"] for point in json.loads(printed.stdout)[0]["points"]] == [4, 16]
    shown = CliRunner().invoke(application(), ["board", "--curve", "--store", str(tmp_path / "store")])
    assert "by training examples" in shown.stdout
    assert load_board(tmp_path / "store").entries


def test_without_sizes_there_is_no_curve(tmp_path: Path) -> None:
    board = run(
        {"models": ["baseline:majority"], "adaptations": ["fit"], "tasks": ["nano/sentiment"], "limit": 3},
        store=tmp_path / "store",
    )
    assert curves(board) == []
    assert "--train-size" in str(render_curves(board))


def test_few_shot_has_a_curve_by_the_examples_in_the_prompt(world: World) -> None:
    chances = {
        "zero-shot": 0.5,
        "few-shot(k=1)": 0.6,
        "few-shot(k=4)": 0.8,
        "few-shot(k=2, selection=similar)": 0.7,
    }
    results = [world.result("m", name, chance=chance) for name, chance in chances.items()]
    results += [world.result("alone", "few-shot(k=4)"), world.result("foreign", "4 shots, they say")]
    similar, plain = sorted(shot_curves(assemble(results, "")), key=lambda curve: -len(curve.adaptation))
    assert (similar.model, similar.adaptation) == ("m", "few-shot(selection=similar)")
    assert [point.size for point in similar.points] == [0, 2]
    assert (plain.model, plain.adaptation) == ("m", "few-shot")
    assert [point.size for point in plain.points] == [0, 1, 4]
    assert plain.points[0].entry == "m · zero-shot"
