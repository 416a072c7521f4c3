"""Head-only: the frozen body's features, heads at their optimum, and a model's own output layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax

from tianti.adapt import HeadOnly, heads
from tianti.adapt.heads import fit_choices, fit_labels
from tianti.adapt.lesson import Lesson
from tianti.adapt.networks import PooledNetwork, compute_features
from tianti.adapt.objectives import choose_objective
from tianti.adapt.samples import Labelled, Reader
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.models import from_objects
from tiny import tiny_bart, tiny_bert, tiny_gpt2, tiny_llama, tiny_t5, tiny_tokenizer

GROUPS = [("llama", "labels"), ("llama", "choices"), ("llama", "text"), ("gpt2", "labels"), ("gpt2", "choices"),
          ("gpt2", "text"), ("bert", "labels"), ("bert", "choices"), ("masked", "labels"),
          ("masked", "choices"), ("t5", "labels"), ("t5", "choices"), ("t5", "text"), ("bart", "labels"),
          ("bart", "text")]  # fmt: skip


def _umt5() -> Any:
    """Whether it scales its states stands in its config as whether its embeddings are tied."""
    from transformers import UMT5Config, UMT5ForConditionalGeneration

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return UMT5ForConditionalGeneration(
            UMT5Config(
                vocab_size=len(tiny_tokenizer()), d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
                tie_word_embeddings=True, pad_token_id=0, eos_token_id=2, decoder_start_token_id=0,
            )
        ).eval()  # fmt: skip


@pytest.mark.parametrize(("network", "form"), GROUPS)
def test_it_fits_saves_and_leaves_the_model_alone(
    network: str, form: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub, adaptation = model(network), task(form), HeadOnly(lr=1e-2)
    before = copy.deepcopy(loaded.network.state_dict())
    adaptation.check(loaded, stub)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path, Silent())
    again = adaptation.adapt(loaded, stub, 0, tmp_path, Silent())
    assert all(torch.equal(value, before[name]) for name, value in loaded.network.state_dict().items())
    assert loaded.network.get_input_embeddings().weight.requires_grad
    if network in ("bert", "masked"):
        questions = list(stub.questions(adaptation.shots(0), adapted.backend.request_types))
        right = [stub.grade(q, _ask(adapted.backend, q)).values["acc"] for q in questions]
        assert np.mean(right) > 0.9
        assert adapted.cost.trainable_parameters == (66 if form == "labels" else 33)
    else:
        # The first validation loss is that of the head as it was.
        assert min(adapted.cost.validation) < adapted.cost.validation[0] - 0.5
        assert adapted.cost.trainable_parameters == 420 * 32
        questions = list(stub.questions(adaptation.shots(0), adapted.backend.request_types, 4))
    assert adapted.cost.saved_bytes > 0
    assert again.cost == adapted.cost
    assert [_ask(again.backend, q) for q in questions] == [_ask(adapted.backend, q) for q in questions]


def _ask(backend: Any, question: Any) -> list[Any]:
    found = dict(backend.answer(question.requests))
    return [found[index] for index in range(len(found))]


def test_the_seed_changes_nothing(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    first = HeadOnly().adapt(model("llama"), task("text"), 0, tmp_path / "a", Silent())
    other = HeadOnly().adapt(model("llama"), task("text"), 5, tmp_path / "b", Silent())
    assert first.cost.validation == other.cost.validation


def test_an_own_output_layer_is_untied_from_the_embedding(task: Callable[[str], Any], tmp_path: Path) -> None:
    network = tiny_llama(tie_word_embeddings=True)
    loaded = from_objects(network, tiny_tokenizer())
    before = network.get_input_embeddings().weight.clone()
    adapted = HeadOnly(lr=1e-2).adapt(loaded, task("text"), 0, tmp_path, Silent())
    trained = adapted.backend.network  # type: ignore[attr-defined]
    assert torch.equal(trained.get_input_embeddings().weight, before)
    assert not torch.equal(trained.get_output_embeddings().weight, before)
    assert network.config.tie_word_embeddings is True


@pytest.mark.parametrize(
    "build",
    [tiny_t5, lambda: tiny_t5(tie_word_embeddings=False), tiny_bart, _umt5],
    ids=["t5", "t5-unscaled", "bart", "umt5"],
)
@pytest.mark.parametrize("form", ["labels", "text"])
def test_a_decoders_head_starts_where_the_model_stands(
    build: Callable[[], Any], form: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    """The first validation loss is that of the network's own logits, whether it scales its states or adds a vector."""
    network = build()
    if hasattr(network, "final_logits_bias"):
        network.final_logits_bias.normal_(generator=torch.Generator().manual_seed(0))
    loaded, stub = from_objects(network, tiny_tokenizer()), task(form)
    before = copy.deepcopy(network.state_dict())
    adaptation = HeadOnly(lr=1e-2)
    lesson = Lesson(adaptation, loaded, stub, 0)
    objective = choose_objective(lesson)
    _, held = lesson.examples(None)
    with torch.no_grad():
        loss, terms = objective.loss(network, objective.items(network, held))
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path, Silent())
    assert adapted.cost.validation[0] == pytest.approx(float(loss) / float(terms), abs=1e-4)
    assert min(adapted.cost.validation) < adapted.cost.validation[0] - 0.5
    assert adapted.trained == ("lm_head.weight",)
    with torch.no_grad():
        loss, terms = objective.loss(adapted.network, objective.items(adapted.network, held))
    assert min(adapted.cost.validation) == pytest.approx(float(loss) / float(terms), abs=1e-4)
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert torch.equal(
        adapted.network.get_input_embeddings().weight,
        before["shared.weight" if "shared.weight" in before else "model.shared.weight"],
    )
    assert not torch.equal(adapted.network.lm_head.weight, before["lm_head.weight"])


def test_half_precision(task: Callable[[str], Any], tmp_path: Path) -> None:
    loaded = from_objects(tiny_llama().to(torch.bfloat16), tiny_tokenizer())
    for form in ("labels", "text"):
        stub = task(form)
        adapted = HeadOnly().adapt(loaded, stub, 0, tmp_path / form, Silent())
        (question,) = stub.questions(HeadOnly().shots(0), adapted.backend.request_types, 1)
        assert dict(adapted.backend.answer(question.requests))


def test_a_model_whose_logits_are_more_than_a_layer_is_refused(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded = model("llama")
    inner = type(loaded.network)

    class Capped(inner):  # type: ignore[valid-type, misc]
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            output = super().forward(*args, **kwargs)
            output.logits = 2 * torch.tanh(output.logits / 2)
            return output

    loaded.network.__class__ = Capped
    with pytest.raises(IncompatibleError, match="more than one linear layer"):
        HeadOnly().adapt(loaded, task("text"), 0, tmp_path, Silent())


def test_an_encoder_cannot_write(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="cannot write"):
        HeadOnly().check(model("bert"), task("text"))


@pytest.mark.parametrize("outputs", [2, 4])
def test_fitted_labels_are_at_the_optimum(outputs: int) -> None:
    """The same loss, minimised by scipy from the formula."""
    random = np.random.default_rng(0)
    rows, penalty = random.normal(size=(60, 3)), 0.1
    labels = (rows @ random.normal(size=(3, outputs)) + random.normal(size=(60, outputs))).argmax(axis=1)

    def loss(flat: Any) -> float:
        weight, bias = flat[: 3 * outputs].reshape(outputs, 3), flat[3 * outputs :]
        logprobs = log_softmax(rows @ weight.T + bias, axis=1)
        return float(-logprobs[np.arange(60), labels].mean() + penalty / 2 * (weight**2).sum())

    best = minimize(loss, np.zeros(4 * outputs), method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9})
    weight, bias = fit_labels([row[None] for row in rows], labels.tolist(), outputs, penalty)
    assert loss(np.concatenate((weight.ravel(), bias))) == pytest.approx(best.fun, abs=1e-5)


def test_labels_without_an_example_are_never_chosen() -> None:
    rows = [np.array([[float(x)]]) for x in (-1, -2, 1, 2)]
    weight, bias = fit_labels(rows, [0, 0, 2, 2], 3, 0.1)
    assert {int((weight @ [x] + bias).argmax()) for x in (-1.0, 1.0)} == {0, 2}
    weight, bias = fit_labels(rows, [1, 1, 1, 1], 3, 0.1)
    assert int((weight @ [5.0] + bias).argmax()) == 1


def test_fitted_choices_are_at_the_optimum() -> None:
    """With two choices a conditional logit is a logistic regression on the difference, without intercept."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(1)
    features = [random.normal(size=(2, 3)) for _ in range(80)]
    labels = [int((f[1] - f[0]) @ [1.0, -2.0, 0.5] + random.normal() > 0) for f in features]
    weight, bias = fit_choices(features, labels, 1, 0.05)
    reference = LogisticRegression(C=1 / (0.05 * 80), fit_intercept=False, tol=1e-10, max_iter=1000)
    reference.fit(np.stack([f[1] - f[0] for f in features]), labels)
    assert np.allclose(weight, reference.coef_, atol=1e-4)
    assert bias == 0


def test_choices_of_different_numbers() -> None:
    random = np.random.default_rng(2)
    features = [random.normal(size=(2 + index % 3, 2)) for index in range(60)]
    labels = [int(f[:, 0].argmax()) for f in features]
    weight, _ = fit_choices(features, labels, 1, 1e-6)
    assert [int((f @ weight[0]).argmax()) for f in features] == labels


@pytest.mark.parametrize("body", [tiny_bert, lambda: tiny_llama().base_model, lambda: tiny_gpt2().base_model])
def test_features_are_means_and_do_not_depend_on_padding(body: Any) -> None:
    network = PooledNetwork(body(), 2).train(False)
    reader = Reader(network, tiny_tokenizer())
    rows = reader.read(
        ["short", "This film is wonderful, warm and funny.", "Anna bakes bread in the old mill."]
    )
    together = compute_features(network, [Labelled(tuple(rows[:2]), 0), Labelled((rows[2],), 1)])
    for index, row in enumerate(rows):
        with torch.no_grad():
            hidden = network.body(input_ids=torch.from_numpy(row[None])).last_hidden_state[0]
        assert torch.allclose(together[index], hidden.mean(dim=0), atol=1e-5)


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(
    ("network", "form"),
    [("llama", "text"), ("gpt2", "labels"), ("bert", "labels"), ("bert", "choices"), ("t5", "text")],
)
def test_the_body_reads_the_data_once(
    network: str,
    form: str,
    held: bool,
    model: Callable[[str], Any],
    task: Callable[[str], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At most 1.3 forward passes, padding included, whatever the number of epochs and penalties."""
    loaded, stub = model(network), task(form)
    if not held:
        stub.train, stub.validation = stub.train[:9], []  # nine examples are all trained on
    original = loaded.network
    body = type(original.get_encoder() if original.config.is_encoder_decoder else original.base_model)
    read: list[int] = []
    forward = body.forward

    def counted(self: Any, input_ids: Any = None, *args: Any, **named: Any) -> Any:
        read.append(input_ids.numel())
        return forward(self, input_ids, *args, **named)

    monkeypatch.setattr(body, "forward", counted)
    monkeypatch.setattr(heads, "answering", lambda *_: None)  # the engine tries a network on a few tokens
    cost = HeadOnly(epochs=20).adapt(loaded, stub, 0, tmp_path, Silent()).cost
    assert 0 < sum(read) <= 1.3 * cost.tokens
    assert cost.added_memory_bytes is None or cost.added_memory_bytes >= 0
