"""The example studies at a small size, end to end."""

from __future__ import annotations

from pathlib import Path

import adaptations_page
import checks
import pytest
import real_data_page
import run_all
import yaml

import tianti
from tianti.models.nano import nano_folder
from tianti.study import read_study, study_of
from tianti.tasks import load_tasks

EXAMPLES = Path(run_all.__file__).parent
STUDIES = sorted(EXAMPLES.glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_is_read_and_named_after_its_file(path: Path) -> None:
    study = read_study(path)
    assert study.study == path.stem
    assert read_study_again(study) == study


def read_study_again(study: tianti.Study) -> tianti.Study:
    return study_of(**yaml.safe_load(study.to_yaml()))


def test_every_study_on_real_data_is_run_by_run_all() -> None:
    assert {path.stem for path in STUDIES} == {*run_all.STUDIES, "which-way-to-adapt", "full", "nano-stream"}


def test_a_small_study_learns_from_the_first_rows_and_reads_all_else_as_it_is(tmp_path: Path) -> None:
    # U+2028 ends a line for Python's splitlines, and none of JSON lines.
    row = '{"text": "one\u2028two"}\n'
    for folder in ("tasks", "work/model"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine.yaml").write_text("models: [work/model]\ntasks: [tasks/mine.yaml]\n", encoding="utf-8")
    (tmp_path / "tasks" / "mine.yaml").write_text("task: mine\n", encoding="utf-8")
    for split in ("train", "validation", "test"):
        (tmp_path / "work" / f"mine_{split}.jsonl").write_text(row * 300, encoding="utf-8")
    for _ in range(2):
        found = run_all.few_rows(tmp_path, tmp_path / "work" / "small")
        assert {path.name for path in found.iterdir()} == {"mine.yaml", "tasks", "work"}
        assert (found / "tasks" / "mine.yaml").is_file()
        counts = {
            path.name: path.read_text(encoding="utf-8").count("\n")
            for path in (found / "work").glob("*.jsonl")
        }
        few = run_all.SMALL_ROWS
        assert counts == {"mine_train.jsonl": few, "mine_validation.jsonl": few, "mine_test.jsonl": 300}
        assert (found / "work" / "model").resolve() == tmp_path / "work" / "model"


@pytest.fixture(scope="session")
def small_store(prepared: Path) -> Path:
    store = prepared / "store-small"
    run_all.run_studies(prepared, store, small=True)
    return store


CELLS = {
    "stories260k-perplexity": 2,
    "stories260k-zero-shot": 2,
    "stories260k-five-shot": 4,
    "sst2": 11,
    "wnut17": 5,
    "semeval2010": 5,
    "reading": 6,
    "pairs-and-choices": 12,
    "multi30k": 2,
    "tatoeba": 4,
    "written-texts": 2,
    "gsm8k": 3,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", run_all.STUDIES)
def test_a_study_runs_from_data_to_board(small_store: Path, name: str) -> None:
    board = tianti.load_board(small_store, name)
    cells = [(entry.name, cell) for entry in board.entries for cell in entry.cells.values()]
    assert len(cells) == CELLS[name]
    for entry, cell in cells:
        assert (cell.state, cell.n, cell.errors, cell.skipped) == ("ok", run_all.SMALL_LIMIT, 0, 0), entry
        assert cell.low is not None
        assert cell.high is not None
        assert cell.value is not None
        assert cell.low <= cell.value <= cell.high


@pytest.mark.slow
def test_the_page_holds_every_score_and_every_check(
    small_store: Path, prepared: Path, real_data: Path, tmp_path: Path
) -> None:
    found = checks.all_checks(small_store, real_data, prepared / "work")
    page = tmp_path / "docs" / "real-data.md"
    real_data_page.write_page(page, small_store, run_all.STUDIES, found)
    text = page.read_text(encoding="utf-8")
    for check in found:
        assert check.what in text
    for task in ("tinystories", "hellaswag", "arc_easy", "gsm8k", "mmlu_anatomy", "mmlu_astronomy", "sst2"):
        assert f"\n| {task} |" in text
    assert str(prepared) not in text


@pytest.mark.slow
def test_the_table_of_adaptations_holds_every_entry(small_store: Path, tmp_path: Path) -> None:
    page = tmp_path / "adaptations.md"
    marks = f"{adaptations_page.BEGIN}\nold\n{adaptations_page.END}"
    page.write_text(f"before\n{marks}\nafter\n", encoding="utf-8")
    adaptations_page.write_table(page, small_store, "sst2")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    for entry in tianti.load_board(small_store, "sst2").entries:
        assert (f"| `{entry.adaptation}` |" in text) == (not entry.model.startswith("baseline:"))
    adaptations_page.write_table(page, small_store, "sst2")
    assert page.read_text(encoding="utf-8") == text


def test_the_loss_and_the_story_of_real_weights_are_the_published_ones(
    prepared: Path, real_data: Path, tmp_path: Path
) -> None:
    study = read_study(prepared / "stories260k-perplexity.yaml")
    tianti.run(study.model_copy(update={"limit": checks.STORIES_OF_THE_NOTE}), store=tmp_path)
    for check in (
        checks.loss_check(tmp_path, real_data / "weights_stories260K"),
        checks.story_check(prepared / "work", real_data / "weights_stories260K"),
    ):
        assert check.good, check


@pytest.mark.slow
def test_a_head_on_a_real_encoder_beats_the_majority(prepared: Path, tmp_path: Path) -> None:
    study = read_study(prepared / "sst2.yaml")
    changes = {
        "models": study.models[:2],
        "adaptations": ("head-only(max_examples=300)",),
        "limit": 200,
    }
    tianti.run(study.model_copy(update=changes), store=tmp_path)
    (gain,) = tianti.api.compare_entries(
        tmp_path, f"{checks.ENCODER} · head-only(max_examples=300)", "baseline:majority · fit"
    ).tasks
    assert gain.n == 200
    assert gain.low is not None
    assert gain.low > 0


def test_another_story_fails_the_check(prepared: Path, tmp_path: Path) -> None:
    source = tmp_path / "weights"
    source.mkdir()
    (source / "stories260K.md").write_text("```\n$ ./run -t 0.0\nOnce upon a dime\n```\n", encoding="utf-8")
    check = checks.story_check(prepared / "work", source)
    assert not check.good
    assert check.found == "differs after 12 characters"


def test_a_task_of_ones_own_is_sound() -> None:
    (task,) = load_tasks(str(EXAMPLES / "my_task" / "reviews.yaml"))
    train, test = task.examples("train"), task.count()
    assert (len(train), test) == (24, 20)
    assert sum(example.label == 0 for example in train) == 12


@pytest.mark.slow
def test_the_study_to_copy_runs(tmp_path: Path) -> None:
    if not nano_folder("llama").is_dir():
        pytest.skip("no weights of nano:llama in this checkout (make nano)")
    study = run_all.shrunk(read_study(EXAMPLES / "which-way-to-adapt.yaml"))
    board = tianti.run(study.model_copy(update={"seeds": (0,)}), store=tmp_path)
    assert len(board.entries) == 7
    assert all(cell.state == "ok" for entry in board.entries for cell in entry.cells.values())
