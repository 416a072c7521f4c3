"""The next-token objective: transformers' own loss on rows of documents."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import log_softmax

from tianti.adapt.pretrain import FileCorpus, Pretraining
from tianti.adapt.pretrain.objectives import NextToken
from tianti.adapt.pretrain.packing import Encoder, sources
from tiny import tiny_llama, tiny_tokenizer


def test_the_loss_is_the_mean_surprise_of_each_next_token(
    corpus: FileCorpus, small: Callable[..., Pretraining]
) -> None:
    objective = NextToken(small())
    learned, _ = sources(corpus, Encoder(tiny_tokenizer(), "llama", 64), 0)
    batch, position = objective.batch(learned, 0, np.random.default_rng(0))
    ids = batch.inputs["input_ids"]
    assert ids.shape == (4, 64)
    assert batch.tokens == 256
    assert position > 0
    network = tiny_llama()
    with torch.no_grad():
        scores = log_softmax(network(input_ids=ids).logits[:, :-1], -1)
        expected = -scores.gather(2, ids[:, 1:, None]).mean()
        torch.testing.assert_close(objective.loss(network, batch), expected)
