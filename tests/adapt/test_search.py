"""The search of settings: judged on validation alone, repeatable, and resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tianti.adapt import Chain, FewShot, LoRA, Searched, label, parse_adaptation, settings
from tianti.adapt.search import said, with_search
from tianti.adapt.space import Choices, Range, parse_search, parse_space
from tianti.core.exceptions import EngineError, InputError, NonFiniteError, StudyError, UnknownNameError
from tianti.core.progress import Silent

SEARCH = "lora(r=2, batch=8, lr=1e-5..1e-1, epochs=1|2, trials=5)"


def _adapt(adaptation: Any, model: Any, task: Any, folder: Path, seed: int = 0) -> Any:
    adaptation.check(model, task)
    return adaptation.adapt(model, task, seed, folder, Silent())


@dataclass
class Untouchable:
    """A task whose test split raises; what it learns from is there."""

    task: Any

    def __getattr__(self, name: str) -> Any:
        if name in ("metrics", "count", "questions", "grade"):
            raise RuntimeError(f"the test was read: {name}")
        return getattr(self.task, name)


@pytest.mark.parametrize(
    "text",
    [
        SEARCH,
        "full(lr=auto|1e-4|0.001, trials=3)",
        "lora(r=4..64, trials=8) + few-shot(k=2)",
        "head-only(epochs=5..50, trials=2) + full(epochs=1|3, trials=8)",
    ],
)
def test_the_notation_is_read_and_written(text: str) -> None:
    adaptation = parse_adaptation(text)
    assert parse_adaptation(label(adaptation)) == adaptation
    assert any(isinstance(step, Searched) for step in getattr(adaptation, "steps", (adaptation,)))


def test_what_is_searched_stands_among_the_settings() -> None:
    found = settings(parse_adaptation(SEARCH))
    assert (found["lr"], found["epochs"], found["trials"], found["r"]) == ("1e-05..0.1", "1|2", 5, 2)
    assert found != settings(parse_adaptation(SEARCH.replace("trials=5", "trials=6")))
    assert set(found) == {*settings(LoRA()), "trials"}


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("lora(lrr=1e-4..1e-2)", UnknownNameError, "did you mean 'lr'"),
        ("lora(lr=1e-2..1e-4)", InputError, "from above 0 to more(.|\n)*write lr=0.0001..0.01"),
        ("lora(lr=0..1)", InputError, "from above 0 to more"),
        ("lora(epochs=1|1)", InputError, "expected different values"),
        ("lora(epochs=0|1)", InputError, "epochs cannot be 0"),
        ("lora(epochs=1.5..3.5)", InputError, "epochs cannot be 1.5"),
        ("lora(max_examples=4|8)", UnknownNameError, "--train-size"),
        ("lora(lr=1e-4..1e-2, trials=0)", InputError, "trials expects a whole number from 1"),
        ("lora(trials=3)", UnknownNameError, "unknown argument 'trials'"),
    ],
)
def test_what_cannot_be_searched(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        parse_adaptation(text)


def test_spaces() -> None:
    assert parse_space("lr", "1e-4..1e-2") == Range(1e-4, 1e-2)
    assert parse_space("r", "4..64") == Range(4, 64)
    assert parse_space("epochs", [1, 3]) == parse_space("epochs", "1,3") == Choices((1, 3))
    assert parse_space("targets", "all-linear") == Choices(("all-linear",))
    assert parse_search("lr=1e-4..1e-2 epochs=1,3,5 trials=8") == {
        "lr": "1e-4..1e-2", "epochs": "1,3,5", "trials": 8,
    }  # fmt: skip
    for text in ("", "trials=4", "lr", "lr=1 lr=2", "=3"):
        with pytest.raises(InputError, match="trials=8"):
            parse_search(text)


def test_a_search_is_for_what_is_trained_and_has_the_setting() -> None:
    given = {"lr": "1e-4..1e-2", "r": [4, 8], "trials": 3}
    texts = ["zero-shot", "lora", "full + few-shot(k=2)", "lora + update(share=0.5)", "fit"]
    labels = [label(each) for each in with_search([parse_adaptation(text) for text in texts], given)]
    assert labels == [
        "zero-shot",
        "lora(lr=0.0001..0.01, r=4|8, trials=3)",
        "full(lr=0.0001..0.01, trials=3) + few-shot(k=2)",
        "lora(lr=0.0001..0.01, r=4|8, trials=3) + update(share=0.5)",
        "fit",
    ]
    with pytest.raises(UnknownNameError, match="search: unknown setting 'epoch': did you mean 'epochs'"):
        with_search([LoRA()], {"epoch": [1, 2]})
    with pytest.raises(StudyError, match="no effect"):
        with_search([FewShot()], given)


@pytest.mark.parametrize(("network", "form"), [("llama", "labels"), ("bert", "labels"), ("t5", "text")])
def test_the_best_by_validation_is_taken_and_the_test_never_read(
    network: str, form: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    searched = parse_adaptation(SEARCH)
    adapted = _adapt(searched, model(network), Untouchable(task(form)), tmp_path / "s")
    tried = adapted.cost.tried
    assert len(tried) == 5
    assert all(
        1e-5 <= each["settings"]["lr"] <= 1e-1 and each["settings"]["epochs"] in (1, 2) for each in tried
    )
    assert len({each["settings"]["lr"] for each in tried}) == 5
    (chosen,) = [each for each in tried if each["chosen"]]
    assert chosen["validation"] == min(each["validation"] for each in tried) == min(adapted.cost.validation)
    assert adapted.chosen == LoRA(r=2, batch=8, **chosen["settings"])
    assert adapted.cost.steps == sum(each["steps"] for each in tried)
    assert said(chosen).endswith("(chosen)")
    alone = adapted.chosen.adapt(model(network), task(form), 0, tmp_path / "alone", Silent())
    for name in adapted.trained:
        one, other = (dict(each.network.named_parameters())[name] for each in (adapted, alone))
        assert one.equal(other)
    assert [path.name for path in (tmp_path / "s").iterdir() if path.is_dir()] == [f"try-{chosen['number']}"]


def test_a_search_that_was_stopped_finds_its_tries(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tianti.adapt import learning

    searched, trained, train = parse_adaptation(SEARCH), [0], learning.train

    def counted(*arguments: Any, **named: Any) -> Any:
        trained[0] += 1
        if trained[0] == 4:
            raise KeyboardInterrupt
        return train(*arguments, **named)

    whole = _adapt(searched, model("llama"), task("labels"), tmp_path / "whole")
    monkeypatch.setattr(learning, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        _adapt(searched, model("llama"), task("labels"), tmp_path / "stopped")
    again = _adapt(searched, model("llama"), task("labels"), tmp_path / "stopped")
    assert trained[0] == 6  # three, the one that was stopped, and the last two
    strip = [{k: v for k, v in each.items() if k != "seconds"} for each in again.cost.tried]
    assert strip == [{k: v for k, v in each.items() if k != "seconds"} for each in whole.cost.tried]
    found = _adapt(searched, model("llama"), task("labels"), tmp_path / "stopped")
    assert trained[0] == 6
    assert found.cost == again.cost
    other = _adapt(searched, model("llama"), task("labels"), tmp_path / "seed", seed=1)
    assert [each["settings"] for each in other.cost.tried] != [each["settings"] for each in again.cost.tried]


def test_tries_that_diverge_are_on_record_and_not_chosen(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapt = LoRA.adapt

    def fragile(self: LoRA, *arguments: Any) -> Any:
        if self.lr == "auto" or self.lr > 0.01:
            raise NonFiniteError("the loss became nan")
        return adapt(self, *arguments)

    monkeypatch.setattr(LoRA, "adapt", fragile)
    mixed = parse_adaptation("lora(epochs=1, lr=0.001|0.1, trials=4)")
    tried = _adapt(mixed, model("llama"), task("labels"), tmp_path / "mixed").cost.tried
    assert {each["settings"]["lr"]: (each["validation"] is None, each["chosen"]) for each in tried} == {
        0.1: (True, False),
        0.001: (False, True),
    }  # nothing is tried twice
    assert len(tried) == 2
    bad = parse_adaptation("lora(epochs=1, lr=0.1|1.0, trials=2)")
    with pytest.raises(EngineError, match="all 2 tries diverged"):
        _adapt(bad, model("llama"), task("labels"), tmp_path / "bad")


def test_a_searched_step_in_a_chain(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    chain = parse_adaptation("lora(epochs=1, lr=1e-4..1e-1, trials=2) + update(share=0.25) + few-shot(k=1)")
    assert isinstance(chain, Chain)
    adapted = _adapt(chain, model("llama"), task("labels"), tmp_path / "chain")
    assert len(adapted.cost.tried) == 2


def test_too_few_examples_to_judge_by(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    stub = task("labels")
    stub.train, stub.validation = stub.train[:9], []
    with pytest.raises(InputError, match="too few examples to hold any out"):
        parse_adaptation(SEARCH).check(model("llama"), stub)
