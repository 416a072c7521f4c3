"""The sets of pairs, relations, entities and spans, as they stand in the data and as tasks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import structure_data

from tianti.engine import SpanRequest, TagRequest
from tianti.tasks import Shots, load_tasks
from tianti.tasks.entities import entities_of


@pytest.fixture(scope="module")
def sets() -> dict[str, structure_data.Rows]:
    from prepare import DATA

    if not DATA.is_dir():
        pytest.skip("no real data beside this checkout (../shared/data)")
    return dict(structure_data.structured_sets(DATA))


def test_all_rows_are_there(sets: dict[str, structure_data.Rows]) -> None:
    """The numbers that the sets are published with."""
    assert {name: len(rows) for name, rows in sets.items()} == {
        "wnut17_train": 3394,
        "wnut17_validation": 1009,
        "wnut17_test": 1287,
        "semeval2010_train": 8000,
        "semeval2010_test": 2717,
        "squad_train": 2000,
        "squad_test": 10570,
        "xquad_en": 1190,
        "xquad_zh": 1190,
        "rte_train": 2000,
        "rte_test": 277,
        "arc_easy_train": 570,
        "arc_easy_test": 2376,
        "arc_challenge_train": 299,
        "arc_challenge_test": 1172,
    }


def test_entities_are_those_of_the_paper(sets: dict[str, structure_data.Rows]) -> None:
    """Derczynski et al. 2017 count 1,975 entities in training and 836 in development. In the test set spans may have
    several types, and here have the first."""
    counts = {
        split: sum(len(entities_of(row["tags"])) for row in sets[f"wnut17_{split}"])
        for split in ("train", "validation", "test")
    }
    assert counts == {"train": 1975, "validation": 836, "test": 978}


def test_relations_are_those_of_the_paper(sets: dict[str, structure_data.Rows]) -> None:
    """Hendrickx et al. 2010: 17.4 % of all examples have no relation of the nine, 12.4 % are Cause-Effect."""
    rows = [*sets["semeval2010_train"], *sets["semeval2010_test"]]
    counts = Counter(row["relation"].split("(")[0] for row in rows)
    assert len(counts) == 10
    assert round(100 * counts["Other"] / len(rows), 1) == 17.4
    assert round(100 * counts["Cause-Effect"] / len(rows), 1) == 12.4
    for row in rows:
        assert row["head"] in row["text"]
        assert row["tail"] in row["text"]


def test_answers_stand_where_they_are_said_to(sets: dict[str, structure_data.Rows]) -> None:
    for name in ("squad_train", "squad_test", "xquad_en", "xquad_zh"):
        for row in sets[name]:
            for text, start in zip(row["answers"], row["answer_start"], strict=True):
                assert row["passage"][start : start + len(text)] == text
    assert len({row["paragraph"] for row in sets["xquad_en"]}) == 240


@pytest.mark.parametrize(
    "name", ["wnut17", "semeval2010", "squad", "xquad-en", "xquad-zh", "rte", "arc-easy"]
)
def test_the_tasks_are_sound(name: str, prepared: Path) -> None:
    (task,) = load_tasks(str(prepared / "tasks" / f"{name}.yaml"))
    assert task.count(3) == 3
    assert task.examples("train")
    if name in ("wnut17", "squad", "xquad-zh"):
        types = frozenset({TagRequest, SpanRequest})
        assert len(list(task.questions(Shots(), types, 3))) == 3
