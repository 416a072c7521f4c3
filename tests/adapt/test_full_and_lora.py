"""Full fine-tuning and LoRA: what moves, what stays, what is counted, what is saved."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tianti.adapt import Full, HeadOnly, LoRA
from tianti.adapt.lesson import Lesson
from tianti.adapt.lora import find_targets
from tianti.core.exceptions import IncompatibleError, StoreError
from tianti.core.progress import Silent
from tianti.engine import GenerateRequest, ScoreRequest
from tianti.models import from_objects
from tiny import tiny_masked, tiny_tokenizer

GROUPS = [("llama", "labels"), ("llama", "choices"), ("llama", "text"), ("gpt2", "labels"), ("gpt2", "text"),
          ("bert", "labels"), ("bert", "choices"), ("masked", "labels"), ("masked", "choices")]  # fmt: skip
METHODS = [Full(lr=5e-3, epochs=2), LoRA(lr=1e-2, r=4, epochs=2)]


def network_of(backend: Any) -> Any:
    """The network behind a backend of any kind."""
    if hasattr(backend, "network"):
        return backend.network
    cells = dict(zip(backend.forward.__code__.co_freevars, backend.forward.__closure__, strict=True))
    return cells["network"].cell_contents


def answers(backend: Any, stub: Any) -> list[Any]:
    questions = list(stub.questions(Full().shots(0), backend.request_types, 8))
    return [dict(backend.answer(question.requests)) for question in questions]


@pytest.mark.parametrize("adaptation", METHODS, ids=lambda a: a.name)
@pytest.mark.parametrize(("network", "form"), GROUPS)
def test_it_learns_saves_and_leaves_the_model_alone(
    network: str,
    form: str,
    adaptation: Any,
    model: Callable[[str], Any],
    task: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    loaded, stub = model(network), task(form)
    before = copy.deepcopy(loaded.network.state_dict())
    wanted = [parameter.requires_grad for parameter in loaded.network.parameters()]
    adaptation.check(loaded, stub)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path / "saved", Silent())

    cost = adapted.cost
    assert cost.train_loss[-1] < cost.train_loss[0]
    assert len(cost.validation) == adaptation.epochs
    assert cost.examples == len(stub.train)
    assert cost.steps == 2 * -(-len(stub.train) // 16)
    assert cost.tokens > 0
    assert cost.saved_bytes == (tmp_path / "saved" / "tensors.safetensors").stat().st_size

    assert all(torch.equal(value, before[name]) for name, value in loaded.network.state_dict().items())
    assert [parameter.requires_grad for parameter in loaded.network.parameters()] == wanted

    again = adaptation.adapt(loaded, stub, 0, tmp_path / "saved", Silent())
    assert again.cost == cost
    assert answers(again.backend, stub) == answers(adapted.backend, stub)


@pytest.mark.parametrize("network", ["llama", "gpt2", "bert"])
def test_full_counts_every_weight_and_moves_it(
    network: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    adapted = Full(lr=5e-3, epochs=1).adapt(loaded, stub, 0, tmp_path, Silent())
    trained = network_of(adapted.backend)
    pooler = sum(p.numel() for n, p in loaded.network.named_parameters() if n.startswith("pooler"))
    head = 2 * 32 + 2 if network == "bert" else 0
    assert adapted.cost.trainable_parameters == loaded.network.num_parameters() - pooler + head
    assert adapted.cost.total_parameters == adapted.cost.trainable_parameters
    body = trained.body if network == "bert" else trained
    original = dict(loaded.network.named_parameters())
    for name, parameter in body.named_parameters():
        assert not torch.equal(parameter, original[name]), name


@pytest.mark.parametrize(("network", "form"), [("llama", "labels"), ("gpt2", "text"), ("bert", "labels")])
def test_lora_moves_its_matrices_and_the_head_and_nothing_else(
    network: str, form: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task(form)
    adaptation = LoRA(lr=1e-2, r=4, epochs=1)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path, Silent())
    shapes = [
        _in_and_out(loaded.network.get_submodule(name)) for name in find_targets(loaded.network, "all-linear")
    ]
    head = 2 * 32 + 2 if network == "bert" else 0
    assert adapted.cost.trainable_parameters == sum(4 * (n + m) for n, m in shapes) + head
    trained = network_of(adapted.backend)
    kept = {name.replace(".base_layer", ""): value for name, value in trained.named_parameters()}
    original = {f"body.{n}" if network == "bert" else n: p for n, p in loaded.network.named_parameters()}
    for name, parameter in kept.items():
        if "lora_B" in name:
            assert parameter.abs().sum() > 0, name
        elif name in original:
            assert torch.equal(parameter, original[name]), name
            assert parameter.data_ptr() == original[name].data_ptr(), (
                "the frozen weights are shared, not copied"
            )
        else:
            assert "lora_A" in name or name.startswith("head."), name
    if network == "bert":
        fresh = LoRA(lr=1e-2, r=4, epochs=1, max_examples=1, warmup=0.0)
        other = network_of(fresh.adapt(loaded, stub, 0, tmp_path / "other", Silent()).backend)
        assert not torch.equal(trained.head.weight, other.head.weight), "the head moves"


def _in_and_out(layer: Any) -> tuple[int, int]:
    return (
        (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else tuple(layer.weight.shape)
    )


def test_lora_changes_nothing_before_it_learns(model: Callable[[str], Any]) -> None:
    loaded = model("gpt2")
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert torch.equal(LoRA().prepare(loaded.network)(ids).logits, loaded.network(ids).logits)


def test_targets(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    loaded = model("llama")
    assert len(find_targets(loaded.network, "all-linear")) == 2 * 7
    assert len(find_targets(loaded.network, ("q_proj", "v_proj"))) == 2 * 2
    assert all("lm_head" not in name for name in find_targets(loaded.network, "all-linear"))
    with pytest.raises(IncompatibleError, match="'q_proj'"):
        LoRA(targets=("q_prj",)).check(loaded, task("labels"))
    bare = model("llama")
    bare.network.model.layers = nn.ModuleList()
    with pytest.raises(IncompatibleError, match="no linear layer"):
        LoRA().check(bare, task("labels"))


@pytest.mark.parametrize("adaptation", METHODS, ids=lambda a: a.name)
def test_the_seed_decides(
    adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    def weights(seed: int, place: str) -> dict[str, Any]:
        torch.manual_seed(len(place))
        backend = adaptation.adapt(model("bert"), task("labels"), seed, tmp_path / place, Silent()).backend
        return dict(network_of(backend).named_parameters())

    first, same, other = weights(0, "a"), weights(0, "bb"), weights(1, "ccc")
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_half_precision_is_trained_in_float32_and_answers_in_half(
    task: Callable[[str], Any], tmp_path: Path
) -> None:
    from tianti.models import from_objects
    from tiny import tiny_llama, tiny_tokenizer

    loaded = from_objects(tiny_llama().to(torch.bfloat16), tiny_tokenizer())
    stub = task("labels")
    full = Full(lr=5e-3, epochs=2)
    adapted = full.adapt(loaded, stub, 0, tmp_path / "full", Silent())
    assert {p.dtype for p in network_of(adapted.backend).parameters()} == {torch.bfloat16}
    assert adapted.cost.train_loss[1] < adapted.cost.train_loss[0]
    again = full.adapt(loaded, stub, 0, tmp_path / "full", Silent())
    assert answers(again.backend, stub) == answers(adapted.backend, stub)
    lora = LoRA(lr=1e-2, epochs=1).adapt(loaded, stub, 0, tmp_path / "lora", Silent())
    kinds = {("lora" in name, p.dtype) for name, p in network_of(lora.backend).named_parameters()}
    assert kinds == {(True, torch.float32), (False, torch.bfloat16)}


def test_a_folder_serves_only_for_what_it_was_made_from(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    Full(epochs=1).adapt(model("gpt2"), task("labels"), 0, tmp_path, Silent())
    for adaptation, seed in ((Full(epochs=2), 0), (LoRA(epochs=1), 0), (Full(epochs=1), 1)):
        with pytest.raises(StoreError, match="another adaptation"):
            adaptation.adapt(model("gpt2"), task("labels"), seed, tmp_path, Silent())


@pytest.mark.parametrize("adaptation", METHODS, ids=lambda a: a.name)
def test_what_does_not_fit(adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="an encoder cannot write"):
        adaptation.check(model("bert"), task("text"))
    empty = task("labels")
    empty.train = []
    with pytest.raises(IncompatibleError, match="no training split"):
        adaptation.check(model("llama"), empty)
    from tianti.models import load_model, open_model

    with pytest.raises(IncompatibleError, match=r"no weights to adapt[\s\S]*use fit"):
        adaptation.check(load_model(open_model("baseline:tfidf")), task("labels"))


@pytest.mark.parametrize("adaptation", [*METHODS, HeadOnly()], ids=lambda a: a.name)
@pytest.mark.parametrize("form", ["labels", "choices"])
def test_a_masked_model_learns_as_the_encoder_in_it(
    adaptation: Any, form: str, task: Callable[[str], Any], tmp_path: Path
) -> None:
    network, stub = tiny_masked(), task(form)
    found = [
        answers(
            adaptation.adapt(
                from_objects(one, tiny_tokenizer()), stub, 0, tmp_path / str(number), Silent()
            ).backend,
            stub,
        )
        for number, one in enumerate((network, network.bert))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("network", ["t5", "bart"])
@pytest.mark.parametrize("form", ["labels", "choices", "text"])
def test_encoder_decoder_models_learn_text_to_text(
    network: str, form: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task(form)
    full = Full(lr=2e-2, epochs=12, batch=4, warmup=0.0)
    adapted = full.adapt(loaded, stub, 0, tmp_path, Silent())
    assert adapted.cost.train_loss[-1] < adapted.cost.train_loss[0] / 2
    assert adapted.cost.trainable_parameters == loaded.network.num_parameters()
    assert {ScoreRequest, GenerateRequest} == adapted.backend.request_types
    again = full.adapt(loaded, stub, 0, tmp_path, Silent())
    asked = [ScoreRequest(example.context, example.continuation) for example in stub.train[:4]]
    assert dict(adapted.backend.answer(asked)) == dict(again.backend.answer(asked))


def test_the_loss_of_an_encoder_decoder_is_what_the_engine_scores(
    model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    from tianti.adapt.learning import untrained
    from tianti.adapt.objectives import choose_objective

    for network in ("t5", "bart"):
        loaded, stub = model(network), task("labels")
        objective = choose_objective(Lesson(LoRA(), loaded, stub, 0))
        trained = untrained(objective, lambda original: original).eval()
        loss, terms = objective.loss(trained, objective.items(trained, stub.train))
        asked = [ScoreRequest(example.context, example.continuation) for example in stub.train]
        scored = dict(objective.backend(trained).answer(asked)).values()
        assert -loss.item() == pytest.approx(sum(response.logprob for response in scored), rel=1e-4)
        assert terms == sum(len(response.token_logprobs) for response in scored)


def test_whole_texts_are_not_taught_to_an_encoder_decoder(
    model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    from dataclasses import replace

    texts = task("text")
    texts.train = [replace(example, context="") for example in texts.train]
    with pytest.raises(IncompatibleError, match="texts without a question"):
        Full().check(model("t5"), texts)
