"""Choices by a network with a classification head."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from tianti.engine import ChooseRequest, ChooseResponse, Failure, Response, ScoreRequest
from tianti.engine.classifier import ClassifierBackend
from tiny import tiny_bert, tiny_tokenizer

TOKENIZER = tiny_tokenizer(add_bos=True)
LABELS = ("good", "bad", "neither")
TEXTS = ["This film is wonderful", "dull " * 12, "小镇", "", "This film is wonderful", "dull"]


class Classifier:
    """A tiny encoder with a head on its first token."""

    def __init__(self) -> None:
        self.body = tiny_bert()
        self.head = torch.linspace(-1, 1, 32 * len(LABELS)).reshape(32, len(LABELS)).sin()
        self.batches: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        self.batches.append(list(texts))
        tokens = TOKENIZER(list(texts), padding=True, return_tensors="pt")
        hidden = self.body(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
        return hidden.last_hidden_state[:, 0] @ self.head


def answers(backend: ClassifierBackend, *requests: object) -> list[Response]:
    found = dict(backend.answer(requests))  # type: ignore[arg-type]
    return [found[index] for index in range(len(requests))]


@pytest.mark.parametrize("batch", ["auto", 1, 2])
def test_log_softmax_of_the_logits(batch: int | str):
    classifier = Classifier()
    backend = ClassifierBackend(classifier, TOKENIZER, max_length=128, batch=batch)  # type: ignore[arg-type]
    found = answers(backend, *(ChooseRequest(text, LABELS) for text in TEXTS))
    for text, response in zip(TEXTS, found, strict=True):
        assert isinstance(response, ChooseResponse)
        with torch.no_grad():
            expected = classifier([text])[0].log_softmax(-1)
        assert response.logprobs == pytest.approx(expected.tolist(), abs=1e-5)
        assert sum(map(math.exp, response.logprobs)) == pytest.approx(1, abs=1e-5)
        assert response.tokens == len(TOKENIZER(text)["input_ids"])
    assert found[0] == found[4]


def test_equal_texts_are_read_once_and_long_ones_first():
    classifier = Classifier()
    backend = ClassifierBackend(classifier, TOKENIZER, max_length=128, batch=1)
    answers(backend, *(ChooseRequest(text, LABELS) for text in TEXTS))
    assert [len(batch) for batch in classifier.batches] == [1] * 5
    lengths = [len(TOKENIZER(batch[0])["input_ids"]) for batch in classifier.batches]
    assert lengths == sorted(lengths, reverse=True)


def test_what_cannot_be_asked_is_skipped_with_the_reason():
    backend = ClassifierBackend(Classifier(), TOKENIZER, max_length=5)
    long, wrong, other, fine = answers(
        backend,
        ChooseRequest("dull " * 12, LABELS),
        ChooseRequest("dull", ("good", "bad")),
        ScoreRequest("the", " town"),
        ChooseRequest("dull", LABELS),
    )
    assert isinstance(long, Failure)
    assert "the model reads 5" in long.reason
    assert long.tokens > 5
    assert isinstance(wrong, Failure)
    assert wrong.reason == "2 choices, and the classifier has 3 labels"
    assert other == Failure("skipped", "a classifier cannot answer a ScoreRequest")
    assert isinstance(fine, ChooseResponse)
    assert long.state == wrong.state == "skipped"


def test_nan_is_an_error():
    def broken(texts: Sequence[str]) -> torch.Tensor:
        return torch.tensor([[0.0, torch.nan if text == "bad" else 1.0] for text in texts])

    backend = ClassifierBackend(broken, TOKENIZER, max_length=9)
    bad, good = answers(backend, *(ChooseRequest(text, ("A", "B")) for text in ("bad", "ok")))
    assert isinstance(bad, Failure)
    assert bad.state == "error"
    assert bad.reason.startswith("non_finite")
    assert isinstance(good, ChooseResponse)


def test_memory_running_out_halves_the_batch():
    classifier = Classifier()

    def limited(texts: Sequence[str]) -> torch.Tensor:
        if len(texts) > 1:
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return classifier(texts)

    backend = ClassifierBackend(limited, TOKENIZER, max_length=128, facts={"class": "Tiny"})
    found = answers(backend, *(ChooseRequest(text, LABELS) for text in TEXTS))
    assert all(isinstance(response, ChooseResponse) for response in found)
    facts = backend.facts()
    assert (facts["backend"], facts["class"], facts["largest_batch"]) == ("classifier", "Tiny", 1)
    assert backend.count_tokens([]) == []
