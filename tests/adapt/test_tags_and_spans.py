"""Heads on tokens: what learns, what is saved, what answers, on short texts and on ones that need windows."""

from __future__ import annotations

import copy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from stub_task import StubTask
from tianti.adapt import Full, HeadOnly, LoRA
from tianti.adapt.lesson import Lesson
from tianti.adapt.marking import best_span
from tianti.adapt.networks import TokenNetwork, pair_separator, token_types
from tianti.adapt.objectives import choose_objective
from tianti.adapt.objectives.span import Span
from tianti.adapt.objectives.tags import Tags
from tianti.adapt.samples import size
from tianti.adapt.tagging import best_path, tag_words
from tianti.adapt.token_heads import Terms, minimise, span_loss, tag_loss
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import ChooseRequest, Failure, GenerateRequest, SpanRequest, TagRequest
from tianti.models import from_objects
from tianti.tasks.entities import locate_words
from tianti.tasks.task import Example
from tiny import tiny_bert, tiny_gpt2, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

LABELS = ("O", "B-PER", "I-PER")
PEOPLE = ("Anna", "Ben Oak", "Carla", "Dan Ash")
THINGS = ("bread", "letters", "fish", "the old clock")


def tags(filler: str = "") -> StubTask:
    examples = []
    for person in PEOPLE:
        for thing in THINGS:
            text = f"{filler}{person} sells {thing}."
            words = locate_words([*filler.split(), *person.split(), "sells", *thing.split(), "."], text)
            name = ["B-PER", "I-PER"][: len(person.split())]
            marks = ["O"] * len(filler.split()) + name + ["O"] * (len(thing.split()) + 2)
            examples.append(Example(text, f" {person}", text, person, LABELS, None, words, tuple(marks)))
    return StubTask(examples, examples[::3], "named-entity-recognition", "stub/tags")


def spans(filler: str = "") -> StubTask:
    examples = []
    for person in PEOPLE:
        for thing in THINGS:
            passage = f"{filler}{person} sells {thing}."
            start = passage.index(person)
            end = start + len(person)
            examples.append(Example(passage, person, "Who?", person, passage=passage, span=(start, end)))
    return StubTask(examples, examples[::3], "extractive-question-answering", "stub/spans")


TASKS = {"tags": tags, "span": spans}
FILLER = "The little town lies by the river and it is cold. "
METHODS = [Full(lr=2e-3, epochs=20, batch=4), LoRA(lr=1e-2, epochs=20, batch=4), HeadOnly()]


def share_right(backend: Any, task: StubTask) -> float:
    questions = list(task.questions(Full().shots(0), backend.request_types))
    return float(
        np.mean([task.grade(q, [dict(backend.answer(q.requests))[0]]).values["acc"] for q in questions])
    )


@pytest.mark.parametrize("adaptation", METHODS, ids=lambda a: a.name)
@pytest.mark.parametrize("form", TASKS)
@pytest.mark.parametrize("make", [tiny_bert, tiny_masked], ids=["bert", "masked"])
def test_it_learns_saves_and_leaves_the_model_alone(
    adaptation: Any, form: str, make: Any, tmp_path: Path
) -> None:
    loaded, task = from_objects(make(), tiny_tokenizer(add_bos=True)), TASKS[form]()
    before = copy.deepcopy(loaded.network.state_dict())
    adaptation.check(loaded, task)
    adapted = adaptation.adapt(loaded, task, 0, tmp_path, Silent())
    assert all(torch.equal(value, before[name]) for name, value in loaded.network.state_dict().items())
    right = share_right(adapted.backend, task)
    assert right > 0.8
    outputs = {"tags": 3, "span": 2}[form]
    head = outputs * 32 + outputs
    trained = adapted.cost.trainable_parameters
    assert (trained == head) if adaptation.name == "head-only" else (trained > head)
    again = adaptation.adapt(loaded, task, 0, tmp_path, Silent())
    (question,) = task.questions(Full().shots(0), adapted.backend.request_types, 1)
    assert dict(again.backend.answer(question.requests)) == dict(adapted.backend.answer(question.requests))
    assert again.cost == adapted.cost


@pytest.mark.parametrize("form", TASKS)
def test_long_texts_are_learned_and_answered_in_windows(form: str, tmp_path: Path) -> None:
    task = TASKS[form](FILLER)
    loaded = from_objects(tiny_bert(max_position_embeddings=20), tiny_tokenizer())
    assert max(len(loaded.tokenizer(each.context)["input_ids"]) for each in task.train) > 30
    adapted = Full(lr=2e-3, epochs=30, batch=4).adapt(loaded, task, 0, tmp_path, Silent())
    assert share_right(adapted.backend, task) > 0.8


@pytest.mark.parametrize("form", TASKS)
def test_answers_do_not_depend_on_the_batch(form: str, tmp_path: Path) -> None:
    task = TASKS[form]()
    loaded = from_objects(tiny_bert(), tiny_tokenizer())
    backend = HeadOnly().adapt(loaded, task, 0, tmp_path, Silent()).backend
    requests = [r for q in task.questions(Full().shots(0), backend.request_types) for r in q.requests]
    together = dict(backend.answer([*requests, ChooseRequest("a", ("b", "c"))]))
    assert isinstance(together[len(requests)], Failure)
    for index, request in enumerate(requests):
        (alone,) = dict(backend.answer([request])).values()
        if form == "tags":
            assert alone == together[index]
        else:
            assert alone.text == together[index].text  # type: ignore[union-attr]
            assert alone.logprob == pytest.approx(together[index].logprob, abs=1e-5)  # type: ignore[union-attr]
    assert backend.facts()["tokens_run"] > 0
    assert list(backend.count_tokens(["Anna", ""])) == [len(loaded.tokenizer("Anna")["input_ids"]), 0]


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("form", TASKS)
def test_head_only_reads_the_data_once(
    form: str, held: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 1.3 forward passes, padding included; where nothing is held out, each example is read once, too."""
    loaded, task = from_objects(tiny_bert(), tiny_tokenizer()), TASKS[form]()
    task.train, task.validation = task.train * 8, task.validation * 8
    if not held:  # nine examples are all trained on; of about one length, as they make one batch
        task.train.sort(key=lambda each: len(loaded.tokenizer(each.context)["input_ids"]))
        task.train, task.validation = task.train[56:65], []
    body = type(loaded.network.base_model)
    read: list[int] = []
    forward = body.forward

    def counted(self: Any, input_ids: Any = None, *args: Any, **named: Any) -> Any:
        read.append(input_ids.numel())
        return forward(self, input_ids, *args, **named)

    lesson = Lesson(HeadOnly(), loaded, task, 0)
    learner = choose_objective(lesson)
    network = learner.build(lambda body: copy.deepcopy(body))
    tokens = sum(
        size(item) for part in lesson.examples(None) if part for item in learner.items(network, part)
    )
    monkeypatch.setattr(body, "forward", counted)
    cost = HeadOnly().adapt(loaded, task, 0, tmp_path, Silent()).cost
    assert cost.tokens == tokens
    assert tokens <= sum(read) <= 1.3 * tokens
    assert len(cost.validation) == 1
    if not held:
        assert cost.validation == cost.train_loss


def test_the_losses_are_those_of_the_text_read_alone() -> None:
    loaded = from_objects(tiny_bert(), tiny_tokenizer())
    for objective, task in ((Tags, tags()), (Span, spans())):
        lesson = Lesson(Full(), loaded, task, 0)
        learner = objective(lesson)
        network = learner.build(lambda body: copy.deepcopy(body)).train(False)
        items = learner.items(network, task.train)
        with torch.no_grad():
            total, count = learner.loss(network, items)
        expected, terms = 0.0, 0
        for item in items:
            with torch.no_grad():
                logits = network(
                    torch.from_numpy(item.rows[0][None]).long(), torch.ones(1, len(item.rows[0]))
                )[0]
            start, stop = item.kept[0]
            logits = logits[start:stop]
            if objective is Tags:
                losses = cross_entropy(logits[item.places], torch.from_numpy(item.labels), reduction="none")
            else:
                losses = cross_entropy(logits.T, torch.tensor([item.start, item.end]), reduction="none")
            expected, terms = expected + float(losses.sum()), terms + len(losses)
        assert count == terms
        assert float(total) == pytest.approx(expected, rel=1e-5)
        hits, of = learner.hits(network, items)
        assert of == terms
        assert 0 <= hits <= of


def test_every_parameter_that_learns_gets_a_gradient() -> None:
    loaded = from_objects(tiny_bert(), tiny_tokenizer())
    for objective, task in ((Tags, tags()), (Span, spans())):
        learner = objective(Lesson(Full(), loaded, task, 0))
        network = learner.build(lambda body: copy.deepcopy(body).requires_grad_(True))
        loss, _ = learner.loss(network, learner.items(network, task.train[:4]))
        loss.backward()  # type: ignore[no-untyped-call]
        without = [name for name, parameter in network.named_parameters() if parameter.grad is None]
        assert without == []


def test_answers_that_do_not_stand_in_the_passage_are_left_out_and_counted(tmp_path: Path) -> None:
    task = spans()
    absent = Example("p", " nobody", "Who?", "nobody", passage="Anna sells fish.")
    task.train.append(absent)
    loaded = from_objects(tiny_bert(), tiny_tokenizer())
    backend = HeadOnly().adapt(loaded, task, 0, tmp_path / "a", Silent()).backend
    assert backend.facts()["examples_left_out"] == 1
    task.train, task.validation = [absent], []
    with pytest.raises(IncompatibleError, match="no answer stands in its passage"):
        HeadOnly().adapt(loaded, task, 0, tmp_path / "b", Silent())


def test_a_question_that_fills_the_model_is_skipped(tmp_path: Path) -> None:
    loaded = from_objects(tiny_bert(max_position_embeddings=40), tiny_tokenizer())
    backend = HeadOnly().adapt(loaded, spans(), 0, tmp_path, Silent()).backend
    (response,) = dict(backend.answer([SpanRequest("Who sells fish? " * 20, "Anna.")])).values()
    assert isinstance(response, Failure)
    assert response.state == "skipped"


def test_other_labels_than_those_learned_are_skipped(tmp_path: Path) -> None:
    loaded = from_objects(tiny_bert(), tiny_tokenizer())
    backend = HeadOnly().adapt(loaded, tags(), 0, tmp_path, Silent()).backend
    (response,) = dict(backend.answer([TagRequest("Anna", ((0, 4),), ("O", "B-X"))])).values()
    assert isinstance(response, Failure)


def test_tags_that_cannot_follow_each_other_are_not_chosen() -> None:
    """Beside all sequences, tried one by one."""
    from itertools import product

    labels = ("O", "B-X", "I-X", "B-Y", "I-Y")
    allowed = {
        (before, after)
        for before, after in product(labels, labels)
        if not after.startswith("I-") or before in (f"B-{after[2:]}", after)
    }
    generator = np.random.default_rng(0)
    for _ in range(20):
        rows = generator.normal(size=(4, 5))
        paths = [
            path
            for path in product(range(5), repeat=4)
            if not labels[path[0]].startswith("I-")
            and all((labels[a], labels[b]) in allowed for a, b in pairwise(path))
        ]
        best = max(paths, key=lambda path: sum(row[place] for row, place in zip(rows, path, strict=True)))
        assert best_path(rows, labels) == list(best)
    assert best_path(np.zeros((0, 5)), labels) == []


def test_words_that_share_a_token_go_on() -> None:
    certain = np.log(np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1]]))
    places = np.array([0, 0, -1, 1])
    assert tag_words(certain, places, LABELS) == ("B-PER", "I-PER", "O", "O")


def test_the_best_span_is_the_most_probable_one() -> None:
    generator = np.random.default_rng(1)
    for tokens in (1, 2, 9):
        logprobs = generator.normal(size=(tokens, 2))
        pairs = [(i, j) for i in range(tokens) for j in range(i, tokens)]
        first, last = max(pairs, key=lambda pair: logprobs[pair[0], 0] + logprobs[pair[1], 1])
        assert best_span(logprobs) == (first, last, pytest.approx(logprobs[first, 0] + logprobs[last, 1]))


def test_heads_are_fitted_to_their_optimum() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = torch.Generator().manual_seed(0)
    features = torch.randn(120, 3, generator=generator)
    right = (features @ torch.randn(3, 4, generator=generator)).argmax(dim=1)
    weight, _ = minimise(Terms(features, right), tag_loss, 0.05, torch.zeros(4, 3), torch.zeros(4))
    reference = LogisticRegression(C=1 / (0.05 * 120), tol=1e-8, max_iter=1000).fit(features, right)
    assert np.allclose(weight, reference.coef_, atol=1e-2)
    # With two tokens in each passage, where the answer starts is a logistic regression on their difference.
    ends = torch.stack([(features[::2] - features[1::2]) @ torch.ones(3) < 0] * 2, dim=1).long()
    terms = Terms(features, ends, (2,) * 60)
    weight, _ = minimise(terms, span_loss, 0.1, torch.zeros(2, 3), torch.zeros(2))
    # The mean is over 120 ends: for one output alone the penalty counts twice.
    reference = LogisticRegression(C=1 / (0.2 * 60), fit_intercept=False, tol=1e-8)
    reference.fit(features[1::2] - features[::2], ends[:, 0])
    assert np.allclose(weight[0], reference.coef_[0], atol=1e-2)


def test_the_halves_of_a_pair_are_told_apart() -> None:
    tokenizer = tiny_tokenizer()
    assert pair_separator(tiny_bert().config, tokenizer) is None
    tokenizer.sep_token = "</s>"
    ids = torch.tensor([[5, 2, 6, 7, 2, 0]])
    assert token_types(ids, 2).tolist() == [[0, 0, 1, 1, 1, 1]]
    from tokenizers import processors

    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s>:0 $A:0 </s>:0 $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    network = tiny_bert()
    assert pair_separator(network.config, tokenizer) == 2
    encoded = tokenizer("Anna sells", "the town", return_tensors="pt")
    head = TokenNetwork(copy.deepcopy(network), 2, 2).train(False)
    with torch.no_grad():
        expected = network(**encoded).last_hidden_state
        assert torch.equal(head.hidden(encoded["input_ids"], encoded["attention_mask"]), expected)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A:1 </s>:1 $B:0", special_tokens=[("</s>", 2)]
    )
    with pytest.raises(IncompatibleError, match="marks the halves of a pair"):
        pair_separator(network.config, tokenizer)


@pytest.mark.parametrize("adaptation", [Full(lr=5e-3, epochs=8), HeadOnly()], ids=lambda a: a.name)
def test_pairs_are_read_as_pairs(adaptation: Any, tmp_path: Path) -> None:
    """Two texts that are the same in any order as one text, and differ as a pair."""
    places = ("mill", "shop", "town", "river")
    examples = [
        Example("", "", f"{a}\n{b}", "yn"[label], ("y", "n"), label, pair=(f"{a} {b}", f"{b} {a}"[:: 1 - 2 * label]))
        for a in places for b in places for label in (0, 1)
    ]  # fmt: skip
    task = StubTask(examples, kind="pair-matching", name="stub/pairs")
    loaded = from_objects(tiny_bert(), tiny_tokenizer(add_bos=True))
    backend = adaptation.adapt(loaded, task, 0, tmp_path, Silent()).backend
    requests = [ChooseRequest(each.text, each.choices, each.pair) for each in examples]
    found = dict(backend.answer(requests))
    right = [int(np.argmax(found[n].logprobs)) == each.label for n, each in enumerate(examples)]  # type: ignore[union-attr]
    assert np.mean(right) > 0.8
    ids = loaded.tokenizer(*examples[0].pair)["input_ids"]  # type: ignore[misc]
    assert found[0].tokens == len(ids)


@pytest.mark.parametrize("form", TASKS)
@pytest.mark.parametrize("make", [tiny_llama, tiny_t5], ids=["causal", "seq2seq"])
def test_language_models_learn_the_written_answer(form: str, make: Any, tmp_path: Path) -> None:
    task = TASKS[form]()
    loaded = from_objects(make(), tiny_tokenizer())
    adaptation = Full(lr=2e-3, epochs=4, batch=4)
    adaptation.check(loaded, task)
    adapted = adaptation.adapt(loaded, task, 0, tmp_path, Silent())
    assert adapted.cost.train_loss[-1] < adapted.cost.train_loss[0]
    assert GenerateRequest in adapted.backend.request_types


@pytest.mark.parametrize(
    ("method", "make"),
    [(Full, tiny_llama), (LoRA, tiny_llama), (Full, tiny_gpt2), (Full, tiny_t5)],
    ids=["full-llama", "lora-llama", "full-gpt2", "full-t5"],
)
@pytest.mark.parametrize("form", TASKS)
def test_language_models_learn_by_a_head(form: str, method: Any, make: Any, tmp_path: Path) -> None:
    """With head=true they tag words and mark passages, as encoders do; what is saved answers the same."""
    adaptation = method(lr=1e-2, epochs=20, batch=4, head=True)
    task, loaded = TASKS[form](), from_objects(make(), tiny_tokenizer())
    before = copy.deepcopy(loaded.network.state_dict())
    adaptation.check(loaded, task)
    adapted = adaptation.adapt(loaded, task, 0, tmp_path, Silent())
    assert adapted.backend.request_types == frozenset({TagRequest if form == "tags" else SpanRequest})
    assert adapted.network.head.out_features == {"tags": 3, "span": 2}[form]
    assert share_right(adapted.backend, task) > 0.8
    assert all(torch.equal(value, before[name]) for name, value in loaded.network.state_dict().items())
    again = adaptation.adapt(loaded, task, 0, tmp_path, Silent())
    (question,) = task.questions(Full().shots(0), adapted.backend.request_types, 1)
    assert dict(again.backend.answer(question.requests)) == dict(adapted.backend.answer(question.requests))
