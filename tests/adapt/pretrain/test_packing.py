"""Packing: nothing of a finite corpus is lost or read twice in an epoch, and every sequence begins with a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt.pretrain import FileCorpus, Pretraining
from tianti.adapt.pretrain.packing import Encoder, Shelf, pack, sources
from tianti.adapt.pretrain.tokenizer import train_tokenizer
from tianti.core.exceptions import InputError

TOKENIZERS = {
    name: train_tokenizer(["a b c"], Pretraining(vocabulary=400, architecture=name))
    for name in ("gpt2", "bert")
}
TEXTS = st.lists(st.text("abc \n", min_size=1, max_size=60), min_size=1, max_size=12)


@given(TEXTS)
def test_the_pieces_of_a_causal_corpus_are_its_documents_with_their_ends(texts: list[str]) -> None:
    tokenizer = TOKENIZERS["gpt2"]
    shelf = Shelf(texts, Encoder(tokenizer, "gpt2", 16), None)
    whole = [token for piece in shelf.pieces for token in piece.tokens]
    expected = [token for text in texts for token in [*tokenizer.encode(text), tokenizer.eos_token_id]]
    assert whole == expected
    assert all(len(piece.tokens) == len(piece.words) <= 16 for piece in shelf.pieces)


@given(TEXTS)
def test_the_pieces_of_a_masked_corpus_stand_between_their_marks(texts: list[str]) -> None:
    tokenizer = TOKENIZERS["bert"]
    shelf = Shelf(texts, Encoder(tokenizer, "bert", 16), None)
    for piece in shelf.pieces:
        assert (piece.tokens[0], piece.tokens[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert len(piece.tokens) == len(piece.words) <= 16
    inner = [token for piece in shelf.pieces for token in piece.tokens[1:-1]]
    assert inner == [token for text in texts for token in tokenizer.encode(text, add_special_tokens=False)]


@given(TEXTS, st.integers(0, 5))
def test_each_epoch_has_every_piece_once(texts: list[str], epoch: int) -> None:
    shelf = Shelf(texts, Encoder(TOKENIZERS["gpt2"], "gpt2", 16), seed=1)
    count = len(shelf.pieces)
    read = [tuple(shelf.piece(epoch * count + number).tokens) for number in range(count)]
    assert sorted(read) == sorted(tuple(piece.tokens) for piece in shelf.pieces)


def test_a_row_begins_with_a_piece_and_is_full(corpus: FileCorpus) -> None:
    encoder = Encoder(TOKENIZERS["bert"], "bert", 64)
    learned, _ = sources(corpus, encoder, 0)
    position = 0
    for _ in range(5):
        row, after = pack(learned, position, 64)
        assert len(row.tokens) == len(row.words) == 64
        assert row.starts[0] == 0
        first = learned.piece(position).tokens
        assert row.tokens[: len(first)] == first
        assert [row.tokens[start] for start in row.starts] == [TOKENIZERS["bert"].cls_token_id] * len(
            row.starts
        )
        assert after - position == len(row.starts)
        position = after
    # The words of different pieces have different numbers.
    parts = [
        {word for word in row.words[start:end] if word >= 0}
        for start, end in zip(row.starts, [*row.starts[1:], 64], strict=True)
    ]
    assert sum(map(len, parts)) == len(set().union(*parts))


def test_too_little_text_is_refused() -> None:
    encoder = Encoder(TOKENIZERS["gpt2"], "gpt2", 64)
    with pytest.raises(
        InputError, match=r"the documents to learn from have 4 tokens, and one sequence has 64"
    ):
        sources(FileCorpus(["abc"], ["abc"], {}), encoder, 0)
    with pytest.raises(InputError, match="the documents held out have 4 tokens"):
        sources(FileCorpus(["abc " * 99], ["abc"], {}), encoder, 0)
