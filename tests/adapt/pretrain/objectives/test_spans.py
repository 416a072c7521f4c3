"""Span corruption: nothing is lost, the share and the mean length are met, prompts are cut at their answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt.pretrain import FileCorpus, NanoCorpus, Pretraining
from tianti.adapt.pretrain.objectives import SpanCorruption
from tianti.adapt.pretrain.objectives.spans import (
    IGNORED,
    corrupt,
    cut_anywhere,
    cut_at_answer,
    draw_spans,
    restore,
)
from tianti.adapt.pretrain.packing import Encoder, Endless, pack, sources
from tianti.adapt.pretrain.tokenizer import train_tokenizer
from tianti.core.exceptions import IncompatibleError

SENTINELS = list(range(1000, 1100))


@given(
    st.lists(st.integers(0, 999), min_size=2, max_size=400),
    st.floats(0.01, 0.8),
    st.floats(1, 6),
    st.integers(0, 2**32),
)
def test_input_and_target_give_the_text_back(tokens: list[int], share: float, mean: float, seed: int) -> None:
    taken = draw_spans(len(tokens), share, mean, np.random.default_rng(seed))
    assert not taken[0]
    assert taken[-1]
    assert taken.sum() == min(max(round(len(tokens) * share), 1), len(tokens) - 1)
    if (np.diff(taken.astype(int)) == 1).sum() > len(SENTINELS):
        return
    source, target = corrupt(np.array(tokens), taken, SENTINELS)
    assert restore(source, target, SENTINELS) == tokens
    marks = [token for token in source if token >= 1000]
    assert marks == [token for token in target if token >= 1000] == SENTINELS[: len(marks)]


@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_any_choice_of_tokens_gives_the_text_back(taken: list[bool]) -> None:
    tokens = list(range(len(taken)))
    source, target = corrupt(np.array(tokens), np.array(taken), SENTINELS)
    assert restore(source, target, SENTINELS) == tokens


def test_the_share_and_the_mean_length_of_spans_are_met() -> None:
    taken = draw_spans(1000, 0.15, 3.0, np.random.default_rng(0))
    assert taken.sum() == 150
    assert (np.diff(taken.astype(int)) == 1).sum() == 50


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("Review: good.\nSentiment: positive", ("Review: good.\nSentiment:", " positive")),
        ("评论：好。\n情感：好评", ("评论：好。\n情感：", "好评")),
        ("a: b\n\nText: x\nNames: Mira: person", ("a: b\n\nText: x\nNames:", " Mira: person")),
        ("One line: and its answer", ("One line:", " and its answer")),
        ("A question:\nno colon here", None),
        ("An open end:", None),
        ("no colon", None),
    ],
)
def test_a_document_is_cut_behind_the_colon_of_its_last_line(
    document: str, expected: tuple[str, str] | None
) -> None:
    assert cut_at_answer(document) == expected


@given(st.text("ab 小。\n", min_size=1, max_size=40), st.integers(0, 2**32))
def test_a_cut_anywhere_loses_nothing(document: str, seed: int) -> None:
    cut = cut_anywhere(document, np.random.default_rng(seed))
    if cut is None:
        assert not any(
            before.strip() and (after.isspace() or after == "小") for before, after in pairwise(document)
        )
    else:
        assert cut[0] + cut[1] == document
        assert not cut[0][-1].isspace()
        assert cut[1][0].isspace() or cut[1][0] == "小"


def test_a_batch_of_spans_holds_the_rows(corpus: FileCorpus, small: Callable[..., Pretraining]) -> None:
    settings = small(architecture="t5")
    tokenizer = train_tokenizer(corpus.sample(100), settings)
    objective = SpanCorruption(settings, tokenizer)
    learned, _ = sources(corpus, Encoder(tokenizer, "t5", 64), 0)
    batch, after = objective.batch(learned, 0, np.random.default_rng(0))
    position = 0
    for read, written in zip(
        batch.inputs["input_ids"].tolist(), batch.inputs["labels"].tolist(), strict=True
    ):
        row, position = pack(learned, position, 64)
        assert read[-1] == written[-1] == tokenizer.eos_token_id
        assert restore(read[:-1], written[:-1], objective.sentinels) == row.tokens
    assert after == position
    assert batch.tokens == 4 * 64


def test_a_batch_of_answers_holds_prompts_and_their_answers(small: Callable[..., Pretraining]) -> None:
    settings = small(architecture="t5", answering=0.99, vocabulary=700, length=256, positions=256)
    corpus = NanoCorpus(1)
    tokenizer = train_tokenizer(corpus.sample(200), settings)
    objective = SpanCorruption(settings, tokenizer)
    batch, after = objective.batch(
        Endless(corpus, Encoder(tokenizer, "t5", 256)), 9000, np.random.default_rng(0)
    )
    cut = [cut_at_answer(corpus.text(number)) for number in range(9000, after)]
    expected = [pair for pair in cut if pair is not None]
    assert len(expected) == len(batch.inputs["input_ids"]) > 3
    for row, pair in enumerate(expected):
        read = batch.inputs["input_ids"][row][batch.inputs["attention_mask"][row].bool()]
        written = batch.inputs["labels"][row]
        written = written[written != IGNORED]
        assert read[-1] == written[-1] == tokenizer.eos_token_id
        assert pair[0].endswith(tokenizer.decode(read[:-1]))
        assert tokenizer.decode(written[:-1]) == pair[1]
    assert batch.inputs["input_ids"].numel() <= 4 * 256


def test_too_long_a_sequence_for_the_sentinels_is_refused(
    corpus: FileCorpus, small: Callable[..., Pretraining]
) -> None:
    settings = small(architecture="t5", length=4096, positions=4096)
    with pytest.raises(IncompatibleError, match="up to 206 spans, and the tokenizer 100 sentinel tokens"):
        SpanCorruption(settings, train_tokenizer(corpus.sample(50), settings))
