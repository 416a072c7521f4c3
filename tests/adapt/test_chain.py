"""Chains: each step starts from what the one before left, and what was trained once is found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tianti.adapt import Chain, FewShot, Full, HeadOnly, LoRA, Update, label, parse_adaptation, settings
from tianti.adapt.carrying import merged
from tianti.adapt.learned import examples_learned
from tianti.adapt.stages import address, stages
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Silent
from tianti.evaluation.evaluate import evaluate
from tianti.tasks.task import Shots

SHORT = {"epochs": 1, "lr": 1e-2, "batch": 8}


def _learn(adaptation: Any, model: Any, task: Any, folder: Path, seed: int = 0) -> Any:
    """Adapt as the conductor does: in the folder that the address names."""
    place = folder / address(model, stages(adaptation, task, seed))[:16]
    adaptation.check(model, task)
    return adaptation.adapt(model, task, seed, place, Silent())


def _answers(adapted: Any, task: Any) -> list[Any]:
    return [answer.responses for shard in evaluate(adapted.backend, task, Shots(0)) for answer in shard]


def _folders(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/adapted.json")}


@pytest.mark.parametrize(
    "text",
    [
        "lora(r=2) + few-shot(k=4)",
        "full + lora(r=16) + few-shot(k=1)",
        "lora(epochs=1) + update(share=0.25) + update(share=0.25, epochs=2)",
        "head-only + full",
        'lora + few-shot(k=2, chat=true, system="a + b, (c")',
    ],
)
def test_the_notation_is_read_and_written(text: str) -> None:
    chain = parse_adaptation(text)
    assert isinstance(chain, Chain)
    assert parse_adaptation(label(chain)) == chain
    assert parse_adaptation(text.replace(") + ", ")+")) == chain
    assert chain.name == " + ".join(step.name for step in chain.steps)
    assert [step["name"] for step in settings(chain)["steps"]] == [step.name for step in chain.steps]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("few-shot + lora", r"few-shot trains nothing[\s\S]*put it last"),
        ("fit + lora", "fit stands alone"),
        ("update + lora", "update goes on with what another step has trained"),
        ("head-only + update", "fitted to its optimum"),
        ("lora + ", "a step is missing"),
        ("lora + update(share=0.5) + update(share=0.5)", "nothing is left for the steps before"),
        ("lora + update(share=0.5, data=nano/sentiment)", "share and data do not go together"),
    ],
)
def test_steps_that_cannot_follow(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_adaptation(text)


def test_update_alone_is_refused(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    with pytest.raises(IncompatibleError, match="stands alone"):
        Update().check(model("llama"), task("labels"))


@pytest.mark.parametrize("network", ["llama", "gpt2", "bert"])
def test_full_then_lora_starts_from_the_trained_weights(
    network: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    before = {name: tensor.clone() for name, tensor in loaded.network.state_dict().items()}
    first = _learn(Full(**SHORT), loaded, stub, tmp_path)
    chain = _learn(Chain((Full(**SHORT), LoRA(r=2, **SHORT))), loaded, stub, tmp_path)
    own, trained = dict(chain.network.named_parameters()), dict(first.network.named_parameters())
    compared = 0
    for name, parameter in trained.items():
        inside = name if name in own else ".base_layer.".join(name.rpartition(".")[::2])
        if inside in own and not own[inside].requires_grad and not name.startswith("head."):
            assert torch.equal(own[inside], parameter), name
            compared += 1
    assert compared > 10
    assert chain.cost.steps == 2 * first.cost.steps
    assert chain.cost.seconds > first.cost.seconds
    assert chain.cost.trainable_parameters == first.cost.trainable_parameters
    assert all(torch.equal(tensor, before[name]) for name, tensor in loaded.network.state_dict().items())


def test_a_head_is_carried_to_the_next_step(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    """With a rate of almost nothing the second step ends where the first one stood."""
    loaded, stub = model("bert"), task("labels")
    first = _learn(HeadOnly(), loaded, stub, tmp_path)
    chain = _learn(Chain((HeadOnly(), Full(epochs=1, lr=1e-12))), loaded, stub, tmp_path)
    for one, other in zip(_answers(first, stub), _answers(chain, stub), strict=True):
        assert one[0]["logprobs"] == pytest.approx(other[0]["logprobs"], abs=1e-4)


@pytest.mark.parametrize("network", ["llama", "gpt2", "bert"])
def test_merging_changes_no_answer(
    network: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    done = _learn(LoRA(r=2, epochs=3, lr=1e-2), loaded, stub, tmp_path)
    body = getattr(done.network, "body", done.network)
    alone = merged(body, torch.float32)
    assert not any("lora" in name for name, _ in alone.named_modules())
    assert [name for name, _ in alone.named_parameters()] == [
        name.replace(".base_layer", "") for name, _ in body.named_parameters() if "lora_" not in name
    ]
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        assert torch.allclose(alone(ids)[0], body(ids)[0], atol=1e-4)
        assert not torch.allclose(alone(ids)[0], getattr(loaded.network, "base_model", None)(ids)[0]
                                  if network == "bert" else loaded.network(ids)[0], atol=1e-4)  # fmt: skip


@pytest.mark.parametrize(("network", "form"), [("llama", "labels"), ("gpt2", "choices"), ("t5", "labels")])
def test_few_shot_asks_the_adapted_model(
    network: str, form: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task(form)
    alone = _learn(LoRA(**SHORT), loaded, stub, tmp_path)
    chain = Chain((LoRA(**SHORT), FewShot(k=2)))
    adapted = _learn(chain, loaded, stub, tmp_path)
    assert chain.shots(3) == FewShot(k=2).shots(3)
    assert _answers(adapted, stub) == _answers(alone, stub)  # the stub shows no examples
    assert adapted.cost.train_loss == alone.cost.train_loss
    assert len(_folders(tmp_path)) == 1


def test_each_stage_is_trained_once(
    model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tianti.adapt import learning

    trained: list[str] = []
    train = learning.train

    def counted(*arguments: Any, **named: Any) -> Any:
        trained.append(arguments[-1])
        return train(*arguments, **named)

    monkeypatch.setattr(learning, "train", counted)
    stub, lora, full = task("labels"), LoRA(r=2, **SHORT), Full(**SHORT)
    for adaptation in (
        lora,
        Chain((lora, full)),
        Chain((lora, FewShot(k=2))),
        Chain((lora, full, FewShot(k=2))),
    ):
        _learn(adaptation, model("llama"), stub, tmp_path)
    assert len(trained) == 2
    again = _learn(Chain((lora, full)), model("llama"), stub, tmp_path)
    assert len(trained) == 2
    _learn(lora, model("llama"), stub, tmp_path, seed=1)
    assert len(trained) == 3
    assert again.cost.steps == 2 * 3 * -(-len(stub.train) // 8) // 3


@pytest.mark.parametrize("adaptation", [LoRA(r=2, **SHORT), Full(**SHORT)], ids=lambda each: each.name)
@pytest.mark.parametrize("network", ["llama", "bert"])
def test_an_update_goes_on_with_the_same_parameters(
    adaptation: Any, network: str, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    chain = Chain((adaptation, Update(share=0.25)))
    known, later = stages(chain, stub, 0)
    first = adaptation.adapt(loaded, known.task, 0, tmp_path / "first", Silent())
    still = _learn(Chain((adaptation, Update(share=0.25, lr=1e-12))), loaded, stub, tmp_path)
    moved = _learn(chain, loaded, stub, tmp_path)
    assert still.trained == first.trained == moved.trained
    one, other, last = (dict(each.network.named_parameters()) for each in (first, still, moved))
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in first.trained)
    assert not all(torch.allclose(one[name], last[name], atol=1e-4) for name in first.trained)
    assert moved.cost.examples == len(stub.train)
    assert later.task.fingerprint != known.task.fingerprint != stub.fingerprint


def test_updates_cut_the_training_split(task: Callable[[str], Any]) -> None:
    stub = task("labels")
    chain = Chain((LoRA(), Update(share=0.25), Update(share=0.25)))
    parts = [stage.task.examples("train") for stage in stages(chain, stub, 0)]
    assert [len(part) for part in parts] == [14, 7, 6] or sum(map(len, parts)) == len(stub.train)
    together = [id(example) for part in parts for example in part]
    assert sorted(together) == sorted(map(id, stub.train))
    share = sum(example.label for example in stub.train) / len(stub.train)
    for part in parts:
        assert abs(sum(example.label for example in part) - share * len(part)) <= 1
    other = [stage.task.examples("train") for stage in stages(chain, stub, 1)]
    assert parts != other
    assert len(examples_learned(chain, stub, 0)) == len(dict.fromkeys([*stub.train, *stub.validation]))


def test_a_part_without_examples_is_refused(model: Callable[[str], Any], task: Callable[[str], Any]) -> None:
    stub = task("labels")
    stub.train = stub.train[:2]
    with pytest.raises(IncompatibleError, match="none is left for part 2 of 2"):
        Chain((LoRA(), Update(share=0.01))).check(model("llama"), stub)


def test_an_update_with_other_data(model: Callable[[str], Any], tmp_path: Path) -> None:
    from tianti.models import from_objects
    from tianti.tasks import load_tasks
    from tiny import tiny_llama, tiny_tokenizer

    (sentiment,) = load_tasks("nano/sentiment")
    chain = parse_adaptation("lora(epochs=1, max_examples=16) + update(data=nano/sentiment(seed=7))")
    known, later = stages(chain, sentiment, 0)
    assert known.task is sentiment
    assert later.task.examples("train") == load_tasks("nano/sentiment(seed=7)")[0].examples("train")
    loaded = from_objects(tiny_llama(max_position_embeddings=256), tiny_tokenizer())
    assert _learn(chain, loaded, sentiment, tmp_path).cost.examples == 32
    wrong = parse_adaptation("lora + update(data=nano/qa)")
    with pytest.raises(IncompatibleError, match="is not learned as nano/sentiment is"):
        wrong.check(loaded, sentiment)


@pytest.mark.parametrize("network", ["bert", "masked"])
def test_a_head_reads_no_prompt(
    network: str, model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    with pytest.raises(IncompatibleError, match=r"answers by a head[\s\S]*leave few-shot out"):
        Chain((LoRA(), FewShot(k=2))).check(model(network), task("labels"))


def test_half_precision_stays_half(task: Callable[[str], Any], tmp_path: Path) -> None:
    from tianti.models import from_objects
    from tiny import tiny_llama, tiny_tokenizer

    loaded = from_objects(tiny_llama().to(torch.bfloat16), tiny_tokenizer())
    adapted = _learn(Chain((LoRA(r=2, **SHORT), Full(**SHORT))), loaded, task("labels"), tmp_path)
    assert {parameter.dtype for parameter in adapted.network.parameters()} == {torch.bfloat16}
