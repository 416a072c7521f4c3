"""The command line as a user meets it: what it prints, its exit status, its errors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from result_files import write_all
from tianti import __version__
from tianti.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tianti(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in a folder of its own and gives exit status, output and error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TIANTI_STORE", raising=False)

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            main(list(arguments))
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_who_stops_a_command_is_told_that_it_goes_on(tianti: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tianti.api.run_study", stopped)
    status, _, error = tianti(*MAJORITY)
    assert status == 130
    assert "the same command goes on where it was" in error


MAJORITY = ("run", "baseline:majority", "--task", "nano/sentiment", "--adapt", "fit", "--limit", "10")


def test_run_measures_then_finds(tianti: Run) -> None:
    status, output, _ = tianti(*MAJORITY)
    assert status == 0
    assert "baseline:majority" in output
    assert "1 trial: 1 measured, 0 found finished." in output
    status, output, _ = tianti(*MAJORITY)
    assert status == 0
    assert "1 trial, finished before: nothing to do." in output


def test_run_takes_a_study_file_and_options_beside_it(tianti: Run) -> None:
    Path("mine.yaml").write_text("models: [baseline:majority]\nadaptations: [fit]\ntasks: [nano/sentiment]\n")
    status, output, _ = tianti("run", "mine.yaml", "--limit", "7", "--json")
    assert status == 0
    board = json.loads(output)
    assert board["columns"][0]["limit"] == 7


def test_a_dry_run_counts_and_runs_nothing(tianti: Run) -> None:
    status, output, _ = tianti(
        "run",
        "nano:llama",
        "baseline:tfidf",
        "--task",
        "nano/qa",
        "--adapt",
        "lora",
        "--adapt",
        "zero-shot",
        "--dry-run",
        "--json",
    )
    assert status == 0
    lines = json.loads(output)
    assert [line["trial"] for line in lines] == [
        "nano:llama · lora · nano/qa · seed 0", "nano:llama · zero-shot · nano/qa", "baseline:tfidf · fit · nano/qa"
    ]  # fmt: skip
    assert lines[0]["training_tokens"] > lines[0]["tokens"] > 200 * 20
    assert lines[1]["training_tokens"] == 0
    assert not Path("tianti-store").exists()
    _, table, _ = tianti("run", "nano:llama", "--task", "nano/qa", "--dry-run")
    assert "\n1 trial, about" in table
    assert "Nothing was run." in table


REFUSED = "models: [nano:bert]\nadaptations: [full]\nstream: [nano/sentiment, nano/pairs]\nlimit: 2\n"


def test_a_dry_run_says_what_would_be_refused_and_why(tianti: Run) -> None:
    Path("stream.yaml").write_text(f"{REFUSED}strategies: [plain, generative]\n")
    status, output, _ = tianti("run", "stream.yaml", "--dry-run", "--json")
    assert status == 0
    lines = json.loads(output)
    refused = [line for line in lines if line["refused"]]
    assert {"generative" in line["trial"] for line in refused} == {True}
    assert len(refused) == 4
    assert {line["training_tokens"] for line in refused} == {0}
    _, output, _ = tianti("run", "stream.yaml", "--dry-run")
    assert "stream: nano/sentiment → nano/pairs" in output
    assert "not counted: what strategies add to training" in output
    (row,) = [line for line in output.splitlines() if line.startswith(" nano:bert · full · generative")]
    assert row.split()[-5:] == ["4", "–", "–", "–", "refused"]
    assert (
        "would be refused (4 trials): nano:bert · full · generative: generative does not fit nano:bert"
        in output
    )
    assert "10 trials, of which 4 would be refused, about" in output
    assert max(map(len, output.split("would be refused (")[0].splitlines())) <= 80


def test_where_all_that_learns_is_refused_the_run_and_its_plan_fail(tianti: Run) -> None:
    """The untrained model is measured all the same, and is not what the study is about."""
    Path("stream.yaml").write_text(f"{REFUSED}strategies: [generative]\n")
    assert tianti("run", "stream.yaml", "--dry-run")[0] == 1
    status, output, _ = tianti("run", "stream.yaml")
    assert status == 1
    assert "6 trials: 2 measured" in output
    assert "generative does not fit nano:bert" in output


def test_show_prints_everything_and_the_command_that_repeats_it(tianti: Run) -> None:
    tianti(*MAJORITY)
    _, output, _ = tianti("board", "--json")
    (run,) = json.loads(output)["entries"][0]["cells"].popitem()[1]["run_ids"]
    status, output, _ = tianti("show", run[:6], "--answers", "2", "--json")
    facts = json.loads(output)
    assert status == 0
    assert facts["repeat it"] == "tianti run baseline:majority --task nano/sentiment --adapt fit --limit 10"
    assert facts["scores"]["acc"]["n"] == 10
    assert facts["environment"]["versions"]["tianti"]
    assert len(facts["samples"]) == 2
    assert "peak_memory_bytes" in facts["cost"]
    _, text, _ = tianti("show", run)
    assert "repeat it: tianti run" in text


@pytest.mark.parametrize("steps", ["", "layer-norm(epochs=1, max_examples=4) + "])
def test_show_counts_the_chains_of_thought_without_an_answer(tianti: Run, steps: str) -> None:
    asked = ("run", "nano:llama-untrained", "--task", "nano/sentiment", "--limit", "4", "--json")
    chain = f"{steps}chain-of-thought(max_tokens=4)"
    _, output, _ = tianti(*asked, "--adapt", chain, "--adapt", "zero-shot")
    runs = {
        entry["adaptation"]: next(iter(entry["cells"].values()))["run_ids"][0]
        for entry in json.loads(output)["entries"]
    }
    facts = {
        name: json.loads(tianti("show", run, "--answers", "4", "--json")[1]) for name, run in runs.items()
    }
    predictions = [sample["prediction"] for sample in facts[chain]["samples"].values()]
    assert facts[chain]["no answer found"] == predictions.count("") > 0  # it writes no word
    assert facts["zero-shot"]["no answer found"] is None
    assert f"no answer found: {predictions.count('')}" in tianti("show", runs[chain])[1]
    assert "no answer found" not in tianti("show", runs["zero-shot"])[1]


def test_board_compare_and_export_look_at_what_is_there(tianti: Run) -> None:
    tianti(
        "run",
        "baseline:majority",
        "baseline:tfidf",
        "--task",
        "nano/sentiment",
        "--adapt",
        "fit",
        "--limit",
        "40",
    )
    assert "baseline:tfidf" in tianti("board")[1]
    status, output, _ = tianti("compare", "baseline:tfidf · fit", "baseline:majority · fit", "--json")
    assert status == 0
    assert json.loads(output)["overall"]["n"] == 40
    assert tianti("compare", "baseline:tfidf · fit", "baseline:majority · fit")[0] == 0
    status, output, _ = tianti("export", "site")
    assert status == 0
    for page in ("index.html", "en/index.html", "zh/index.html"):
        assert Path("site", page).exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "nano:llama"), "no task given for nano:llama"),
        (("run", "nano:lama", "--task", "nano/qa"), "did you mean 'nano:llama'"),
        (("run", "nano:llama", "--task", "nano/qua"), "did you mean 'nano/qa"),
        (("run", "nano:llama", "--task", "nano/qa", "--adapt", "lorra"), "did you mean 'lora'"),
        (("run", "nano:llama", "--task", "nano/qa", "--adapt", "lora(rank=8)"), "unknown argument 'rank'"),
        (
            ("run", "nano:llama", "--task", "nano/qa", "--limit", "0"),
            "--limit: expected a whole number greater than 0",
        ),
        (
            ("run", "nano:llama", "--task", "nano/qa", "--workers", "-2"),
            "--workers: expected auto or a whole number",
        ),
        (
            ("run", "nano:llama", "--task", "nano/qa", "--device", "cuda:99"),
            "no device 'cuda:99' here; there is cpu",
        ),
        (("run", "nano:llama", "--task", "nano/qa,nano/sentiment"), "[nano/qa, nano/sentiment]"),
        (("run", "nano:llama", "--task", "harness:a,b"), "'harness:a,b': 2 names in one"),
        (("run", "nano:llama", "--task", "nano/qa", "--adapt", "lora(r=8, lr=1e-3),full"), "2 names in one"),
        (("run", "nano:llama,baseline:tfidf", "--task", "nano/qa"), "2 names in one"),
        (("run", "nano:llama", "--task", "films.csv"), "`tianti task new films` writes one to start from"),
        (("run", "sub/st.yaml", "nano:llama"), "`tianti run nano:llama --task sub/st.yaml` for a task file"),
        (("run", "nano:llama", "--task", "nano/qa", "--dtype", "float23"), "dtype"),
        (("run", "nano:llama", "--task", "nano/qa", "--batch", "many"), "batch"),
        (
            ("run", "baseline:majority", "--task", "nano/qa", "--adapt", "lora"),
            "a baseline has no weights to adapt",
        ),
        (("run", "nothing.yaml"), "no study file nothing.yaml"),
        (("run", "./nothing", "--task", "nano/qa"), "nothing"),
        (("board",), "no results in tianti-store"),
        (("show", "abc"), "no results in tianti-store"),
        (("export", "site", "--store", "nowhere"), "no results in nowhere"),
        (("web", "--store", "tianti-store"), "no results in tianti-store"),
        (("export", "site", "--study", "mine"), "no results in tianti-store"),
        (("tasks", "show", "nano/sentimnt"), "did you mean 'nano/sentiment'"),
        (("models", "show", "nano:lama"), "did you mean 'nano:llama'"),
        (("adaptations", "show", "lorra"), "did you mean 'lora'"),
        (("task", "check", "nothing.yaml"), "nothing.yaml"),
        (("task", "new", "films", "--kind", "clasification"), "did you mean 'classification'"),
    ],
)
def test_an_error_is_one_readable_line(tianti: Run, arguments: tuple[str, ...], says: str) -> None:
    status, _, errors = tianti(*arguments)
    assert status == 1
    assert says in errors
    assert errors.startswith("tianti: ")
    assert "Traceback" not in errors
    assert len(errors.strip().splitlines()) <= 3


def test_without_a_store_a_site_shows_what_papers_report(tianti: Run) -> None:
    status, output, _ = tianti("export", "site")
    assert status == 0
    assert "no results in tianti-store yet" in output
    home = Path("site/en/index.html").read_text(encoding="utf-8")
    assert "<code>tianti demo</code>" in home
    assert "GPT-4" in home
    assert not Path("tianti-store").exists()


def test_debug_shows_where(tianti: Run) -> None:
    with pytest.raises(Exception, match="no results in"):
        tianti("board", "--debug")


def test_an_unknown_run_offers_the_nearest(tianti: Run) -> None:
    tianti(*MAJORITY)
    status, _, errors = tianti("show", "zzzz")
    assert status == 1
    assert "unknown run 'zzzz'" in errors


def test_a_refused_trial_is_told_and_fails(tianti: Run) -> None:
    Path("task.yaml").write_text(
        "task: t\nkind: classification\ndata: t.jsonl\ndoc_to_text: '{{text}}'\n"
        "doc_to_target: label\ndoc_to_choice: [a, b]\n"
    )
    Path("t.jsonl").write_text('{"text": "x", "label": "a"}\n{"text": "y", "label": "b"}\n')
    status, output, _ = tianti("run", "nano:llama", "--task", "task.yaml", "--adapt", "lora")
    assert status == 1
    assert "not measured (refused)" in output
    assert "train" in output


def test_trials_refused_for_one_reason_are_told_together(tianti: Run) -> None:
    status, output, _ = tianti(
        "run",
        "nano:bert",
        "--task",
        "nano/qa",
        "--task",
        "nano/translation",
        "--adapt",
        "lora",
        "--adapt",
        "full",
    )
    assert status == 1
    assert output.count("not measured") == 1
    line = next(line for line in output.splitlines() if line.startswith("not measured"))
    assert line.startswith(
        "not measured (refused, 4 trials): nano:bert · lora, full · nano/qa, nano/translation: "
    )
    assert line.endswith("its answers are free text, which an encoder cannot write")


@pytest.mark.parametrize("listing", ["models", "tasks", "adaptations"])
def test_lists_are_tables_or_json(tianti: Run, listing: str) -> None:
    _, output, _ = tianti(listing, "list", "--json")
    names = [next(iter(row.values())) for row in json.loads(output)]
    _, table, _ = tianti(listing, "list")
    assert names
    for name in names:
        assert name in table


@pytest.mark.parametrize("columns", ["30", "80"])
def test_a_list_never_cuts_a_name(tianti: Run, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    long = "harness:" + "a_very_long_name_of_a_task_" * 4
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(
        "tianti.tasks.harness.list_harness", lambda pattern: [(long.removeprefix("harness:"), "task")]
    )
    names = [row["task"] for row in json.loads(tianti("tasks", "list", "--harness", "name", "--json")[1])]
    assert long in names
    _, table, _ = tianti("tasks", "list", "--harness", "name")
    for name in names:
        assert re.search(rf"^{re.escape(name)} ", table, re.MULTILINE)


@pytest.mark.parametrize(
    ("listing", "name"), [("models", "nano:llama"), ("tasks", "nano/qa-zh"), ("adaptations", "lora(r=4)")]
)
def test_show_is_text_or_json(tianti: Run, listing: str, name: str) -> None:
    assert json.loads(tianti(listing, "show", name, "--json")[1])
    assert name in tianti(listing, "show", name)[1]


def test_a_new_task_passes_its_check_and_is_exported(tianti: Run) -> None:
    status, output, _ = tianti("task", "new", "films")
    assert status == 0
    assert "written: films.yaml" in output
    status, output, _ = tianti("task", "check", "films.yaml", "--model", "nano:llama")
    assert status == 0
    assert "also in train" in output
    assert json.loads(tianti("task", "check", "films.yaml", "--json")[1])["splits"]
    status, output, _ = tianti("task", "export", "films.yaml", "--harness", "--dir", "out")
    assert status == 0
    assert list(Path("out").glob("*.yaml"))


def test_version_names_what_numbers_depend_on(tianti: Run) -> None:
    assert re.search(rf"tianti {__version__}\n", tianti("version")[1])
    assert json.loads(tianti("version", "--json")[1])["versions"]["torch"]


def test_help_imports_nothing_heavy(tianti: Run) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom tianti.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'transformers', 'numpy', 'sqlalchemy', 'pydantic') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip().endswith("[]")


def test_reported_results_need_no_store(tianti: Run) -> None:
    status, output, _ = tianti("reported")
    assert status == 0
    assert "GPT-4" in output
    assert "not measured here" in output
    status, output, _ = tianti("reported", "--task", "MMLU", "--json")
    content = json.loads(output)
    assert {entry["provenance"] for entry in content["entries"]} == {"reported"}
    status, _, error = tianti("board")
    assert status == 1
    assert "tianti reported" in error


def test_import_adds_files_once_and_their_board_is_shown(tianti: Run, tmp_path: Path) -> None:
    files = write_all(tmp_path / "files")
    status, output, _ = tianti("import", str(files["mteb"]), str(files["livebench"]))
    assert status == 0
    assert "2 files imported, 0 found from before." in output
    assert "tianti board --study mteb (4 scores, mteb)" in output
    assert "1 row without a score" in output
    status, output, _ = tianti("import", str(files["mteb"]), "--json")
    content = json.loads(output)
    assert content["added"] == []
    assert content["found"][0]["study"] == "mteb"
    status, output, _ = tianti("board", "--study", "mteb", "--task", "STS", "--top", "1")
    assert "1 more entry: --top N" in output
    assert "NLI" not in output
    status, output, _ = tianti("board", "--study", "mteb")
    assert "imported boards in this store: --study livebench" in output
    status, output, _ = tianti("rank", "--study", "livebench")
    assert "m1 · prompt" in output
    status, _, error = tianti("import", str(tmp_path / "nothing.csv"))
    assert status == 1
    assert "no file" in error
