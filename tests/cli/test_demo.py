"""The demo's own options, at a small size; tests/test_demo.py runs it whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tianti.cli import main
from tianti.cli.web import Place


def test_from_scratch_trains_and_measures_the_model_it_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "small.yaml"
    study.write_text("study: demo\nmodels: [nano:llama]\ntasks: [nano/sentiment]\n")
    monkeypatch.setattr("tianti.cli.demo.STUDY", study)
    stream = tmp_path / "stream.yaml"
    stream.write_text(
        "study: demo-stream\nmodels: [nano:llama]\nadaptations: ['full(epochs=1, max_examples=16)']\n"
        "stream: [nano/programs, nano/sentiment]\n"
    )
    monkeypatch.setattr("tianti.cli.demo.STREAM", stream)
    arguments = [
        "demo",
        "--from-scratch",
        "--steps",
        "2",
        "--limit",
        "5",
        "--store",
        "store",
        "--site",
        "site",
    ]
    main_or_exit(arguments)
    assert (tmp_path / "store/nano-llama/model.safetensors").exists()
    said = capsys.readouterr().out
    assert "nano-llama · full(epochs=1, max_examples=16) · plain: score in per cent" in " ".join(said.split())
    before = (tmp_path / "store/nano-llama/card.json").read_bytes()
    served = []
    monkeypatch.setattr("tianti.cli.web.serve_store", lambda *given: served.append(given))
    main_or_exit([*arguments, "--serve", "--port", "0"])
    assert served == [(Path("store"), "demo", Place(port=0))]
    assert "nothing to do" in capsys.readouterr().out
    assert (tmp_path / "store/nano-llama/card.json").read_bytes() == before


def main_or_exit(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert not stop.value.code
