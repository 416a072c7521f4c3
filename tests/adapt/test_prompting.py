"""Zero-shot and few-shot: the model as it is, with the right shots."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chats import chat_tokenizer
from fake_vllm import LLM, vllm
from tianti.adapt import Cost, FewShot, Full, HeadOnly, LoRA, ZeroShot
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Silent
from tianti.engine import GenerateRequest, GenerateResponse, ScoreRequest, ScoreResponse
from tianti.evaluation.evaluate import evaluate
from tianti.models import LoadedModel, LoadOptions, from_objects, load_model, open_model
from tianti.tasks import load_tasks
from tianti.tasks.chat import Chat
from tianti.tasks.new import new_task
from tianti.tasks.task import Shots
from tiny import tiny_bart, tiny_llama, tiny_masked, tiny_t5, tiny_tokenizer

__all__ = ["vllm"]


@pytest.mark.parametrize("network", ["llama", "gpt2", "t5", "bart", "masked"])
@pytest.mark.parametrize("adaptation", [ZeroShot(), FewShot(k=2)])
def test_the_model_answers_as_it_is(
    network: str, adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, stub = model(network), task("labels")
    adaptation.check(loaded, stub)
    adapted = adaptation.adapt(loaded, stub, 0, tmp_path / "none", Silent())
    assert adapted.backend.network is loaded.network
    assert adapted.cost == Cost(total_parameters=loaded.network.num_parameters())
    assert not (tmp_path / "none").exists()


def test_shots() -> None:
    assert ZeroShot().shots(3) == Shots(0)
    assert FewShot(k=2).shots(3) == Shots(2, "random", 3)
    assert FewShot(k=5, selection="first").shots(3) == Shots(5, "first", 3)


def test_shots_of_a_chat() -> None:
    tokenizer = chat_tokenizer("turns")
    plain, said = FewShot(k=2).shots(3, tokenizer), FewShot(k=2, chat=True).shots(3, tokenizer)
    assert plain.chat is None
    assert said == Shots(2, "random", 3, said.chat)
    assert said.chat is not None
    assert (said.chat.system, said.chat.multiturn) == (None, True)
    assert said.chat.render([{"role": "user", "content": "Who?"}]) == "<s>|user|\nWho?|end|\n|assistant|\n"
    other = FewShot(chat=True, system="Be brief.", multiturn=False).shots(0, tokenizer).chat
    assert other is not None
    assert (other.system, other.multiturn) == ("Be brief.", False)
    zero = ZeroShot(chat=True, system="Be brief.").shots(0, tokenizer)
    assert zero.k == 0
    assert zero.chat == Chat(tokenizer, "Be brief.")


@pytest.mark.parametrize(
    ("adaptation", "template", "words"),
    [
        (ZeroShot(chat=True), None, r"tiny: a chat needs a chat template[\s\S]*leave chat out"),
        (FewShot(chat=True), None, r"tiny: a chat needs a chat template[\s\S]*leave chat out"),
        (
            FewShot(chat=True, system="Be brief."),
            "instructions",
            r"no place for a system[\s\S]*leave system out",
        ),
    ],
)
def test_a_model_that_cannot_chat(
    adaptation: Any, template: str | None, words: str, task: Callable[[str], Any]
) -> None:
    with pytest.raises(IncompatibleError, match=words):
        adaptation.check(from_objects(tiny_llama(), chat_tokenizer(template), "tiny"), task("labels"))


def test_a_model_that_can_chat(task: Callable[[str], Any]) -> None:
    ZeroShot(chat=True, system="Be brief.").check(
        from_objects(tiny_llama(), chat_tokenizer("turns")), task("labels")
    )
    FewShot(chat=True).check(from_objects(tiny_llama(), chat_tokenizer("instructions")), task("labels"))


@pytest.mark.parametrize("adaptation", [ZeroShot(), FewShot(), ZeroShot(chat=True), FewShot(chat=True)])
def test_who_cannot_answer_a_prompt(
    adaptation: Any, model: Callable[[str], Any], task: Callable[[str], Any]
) -> None:
    with pytest.raises(IncompatibleError, match=r"encoder[\s\S]*head-only, lora or full"):
        adaptation.check(model("bert"), task("labels"))
    with pytest.raises(IncompatibleError, match="use fit"):
        adaptation.check(load_model(open_model("baseline:majority")), task("labels"))


@pytest.mark.parametrize(
    "network",
    [
        tiny_t5(n_positions=512),
        tiny_bart(max_position_embeddings=512),
        tiny_masked(max_position_embeddings=512),
    ],
)
@pytest.mark.parametrize("adaptation", [ZeroShot(), FewShot(k=1)])
def test_every_architecture_that_scores_answers_a_task(network: Any, adaptation: Any, tmp_path: Path) -> None:
    (sentiment,) = load_tasks("nano/sentiment")
    adapted = adaptation.adapt(from_objects(network, tiny_tokenizer()), sentiment, 0, tmp_path, Silent())
    (answers,) = evaluate(adapted.backend, sentiment, adaptation.shots(0), limit=4)
    assert [answer.state for answer in answers] == ["ok"] * 4


@pytest.mark.parametrize(
    ("network", "kind", "words"),
    [
        ("masked", "question-answering", r"needs a model that writes text; this one can only score"),
        ("masked", "language-modelling", r"gives the probability of a text; this one can only score"),
        ("t5", "language-modelling", r"gives the probability of a text; this one can only generate, score"),
    ],
)
def test_tasks_that_an_architecture_cannot_answer(
    network: str, kind: str, words: str, model: Callable[[str], Any], tmp_path: Path
) -> None:
    (asked,) = load_tasks(str(new_task("mine", tmp_path, kind)))
    adapted = ZeroShot().adapt(model(network), asked, 0, tmp_path, Silent())
    with pytest.raises(IncompatibleError, match=words):
        list(evaluate(adapted.backend, asked, Shots(0), limit=2))


@pytest.mark.parametrize("network", ["t5", "bart"])
def test_an_encoder_decoder_writes(network: str, model: Callable[[str], Any], tmp_path: Path) -> None:
    (asked,) = load_tasks("nano/qa")
    adapted = ZeroShot().adapt(model(network), asked, 0, tmp_path, Silent())
    assert {ScoreRequest, GenerateRequest} == adapted.backend.request_types
    ((_, response),) = adapted.backend.answer([GenerateRequest("the town", ("\n",), 4)])
    assert isinstance(response, GenerateResponse)


def test_a_masked_model_without_a_mask_token(task: Callable[[str], Any], tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.mask_token = None
    with pytest.raises(IncompatibleError, match="no mask token"):
        ZeroShot().adapt(from_objects(tiny_masked(), tokenizer), task("labels"), 0, tmp_path, Silent())


def test_vllm_answers_and_does_not_train(
    vllm: type[LLM], model: Callable[[str], Any], task: Callable[[str], Any], tmp_path: Path
) -> None:
    plain = model("llama")
    loaded = LoadedModel(
        plain.model,
        LoadOptions(engine="vllm"),
        tokenizer=tiny_tokenizer(),
        llm=vllm(tiny_llama(), tiny_tokenizer()),
    )
    for adaptation in (LoRA(), Full(), HeadOnly()):
        with pytest.raises(IncompatibleError, match=r"vLLM answers and does not train[\s\S]*transformers"):
            adaptation.check(loaded, task("labels"))
    requests = [ScoreRequest("the town", " A"), ScoreRequest("the town", " little mill")]
    ours, theirs = (
        dict(ZeroShot().adapt(one, task("labels"), 0, tmp_path, Silent()).backend.answer(requests))
        for one in (loaded, plain)
    )
    for number in range(2):
        one, other = ours[number], theirs[number]
        assert isinstance(one, ScoreResponse)
        assert isinstance(other, ScoreResponse)
        assert one.token_logprobs == pytest.approx(other.token_logprobs, abs=1e-4)
