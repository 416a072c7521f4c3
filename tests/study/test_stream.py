"""A stream in a study: which cells of the matrix are asked, and what the keys must say together."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies import trials_of
from tianti.adapt import Continual
from tianti.core.exceptions import InputError, StudyError
from tianti.study import read_study, repeat_command, study_of, trial_of

STREAM = ["nano/sentiment", "nano/qa", "nano/commonsense"]


def _cells(strategy: str, **fields: object) -> list[tuple[int, str]]:
    planned = trials_of(tasks=[], adaptations=["full"], stream=STREAM, strategies=[strategy], **fields)
    assert all(isinstance(trial.adaptation, Continual) for trial in planned)
    assert len({trial.id for trial in planned}) == len(planned)
    return [(trial.adaptation.at, trial.task.info.name) for trial in planned]  # type: ignore[attr-defined]


def test_every_task_is_asked_after_every_stage() -> None:
    assert _cells("plain") == [(stage, task) for stage in range(4) for task in STREAM]


def test_joint_training_has_one_stage() -> None:
    assert _cells("joint") == [(stage, task) for stage in (0, 3) for task in STREAM]


def test_a_model_of_its_own_is_asked_of_its_task_alone() -> None:
    assert _cells("separate") == [(0, task) for task in STREAM] + [
        (stage, task) for stage, task in enumerate(STREAM, start=1)
    ]


def test_the_untrained_model_is_asked_once_for_all_methods_and_strategies() -> None:
    planned = trials_of(
        tasks=[], adaptations=["full", "lora"], stream=STREAM, strategies=["plain", "joint"], seeds=[0, 1]
    )
    before = [trial for trial in planned if trial.adaptation.at == 0]  # type: ignore[attr-defined]
    assert len(before) == 2 * len(STREAM)
    assert len(planned) == len(before) + 2 * 2 * (3 + 1) * len(STREAM)


def test_a_trial_of_a_stream_is_found_again_by_its_manifest() -> None:
    for trial in trials_of(tasks=[], adaptations=["lora(r=2)"], stream=STREAM[:2], strategies=["separate"]):
        assert trial_of(trial.manifest).id == trial.id
        assert "continual(" in repeat_command(trial.manifest)


def test_where_the_tasks_of_a_stream_lie_is_no_part_of_the_id(tmp_path: Path) -> None:
    def ids(folder: Path) -> list[str]:
        folder.mkdir()
        (folder / "data.jsonl").write_text('{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n')
        (folder / "own.yaml").write_text(
            "task: own\nkind: classification\ndata: {train: data.jsonl, test: data.jsonl}\n"
            'doc_to_text: "{{text}}"\ndoc_to_target: label\ndoc_to_choice: [x, y]\n'
        )
        (folder / "study.yaml").write_text(
            "models: [nano:llama-untrained]\nadaptations: [full]\nstream: [own.yaml, nano/sentiment]\n"
        )
        study = read_study(folder / "study.yaml")
        assert read_study(_written(folder / "again.yaml", study.to_yaml())) == study
        return [trial.id for trial in trials_of(**study.model_dump(exclude_unset=True))]

    assert ids(tmp_path / "here") == ids(tmp_path / "there")


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"strategies": ["plain"], "tasks": STREAM}, "strategies are ways of learning a stream"),
        ({"stream": STREAM, "tasks": ["nano/qa"]}, "leave tasks out"),
        ({"stream": STREAM, "search": {"lr": [1, 2]}}, "search does not go together with stream"),
        ({"stream": STREAM, "until": "decided"}, "until does not go together with stream"),
        ({"stream": []}, r"stream: expected tasks in the order .*, got an empty list; leave stream out"),
        (
            {"stream": STREAM, "strategies": []},
            "strategies: expected ways .*, got an empty list; leave strategies out",
        ),
        (
            {"stream": STREAM[:1]},
            r"stream: expected two tasks or more.*; add .* or give tasks: \[nano/sentiment\]",
        ),
        (
            {"stream": [*STREAM, STREAM[1]]},
            "stream: expected each task once, got nano/qa as tasks 2 and 4; leave one",
        ),
        (
            {"stream": STREAM, "strategies": ["replay", "plain", "replay"]},
            "strategies: expected each once, got replay 2 times; leave one",
        ),
    ],
)
def test_keys_that_do_not_go_together(fields: dict[str, object], words: str) -> None:
    with pytest.raises(StudyError, match=words):
        study_of(models=["nano:llama"], adaptations=["full"], **fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"adaptations": ["zero-shot"]}, "zero-shot does not go on over a stream"),
        ({"adaptations": ["lora + few-shot"]}, "does not go on over a stream"),
        ({"adaptations": ["lora(lr=1e-3..1e-2)"]}, "does not go on over a stream"),
        ({"strategies": ["plane"]}, "unknown strategy 'plane': did you mean 'plain'"),
        ({"strategies": ["plain(x=1)"]}, "unknown argument 'x'"),
        (
            {"stream": [*STREAM, "nano/qa(split=test)"]},
            r"nano/qa and nano/qa\(split=test\) are the same task",
        ),
    ],
)
def test_what_cannot_learn_a_stream(fields: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        trials_of(**{"tasks": [], "adaptations": ["full"], "stream": STREAM, **fields})


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("strategies: [reply]", "strategies: unknown strategy 'reply': did you mean 'replay'"),
        ("strategies: ['ewc(strength=-3)']", "strategies: ewc: strength cannot be -3"),
        ("strategies: ['replay(memory=resevoir)']", "strategies: .*; did you mean 'reservoir'"),
        ("adaptations: [zero-shot]", "adaptations: continual: zero-shot does not go on"),
    ],
)
def test_errors_about_what_learns_a_stream_name_file_and_key(tmp_path: Path, key: str, words: str) -> None:
    path = tmp_path / "b1.yaml"
    method = "" if key.startswith("adaptations") else "adaptations: [full]\n"
    path.write_text(f"models: [nano:llama]\n{method}stream: [nano/sentiment, nano/qa]\n{key}\n")
    with pytest.raises(StudyError, match=rf"b1\.yaml: {words}"):
        read_study(path)
