from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tianti.board.build import build_board
from tianti.cli.application import application
from tianti.conductor import conduct
from tianti.contamination import check_contamination, fresh_reference, study_of_entry
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.core.progress import Silent
from tianti.store import Run, Store
from tianti.study import Study, trials
from tianti.tasks import load_tasks
from tianti.web.runs import read_run_page
from tiny import tiny_llama, tiny_tokenizer

ROWS = [{"text": f"This film is {'wonderful' if i % 2 else 'dull'} {i}", "label": i % 2} for i in range(60)]
TASK = """\
task: films
kind: classification
data: {train: train.jsonl, test: test.jsonl}
doc_to_text: "Review: {{text}}\\nSentiment:"
doc_to_target: label
doc_to_choice: [dull, wonderful]
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A tiny model, and a task of which 20 of 60 test samples are its training samples."""
    tiny_llama().save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    for split, rows in {"train": ROWS[:20], "test": ROWS}.items():
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "task.yaml").write_text(TASK)
    return tmp_path


def test_a_task_of_ones_own(world: Path) -> None:
    with Store(world / "store") as store:
        study = study_of_entry(
            store, str(world / "model"), tasks=[str(world / "task.yaml")],
            adaptations=["head-only(epochs=1)", "zero-shot"],
        )  # fmt: skip
        found = check_contamination(study, store, Silent())
        says = {(each.entry, each.method): each for each in found}
        trained = says["model · head-only(epochs=1)", "overlap"]
        assert trained.says.startswith("20 of 60 test items overlap 20 training examples (20 the same")
        assert trained.figures["inflation"]["n_first"] == 20
        assert not says["model · zero-shot", "overlap"].applies
        assert not says["model · zero-shot", "fresh"].applies
        order = says["model", "order"]
        assert order.applies
        assert order.figures["shards"] == 30
        assert "does not clear the model" in order.says

        # The board says it in a footnote, and the run on its page.
        (entry,) = [each for each in build_board(store).entries if each.method == "head-only"]
        (cell,) = entry.cells.values()
        assert cell.overlap == trained.says
        assert read_run_page(store, cell.run_ids[0]).overlap == trained.says
        named = study_of_entry(store, entry.name, tasks=[str(world / "task.yaml")])
        again = check_contamination(named, store, Silent(), ["overlap"])
        assert [each.says for each in again] == [trained.says]
        assert len(store.runs()) == 1  # zero-shot was never needed

    assert trained.figures["overlapping_items"] == [str(index) for index in range(20)]
    text = CliRunner().invoke(application(), ["board", "--store", str(world / "store")]).output
    assert "20 of 60 test items overlap" in " ".join(text.split())


def test_a_run_of_the_time_before_is_compared_from_its_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store:
        study = study_of_entry(store, "baseline:tfidf", tasks=["nano/qa"], adaptations=["fit"])
        with monkeypatch.context() as before:
            before.setattr("tianti.conductor.contamination_facts", lambda *_: {})
            assert [run.cost.get("contamination") for run in _runs(study, store)] == [None]
        (found,) = check_contamination(study, store, Silent(), ["overlap"])
        assert found.says == "no overlap found in 256 training examples"
        assert len(store.runs()) == 1


def _runs(study: Study, store: Store) -> list[Run]:
    return [outcome.run for outcome in conduct(trials(study), store, Silent())]


def test_fresh_samples_are_runs_of_their_own_and_count_for_nothing(tmp_path: Path) -> None:
    arguments = ["contamination", "baseline:tfidf", "-a", "fit", "-t", "nano/sentiment", "-t", "nano/qa"]
    store = ["--store", str(tmp_path)]
    runner = CliRunner()
    first = json.loads(runner.invoke(application(), [*arguments, *store, "--json"]).stdout)
    by = {(each["task"], each["method"]): each for each in first}
    for task in ("nano/sentiment", "nano/qa"):
        fresh = by[task, "fresh"]["figures"]
        assert (fresh["n_first"], fresh["n_second"], fresh["family"]) == (200, 200, 2)
        assert fresh["low"] <= fresh["estimate"] <= fresh["high"]
        assert fresh["least"] <= fresh["estimate"]
        assert by[task, "overlap"]["says"] == "no overlap found in 256 training examples"
        assert "balanced blocks" in by[task, "order"]["says"]
    with Store(tmp_path) as opened:
        assert len(opened.runs()) == 4
        board = build_board(opened)
    assert {column.name: column.excluded for column in board.columns} == {
        "nano/qa": "", "nano/sentiment": "",
        "nano/qa(split=fresh)": "fresh", "nano/sentiment(split=fresh)": "fresh",
    }  # fmt: skip
    second = runner.invoke(application(), [*arguments, *store, "-m", "fresh"])
    assert "public against 200 fresh" in " ".join(second.output.split())
    with Store(tmp_path) as opened:
        assert len(opened.runs()) == 4  # nothing was computed twice


@pytest.mark.parametrize(
    ("task", "seed", "reference"),
    [
        ("nano/qa", None, "nano/qa(split=fresh)"),
        ("nano/qa", 7, "nano/qa(split=fresh, seed=7)"),
        ("nano/qa(seed=3)", 7, "nano/qa(seed=7, split=fresh)"),
        ("nano/qa(split=fresh)", None, None),
    ],
)
def test_where_fresh_samples_come_from(task: str, seed: int | None, reference: str | None) -> None:
    (loaded,) = load_tasks(task)
    assert fresh_reference(loaded, seed) == reference


def test_what_cannot_be_named(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with pytest.raises(UnknownNameError, match="entry"):
            study_of_entry(store, "nano:llama · lora", tasks=["nano/qa"])
        study = study_of_entry(store, "baseline:tfidf", tasks=["nano/qa"], adaptations=["fit"])
        check_contamination(study, store, Silent(), ["overlap"])
        with pytest.raises(InputError, match="already"):
            study_of_entry(store, "baseline:tfidf · fit", tasks=["nano/qa"], adaptations=["fit"])
