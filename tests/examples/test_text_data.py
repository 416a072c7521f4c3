"""The sets of written text, as they stand in the data and as tasks."""

from __future__ import annotations

from pathlib import Path

import pytest
import text_data

from tianti.engine import GenerateRequest, ScoreRequest
from tianti.tasks import Shots, load_tasks
from tianti.tasks.instructions import INSTRUCTIONS


@pytest.fixture(scope="module")
def sets() -> dict[str, text_data.Rows]:
    from prepare import DATA

    if not DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    return dict(text_data.text_sets(DATA))


def test_all_rows_are_there(sets: dict[str, text_data.Rows]) -> None:
    """The numbers that the sets are published with; two captions of Multi30k's training occur in its test, too."""
    assert {name: len(rows) for name, rows in sets.items()} == {
        "multi30k_train": 28998,
        "multi30k_validation": 1014,
        "multi30k_test": 1000,
        "tatoeba_en_train": 18783,
        "tatoeba_en_validation": 310,
        "tatoeba_en_test": 511,
        "tatoeba_zh_train": 18694,
        "tatoeba_zh_validation": 308,
        "tatoeba_zh_test": 516,
        "sgd_train": 1233,
        "sgd_validation": 825,
        "sgd_test": 768,
        "ifeval_test": 541,
        "gsm8k_train": 7473,
        "gsm8k_test": 1319,
    }


@pytest.mark.parametrize("name", ["multi30k", "tatoeba_en", "tatoeba_zh"])
def test_no_sentence_stands_in_two_splits(sets: dict[str, text_data.Rows], name: str) -> None:
    splits = [sets[f"{name}_{split}"] for split in ("train", "validation", "test")]
    texts = [{text for row in rows for text in written(row)} for rows in splits]
    assert not texts[0] & texts[1]
    assert not texts[0] & texts[2]
    assert not texts[1] & texts[2]


def written(row: dict[str, object]) -> set[str]:
    targets = row.get("targets", [row.get("target")])
    assert isinstance(targets, list)
    return {str(row["source"]), *map(str, targets)}


def test_both_directions_of_tatoeba_have_the_same_pairs(sets: dict[str, text_data.Rows]) -> None:
    for split in ("train", "validation", "test"):
        there = {(r["source"], t) for r in sets[f"tatoeba_en_{split}"] for t in r["targets"]}
        back = {(t, r["source"]) for r in sets[f"tatoeba_zh_{split}"] for t in r["targets"]}
        assert there == back


def test_replies_name_their_values_and_stand_once_among_the_candidates(
    sets: dict[str, text_data.Rows],
) -> None:
    for row in sets["sgd_test"]:
        reply = row["candidates"][row["answer"]]
        assert len(set(row["candidates"])) == text_data.CANDIDATES
        assert all(value in reply for value in row["slots"].values())
        assert row["history"][-1].startswith("User: ")
    places = {row["answer"] for row in sets["sgd_test"]}
    assert places == set(range(text_data.CANDIDATES))


def test_dialogues_and_questions_are_asked_in_one_split_only(sets: dict[str, text_data.Rows]) -> None:
    said = [
        {(*row["history"], row["candidates"][row["answer"]]) for row in sets[f"sgd_{split}"]}
        for split in ("train", "validation", "test")
    ]
    assert not (said[0] | said[1]) & said[2]
    asked = [{row["question"] for row in sets[f"gsm8k_{split}"]} for split in ("train", "test")]
    assert not asked[0] & asked[1]


def test_instructions_and_numbers_are_those_of_the_papers(sets: dict[str, text_data.Rows]) -> None:
    """Zhou et al. 2023: 541 prompts with 834 instructions of 25 kinds. Cobbe et al. 2021: answers are whole numbers."""
    named = [name for row in sets["ifeval_test"] for name in row["instruction_id_list"]]
    assert (len(named), set(named)) == (834, set(INSTRUCTIONS))
    for row in [*sets["gsm8k_train"], *sets["gsm8k_test"]]:
        assert int(row["answer"]) == float(row["answer"])
        assert "<<" not in row["solution"]


@pytest.mark.parametrize("name", ["multi30k", "tatoeba-en-zh", "tatoeba-zh-en", "sgd", "ifeval", "gsm8k"])
def test_the_tasks_are_sound(name: str, prepared: Path) -> None:
    (task,) = load_tasks(str(prepared / "tasks" / f"{name}.yaml"))
    assert task.count(3) == 3
    if name != "ifeval":
        assert task.examples("train")
    assert len(list(task.questions(Shots(), frozenset({GenerateRequest, ScoreRequest}), 3))) == 3


def test_a_model_from_nothing_writes_both_languages(prepared: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = prepared / "work" / "untrained-t5"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in ("A man in a blue shirt.", "Ein Mädchen läuft über die Straße."):
        assert tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True) == text
    assert AutoModelForSeq2SeqLM.from_pretrained(folder).num_parameters() == 1_902_976
