"""What a user may bring that cannot be used: a clear error, or an answer that is counted as what it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tianti.api import load_board
from tianti.cli import main
from tiny import tiny_bert, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

TASK = (
    "task: t\nkind: classification\ndata: {train: t.jsonl, test: t.jsonl}\ndoc_to_text: '{{text}}'\n"
    "doc_to_target: label\ndoc_to_choice: [a, b]\n"
)
ROWS = [{"text": f"row {index}", "label": "ab"[index % 2]} for index in range(12)]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tianti(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    _write(ROWS)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = 0
        try:
            main(list(arguments))
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def _write(rows: list[dict[str, str]], task: str = TASK) -> None:
    Path("t.yaml").write_text(task)
    Path("t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _save(folder: str, network: torch.nn.Module) -> None:
    network.save_pretrained(folder)  # type: ignore[operator]
    tiny_tokenizer().save_pretrained(folder)


def test_a_prompt_longer_than_the_model_reads_is_skipped_and_counted(tianti: Run) -> None:
    _save("model", tiny_llama(max_position_embeddings=64))
    _write([*ROWS, {"text": "long " * 100, "label": "a"}])
    status, output, _ = tianti("run", "./model", "--task", "t.yaml")
    assert status == 0
    assert "1 trial: 1 measured, 0 found finished. Of 13 answers 1 is skipped (" in output
    assert "no answer to score" not in output
    (cell,) = load_board("tianti-store").entries[0].cells.values()
    assert (cell.n, cell.skipped, cell.errors) == (12, 1, 0)


def test_numbers_that_are_none_are_errors_never_answers(tianti: Run) -> None:
    network = tiny_llama()
    with torch.no_grad():
        network.get_output_embeddings().weight[0] = float("nan")
    _save("broken", network)
    status, output, _ = tianti("run", "./broken", "--task", "t.yaml")
    assert status == 1
    assert "12 answers in error" in output
    (summary,) = (line for line in output.splitlines() if line.startswith("1 trial: 1 measured"))
    assert "Of 12 answers 12 are errors (" in summary
    reason = summary.partition("12 are errors (")[2].rstrip(").")
    assert reason
    assert f"no answer to score: broken · zero-shot · t: all 12 are errors ({reason})" in output
    status, output, errors = tianti("run", "./broken", "--task", "t.yaml", "--json")
    assert (status, json.loads(output)["entries"][0]["cells"]["t"]["errors"]) == (1, 12)
    assert "1 trial, finished before: nothing to do. Of 12 answers 12 are errors" in errors
    (cell,) = load_board("tianti-store").entries[0].cells.values()
    assert (cell.value, cell.n, cell.errors) == (None, 0, 12)


@pytest.mark.parametrize(
    ("adaptation", "task", "says"),
    [("zero-shot", "t.yaml", "encoder"), ("lora", "nano/qa", "encoder")],
)
def test_an_encoder_is_not_asked_to_write(tianti: Run, adaptation: str, task: str, says: str) -> None:
    _save("bert", tiny_bert())
    status, output, _ = tianti("run", "./bert", "--task", task, "--adapt", adaptation)
    assert status == 1
    assert "not measured (refused)" in output
    assert says in output


@pytest.mark.parametrize(
    ("network", "adaptation", "task", "says"),
    [
        (tiny_masked(), "zero-shot", "nano/qa", "needs a model that writes text"),
    ],
)
def test_what_other_architectures_cannot_do(
    tianti: Run, network: torch.nn.Module, adaptation: str, task: str, says: str
) -> None:
    _save("model", network)
    status, output, _ = tianti("run", "./model", "--task", task, "--adapt", adaptation)
    assert status == 1
    assert "not measured (refused)" in output
    assert says in output


@pytest.mark.parametrize("network", [tiny_t5(), tiny_masked()])
def test_what_other_architectures_can_do(tianti: Run, network: torch.nn.Module) -> None:
    _save("model", network)
    status, output, _ = tianti("run", "./model", "--task", "t.yaml", "--dry-run")
    assert (status, "1 trial" in output) == (0, True)
    status, output, _ = tianti("run", "./model", "--task", "t.yaml", "--json")
    (entry,) = json.loads(output)["entries"]
    assert (status, entry["cells"]["t"]["n"], entry["cells"]["t"]["errors"]) == (0, 12, 0)


def test_an_engine_that_is_not_installed_is_named_before_the_first_trial(
    tianti: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    _save("model", tiny_llama())
    status, output, errors = tianti("run", "./model", "--task", "t.yaml", "--engine", "vllm")
    assert (status, output) == (1, "")
    assert "pip install 'tianti[vllm]'" in errors
    status, _, errors = tianti("run", "./model", "--task", "t.yaml", "--engine", "vlm")
    assert status == 1
    assert "--engine: expected transformers or vllm, got 'vlm'" in errors


def test_a_model_without_a_tokenizer_is_refused(tianti: Run) -> None:
    tiny_llama().save_pretrained("model")
    status, _, errors = tianti("run", "./model", "--task", "t.yaml")
    assert status == 1
    assert "tokenizer" in errors


def test_pickle_weights_are_refused_with_the_remedy(tianti: Run) -> None:
    _save("model", tiny_llama())
    Path("model/model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, "model/pytorch_model.bin")
    status, _, errors = tianti("run", "./model", "--task", "t.yaml")
    assert status == 1
    assert "pickle" in errors
    assert "safetensors" in errors


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "t.jsonl"),
        (b'{"text": "x"}\n', "label"),
        (b'{"text": "x", "label": "c"}\n', "'c'"),
        (b'{"id": 1, "text": "x", "label": "a"}\n{"id": 1, "text": "y", "label": "a"}\n', "1"),
        ('{"text": "é", "label": "a"}\n'.encode("latin-1"), "UTF-8"),
        (b'{"text": "x", "label": "a"\n', "line 1"),
    ],
)
def test_data_that_cannot_be_used_says_where(tianti: Run, content: bytes, says: str) -> None:
    Path("t.jsonl").write_bytes(content)
    status, _, errors = tianti("run", "baseline:majority", "--task", "t.yaml", "--adapt", "fit")
    assert status == 1
    assert "t.jsonl" in errors or "t.yaml, split t" in errors
    assert says in errors


def test_a_store_that_cannot_be_written_says_so(tianti: Run) -> None:
    Path("occupied").write_text("a file, not a folder")
    status, _, errors = tianti(
        "run", "baseline:majority", "--task", "t.yaml", "--adapt", "fit", "--store", "occupied"
    )
    assert status == 1
    assert "occupied" in errors
