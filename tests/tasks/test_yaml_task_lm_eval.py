"""The same file gives lm-evaluation-harness the same prompts, continuations, stops and sample values."""

from __future__ import annotations

from typing import Any

import pytest

from chats import Messages
from tianti.core.exceptions import IncompatibleError
from tianti.engine import (
    ChooseRequest,
    GenerateRequest,
    GenerateResponse,
    RollingRequest,
    RollingResponse,
    ScoreRequest,
    ScoreResponse,
)
from tianti.engine.fake import FakeBackend
from tianti.tasks import Shots
from tianti.tasks.chat import Chat
from tianti.tasks.task_file import TaskFile, parse_task_file
from tianti.tasks.yaml_task import YamlTask

lm_eval_task = pytest.importorskip("lm_eval.api.task")

TRAIN = [
    {
        "q": f"Is {n} even?",
        "choices": ["no", "yes", f"at times {n}"],
        "gold": (n + 1) % 2,
        "word": "yes" if n % 2 == 0 else "no",
    }
    for n in range(6)
]
TEST = [
    {"q": f"Is {n} even?\n", "choices": ["never", "yes", "表示"], "gold": n % 3, "word": "no"}
    for n in range(20, 26)
]
FILES: dict[str, dict[str, Any]] = {
    "numbered labels": {
        "kind": "classification",
        "doc_to_text": "Q: {{q}}\nA:",
        "doc_to_target": "{{gold % 2}}",
        "doc_to_choice": ["no", "yes"],
        "description": "Answer for {{q}}.\n\n",
        "metric_list": ["acc", "acc_norm", "acc_bytes"],
    },
    "named labels": {
        "kind": "classification",
        "doc_to_text": "q",
        "doc_to_target": "word",
        "doc_to_choice": ["no", "yes"],
        "target_delimiter": "",
        "fewshot_delimiter": "###",
        "metric_list": ["acc"],
    },
    "choices in a column": {
        "kind": "multiple-choice",
        "doc_to_text": "{{q}}",
        "doc_to_target": "gold",
        "doc_to_choice": "choices",
        "metric_list": ["acc", "acc_norm", "acc_bytes"],
    },
    "choices in a template": {
        "kind": "multiple-choice",
        "doc_to_text": "{{q | trim}} ",
        "doc_to_target": "{{gold}}",
        "doc_to_choice": "{{ choices[::-1] }}",
        "description": "q",
        "metric_list": ["acc"],
    },
    "answers": {
        "kind": "question-answering",
        "doc_to_text": "{{q}} A:",
        "doc_to_target": "{{ [word, 'maybe'] }}",
        "generation_kwargs": {"until": ["\n", "."], "max_gen_toks": 4, "temperature": 0.0},
        "metric_list": ["exact_match"],
    },
    "one answer": {
        "kind": "question-answering",
        "doc_to_text": "{{q}} A:",
        "doc_to_target": "word",
        "metric_list": ["exact_match"],
    },
    "whole texts": {"kind": "language-modelling", "doc_to_target": "{{q}} {{word}}\n"},
}
OUTPUT_TYPES = {
    "classification": "multiple_choice",
    "multiple-choice": "multiple_choice",
    "question-answering": "generate_until",
    "language-modelling": "loglikelihood_rolling",
}


def ours(keys: dict[str, Any], tmp_path) -> YamlTask:
    import json

    for split, rows in (("train", TRAIN), ("test", TEST)):
        (tmp_path / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = {"train": "train.jsonl", "test": "test.jsonl"}
    return YamlTask(parse_task_file({"task": "t", "data": data} | keys, "t.yaml"), tmp_path / "t.yaml")


def theirs(file: TaskFile) -> Any:
    import datasets

    data = {"train": datasets.Dataset.from_list(TRAIN), "test": datasets.Dataset.from_list(TEST)}
    config = {
        "task": "t",
        "custom_dataset": lambda **_: data,
        "training_split": "train",
        "test_split": "test",
        "fewshot_split": "train",
        "output_type": OUTPUT_TYPES[file.kind],
        "fewshot_config": {"sampler": "first_n"},
        "metric_list": [{"metric": name} for name in file.metric_names],
    }
    for key in (
        "doc_to_text",
        "doc_to_target",
        "doc_to_choice",
        "description",
        "target_delimiter",
        "fewshot_delimiter",
    ):
        config[key] = getattr(file, key)
    if "generation_kwargs" in file.model_fields_set:
        config["generation_kwargs"] = file.generation_kwargs.model_dump(
            include={"until", "max_gen_toks", "temperature"}
        )
    return lm_eval_task.ConfigurableTask(config=config)


def as_lm_eval(response: Any) -> Any:
    match response:
        case ScoreResponse():
            return (response.logprob, response.is_greedy)
        case RollingResponse():
            return response.logprob
        case GenerateResponse():
            return response.text


CASES = [(name, shots) for name in FILES for shots in (0, 1, 3) if shots == 0 or name != "whole texts"]


@pytest.mark.parametrize(("name", "shots"), CASES)
def test_prompts_requests_and_values_are_those_of_lm_eval(name, shots, tmp_path):
    task = ours(FILES[name], tmp_path)
    reference = theirs(task.file)
    backend = FakeBackend(default_reply="no")
    questions = list(
        task.questions(Shots(shots, "first"), frozenset({ScoreRequest, GenerateRequest, RollingRequest}))
    )
    for question, doc in zip(questions, reference.test_docs(), strict=True):
        context = reference.fewshot_context(doc, shots)
        if task.kind.takes_shots:
            assert question.prompt == context
        instances = reference.construct_requests(doc, context)
        instances = instances if isinstance(instances, list) else [instances]
        for request, instance in zip(question.requests, instances, strict=True):
            assert_same_request(request, instance)
        responses = [response for _, response in backend.answer(question.requests)]
        expected = reference.process_results(doc, [as_lm_eval(response) for response in responses])
        found = task.grade(question, responses).values
        assert {name: pytest.approx(value) for name, value in expected.items()} == {
            name: tuple(value) if isinstance(value, list) else value for name, value in found.items()
        }


@pytest.mark.parametrize(("name", "shots"), [case for case in CASES if case[0] != "whole texts"])
@pytest.mark.parametrize(("multiturn", "system"), [(True, None), (True, "Be brief."), (False, "Be brief.")])
def test_messages_are_those_of_lm_eval(name, shots, multiturn, system, tmp_path):
    task = ours(FILES[name], tmp_path)
    reference = theirs(task.file)
    said, expected = Messages(), Messages()
    chat = Chat(said, system, multiturn)
    questions = task.questions(Shots(shots, "first", chat=chat), frozenset({ScoreRequest, GenerateRequest}))
    for question, doc in zip(questions, reference.test_docs(), strict=True):
        context = reference.fewshot_context(
            doc,
            shots,
            system_instruction=system,
            apply_chat_template=True,
            fewshot_as_multiturn=multiturn,
            chat_template=expected,
        )
        assert said.seen[-1] == expected.seen[-1]
        assert question.prompt == context
        instances = reference.construct_requests(doc, context, apply_chat_template=True)
        instances = instances if isinstance(instances, list) else [instances]
        for request, instance in zip(question.requests, instances, strict=True):
            assert_same_request(request, instance)


@pytest.mark.parametrize(
    ("name", "types", "words"),
    [
        ("whole texts", {RollingRequest, ScoreRequest}, "no question for a chat"),
        ("one answer", {ChooseRequest}, "a chat is held in a prompt"),
    ],
)
def test_what_has_no_place_for_a_chat(name, types, words, tmp_path):
    with pytest.raises(IncompatibleError, match=words):
        ours(FILES[name], tmp_path).questions(Shots(chat=Chat(Messages())), frozenset(types))


def assert_same_request(request: Any, instance: Any) -> None:
    match request:
        case ScoreRequest(context, continuation):
            assert (instance.request_type, instance.args) == ("loglikelihood", (context, continuation))
        case RollingRequest(text):
            assert (instance.request_type, instance.args) == ("loglikelihood_rolling", (text,))
        case GenerateRequest(context):
            prompt, settings = instance.args
            assert (instance.request_type, prompt) == ("generate_until", context)
            assert list(request.stop) == settings["until"]
            assert request.max_tokens == settings.get("max_gen_toks", 256)
            assert request.temperature == settings.get("temperature", 0)
