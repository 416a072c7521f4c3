from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from tianti.core.exceptions import IncompatibleError, InputError, StudyError, UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.study import Study, Trial, read_study, repeat_command, study_of, trials


def _write(folder: Path, text: str) -> Path:
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


MINIMAL = "models: [nano:llama-untrained]\ntasks: [nano/sentiment]\n"


def test_a_minimal_study_takes_its_name_from_the_file(tmp_path: Path) -> None:
    study = read_study(_write(tmp_path, MINIMAL))
    assert study == Study(study="study", models=("nano:llama-untrained",), tasks=("nano/sentiment",))
    assert study.adaptations == ("zero-shot",)


def test_one_value_may_stand_for_a_list(tmp_path: Path) -> None:
    study = read_study(_write(tmp_path, "models: nano:llama\ntasks: nano/qa\nseeds: 3\n"))
    assert (study.models, study.tasks, study.seeds) == (("nano:llama",), ("nano/qa",), (3,))


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "task.yaml").write_text("")
    text = "models: [model, ./other, nano:llama]\ntasks: ['task.yaml(split=validation)', nano/qa, harness:arc_easy]\n"
    study = read_study(_write(tmp_path, text))
    assert study.models == (f"{tmp_path}/model", f"{tmp_path}/other", "nano:llama")
    assert study.tasks == (f"{tmp_path}/task.yaml(split=validation)", "nano/qa", "harness:arc_easy")


def test_a_study_survives_being_written_and_read(tmp_path: Path) -> None:
    study = study_of(
        study="s", models=["nano:llama"], tasks=["nano/qa"], seeds=[1, 2], limit=7, dtype="float32"
    )
    assert study_of(**yaml.safe_load(study.to_yaml())) == study


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", StudyError, "expected a mapping"),
        ("- a\n", StudyError, "expected a mapping"),
        ("models: [\n", StudyError, "line 2, column 1: no YAML: expected the node content"),
        ("tasks: [nano/qa]\n", StudyError, "models is missing: give at least one model"),
        ("models: []\ntasks: [nano/qa]\n", StudyError, "models: expected at least one model"),
        (
            "models: [nano:llama\ntasks:\n  - nano/qa\n",
            StudyError,
            "line 2, column 6: no YAML: expected ',' or ']'",
        ),
        (MINIMAL + "data: {test: a.csv}\n", UnknownNameError, "data is a key of task files"),
        (
            MINIMAL + "workers: -2\n",
            StudyError,
            "workers: expected auto or a whole number greater than 0, got -2",
        ),
        ("task: t\nkind: classification\ndata: a.csv\n", StudyError, "`tianti run MODEL --task "),
        (
            "task: arc\noutput_type: multiple_choice\ndoc_to_text: a\n",
            StudyError,
            "--task harness:arc --include",
        ),
        (
            MINIMAL + "limit: 0\n",
            StudyError,
            "limit: expected a whole number greater than 0: samples of each task, got 0",
        ),
        (MINIMAL + "seeds: [a]\n", StudyError, "seeds[0]: expected"),
        (MINIMAL + "dtype: float23\n", StudyError, "dtype"),
        (MINIMAL + "study: a/b\n", StudyError, "study: expected a name of letters"),
        (MINIMAL + "adaptation: lora\n", UnknownNameError, "did you mean 'adaptations'"),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_where(
    tmp_path: Path, text: str, error: type[InputError], says: str
) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(error) as caught:
        read_study(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_broken_file_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        read_study(_write(tmp_path, "models: [nano:llama\ntasks:\n  - nano/qa\n   - bla: [\n"))
    assert len(caught.value.message.splitlines()) == 1


def test_a_missing_file_is_named_and_the_nearest_too(tmp_path: Path) -> None:
    _write(tmp_path, MINIMAL)
    with pytest.raises(
        StudyError, match=r"no study file .*stuyd\.yaml\n.*did you mean study\.yaml"
    ) as caught:
        read_study(tmp_path / "stuyd.yaml")
    assert "needs no file" in caught.value.remedy
    with pytest.raises(StudyError, match="there is no folder"):
        read_study(tmp_path / "nowhere" / "study.yaml")


@pytest.mark.parametrize("key", Study.model_fields)
def test_every_key_says_what_it_expects(key: str) -> None:
    assert Study.model_fields[key].description


def _trials(**fields: object) -> list[Trial]:
    usual: dict[str, object] = {"models": ["nano:llama-untrained"], "tasks": ["nano/sentiment"]}
    return trials(study_of(**{**usual, **fields}))


def test_a_study_is_the_product_of_its_lists() -> None:
    planned = _trials(
        adaptations=["few-shot(k=1)", "lora"], tasks=["nano/sentiment", "nano/qa"], seeds=[0, 1]
    )
    assert len(planned) == 2 * 2 * 2
    assert len({trial.id for trial in planned}) == 8


def test_what_draws_nothing_at_random_runs_once_whatever_the_seeds() -> None:
    (trial,) = _trials(seeds=[0, 1, 2])
    assert trial.seed is None


def test_a_baseline_beside_networks_is_fitted_without_being_told() -> None:
    planned = _trials(models=["nano:llama-untrained", "baseline:majority"], adaptations=["zero-shot"])
    assert [trial.title for trial in planned] == [
        "nano:llama-untrained · zero-shot · nano/sentiment",
        "baseline:majority · fit · nano/sentiment",
    ]


@pytest.mark.parametrize(
    ("model", "adaptation"), [("baseline:majority", "lora"), ("nano:llama-untrained", "fit")]
)
def test_a_model_that_nothing_fits_is_refused(model: str, adaptation: str) -> None:
    with pytest.raises(IncompatibleError, match=f"{model} cannot be adapted by {adaptation}"):
        _trials(models=[model], adaptations=[adaptation])


def test_the_id_depends_on_all_that_numbers_depend_on() -> None:
    usual = _trials(adaptations=["lora"])[0]
    others = [
        _trials(adaptations=["lora"], seeds=[1]),
        _trials(adaptations=["lora"], limit=5),
        _trials(adaptations=["lora(r=4)"]),
        _trials(adaptations=["lora"], tasks=["nano/sentiment(split=fresh)"]),
        _trials(adaptations=["lora"], dtype="bfloat16"),
        _trials(adaptations=["lora"], engine="vllm"),
        _trials(adaptations=["lora"], models=["nano:llama"]),
    ]
    ids = {usual.id, *(other[0].id for other in others)}
    assert len(ids) == 1 + len(others)
    assert _trials(adaptations=["lora"])[0].id == usual.id
    assert _trials(adaptations=["lora"], batch=3, device="cpu")[0].id == usual.id


def test_a_manifest_says_of_a_metric_what_it_always_said(tmp_path: Path) -> None:
    """A new part of a metric would change the ids of all trials that were ever run."""
    (tmp_path / "rows.jsonl").write_text(
        '{"q": "x", "label": 0, "who": "a"}\n{"q": "y", "label": 1, "who": "b"}\n'
    )
    path = tmp_path / "mine.yaml"
    path.write_text(
        "task: mine\nkind: classification\ndata: rows.jsonl\ndoc_to_text: q\ndoc_to_target: label\n"
        "doc_to_choice: [no one, all]\ngroup: who\nmetric_list: [acc, ece]\n"
    )
    (usual,), (grouped,) = _trials(), _trials(tasks=[str(path)])
    for trial in (usual, grouped):
        for metric in trial.manifest["task"]["metrics"]:
            assert set(metric) == {"name", "higher_is_better", "chance", "scale"}
        assert len(trial.id) == len(fingerprint(trial.manifest))


def test_the_engine_is_of_no_account_to_a_baseline() -> None:
    (usual,) = _trials(models=["baseline:majority"], adaptations=["fit"])
    (other,) = _trials(models=["baseline:majority"], adaptations=["fit"], engine="vllm")
    assert usual.id == other.id


def test_the_repeating_command_names_another_engine() -> None:
    (usual,), (other,) = _trials(), _trials(engine="vllm")
    assert "--engine" not in repeat_command(usual.manifest)
    assert repeat_command(other.manifest).endswith(" --engine vllm")


def test_the_repeating_command_gives_the_same_trial() -> None:
    planned = _trials(
        adaptations=["few-shot(k=2)", "lora(r=4)"], tasks=["nano/qa(split=fresh)"], seeds=[3], limit=9
    )
    for trial in planned:
        words = shlex.split(repeat_command(trial.manifest))
        assert words[:2] == ["tianti", "run"]
        options = dict(zip(words[3::2], words[4::2], strict=True))
        again = _trials(
            models=[words[2]], adaptations=[options["--adapt"]], tasks=[options["--task"]],
            seeds=[int(options["--seed"])], limit=int(options["--limit"]),
        )  # fmt: skip
        assert [one.id for one in again] == [trial.id]
