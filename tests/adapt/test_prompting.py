"""Zero-shot and few-shot: the model as it is, with the right shots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tianti.adapt import Cost, FewShot, ZeroShot
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.models import load_model, open_model
from tianti.tasks.task import Shots


@pytest.mark.parametrize("network", ["llama", "gpt2"])
@pytest.mark.parametrize("adaptation", [ZeroShot(), FewShot(k=2)])
def test_the_model_answers_as_it_is(
    network: str, adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    adaptation.check(loaded, stub)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path / "none", Silent())
    assert adapted.backend.network is loaded.network
    assert adapted.cost == Cost(total_parameters=loaded.network.num_parameters())
    assert not (tmp_path / "none").exists()


def test_shots() -> None:
    assert ZeroShot().shots(3) == Shots(0)
    assert FewShot(k=2).shots(3) == Shots(2, "random", 3)
    assert FewShot(k=5, selection="first").shots(3) == Shots(5, "first", 3)


@pytest.mark.parametrize("adaptation", [ZeroShot(), FewShot()])
def test_who_cannot_answer_a_prompt(
    adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    with pytest.raises(IncompatibleError, match=r"encoder[\s\S]*head-only, lora or full"):
        adaptation.check(model("bert"), task("labels"))
    with pytest.raises(IncompatibleError, match="use fit"):
        adaptation.check(load_model(open_model("baseline:majority")), task("labels"))
