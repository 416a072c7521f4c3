"""The shipped models are what their cards say came out of their recipes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tianti.adapt.pretrain import Pretraining
from tianti.adapt.pretrain.nano import RECIPES, pretrain_nano
from tianti.core.exceptions import UnknownNameError
from tianti.core.fingerprint import file_digest
from tianti.core.progress import Silent
from tianti.models.nano import NANO, nano_folder


@pytest.mark.parametrize("name", NANO)
def test_the_first_steps_of_the_shipped_model_are_met_again(name: str, tmp_path: Path) -> None:
    card = json.loads((nano_folder(name) / "card.json").read_text("utf-8"))
    assert Pretraining(**card["settings"]) == RECIPES[name]
    again = pretrain_nano(name, tmp_path, Silent(), steps=4)
    assert file_digest(tmp_path / "tokenizer.json") == card["tokenizer_sha256"]
    assert again.first_losses == pytest.approx(card["first_losses"][:4], rel=1e-2)


def test_there_is_no_other_recipe(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'bert'"):
        pretrain_nano("bart", tmp_path, Silent())
