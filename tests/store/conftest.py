"""What the tests of the store share: a store in a fresh folder, and answers and scores that are easy to tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Store

TRIAL = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def trial() -> str:
    return TRIAL


class Make:
    """Answers and scores from numbers."""

    @staticmethod
    def answer(number: int, **changes: object) -> Answer:
        facts = {
            "sample_id": f"样本-{number}",
            "repeat": 0,
            "state": "ok",
            "prompt": f"Question {number}: is it so?\n",
            "target": "yes",
            "prediction": "no" if number % 3 else "yes",
            "values": {"acc": float(number % 3 == 0), "loglikelihood": [-0.1 * number, 3]},
            "responses": ({"text": "\x00\u2028是", "logprobs": [-1 / 3, 1e-300, 2**63]},),
            "cluster": f"passage {number // 4}",
            "tokens": 7 + number,
            "position": number,
        }
        return Answer(**{**facts, **changes})  # type: ignore[arg-type]

    @classmethod
    def answers(cls, count: int) -> list[Answer]:
        return [cls.answer(number) for number in range(count)]

    @staticmethod
    def score(metric: str = "acc", value: float | None = 1 / 3, **changes: object) -> Score:
        facts = {
            "metric": metric,
            "value": value,
            "low": 0.1,
            "high": None,
            "level": 0.95,
            "method": "wilson",
            "n": 12,
            "clusters": None,
            "target": "new items",
            "errors": 1,
            "skipped": 2,
            "chance": 0.5,
            "higher_is_better": True,
            "scale": "proportion",
            "main": True,
        }
        return Score(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.fixture
def make() -> type[Make]:
    return Make
