"""The list of adaptations and their short notation."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt import (
    ADAPTATIONS,
    FewShot,
    Full,
    HeadOnly,
    LoRA,
    ZeroShot,
    all_settings,
    label,
    parse_adaptation,
    settings,
)
from tianti.adapt.trained import Trained
from tianti.core.exceptions import InputError, UnknownNameError


@pytest.mark.parametrize(
    ("text", "adaptation"),
    [
        ("zero-shot", ZeroShot()),
        ("few-shot(k=1)", FewShot(k=1)),
        ("few-shot(k=2, selection=first)", FewShot(2, "first")),
        ("lora(r=8, lr=1e-3, epochs=3)", LoRA(r=8, lr=1e-3, epochs=3)),
        ("lora(targets=[q_proj, v_proj])", LoRA(targets=("q_proj", "v_proj"))),
        ("full(lr=2e-5, max_examples=100)", Full(lr=2e-5, max_examples=100)),
        ("full(lr=1)", Full(lr=1.0)),
        ("head-only", HeadOnly()),
    ],
)
def test_notation(text: str, adaptation: Any) -> None:
    assert parse_adaptation(text) == adaptation
    assert parse_adaptation(label(adaptation)) == adaptation


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("few-shot", "few-shot(k=4)"),
        ("few-shot(k=1)", "few-shot(k=1)"),
        ("lora", "lora"),
        ("lora(r=8)", "lora"),
        ("lora(r=16)", "lora(r=16)"),
        ("full(lr=2e-5, epochs=3)", "full(lr=2e-05)"),
        ("zero-shot", "zero-shot"),
        ("zero-shot(chat=false, system=null)", "zero-shot"),
        ("zero-shot(chat=true)", "zero-shot(chat=true)"),
        (
            "zero-shot(system='Be brief, please.', chat=true)",
            "zero-shot(chat=true, system='Be brief, please.')",
        ),
        ("few-shot(chat=true, multiturn=true)", "few-shot(k=4, chat=true)"),
        ("few-shot(multiturn=false, chat=true, k=2)", "few-shot(k=2, chat=true, multiturn=false)"),
    ],
)
def test_labels_show_what_differs(text: str, expected: str) -> None:
    assert label(parse_adaptation(text)) == expected


@given(
    st.builds(
        LoRA,
        r=st.integers(1, 512),
        lr=st.floats(1e-8, 1),
        epochs=st.integers(1, 99),
        dropout=st.floats(0, 0.9),
    )
)
def test_every_label_reads_back(adaptation: LoRA) -> None:
    assert parse_adaptation(label(adaptation)) == adaptation


@given(
    st.builds(
        FewShot,
        k=st.integers(1, 99),
        chat=st.just(True),
        system=st.none() | st.text(st.characters(codec="utf-8"), min_size=1),
        multiturn=st.booleans(),
    )
)
def test_every_chat_reads_back(adaptation: FewShot) -> None:
    assert parse_adaptation(label(adaptation)) == adaptation


def test_settings_of_a_chat_are_settings_in_a_chat_only() -> None:
    assert settings(ZeroShot()) == {}
    assert settings(FewShot()) == {"k": 4, "selection": "random"}
    assert settings(ZeroShot(chat=True)) == {"chat": True, "system": None}
    assert settings(FewShot(chat=True, multiturn=False)) == {
        "k": 4, "selection": "random", "chat": True, "system": None, "multiturn": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lorra", ["lorra", "'lora'"]),
        ("lora(rank=8)", ["lora", "rank", "Valid"]),
        ("full(epoch=3)", ["full", "epoch", "'epochs'"]),
        ("zero-shot(k=1)", ["zero-shot", "Valid: calibrate, chat"]),
        ("fit(x=1)", ["fit", "no arguments"]),
    ],
)
def test_unknown_names(text: str, words: list[str]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_adaptation(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lora(r=0)", ["lora: r", "0", "greater than or equal to 1"]),
        ("lora(r=2.5)", ["lora: r", "2.5", "integer"]),
        ("lora(r=eight)", ["lora: r", "'eight'", "integer"]),
        ("lora(r=true)", ["lora: r", "True"]),
        ("lora(lr=-1)", ["lora: lr", "greater than 0", "'auto'"]),
        ("lora(lr=.nan)", ["lora: lr", "finite"]),
        ("lora(dropout=1)", ["lora: dropout", "less than 1"]),
        ("few-shot(k=0)", ["few-shot: k"]),
        ("few-shot(selection=best)", ["few-shot: selection", "'random'", "'first'"]),
        ("full(warmup=2)", ["full: warmup"]),
        ("full(epochs=null)", ["full: epochs"]),
        ("head-only(max_examples=many)", ["head-only: max_examples"]),
        ("lora(targets=[1])", ["lora: targets"]),
        ("full(lr=2024-01-01)", ["full: lr"]),
        ("zero-shot(chat=yes please)", ["zero-shot: chat"]),
        ("zero-shot(chat=true, system='')", ["zero-shot: system", "at least 1 character"]),
        ("zero-shot(chat=true, system=8)", ["zero-shot: system", "string"]),
        ("zero-shot(system=Hello)", ["zero-shot: system is a setting of chats", "chat=true"]),
        ("few-shot(multiturn=false)", ["few-shot: multiturn is a setting of chats", "chat=true"]),
    ],
)
def test_wrong_values_name_adaptation_argument_and_what_was_expected(text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_adaptation(text)
    for word in words:
        assert word in str(caught.value)


def test_made_in_python_they_are_checked_too() -> None:
    with pytest.raises(InputError, match="lora: r"):
        LoRA(r=-1)
    with pytest.raises(InputError, match="full: lr"):
        Full(lr="fast")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ADAPTATIONS)
def test_each_is_listed_under_its_name_and_described(name: str) -> None:
    adaptation = parse_adaptation(name)
    assert adaptation.name == name
    assert adaptation.summary
    assert label(adaptation).startswith(name)
    assert set(all_settings(adaptation)) == {field.name for field in fields(adaptation)}  # type: ignore[arg-type]
    assert json.loads(json.dumps(all_settings(adaptation))) == all_settings(adaptation)
    assert hash(adaptation) == hash(parse_adaptation(name))


def test_which_take_shots() -> None:
    shots = {name: parse_adaptation(name).shots(seed=7) for name in ADAPTATIONS}
    assert {name: each.k for name, each in shots.items() if each.k} == {"few-shot": 4}
    assert shots["few-shot"].seed == 7
    trained = {name for name, kind in ADAPTATIONS.items() if issubclass(kind, Trained)}
    seeded = {name for name in ADAPTATIONS if parse_adaptation(name).seeded}
    assert seeded == {"few-shot", "self-consistency", "update", "continual"} | trained
    asked = {"zero-shot", "few-shot", "chain-of-thought", "self-consistency"}
    assert {name for name, each in ADAPTATIONS.items() if not each.trains} == asked
