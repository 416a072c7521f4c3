"""The samples of the nano world: parallel, balanced, distinct, and kept out of the text for pre-training."""

from __future__ import annotations

import json
import re
from collections import Counter
from hashlib import sha256
from itertools import combinations, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tianti.core.exceptions import UnknownNameError
from tianti.tasks.nano import KINDS, LANGUAGES, PRIMER, PUBLIC_SEED, SPLITS, documents, samples
from tianti.tasks.nano.samples import size
from tianti.tasks.nano.world import side

SEEDS = st.integers(min_value=0, max_value=2**40)
few = settings(max_examples=4, deadline=None)


def content(row: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in row.items() if key != "id"}, ensure_ascii=False)


def body(row: dict[str, Any]) -> str:
    if "description" in row:  # one may be the beginning of another one
        return str(row["description"]) + "\n"
    whole = (
        "text",
        "premise",
        "passage",
        "question",
        "document",
        "source",
        "reference",
        "description",
        "history",
    )
    found = next((row[key] for key in whole if key in row), None) or row["evaluation"][0]["text"]
    return "\n".join(found) if isinstance(found, list) else str(found)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_sizes_and_identities(kind: str, language: str, split: str) -> None:
    rows = samples(kind, language, split)
    assert len(rows) == size(kind, split)
    assert [row["id"] for row in rows] == [f"{kind}-{language}-{split}-{index}" for index in range(len(rows))]
    assert json.loads(json.dumps(rows)) == rows


@few
@given(seed=SEEDS, kind=st.sampled_from(KINDS), language=st.sampled_from(LANGUAGES))
def test_nothing_twice_and_nothing_in_two_splits(seed: int, kind: str, language: str) -> None:
    shown = {split: {content(row) for row in samples(kind, language, split, seed)} for split in SPLITS}
    assert {split: len(rows) for split, rows in shown.items()} == {
        split: size(kind, split) for split in SPLITS
    }
    assert all(not one & other for one, other in combinations(shown.values(), 2))


@few
@given(seed=SEEDS, split=st.sampled_from(list(SPLITS)))
def test_labels_and_positions_are_balanced(seed: int, split: str) -> None:
    half, quarter = SPLITS[split] // 2, SPLITS[split] // 4
    assert set(Counter(row["label"] for row in samples("sentiment", "zh", split, seed)).values()) == {half}
    assert Counter(row["answer"] for row in samples("commonsense", "en", split, seed)) == dict.fromkeys(
        range(4), quarter
    )


@few
@given(seed=SEEDS, split=st.sampled_from(list(SPLITS)))
def test_languages_are_parallel(seed: int, split: str) -> None:
    pairs = {
        kind: list(zip(samples(kind, "en", split, seed), samples(kind, "zh", split, seed), strict=True))
        for kind in KINDS
    }
    assert all(
        {"positive": "好评", "negative": "差评"}[en["label"]] == zh["label"] for en, zh in pairs["sentiment"]
    )
    assert all(en["answer"] == zh["answer"] for en, zh in pairs["commonsense"])
    translations = {name.en: name.zh for name in side(split).names}
    for en, zh in pairs["qa"]:
        named = {name for name in re.findall(r"\w+", en["passage"]) if name in translations}
        assert named
        assert all(translations[name] in zh["passage"] for name in named)


@pytest.mark.parametrize("split", SPLITS)
def test_choices_and_answers(split: str) -> None:
    for language in LANGUAGES:
        for row in samples("commonsense", language, split):
            assert len(set(row["choices"])) == 4
            assert 0 <= row["answer"] < 4
        for row in samples("qa", language, split):
            assert row["answers"][0] in row["passage"]
            assert language == "zh" or 1 <= len(row["answers"][0].split()) <= 3


def test_a_sample_is_the_same_in_every_process_and_language_order() -> None:
    from tianti.tasks.nano import samples as module

    first = samples("qa", "zh", "fresh", 7)
    module.__globals__["_samples"].cache_clear()
    assert samples("qa", "en", "fresh", 7)[3]["id"] == "qa-en-fresh-3"
    assert samples("qa", "zh", "fresh", 7) == first
    assert samples("qa", "zh", "fresh", PUBLIC_SEED) != first


@pytest.mark.parametrize("tested", ["test", "fresh", "validation"])
def test_people_and_places_of_the_tests_are_held_out(tested: str) -> None:
    held, open_ = side(tested), side("documents")
    assert not set(held.names) & set(open_.names)
    assert not set(held.places) & set(open_.places)
    assert side("train").names == open_.names
    # A name stands alone in English; in Chinese nothing else may look like it.
    stream = list(islice(documents(1, PRIMER), 3000))
    english, chinese = " ".join(stream[::2]), "\n".join(stream[1::2])
    words = set(re.findall(r"\w+", english))
    assert not [name.en for name in held.names if name.en in words]
    assert not [place.en for place in held.places if place.en in english]
    assert not [text.zh for text in (*held.names, *held.places) if text.zh in chinese]


def test_no_document_holds_a_sample_of_the_tests() -> None:
    corpus = "\n".join(islice(documents(1, PRIMER), 3000))
    for kind in KINDS:
        for language in LANGUAGES:
            for split in ("validation", "test", "fresh"):
                assert not [row["id"] for row in samples(kind, language, split) if body(row) in corpus]


def test_some_wordings_and_facts_are_asked_about_in_the_tests_only() -> None:
    def endings(split: str) -> set[str]:
        return {row["question"].split()[-1] for row in samples("commonsense", "en", split)}

    assert endings("test") - endings("train")
    assert endings("test") & endings("train")


@pytest.mark.parametrize("wrong", [("sentimant", "en", "test"), ("qa", "fr", "test"), ("qa", "en", "dev")])
def test_an_unknown_name_is_an_error(wrong: tuple[str, str, str]) -> None:
    with pytest.raises(UnknownNameError):
        samples(*wrong)


RECORDED = {
    ("sentiment", "en"): "29dde82cebf40372",
    ("sentiment", "zh"): "5c81d0f1bf4b7fbe",
    ("commonsense", "en"): "66ef223aa16bb371",
    ("commonsense", "zh"): "2959afb929ceee5c",
    ("qa", "en"): "0299b9cd1171993f",
    ("qa", "zh"): "0bed446ecae74079",
}


@pytest.mark.parametrize(("kind", "language"), RECORDED)
def test_the_samples_of_the_first_kinds_never_change(kind: str, language: str) -> None:
    """Their fingerprints are part of the identities of trials that users have in their stores."""
    rows = [samples(kind, language, split, seed) for split in SPLITS for seed in (PUBLIC_SEED, 7)]
    text = json.dumps(rows, ensure_ascii=False)
    assert sha256(text.encode()).hexdigest()[:16] == RECORDED[kind, language]
