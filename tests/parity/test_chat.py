"""Tasks asked in a chat, by lm-eval with its own HF backend and by us: the same prompts, answers and scores."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from chats import chat_tokenizer
from tasks.harness_world import write_world
from tianti.core.exceptions import IncompatibleError
from tianti.engine import ChooseRequest, GenerateRequest, GenerateResponse, ScoreRequest
from tianti.engine.causal import CausalBackend
from tianti.models.chat import ChatTemplate
from tianti.tasks.chat import Chat
from tianti.tasks.harness import load_harness_tasks
from tianti.tasks.task import Shots
from tiny import tiny_llama

POSITIONS = 512
SYSTEM = "You know the colours of things."


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = write_world(tmp_path_factory.mktemp("world"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        # The packaged tasks play no part here: an empty index spares their scan.
        patch.setattr("tianti.tasks.harness_load.read_index", lambda progress: {})
        yield folder


@pytest.fixture(autouse=True)
def _no_environment_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """lm-eval asks the whole machine for its versions after each run, which takes longer than the run."""
    monkeypatch.setattr("lm_eval.evaluator.add_env_info", lambda results: None)


@pytest.fixture(scope="module")
def network() -> Any:
    return tiny_llama(max_position_embeddings=POSITIONS)


def ask_lm_eval(name: str, k: int, chat: Chat, network: Any, tokenizer: Any, include: Path) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    results: dict[str, Any] = simple_evaluate(
        model=HFLM(pretrained=network, tokenizer=tokenizer, batch_size=4, max_length=POSITIONS),
        tasks=[name],
        task_manager=TaskManager(include_path=str(include), include_defaults=False),
        num_fewshot=k,
        apply_chat_template=True,
        fewshot_as_multiturn=chat.multiturn,
        system_instruction=chat.system,
        bootstrap_iters=0,
    )
    return results


CASES = [
    *((name, k, multiturn, None, "turns") for name, k, multiturn in product(
        ("choice", "choice_begun", "choice_begun_spaced", "contexts", "cloze", "several_answers"), (0, 2), (True, False)
    )),
    *(("choice", k, multiturn, SYSTEM, "turns") for k, multiturn in ((0, True), (2, True), (2, False))),
    *(("choice", k, multiturn, None, "instructions") for k, multiturn in ((0, True), (3, True), (3, False))),
    ("choice", 2, True, SYSTEM, "instructions"),
    ("choice_of_test", 2, True, SYSTEM, "turns"),
    ("several_right", 0, True, None, "instructions"),
    ("written", 2, True, SYSTEM, "turns"),
    ("several_answers", 2, True, None, "instructions"),
    ("own_results", 1, True, None, "turns"),
    ("no_shots", 0, True, SYSTEM, "turns"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "k", "multiturn", "system", "template"), CASES)
@pytest.mark.filterwarnings("ignore:the model's chat template")
def test_equals_lm_eval(
    name: str, k: int, multiturn: bool, system: str | None, template: str, network: Any, world: Path
) -> None:
    tokenizer = chat_tokenizer(template, add_bos=k == 2)
    chat = Chat(ChatTemplate(tokenizer), system, multiturn)
    theirs = ask_lm_eval(name, k, chat, network, tokenizer, world)
    (task,) = load_harness_tasks(name, [world])
    backend = CausalBackend(network, tokenizer, batch=4)
    questions = list(task.questions(Shots(k, chat=chat), backend.request_types))
    answers = dict(backend.answer([request for question in questions for request in question.requests]))
    flat = iter(answers[index] for index in range(len(answers)))
    responses = [[next(flat) for _ in question.requests] for question in questions]
    values = [task.grade(*pair).values for pair in zip(questions, responses, strict=True)]
    for sample in theirs["samples"][name]:
        question, found = questions[sample["doc_id"]], responses[sample["doc_id"]]
        assert [_texts(request) for request in question.requests] == [
            tuple(argument for argument in given if isinstance(argument, str))
            for given in sample["arguments"]
        ]
        assert question.prompt.startswith("<s>")
        for response, (expected,) in zip(found, sample["resps"], strict=True):
            if isinstance(response, GenerateResponse):
                assert response.text == expected
            else:
                assert (response.logprob, response.is_greedy) == (
                    pytest.approx(expected[0], abs=1e-4),
                    expected[1],
                )
    for metric in task.metrics:
        bare, _, filter_name = metric.name.partition("@")
        score = metric.aggregate([value[metric.name] for value in values])
        expected = theirs["results"][name][f"{bare},{filter_name or 'none'}"]
        assert score == pytest.approx(expected, rel=1e-5), metric.name


def _texts(request: Any) -> tuple[str, ...]:
    if isinstance(request, ScoreRequest):
        return request.context, request.continuation
    assert isinstance(request, GenerateRequest)
    return (request.context,)


@pytest.mark.parametrize("add_bos", [True, False])
def test_a_prompt_that_begins_with_bos_gets_no_second_one(add_bos: bool, network: Any) -> None:
    from lm_eval.models.huggingface import HFLM

    tokenizer = chat_tokenizer("turns", add_bos=add_bos)
    reference = HFLM(pretrained=network, tokenizer=tokenizer)
    tokens = CausalBackend(network, tokenizer).tokens
    prompt = ChatTemplate(tokenizer)([{"role": "user", "content": "Where does Anna work?"}])
    (window,) = tokens.windows([ScoreRequest(prompt, "in the mill", truncate=True)])
    (written,) = tokens.prompts([GenerateRequest(prompt, max_tokens=4)])
    before, after = reference._encode_pair(prompt, "in the mill")
    assert window.tokens.tolist() == before + after
    assert window.scored == len(after)
    assert written.tolist() == reference.tok_batch_encode([prompt])[0][0].tolist()
    for row in (window.tokens.tolist(), written.tolist()):
        assert row.count(tokenizer.bos_token_id) == 1
        assert row[0] == tokenizer.bos_token_id


def test_without_a_chat_nothing_changes(world: Path) -> None:
    (task,) = load_harness_tasks("choice", [world])
    types = CausalBackend.request_types
    plain = [question.prompt for question in task.questions(Shots(2), types)]
    chat = Chat(ChatTemplate(chat_tokenizer("turns")))
    said = [question.prompt for question in task.questions(Shots(2, chat=chat), types)]
    assert said != plain
    assert [question.prompt for question in task.questions(Shots(2), types)] == plain


@pytest.mark.parametrize(
    ("name", "types", "words"),
    [
        ("whole_text", CausalBackend.request_types, "measures whole texts: there is no question for a chat"),
        ("choice", frozenset({ChooseRequest}), "stand in a prompt, and this model reads none"),
    ],
)
def test_what_has_no_place_for_a_chat(name: str, types: frozenset[type], words: str, world: Path) -> None:
    (task,) = load_harness_tasks(name, [world])
    with pytest.raises(IncompatibleError, match=words):
        task.questions(Shots(chat=Chat(ChatTemplate(chat_tokenizer("turns")))), types)


def test_a_template_that_refuses_is_not_the_fault_of_the_task(world: Path) -> None:
    (task,) = load_harness_tasks("choice", [world])
    chat = Chat(ChatTemplate(chat_tokenizer("{{ raise_exception('never') }}")))
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(IncompatibleError, match=r"chat template.*never"),
    ):
        task.questions(Shots(chat=chat), CausalBackend.request_types)
