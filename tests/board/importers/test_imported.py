"""Imported files as boards: the numbers are those of the files, ranks are tested only where there are samples."""

import csv
import json
import re
from collections import defaultdict

import numpy as np
import pytest

from real_data_folder import REAL_DATA
from result_files import write_all
from tianti.board.board import Board, Rules
from tianti.board.build import build_board, results_of
from tianti.board.compare import compare
from tianti.board.cut import cut
from tianti.board.filters import read
from tianti.board.importers.add import import_files
from tianti.board.item_scores import find_columns, items_of_results, rank_items, read_items
from tianti.board.legend import legend, notes
from tianti.board.place import NewEntry, place
from tianti.board.snapshot import take_snapshot
from tianti.board.tables import as_table
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.core.progress import Silent
from tianti.store import Store
from tianti.web.site import Site
from tianti.web.table import table_json
from tianti.web.views import views_of
from worlds import World

real = pytest.mark.skipif(not REAL_DATA.exists(), reason="no real data beside the checkout")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def files(tmp_path):
    return write_all(tmp_path / "files")


def cells(board):
    return {(entry.model, task): cell for entry in board.entries for task, cell in entry.cells.items()}


def test_every_kind_of_file_makes_a_board(store, files):
    done = import_files(store, list(files.values()))
    assert len(done.added) == len(files)
    for study in {record.study for record in done.added}:
        board = build_board(store, study)
        assert board.entries
        assert {entry.provenance for entry in board.entries} == {"imported"}
        assert Board.from_json(board.to_json()) == board
        assert all(cell.run_ids == () for cell in cells(board).values())


def test_importing_again_changes_nothing(store, files):
    import_files(store, [files["v2"], files["mteb"]])
    before = build_board(store, "mteb").snapshot
    parts = sorted(path.name for path in (store.folder / "parts").iterdir())
    again = import_files(store, [files["v2"], files["mteb"]])
    assert (len(again.added), len(again.found)) == (0, 2)
    assert build_board(store, "mteb").snapshot == before
    assert sorted(path.name for path in (store.folder / "parts").iterdir()) == parts


def test_one_broken_file_of_several_leaves_nothing(store, files, tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text(files["mteb"].read_text().replace("0.7", "x"), encoding="utf-8")
    with pytest.raises(InputError, match="row 2: main_score"):
        import_files(store, [files["v2"], broken])
    assert store.imports() == []
    assert list((store.folder / "parts").iterdir()) == []


def test_samples_stand_for_the_score_made_of_them(store, files):
    import_files(store, [files["samples"], files["new"]])
    (entry,) = build_board(store).entries
    cell = entry.cells["quiz"]
    assert (cell.value, cell.n, cell.method) == (0.75, 4, "Wilson")
    assert (entry.adaptation, entry.parameters) == ("zero-shot(adapter org/adapter, chat)", 7)


def test_a_standard_error_of_the_file_gives_an_interval_at_the_level_asked_for(store, files):
    import_files(store, [files["old"]])
    (cell,) = cells(build_board(store)).values()
    assert (cell.low, cell.high) == pytest.approx((0.5 - 1.959964 * 0.04, 0.5 + 1.959964 * 0.04), abs=1e-6)
    (cell,) = cells(build_board(store, rules=Rules(level=0.9))).values()
    assert cell.high == pytest.approx(0.5 + 1.644854 * 0.04, abs=1e-6)
    assert cell.rank_low is None


def test_a_group_stands_for_its_tasks_and_a_standard_error_of_zero_says_nothing(store, files):
    import_files(store, [files["grouped"], files["indented"]])
    found = cells(build_board(store))
    assert set(found) == {("org/grouped", "mmlu"), ("org/grouped", "gsm8k"), ("/models/mine", "glue")}
    assert found["org/grouped", "gsm8k"].low is None


def test_entries_without_samples_are_ordered_by_the_mean_and_not_tested(store, files):
    import_files(store, [files["v2"]])
    board = build_board(store)
    assert board.entries[0].model.startswith("a/b #")  # the other precision has the same name
    assert [entry.mean for entry in board.entries] == pytest.approx([0.4, 0.3, 0.2])
    assert [entry.rank for entry in board.entries] == [1, 2, 3]
    assert all(entry.rank_low is None and entry.low is None for entry in board.entries)
    assert board.family == 0
    assert board.winner is None
    said = "\n".join(legend(board))
    assert "by the mean alone" in said
    assert "not measured here" in said
    assert "±" not in said


def test_what_files_write_for_an_unknown_architecture_is_one_word(store, tmp_path):
    rows = ["fullname,Precision,Architecture,BBH Raw,BBH"]
    for number, said in enumerate(["Llama", "?", "Unknown", ""]):
        rows.append(f"m{number},bf16,{said},0.5,{40 - number}")
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    import_files(store, [path])
    board = build_board(store)
    assert [entry.architecture for entry in board.entries] == ["Llama", "", "", ""]
    assert [entry.model for entry in cut(board, read("family=unknown")).board.entries] == ["m1", "m2", "m3"]
    (view,) = views_of([board])
    assert json.loads(table_json(view, ""))["words"]["family"] == ["Llama", "unknown"]
    site = Site(take_snapshot(store), store)
    text = site.render(f"en/b/{board.title}/")[0]
    assert re.findall('name="family" value="([^"]*)"> *([^<]*?) *<', text) == [
        ("Llama", "Llama"),
        ("unknown", "unknown"),
    ]
    assert "0 is guessing" in text


@pytest.mark.parametrize(
    ("kind", "said"), [("v2", "0 is guessing"), ("v1", "0 is a score of 0"), ("mteb", "0 is a score of 0")]
)
def test_nobody_is_said_to_guess_where_chance_is_unknown(store, files, kind, said):
    import_files(store, [files[kind]])
    board = build_board(store)
    (other,) = {"0 is guessing", "0 is a score of 0"} - {said}
    page = Site(take_snapshot(store), store).render(f"en/b/{board.title}/")[0]
    for text in ("\n".join(legend(board)), page):
        assert said in text
        assert other not in text


def test_a_row_without_a_score_is_missing_and_not_zero(store, files):
    import_files(store, [files["mteb"]])
    found = cells(build_board(store))
    assert found["a/b", "STS"].value == pytest.approx(0.6)
    assert found["c/d", "STS"].state == "empty"
    assert found["c/d", "STS"].value is None


def test_a_score_of_a_part_says_of_which(store, files, tmp_path):
    import_files(store, [files["samples"], files["new"]])
    (entry,) = build_board(store).entries
    assert entry.cells["quiz"].reason == "4 of 100 samples"
    assert "quiz: 4 of 100 samples" in "\n".join(notes(build_board(store)))
    part = tmp_path / "org__part" / "quiz.jsonl"
    part.parent.mkdir()
    part.write_text(json.dumps(json.loads(files["list"].read_text())[:2]), encoding="utf-8")
    import_files(store, [files["list"], part], study="apart")
    found = cells(build_board(store, "apart"))
    assert (found["org/part", "quiz"].reason, found["org/listed", "quiz"].reason) == ("2 of 4 samples", "")


def test_rows_without_a_score_beside_others_are_counted(store, files, tmp_path):
    path = tmp_path / "mteb.csv"
    path.write_text(files["mteb"].read_text() + "a__b,r1,STS,test,fr,,\n", encoding="utf-8")
    import_files(store, [path])
    cell = cells(build_board(store))["a/b", "STS"]
    assert (cell.value, cell.reason) == (pytest.approx(0.6), "1 row of mteb.csv without a value")


def test_imports_do_not_mix_with_runs(store, files):
    World().record(store, "nano:llama", "lora", "sentiment", 0.9)
    import_files(store, [files["mteb"]])
    assert [entry.provenance for entry in build_board(store).entries] == ["measured"]
    assert {entry.provenance for entry in build_board(store, "mteb").entries} == {"imported"}
    with pytest.raises(UnknownNameError, match="did you mean 'mteb'"):
        build_board(store, "mtebb")


def test_a_study_that_was_run_takes_no_imports(store, files):
    store.record_study("mine", ["0" * 64], "study: mine")
    with pytest.raises(InputError, match="was run here"):
        import_files(store, [files["mteb"]], study="mine")


def test_tasks_are_chosen_by_pattern(store, files):
    import_files(store, [files["mteb"]])
    assert [column.name for column in build_board(store, tasks=["S*"]).columns] == ["STS"]
    with pytest.raises(UnknownNameError, match="did you mean 'STS'"):
        build_board(store, tasks=["STX"])


def test_the_number_of_examples_is_in_the_adaptation_or_in_the_tasks(store, files):
    import_files(store, [files["grouped"], files["old"]])
    adaptations = {entry.model: entry.adaptation for entry in build_board(store).entries}
    assert adaptations == {"org/grouped": "few-shot(k=5)", "org/old": "few-shot(k=10)"}
    import_files(store, [files["v1"]])
    board = build_board(store)
    assert {entry.adaptation for entry in board.entries} == {"few-shot(k=by task)"}
    assert [column.name for column in board.columns] == ["ARC (25-shot)", "HellaSwag (10-shot)"]


def test_imported_entries_are_compared_on_their_samples(store, files):
    import_files(store, [files["livebench"]])
    board = build_board(store)
    found = compare(store, board, "m1 · prompt", "m2 · prompt")
    (task,) = found.tasks
    assert (task.n, task.first, task.second) == (2, 0.75, 0.125)
    assert task.p is not None


def test_what_needs_runs_says_that_there_are_none(store, files):
    import_files(store, [files["livebench"]])
    with pytest.raises(InputError, match="m1 · prompt was imported, not measured here"):
        build_board(store).measured("m1 · prompt")
    with pytest.raises(InputError, match="was imported, not measured here"):
        place(store, build_board(store), NewEntry("nano:llama"), Silent())


@real
@pytest.mark.real_data
def test_the_second_leaderboard_has_its_own_means_to_the_digit(store):
    path = REAL_DATA / "openllm_leaderboard_v2" / "open_llm_leaderboard.csv"
    import_files(store, [path])
    board = build_board(store)
    with path.open(encoding="utf-8", newline="") as file:
        averages = sorted((float(row["Average ⬆️"]) / 100 for row in csv.DictReader(file)), reverse=True)
    assert len(board.entries) == 3827
    assert [entry.mean for entry in board.entries] == pytest.approx(averages, abs=1e-9)
    places = [entry.rank for entry in board.entries]
    assert places == sorted(places)
    assert places[0] == 1


@real
@pytest.mark.real_data
def test_every_snapshot_of_the_first_leaderboard_has_its_own_averages(store):
    paths = sorted((REAL_DATA / "openllm_leaderboard_v1").glob("*/*.csv"))
    import_files(store, paths)
    assert len(store.imports()) == len(paths) == 18
    wrong = 0
    for path in paths:
        averages = defaultdict(list)
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                averages[row["Model"]].append(float(row["Average"]))
        for entry in build_board(store, f"open-llm-leaderboard-v1-{path.stem}").entries:
            shown = averages[re.sub(" #[0-9a-f]{6}$", "", entry.model)]
            # They are averages of figures with more digits than the table shows.
            wrong += entry.complete and min(abs(100 * entry.mean - each) for each in shown) > 0.051
    # In the two oldest snapshots five averages are not those of their own rows.
    assert wrong == 5


@real
@pytest.mark.real_data
def test_samples_of_the_harness_give_its_own_scores(store):
    folder = REAL_DATA / "lm_eval_runs" / "with_samples"
    import_files(store, sorted(folder.glob("*.json*")))
    (results,) = folder.glob("results_*.json")
    theirs = json.loads(results.read_text(encoding="utf-8"))["results"]
    found = cells(build_board(store))
    assert {task for _, task in found} == {
        "negotiationtom_belief",
        "negotiationtom_desire",
        "negotiationtom_intention",
    }
    for (model, task), cell in found.items():
        metric = "exact_match" if task.endswith("intention") else "acc"
        assert model == "Qwen/Qwen3-8B"
        assert cell.value == pytest.approx(theirs[task][f"{metric},none"], abs=1e-12)
        assert (cell.n, cell.method) == (20, "Wilson")


@real
@pytest.mark.real_data
def test_results_of_every_age_have_the_values_and_errors_of_their_files(store):
    paths = [
        *(REAL_DATA / "lm_eval_runs").glob("*/*/*/*.json"),
        *(REAL_DATA / "lm_eval_runs/schema_ages").glob("*.json"),
    ]
    import_files(store, paths)
    count = 0
    for record, path in zip(store.imports(), paths, strict=True):
        content = json.loads(path.read_text(encoding="utf-8"))
        theirs = content.get("results", content)
        for row in store.imported_table(record, "scores").to_pylist():
            base, _, name = row["metric"].partition("@")
            given = theirs[row["task"]]
            key = next(k for k in (f"{base},{name or 'none'}", base) if k in given)
            assert row["value"] == given[key]
            stderr = given.get(key.replace(base, f"{base}_stderr", 1))
            assert row["stderr"] == (stderr if isinstance(stderr, int | float) else None)
            count += 1
    assert count > 2000


@real
@pytest.mark.real_data
def test_livebench_ranks_as_its_file_does(store):
    path = REAL_DATA / "livebench_scores" / "livebench_13012025.parquet"
    import_files(store, [path])
    imported = items_of_results(results_of(store))
    table = as_table(path, "scores")
    direct = read_items(table, find_columns(table.column_names))
    assert [name.removesuffix(" · prompt") for name in imported.entries] == list(direct.entries)
    for one, other in zip(imported.tasks, direct.tasks, strict=True):
        assert (one.name, one.names) == (other.name, other.names)
        np.testing.assert_allclose(one.values, other.values, rtol=1e-12)
    board = build_board(store)
    ranked = {entry.name: entry for entry in rank_items(direct).entries}
    for entry in board.entries:
        their = ranked[entry.model]
        assert (entry.rank, entry.rank_low, entry.rank_high) == (their.rank, their.rank_low, their.rank_high)


@real
@pytest.mark.real_data
@pytest.mark.slow
def test_mteb_has_the_mean_over_splits_and_subsets(store):
    path = REAL_DATA / "mteb_results" / "mteb_scores.csv.gz"
    (record,) = import_files(store, [path]).added
    assert record.parts["scores"].rows == 1_290_668
    board = build_board(store, tasks=["STS1*"])
    import gzip

    theirs = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["task"].startswith("STS1"):
                theirs[row["model"].replace("__", "/", 1), row["revision"], row["task"]].append(
                    float(row["main_score"])
                )
    expected = defaultdict(list)
    for (model, _, task), values in theirs.items():
        expected[model, task].append(np.mean(values))
    found = defaultdict(list)
    for (model, task), cell in (
        (key, cell)
        for entry in board.entries
        for key, cell in (
            ((entry.model.partition(" #")[0], task), cell) for task, cell in entry.cells.items()
        )
    ):
        found[model, task].append(cell.value)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert sorted(found[key]) == pytest.approx(sorted(values), abs=1e-9)
