"""Small studies for tests."""

from __future__ import annotations

from tianti.study import Trial, study_of, trials


def trials_of(**fields: object) -> list[Trial]:
    """The trials of a study with these fields: one untrained model on one task, where they do not say otherwise."""
    usual: dict[str, object] = {"models": ["nano:llama-untrained"], "tasks": ["nano/sentiment"]}
    return trials(study_of(**{**usual, **fields}))
