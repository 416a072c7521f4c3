"""Examples to tokens, splits and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tianti.adapt.examples import split
from tianti.adapt.samples import Reader, labelled, pad, shuffled_batches, size, sorted_batches, windows
from tianti.core.exceptions import IncompatibleError
from tianti.engine import ScoreRequest
from tianti.engine.tokens import CausalTokens
from tianti.tasks.task import Example
from tiny import tiny_bert, tiny_llama, tiny_tokenizer


def test_a_given_validation_split_is_used(task: Callable[[str], Any]) -> None:
    stub = task("labels")
    train, validation = split(stub, None, 0)
    assert (train, validation) == (stub.train, stub.validation)


@given(st.integers(10, 80), st.integers(0, 3))
def test_without_one_a_tenth_is_held_out(count: int, seed: int) -> None:
    from types import SimpleNamespace

    examples = [Example(str(index), "", "", "") for index in range(count)]
    stub: Any = SimpleNamespace(
        info=SimpleNamespace(name="x", kind="classification"),
        examples=lambda part: examples if part == "train" else [],
    )
    train, validation = split(stub, None, seed)
    assert len(validation) == round(count / 10)
    assert sorted(map(id, train + validation)) == sorted(map(id, examples))
    assert split(stub, None, seed) == (train, validation)
    few, _ = split(stub, 5, seed)
    assert len(few) == 5
    assert all(example in train for example in few)


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=1, max_size=60), st.integers(0, 3), st.data())
def test_fewer_examples_are_a_part_of_more_in_the_proportions_of_the_labels(
    labels: list[int], seed: int, data: st.DataObject
) -> None:
    from types import SimpleNamespace

    names = ("a", "b", "c")
    examples = [Example(str(n), "", "", "", names, label) for n, label in enumerate(labels)]
    stub: Any = SimpleNamespace(
        info=SimpleNamespace(name="x", kind="classification"), examples=lambda part: examples[: len(examples)]
    )
    counts = sorted(data.draw(st.lists(st.integers(1, len(labels)), min_size=2, max_size=4)))
    parts = [split(stub, count, seed)[0] for count in counts]
    for count, part, larger in zip(counts, parts, [*parts[1:], examples], strict=True):
        assert len(part) == count
        assert {id(each) for each in part} <= {id(each) for each in larger}
        for label in set(labels):
            expected = labels.count(label) * count / len(labels)
            assert abs(sum(each.label == label for each in part) - expected) < len(names)


def test_the_seed_draws_the_examples(task: Callable[[str], Any]) -> None:
    stub = task("labels")
    assert split(stub, 10, 0)[0] != split(stub, 10, 1)[0]


def test_too_few_to_hold_any_out(task: Callable[[str], Any]) -> None:
    stub = task("labels")
    stub.train, stub.validation = stub.train[:9], []
    assert split(stub, None, 0) == (stub.train, [])


def test_windows_are_those_of_the_engine(task: Callable[[str], Any]) -> None:
    network, tokenizer = tiny_llama(), tiny_tokenizer()
    examples = task("labels").train
    found = windows(examples, network, tokenizer, None, ends=False)
    reader = CausalTokens(tokenizer, 128, network.config.vocab_size)
    expected = reader.windows([ScoreRequest(e.context, e.continuation) for e in examples])
    for ours, theirs, example in zip(found, expected, examples, strict=True):
        assert np.array_equal(ours.tokens, theirs.tokens)  # type: ignore[union-attr]
        assert ours.scored == theirs.scored  # type: ignore[union-attr]
        assert tokenizer.decode(ours.tokens[-ours.scored :]) == example.continuation


def test_answers_in_free_text_end_with_the_end_of_text(task: Callable[[str], Any]) -> None:
    network, tokenizer = tiny_llama(), tiny_tokenizer()
    examples = task("text").train
    plain, ended = (windows(examples, network, tokenizer, None, ends=ends) for ends in (False, True))
    for before, after in zip(plain, ended, strict=True):
        assert after.tokens.tolist() == [*before.tokens.tolist(), tokenizer.eos_token_id]
        assert after.scored == before.scored + 1


@pytest.mark.parametrize("ends", [False, True])
def test_long_contexts_lose_their_beginning(ends: bool) -> None:
    example = Example(" word" * 500, " the end", "", "the end")
    (window,) = windows([example], tiny_llama(), tiny_tokenizer(), 16, ends=ends)
    assert len(window.tokens) == 17
    assert tiny_tokenizer().decode(window.tokens[-window.scored :]).startswith(" the end")


def test_texts_without_context_are_modelled_whole() -> None:
    text = "The little town lies by the river. " * 30
    found = windows([Example("", text, "", text)], tiny_llama(), tiny_tokenizer(), None, ends=True)
    assert len(found) > 1
    assert sum(window.scored for window in found) == len(tiny_tokenizer()(text)["input_ids"])


def test_an_answer_that_cannot_be_read() -> None:
    with pytest.raises(IncompatibleError, match="cannot train on"):
        windows([Example("a", " b" * 100, "", "")], tiny_llama(), tiny_tokenizer(), 16, ends=False)


def test_labelled_rows(task: Callable[[str], Any]) -> None:
    reader = Reader(tiny_bert(), tiny_tokenizer())
    stub = task("labels")
    assert [len(item.rows) for item in labelled(stub.train, "labels", reader)] == [1] * len(stub.train)
    stub = task("choices")
    items = labelled(stub.train, "choices", reader)
    for item, example in zip(items, stub.train, strict=True):
        read = [tiny_tokenizer().decode(row) for row in item.rows]
        assert read == [f"{example.text} {choice}" for choice in example.choices]
        assert size(item) == sum(map(len, item.rows))


def test_the_reader_cuts_and_never_gives_an_empty_row() -> None:
    reader = Reader(tiny_bert(), tiny_tokenizer(), 5)
    assert [len(row) for row in reader.read(["", "word " * 50])] == [1, 5]
    assert len(Reader(tiny_bert(), tiny_tokenizer(), 5, truncate=False).read(["word " * 50])[0]) > 5
    assert reader.read([]) == []
    short = tiny_tokenizer()
    short.model_max_length = 7
    assert Reader(tiny_bert(), short).max_length == 7


def test_padding() -> None:
    ids, mask = pad([np.array([5, 6, 7]), np.array([8])], 0, torch.device("cpu"))
    assert ids.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=100), st.integers(1, 9), st.integers(0, 5))
def test_batches_hold_each_index_once(sizes: list[int], batch: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shuffled = shuffled_batches(sizes, batch, generator)
    for batches in (shuffled, sorted_batches(sizes, batch)):
        assert sorted(index for each in batches for index in each) == list(range(len(sizes)))
        assert all(0 < len(each) <= batch for each in batches)
    assert len(shuffled) == -(-len(sizes) // batch)
    assert shuffled == shuffled_batches(sizes, batch, torch.Generator().manual_seed(seed))


def test_batches_are_of_similar_length_and_in_another_order_each_time() -> None:
    sizes = np.random.default_rng(0).integers(1, 200, 640).tolist()
    generator = torch.Generator().manual_seed(0)
    first, second = (shuffled_batches(sizes, 16, generator) for _ in range(2))
    assert first != second
    padding = sum(max(sizes[i] for i in each) - sizes[j] for each in first for j in each)
    at_random = sum(max(sizes[i : i + 16]) - sizes[j] for i in range(0, 640, 16) for j in range(i, i + 16))
    assert padding < at_random / 4
