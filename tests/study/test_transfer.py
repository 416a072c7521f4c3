"""`transfer:` of a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies import trials_of
from tianti.adapt import label
from tianti.core.exceptions import StudyError
from tianti.estimate import estimate
from tianti.study import read_study, trial_of

TASKS = ["nano/sentiment", "nano/pairs", "nano/commonsense"]


def _cells(**fields: object) -> list[tuple[str, str]]:
    planned = trials_of(tasks=TASKS, **fields)
    return [(label(trial.adaptation), trial.task.info.name) for trial in planned]


def test_each_task_is_learned_and_every_task_asked() -> None:
    assert _cells(adaptations=["zero-shot", "lora"], transfer=["nano/sentiment"]) == [
        *(("zero-shot", name) for name in TASKS),
        ("lora", "nano/sentiment"),
        ("lora from nano/sentiment", "nano/pairs"),
        ("lora from nano/sentiment", "nano/commonsense"),
    ]


def test_the_diagonal_is_the_ordinary_trial() -> None:
    planned = trials_of(tasks=TASKS, adaptations=["lora"], transfer="all", seeds=[0, 1])
    ordinary = trials_of(tasks=TASKS, adaptations=["lora"], seeds=[0, 1])
    assert len(planned) == 3 * 3 * 2
    assert {trial.id for trial in ordinary} <= {trial.id for trial in planned}
    assert len({trial.id for trial in planned}) == len(planned)


def test_all_and_a_task_of_the_study_are_one_source() -> None:
    cells = _cells(adaptations=["lora"], transfer=["all", "nano/pairs"])
    assert len(cells) == len(set(cells)) == 9


def test_the_manifest_leads_back_to_the_trial() -> None:
    trial = trials_of(adaptations=["lora(r=2) + few-shot(k=1)"], tasks=["nano/qa"], transfer=["nano/pairs"])[
        0
    ]
    assert trial.manifest["adaptation"]["data"].keys() == {"nano/pairs"}
    again = trial_of(trial.manifest)
    assert (again.id, label(again.adaptation)) == (trial.id, label(trial.adaptation))


def test_paths_are_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "films.yaml").touch()
    (tmp_path / "study.yaml").write_text(
        "models: nano:llama-untrained\ntasks: nano/qa\nadaptations: lora\ntransfer: films.yaml\n"
    )
    assert read_study(tmp_path / "study.yaml").transfer == (str(tmp_path / "films.yaml"),)


@pytest.mark.parametrize(
    ("adaptation", "words"),
    [("zero-shot", "transfer has no effect"), ("lora from nano/qa", "both say which task is learned")],
)
def test_without_anything_to_carry_over(adaptation: str, words: str) -> None:
    with pytest.raises(StudyError, match=words):
        trials_of(adaptations=[adaptation], transfer=["nano/pairs"])


def test_sizes_are_those_of_the_learned_task() -> None:
    with pytest.raises(StudyError, match="nano/pairs"):
        trials_of(adaptations=["lora"], transfer=["nano/pairs"], train_sizes=[100_000])


def test_the_estimate_counts_what_is_learned() -> None:
    planned = trials_of(
        adaptations=["lora(epochs=1)"], tasks=["nano/sentiment", "nano/pairs"], transfer="all"
    )
    found = {line.trial: line.training_tokens for line in estimate(planned)}
    name = "nano:llama-untrained · lora(epochs=1)"
    assert (
        found[f"{name} · nano/pairs · seed 0"] == found[f"{name} from nano/pairs · nano/sentiment · seed 0"]
    )
