"""Log-probabilities are looked up in logits as torch's log_softmax has them."""

from __future__ import annotations

import numpy as np
import torch

from tianti.engine.scoring.logits import about_equal, look_up, readings
from tianti.engine.tokens import Window


def window(*tokens: int, scored: int) -> Window:
    return Window(np.array(tokens, dtype=np.int32), scored)


def test_windows_that_read_the_same_share_a_row():
    windows = [window(1, 2, 3, 4, scored=1), window(1, 2, 3, 5, scored=3), window(1, 2, 9, 4, scored=1)]
    rows = readings(windows)
    assert [(row.tokens.tolist(), row.windows, row.scored) for row in rows] == [
        ([1, 2, 3], [0, 1], 3),
        ([1, 2, 9], [2], 1),
    ]


def test_look_up_is_log_softmax():
    logits = torch.randn(5, 11, generator=torch.Generator().manual_seed(0))
    logits[2, 4] = logits[2, 7] = 9.0
    rows, targets = (
        np.array([0, 2, 2, 4, 0]),
        np.array([3, 4, 7, 10, int(logits[0].argmax())], dtype=np.int32),
    )
    logprobs, likeliest = look_up(logits, rows, targets)
    reference = logits.log_softmax(-1)[rows, targets]
    assert np.abs(logprobs - reference.numpy()).max() < 1e-6
    assert likeliest.tolist() == (logits.argmax(-1)[rows].numpy() == targets).tolist()
    assert likeliest[1]
    assert not likeliest[2]


def test_about_equal():
    logits = torch.tensor([1.0, torch.nan, -torch.inf])
    assert about_equal(logits, logits.clone())
    assert not about_equal(logits, torch.tensor([1.1, torch.nan, -torch.inf]))
    assert not about_equal(logits, logits[:2])
    assert about_equal(torch.tensor([1.01], dtype=torch.bfloat16), torch.tensor([1.0], dtype=torch.bfloat16))
