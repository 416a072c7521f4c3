"""The masked objective: how many tokens are hidden, how, and that documents of a row do not see each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from tianti.adapt.pretrain import FileCorpus, Pretraining
from tianti.adapt.pretrain.objectives import MaskedTokens
from tianti.adapt.pretrain.objectives.masked import IGNORED, Masking
from tianti.adapt.pretrain.packing import Encoder, Row, pack, sources
from tianti.adapt.pretrain.tokenizer import train_tokenizer
from tiny import tiny_masked

WORDS = st.lists(st.integers(-1, 40), min_size=2, max_size=200).map(sorted)
ORDINARY = np.arange(5, 100)


@given(WORDS, st.integers(0, 2**32), st.sampled_from([0.15, 0.4]))
def test_whole_words_are_chosen_up_to_the_share(words: list[int], seed: int, share: float) -> None:
    masking = Masking(share, 4, ORDINARY, whole_words=True)
    chosen = masking.choose(np.array(words), np.random.default_rng(seed))
    hidden = {word for word, gone in zip(words, chosen, strict=True) if gone}
    assert -1 not in hidden
    assert all(gone == (word in hidden) for word, gone in zip(words, chosen, strict=True))
    ordinary = sum(word >= 0 for word in words)
    longest = max((words.count(word) for word in hidden), default=0)
    wanted = max(1, round(share * ordinary)) if ordinary else 0
    assert wanted <= chosen.sum() < wanted + max(1, longest)


def test_eight_of_ten_are_masked_one_is_random_and_one_stays() -> None:
    count = 100_000
    row = Row([7] * count, list(range(count)), [0])
    masking = Masking(0.15, 4, ORDINARY, whole_words=False)
    read, asked = masking.hide(row, np.random.default_rng(0))
    chosen = asked != IGNORED
    assert chosen.sum() == 15_000
    assert (asked[chosen] == 7).all()
    assert (read[~chosen] == 7).all()
    assert (read[chosen] == 4).mean() == pytest.approx(0.8, abs=0.015)
    # One of 95 random draws is the token itself.
    assert (read[chosen] == 7).mean() == pytest.approx(0.1 + 0.1 / 95, abs=0.01)


def _objective(corpus: FileCorpus, settings: Pretraining) -> tuple[MaskedTokens, Encoder]:
    tokenizer = train_tokenizer(corpus.sample(100), settings)
    return MaskedTokens(settings, tokenizer), Encoder(tokenizer, "bert", settings.length)


def test_documents_of_a_row_are_read_as_if_alone(
    corpus: FileCorpus, small: Callable[..., Pretraining]
) -> None:
    settings = small(architecture="bert", batch=1, length=256, positions=256)
    corpus = replace(corpus, finite=[text[:60] for text in corpus.finite])
    objective, encoder = _objective(corpus, settings)
    learned, _ = sources(corpus, encoder, 0)
    batch, _ = objective.batch(learned, 0, np.random.default_rng(0))
    starts = pack(learned, 0, 256)[0].starts
    assert len(starts) > 1
    network = tiny_masked(vocab_size=512, max_position_embeddings=256, pad_token_id=0)
    ids, labels = batch.inputs["input_ids"][0], batch.inputs["labels"][0]
    losses, count = [], 0
    with torch.no_grad():
        for start, end in zip(starts, [*starts[1:], 256], strict=True):
            logits = network(input_ids=ids[None, start:end]).logits[0]
            asked = labels[start:end] != IGNORED
            losses.append(cross_entropy(logits[asked], labels[start:end][asked], reduction="sum"))
            count += int(asked.sum())
        torch.testing.assert_close(objective.loss(network, batch), sum(losses) / count)


def test_random_tokens_are_ordinary(corpus: FileCorpus, small: Callable[..., Pretraining]) -> None:
    objective, encoder = _objective(corpus, small(architecture="bert"))
    special = set(encoder.tokenizer.all_special_ids)
    assert special
    assert not special & set(objective.masking.ordinary.tolist())
    assert len(special) + len(objective.masking.ordinary) == 512
