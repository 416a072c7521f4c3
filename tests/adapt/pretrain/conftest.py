"""A little corpus, and settings of pre-trainings that take a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import pytest

from tianti.adapt.pretrain import FileCorpus, Pretraining
from tianti.tasks.nano import documents

SMALL = Pretraining(
    vocabulary=512, hidden=32, layers=1, heads=2, positions=64, length=64, batch=4, steps=12, warmup=4, interval=4,
    tokenizer_documents=200, precision="float32",
)  # fmt: skip


@pytest.fixture(scope="session")
def corpus() -> FileCorpus:
    texts = list(islice(documents(3), 260))
    return FileCorpus(texts[:220], texts[220:], {"town.txt": "0" * 64})


@pytest.fixture(params=["llama", "gpt2", "bert", "t5"])
def settings(request: pytest.FixtureRequest) -> Pretraining:
    """Of each architecture."""
    return replace(SMALL, architecture=request.param)


@pytest.fixture
def small() -> Callable[..., Pretraining]:
    """Small settings with changes."""
    return lambda **changes: replace(SMALL, **changes)
