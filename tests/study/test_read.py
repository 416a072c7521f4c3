from __future__ import annotations

from pathlib import Path

import pytest

from tianti.core.exceptions import InputError, StudyError, UnknownNameError
from tianti.study import Study, read_study


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
