"""Learning curves: which adaptations are measured at which sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tianti.adapt import label, parse_adaptation
from tianti.adapt.sizes import check_sizes, parse_sizes, shortfall, size_of, with_sizes, without_size
from tianti.core.exceptions import InputError, StudyError


def _labels(texts: list[str], sizes: list[Any]) -> list[str]:
    return [label(each) for each in with_sizes([parse_adaptation(text) for text in texts], sizes)]


def test_each_trained_adaptation_is_measured_at_each_size() -> None:
    assert _labels(["zero-shot", "lora(r=4)", "lora + few-shot(k=2)", "fit"], [64, "all", 16]) == [
        "zero-shot",
        "lora(max_examples=16, r=4)",
        "lora(max_examples=64, r=4)",
        "lora(r=4)",
        "lora(max_examples=16) + few-shot(k=2)",
        "lora(max_examples=64) + few-shot(k=2)",
        "lora + few-shot(k=2)",
        "fit",
    ]
    assert _labels(["lora(max_examples=5)"], []) == ["lora(max_examples=5)"]


def test_size_and_what_is_the_same_without_it() -> None:
    for text, size in (
        ("lora", None),
        ("lora(max_examples=16)", 16),
        ("head-only(max_examples=8) + full", 8),
    ):
        adaptation = parse_adaptation(text)
        assert size_of(adaptation) == size
        assert size_of(without_size(adaptation)) is None
    assert without_size(parse_adaptation("few-shot(k=2)")) == parse_adaptation("few-shot(k=2)")


def test_what_has_no_effect_or_says_it_twice() -> None:
    with pytest.raises(StudyError, match="no adaptation of the study takes a part"):
        with_sizes([parse_adaptation("zero-shot")], [16])
    with pytest.raises(StudyError, match="both say how many"):
        with_sizes([parse_adaptation("lora(max_examples=5)")], [16])


def test_a_size_beyond_the_training_split_is_refused(task: Callable[[str], Any]) -> None:
    stub, lora = task("labels"), parse_adaptation("lora")
    check_sizes(lora, stub, [len(stub.train), "all"])
    with pytest.raises(
        StudyError, match=rf"{len(stub.train) + 1} is more than the {len(stub.train)} examples"
    ):
        check_sizes(lora, stub, [4, len(stub.train) + 1])
    stub.validation = []  # a tenth is held out then
    with pytest.raises(StudyError, match="is more than the"):
        check_sizes(lora, stub, [len(stub.train)])
    with pytest.raises(StudyError, match="is more than the"):
        check_sizes(parse_adaptation("lora + update(share=0.5)"), stub, [len(stub.train) // 2])
    check_sizes(parse_adaptation("zero-shot"), stub, [1000])


@pytest.mark.parametrize("text", ["", "16,", "16, 64,all", "all"])
def test_sizes_on_the_command_line(text: str) -> None:
    if text:
        assert parse_sizes(text) == [
            int(part) if part.isdigit() else part for part in text.replace(" ", "").split(",") if part
        ]
    else:
        with pytest.raises(InputError, match="expected numbers"):
            parse_sizes(text)


@pytest.mark.parametrize("text", ["0", "-4", "16;64", "many"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(InputError, match=r"expected numbers greater than 0, or all, got[\s\S]*16,64,256,all"):
        parse_sizes(text)


@pytest.mark.parametrize("text", ["lora(max_examples={})", "lora(max_examples={}) + update(share=0.5)"])
def test_more_examples_than_there_are_is_on_record(task: Callable[[str], Any], text: str) -> None:
    stub = task("labels")
    there = len(stub.train) // (2 if "update" in text else 1)
    assert shortfall(parse_adaptation(text.format(there)), stub) == {}
    found = shortfall(parse_adaptation(text.format(there + 1)), stub)
    assert found == {"max_examples": {"asked": there + 1, "there": there}}


def test_what_learns_all_or_nothing_asks_for_no_more(task: Callable[[str], Any]) -> None:
    for text in ("lora", "zero-shot", "fit"):
        assert shortfall(parse_adaptation(text), task("labels")) == {}
