"""What the samples of each kind promise: tags, places of answers, limits, values of programs, no short cut."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from tianti.tasks.nano import LANGUAGES, SPLITS, samples
from tianti.tasks.nano.prompts import shown
from tianti.tasks.nano.world import side

Row = dict[str, Any]


def both(kind: str, split: str = "test") -> list[tuple[Row, Row]]:
    return list(zip(samples(kind, "en", split), samples(kind, "zh", split), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_tags_are_valid_and_say_what_the_answer_lists(language: str, split: str) -> None:
    types = {"person": "PER", "人": "PER", "place": "LOC", "地": "LOC", "organisation": "ORG", "机构": "ORG"}
    separators = ("; ", ": ") if language == "en" else ("；", "：")
    for row in samples("entities", language, split):
        assert len(row["words"]) == len(row["tags"])
        assert "".join(row["words"]) == row["text"].replace(" ", "")
        assert all(one[2:] == two[2:] != "" for one, two in pairwise(["O", *row["tags"]]) if two[0] == "I")
        listed = [] if row["answer"] in ("none", "无") else row["answer"].split(separators[0])
        named = {name: types[kind] for name, kind in (item.split(separators[1]) for item in listed)}
        starts = Counter(tag[2:] for tag in row["tags"] if tag[0] == "B")
        assert starts == Counter(kind for name, kind in named.items() for _ in range(row["text"].count(name)))


def test_both_languages_name_the_same() -> None:
    for en, zh in both("entities"):
        starts = [Counter(tag for tag in row["tags"] if tag[0] == "B") for row in (en, zh)]
        assert starts[0] == starts[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_answer_stands_where_it_is_said_to(language: str) -> None:
    for row in samples("spans", language, "test"):
        start, answer = row["answer_start"], row["answers"][0]
        assert row["passage"][start : start + len(answer)] == answer != ""


def test_relations_are_balanced_and_marked_once() -> None:
    for en, zh in both("relations", "train"):
        assert en["relation"][-7:] == zh["relation"][-7:] or (en["relation"], zh["relation"]) == (
            "none",
            "无",
        )
        for row in (en, zh):
            assert row["marked"].count("<e1>") == row["marked"].count("<e2>") == 1
            assert f"<e1>{row['head']}</e1>" in row["marked"]
            assert f"<e2>{row['tail']}</e2>" in row["marked"]
            assert "(" not in row["relation"] or row["marked"].index("<e1>") < row["marked"].index("<e2>")
    counts = Counter(row["relation"] for row in samples("relations", "en", "train"))
    assert len(counts) == 7
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_claim_alone_does_not_give_its_label_away() -> None:
    """The words of claims, learnt on one split, are no better than guessing on another."""
    votes: dict[str, Counter[str]] = {}
    for row in [row for seed in range(4) for row in samples("pairs", "en", "test", seed)]:
        for word in row["hypothesis"].split():
            votes.setdefault(word, Counter())[row["label"]] += 1
    rows = [row for seed in (8, 9) for row in samples("pairs", "en", "test", seed)]
    right = [
        sum((votes.get(word, Counter()) for word in row["hypothesis"].split()), Counter()).most_common(1)[0][
            0
        ]
        == row["label"]
        for row in rows
    ]
    assert sum(right) / len(right) < 0.45


def test_no_candidate_stands_out() -> None:
    for en, zh in both("dialogue"):
        assert en["answer"] == zh["answer"]
        for row in (en, zh):
            assert len(set(row["candidates"])) == 4
            assert row["candidates"][row["answer"]] == row["response"]
            assert all(value.lower() in row["response"].lower() for value in row["slots"].values())
    shortest = [min(row["candidates"], key=len) == row["response"] for row, _ in both("dialogue", "train")]
    assert 0.15 < sum(shortest) / len(shortest) < 0.35


def test_references_keep_what_was_ordered() -> None:
    for en, zh in both("control"):
        assert len(en["reference"].split()) <= en["max_words"]
        assert len(zh["reference"]) <= zh["max_words"]
        assert all(word in row["reference"] for row in (en, zh) for word in row["keywords"])


@pytest.mark.parametrize("split", SPLITS)
def test_programs_give_their_tests(split: str) -> None:
    builtins = {"max": max, "min": min, "abs": abs}
    for en, zh in both("programs", split):
        assert (en["program"], en["tests"]) == (zh["program"], zh["tests"])
        assert [eval(en["program"], {"__builtins__": builtins, "x": x}) for x, _ in en["tests"]] == [
            value for _, value in en["tests"]
        ]


def test_one_language_translates_the_other() -> None:
    assert all((en["source"], en["target"]) == (zh["target"], zh["source"]) for en, zh in both("translation"))


def test_the_first_sentence_is_seldom_the_summary() -> None:
    rows = samples("summaries", "en", "test")
    names = [row["summary"].split()[0] for row in rows]
    assert all(3 <= row["document"].count(".") <= 5 for row in rows)
    assert all(name in row["document"] for name, row in zip(names, rows, strict=True))
    first = [name in row["document"].split(".")[0] for name, row in zip(names, rows, strict=True)]
    assert 0.1 < sum(first) / len(first) < 0.6


def test_an_episode_is_balanced() -> None:
    for row in samples("augmentation", "zh", "test"):
        assert set(Counter(seed["label"] for seed in row["seeds"]).values()) == {4}
        assert set(Counter(review["label"] for review in row["evaluation"]).values()) == {20}
        assert len({review["text"] for review in [*row["seeds"], *row["evaluation"]]}) == 48


def test_prompts_are_those_of_the_tasks() -> None:
    rng = random.Random(1)
    assert shown(rng, side("documents"), "pairs").en.splitlines()[1].startswith("Claim: ")
    assert shown(rng, side("documents"), "translation").zh.splitlines()[1].startswith("英文：")
