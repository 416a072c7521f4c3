"""Where tokens stand in a text, and the windows in which long texts are read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt.networks import TokenNetwork
from tianti.adapt.token_rows import (
    NOWHERE,
    TokenReader,
    Windowed,
    first_tokens,
    span_tokens,
    window_places,
)
from tianti.core.exceptions import IncompatibleError
from tianti.engine import Failure
from tiny import tiny_bert, tiny_metaspace_tokenizer, tiny_tokenizer


def reader(tokenizer, max_length=None):
    return TokenReader(TokenNetwork(tiny_bert(), 2), tokenizer, max_length)


@given(st.integers(1, 60), st.integers(1, 20))
def test_windows_keep_each_token_once_with_text_around_it(tokens, room):
    windows = window_places(tokens, room)
    kept = [place for _, _, first, last in windows for place in range(first, last)]
    assert kept == list(range(tokens))
    for start, end, first, last in windows:
        assert end - start == min(room, tokens)
        assert start <= first <= last <= end
        if room >= 4:
            assert first - start >= room // 4 - 1 or start == 0
            assert end - last >= room // 4 - 1 or end == tokens


def test_a_long_text_comes_back_whole():
    read = reader(tiny_tokenizer(add_bos=True), 10)
    (text,) = read.texts(["Anna bakes bread in the old mill, and Ben reads letters in the shop." * 3])
    assert text.before.tolist() == [1]
    windows = read.windows(text)
    assert isinstance(windows, Windowed)
    assert {len(row) for row in windows.rows} == {10}
    parts = [row[start:stop] for row, (start, stop) in zip(windows.rows, windows.kept, strict=True)]
    assert np.concatenate(parts).tolist() == text.content.tolist()


def test_what_cannot_be_read_is_said():
    read = reader(tiny_tokenizer(add_bos=True), 6)
    question, empty = read.pairs(["Where does Anna bake the bread of the town?", ""], ["In the mill.", ""])
    failure = read.windows(question)
    assert isinstance(failure, Failure)
    assert failure.state == "skipped"
    assert "before and after the text, the model reads 6" in failure.reason
    assert read.windows(empty) == Failure("skipped", "the text has no token")


def test_a_slow_tokenizer_is_refused():
    class Slow:
        is_fast = False

    with pytest.raises(IncompatibleError, match="cannot say where its tokens stand"):
        reader(Slow())


TEXT = "Ann's shop, 小镇在河边 😀 mill"
WORDS = [
    (0, 3),
    (3, 5),
    (6, 10),
    (10, 11),
    *((place, place + 1) for place in range(12, 17)),
    (18, 19),
    (20, 24),
]


@pytest.mark.parametrize(
    "tokenizer", [tiny_tokenizer(), tiny_tokenizer(add_bos=True), tiny_metaspace_tokenizer()]
)
def test_a_word_is_found_at_its_first_token(tokenizer):
    (text,) = reader(tokenizer).texts([TEXT])
    for (start, end), token in zip(WORDS, first_tokens(WORDS, text.offsets), strict=True):
        assert token != NOWHERE
        assert text.offsets[token, 0] < end
        assert text.offsets[token, 1] > start
        # Nothing before it has a character of the word.
        assert not ((text.offsets[:token, 1] > start) & (text.offsets[:token, 0] < end)).any()


def test_words_share_a_token_and_may_have_none():
    offsets = np.array([[0, 2], [2, 4], [0, 0], [5, 6]])
    assert first_tokens([(0, 1), (1, 2), (2, 4), (4, 5), (5, 6), (6, 7)], offsets).tolist() == [
        0,
        0,
        1,
        -1,
        3,
        -1,
    ]
    assert first_tokens([(0, 1)], offsets[:0]).tolist() == [NOWHERE]
    assert span_tokens((1, 3), offsets) == (0, 1)
    assert span_tokens((4, 5), offsets) is None
