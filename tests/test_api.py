from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tianti
from tianti.core.exceptions import InputError, ModelError, StoreError
from tiny import tiny_llama, tiny_tokenizer

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_public_names_are_exactly_those_of_all() -> None:
    public = {name for name in dir(tianti) if not name.startswith("_")}
    assert public == set(tianti.__all__)
    for name in tianti.__all__:
        assert getattr(tianti, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = tianti.nothing


def test_importing_tianti_imports_nothing_heavy() -> None:
    code = "import sys, tianti; print([m for m in ('torch', 'transformers', 'pandas', 'pyarrow') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_evaluate_gives_a_board_in_every_form(tmp_path: Path) -> None:
    board = tianti.evaluate(
        "nano:llama", "nano/sentiment", adaptations=["zero-shot", "few-shot(k=1)"], limit=20
    )
    assert {entry.adaptation for entry in board.entries} == {"zero-shot", "few-shot(k=1)"}
    assert board.to_arrow().num_rows == 2
    assert len(board.to_pandas()) == 2
    assert "<table" in board._repr_html_()
    assert tianti.Board.from_json(board.to_json()) == board
    assert tianti.load_board("tianti-store").entries == board.entries


def test_evaluate_takes_a_model_object() -> None:
    board = tianti.evaluate(
        tiny_llama(), ["nano/qa"], tokenizer=tiny_tokenizer(), name="mine", limit=4, store="elsewhere"
    )
    (entry,) = board.entries
    assert entry.model == "mine"
    (cell,) = entry.cells.values()
    assert cell.n + cell.skipped == 4


@pytest.mark.parametrize("training", [True, False])
def test_a_model_object_comes_back_as_it_was(training: bool) -> None:
    network = tiny_llama()
    network.train(training)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    tianti.evaluate(network, "nano/sentiment", tokenizer=tiny_tokenizer(), limit=2)
    assert network.training == training
    assert all((tensor == before[name]).all() for name, tensor in network.state_dict().items())


def test_run_takes_a_mapping_a_file_and_a_study(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"study": "s", "models": ["baseline:majority"], "adaptations": ["fit"],
                              "tasks": ["nano/sentiment"], "limit": 10}  # fmt: skip
    study = tianti.Study.model_validate(fields)
    Path("s.yaml").write_text(study.to_yaml())
    assert tianti.run(fields) == tianti.run(study) == tianti.run("s.yaml")


def test_what_cannot_be_measured_is_an_error_with_its_reason() -> None:
    with pytest.raises(InputError, match="without its tokenizer"):
        tianti.evaluate(tiny_llama(), "nano/qa")
    with pytest.raises(InputError, match="cannot be adapted by lora"):
        tianti.evaluate("baseline:majority", "nano/qa", adaptations="lora")
    with pytest.raises(StoreError, match="no results in nowhere"):
        tianti.load_board("nowhere")
    assert not Path("nowhere").exists()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: tianti.evaluate(42, "nano/qa"), "model: expected a model of transformers, got 42"),
        (lambda: tianti.evaluate(tiny_llama(), "nano/qa", tokenizer=1), "tokenizer: expected a tokenizer"),
        (lambda: tianti.evaluate("nano:llama", 42), r"tasks\[0\]: expected .* got 42"),
        (lambda: tianti.run(42), "study: expected a file"),
        (lambda: tianti.run({"modles": "nano:llama"}), "did you mean 'models'"),
        (lambda: tianti.run({"models": [], "tasks": "nano/qa"}), "models: expected at least one model"),
    ],
)  # fmt: skip
def test_what_is_no_model_task_or_study_is_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()
    assert not Path("tianti-store").exists()


def test_a_device_that_is_not_there_is_found_out_before_the_first_trial() -> None:
    study = {"models": ["nano:llama"], "tasks": ["nano/qa"], "device": "cuda:99", "limit": 2}
    with pytest.raises(ModelError, match=r"no device 'cuda:99' here; there is cpu"):
        tianti.run(study)
    assert not tianti.load_board("tianti-store").entries


def test_a_device_does_not_matter_where_nothing_is_left_to_run() -> None:
    study = {"models": ["nano:llama"], "tasks": ["nano/qa"], "limit": 2}
    assert tianti.run(study) == tianti.run({**study, "device": "cuda:99"})
    baseline = {
        "models": ["baseline:majority"],
        "adaptations": "fit",
        "tasks": "nano/qa",
        "device": "cuda:99",
    }
    assert tianti.run(baseline).entries


def test_evaluate_takes_a_path(tmp_path: Path) -> None:
    tiny_llama().save_pretrained(tmp_path / "mine")
    tiny_tokenizer().save_pretrained(tmp_path / "mine")
    assert tianti.evaluate(tmp_path / "mine", "nano/qa", limit=2).entries[0].model == "mine"


def test_the_python_example_of_the_readme_runs() -> None:
    for page in ("README.md", "README.zh.md"):
        (example,) = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
        names: dict[str, Any] = {}
        exec(compile(example, page, "exec"), names)
        assert len(names["board"].to_pandas()) >= 2
