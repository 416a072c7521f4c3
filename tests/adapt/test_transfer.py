"""Transfer: what one task taught is asked another, is trained once, and is refused where it cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tianti.adapt import Fit, LoRA, Searched, Transfer, label, parse_adaptation, settings
from tianti.adapt.learned import examples_learned
from tianti.adapt.search import with_search
from tianti.adapt.sizes import size_of, with_sizes, without_size
from tianti.adapt.stages import address, facts_of_data, stages
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Silent
from tianti.evaluation.evaluate import evaluate
from tianti.tasks import load_tasks
from tianti.tasks.task import Example, Shots


def _transfer(base: str, source: Any) -> Transfer:
    """An adaptation that learns a task in memory."""
    made = Transfer(parse_adaptation(base), "stub/source")
    vars(made)["source"] = source
    return made


@pytest.mark.parametrize(
    "text",
    [
        "lora(r=2) from nano/sentiment",
        "lora(r=2) + few-shot(k=4) from nano/qa(seed=7)",
        "lora + update(data=nano/pairs) from nano/sentiment",
        "fit from ./films.yaml",
        'full + few-shot(k=2, chat=true, system="a letter from home") from nano/qa',
    ],
)
def test_the_notation_is_read_and_written(text: str) -> None:
    transfer = parse_adaptation(text)
    assert isinstance(transfer, Transfer)
    assert transfer.data == text.rpartition(" from ")[2]
    assert parse_adaptation(label(transfer)) == transfer
    assert settings(transfer) == {**settings(transfer.base), "from": transfer.data}


def test_from_within_quotes_is_no_transfer() -> None:
    assert not isinstance(parse_adaptation('few-shot(k=2, chat=true, system="news from home")'), Transfer)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zero-shot from nano/qa", "learns nothing"),
        ("lora from nano/qa from nano/pairs", "one task is learned"),
    ],
)
def test_what_cannot_be_carried_over(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_adaptation(text)


def test_what_is_learned_is_that_of_the_source_alone(model: Callable[[str], Any]) -> None:
    loaded = model("llama")
    transfer = parse_adaptation("lora(r=2) from nano/sentiment")
    (source,), (asked,) = load_tasks("nano/sentiment"), load_tasks("nano/pairs")
    assert address(loaded, stages(transfer, asked, 3)) == address(loaded, stages(LoRA(r=2), source, 3))
    assert facts_of_data(transfer) == {"nano/sentiment": source.fingerprint}
    assert examples_learned(transfer, asked, 0) == examples_learned(LoRA(r=2), source, 0)
    fitted = parse_adaptation("fit from nano/sentiment")
    assert examples_learned(fitted, asked, 0) == source.examples("train")


def test_it_is_trained_once_and_answers_as_there(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, source, asked = model("llama"), task("labels"), task("choices")
    transfer = _transfer("lora(r=2, epochs=1, lr=1e-2)", source)
    transfer.check(loaded, asked)
    learned = transfer.base.adapt(loaded, source, 0, tmp_path / "folder", Silent())
    written = (tmp_path / "folder" / "adapted.json").stat().st_mtime_ns
    found = transfer.adapt(loaded, asked, 0, tmp_path / "folder", Silent())
    assert (tmp_path / "folder" / "adapted.json").stat().st_mtime_ns == written
    answers = [
        [answer.responses for shard in evaluate(each.backend, asked, Shots(0), 3) for answer in shard]
        for each in (learned, found)
    ]
    assert answers[0] == answers[1]


def _relabelled(task: Any, labels: tuple[str, ...]) -> Any:
    return replace(task, train=[replace(each, choices=labels, label=0) for each in task.train])


@pytest.mark.parametrize(
    ("base", "network"), [("full", "bert"), ("head-only", "masked"), ("full(head=true)", "llama")]
)
def test_a_head_is_asked_for_its_own_labels_only(
    model: Callable[[str], Any], task: Callable[[str], Any], base: str, network: str
) -> None:
    loaded, source = model(network), task("labels")
    transfer = _transfer(base, source)
    transfer.check(loaded, task("labels"))
    with pytest.raises(IncompatibleError, match="knows the labels right, wrong; asked for are wrong, right"):
        transfer.check(loaded, _relabelled(source, ("wrong", "right")))
    with pytest.raises(IncompatibleError, match="knows the labels right, wrong"):
        transfer.check(loaded, task("choices"))
    with pytest.raises(IncompatibleError, match="teaches labels, and it asks for others"):
        transfer.check(loaded, load_tasks("nano/qa")[0])


def test_a_scorer_of_choices_is_asked_any(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    transfer = _transfer("full", task("choices"))
    transfer.check(model("bert"), task("labels"))


def test_a_source_without_examples_is_refused(
    model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    source = task("labels")
    with pytest.raises(IncompatibleError, match="no training split"):
        _transfer("lora", replace(source, train=list[Example]())).check(model("llama"), source)


def test_sizes_and_searches_reach_what_is_learned() -> None:
    transfer = parse_adaptation("lora from nano/sentiment")
    small, whole = with_sizes([transfer], [8, "all"])
    assert (label(small), size_of(small)) == ("lora(max_examples=8) from nano/sentiment", 8)
    assert without_size(small) == whole == transfer
    (searched,) = with_search([transfer], {"lr": [1e-3, 1e-2], "trials": 2})
    assert isinstance(searched, Transfer)
    assert isinstance(searched.base, Searched)
    assert parse_adaptation(label(searched)) == searched


def test_a_baseline_learns_elsewhere_too() -> None:
    (source,) = load_tasks("nano/sentiment")
    transfer = _transfer("fit", source)
    assert (transfer.base, transfer.seeded, transfer.trains) == (Fit(), False, True)
