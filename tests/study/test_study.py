from __future__ import annotations

import pytest
import yaml

from tianti.study import Study, study_of


def test_a_study_survives_being_written_and_read() -> None:
    study = study_of(
        study="s", models=["nano:llama"], tasks=["nano/qa"], seeds=[1, 2], limit=7, dtype="float32"
    )
    assert study_of(**yaml.safe_load(study.to_yaml())) == study


@pytest.mark.parametrize("key", Study.model_fields)
def test_every_key_says_what_it_expects(key: str) -> None:
    assert Study.model_fields[key].description
