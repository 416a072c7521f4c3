from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tianti.engine import Failure, Request, Response, ScoreRequest, ScoreResponse
from tianti.engine.causal import CausalBackend
from tianti.engine.fake import FakeBackend
from tianti.evaluation.evaluate import SHARD_SIZE, evaluate
from tianti.evaluation.score import score_answers
from tianti.store.codec import answer_from_text, answer_to_text
from tianti.tasks.metrics import mean
from tianti.tasks.task import Example, Grade, Metric, Question, Shots, TaskInfo
from tianti.tasks.task_file import parse_task_file
from tianti.tasks.yaml_task import YamlTask
from tiny import tiny_llama, tiny_tokenizer


@dataclass
class CountingTask:
    """Sample i has i % 3 + 1 choices; its value is 1 when the first is the likeliest."""

    samples: int
    clustered: bool = False
    info: TaskInfo = field(default_factory=lambda: TaskInfo("counting", "multiple-choice"))
    fingerprint: str = "f" * 64
    metrics: tuple[Metric, ...] = (Metric("acc", mean, chance=0.5),)

    def count(self, limit: int | None = None) -> int:
        return self.samples if limit is None else min(limit, self.samples)

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        for index in range(self.count(limit)):
            requests = tuple(
                ScoreRequest(f"question {index}", f" {choice}") for choice in range(index % 3 + 1)
            )
            yield Question(
                str(index),
                requests,
                f"question {index}",
                " 0",
                cluster=str(index // 4) if self.clustered else "",
            )

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        logprobs = [response.logprob for response in responses if isinstance(response, ScoreResponse)]
        assert len(logprobs) == len(question.requests)
        best = logprobs.index(max(logprobs))
        return Grade(str(best), {"acc": float(best == 0)})

    def examples(self, split: str) -> list[Example]:
        return []


class FailingBackend(FakeBackend):
    """Refuses the requests that mention one of the given samples."""

    def __init__(self, failures: dict[str, Failure]) -> None:
        super().__init__()
        self.failures = failures

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Response]]:
        for index, response in super().answer(requests):
            request = requests[index]
            assert isinstance(request, ScoreRequest)
            yield index, self.failures.get(request.context, response)


@given(st.integers(0, 3 * SHARD_SIZE + 5), st.integers(1, 200))
def test_every_sample_is_answered_once_in_order(samples: int, limit: int) -> None:
    task = CountingTask(samples)
    answers = [answer for shard in evaluate(FakeBackend(), task, Shots(), limit) for answer in shard]
    assert [answer.position for answer in answers] == list(range(min(samples, limit)))
    assert [answer.sample_id for answer in answers] == [str(index) for index in range(min(samples, limit))]


@given(st.sets(st.integers(0, 4)))
def test_what_is_answered_is_not_asked_again_and_the_rest_is_the_same(shards_done: set[int]) -> None:
    task = CountingTask(5 * SHARD_SIZE - 7)
    whole = list(evaluate(FakeBackend(), task, Shots()))
    done = frozenset((answer.sample_id, 0) for number in shards_done for answer in whole[number])
    backend = FakeBackend()
    rest = list(evaluate(backend, task, Shots(), None, done))
    assert rest == [shard for number, shard in enumerate(whole) if number not in shards_done]
    assert backend.requests_answered == sum(len(answer.responses) for shard in rest for answer in shard)


@pytest.mark.parametrize("shards_done", [{}, {0}, {0, 1, 2}])
def test_a_run_that_goes_on_prepares_with_the_first_shard(shards_done: set[int]) -> None:
    task = CountingTask(3 * SHARD_SIZE)
    prepared: list[Sequence[Request]] = []
    backend = FakeBackend()
    backend.prepare = prepared.append  # type: ignore[method-assign]
    whole = list(evaluate(FakeBackend(), task, Shots()))
    done = frozenset((answer.sample_id, 0) for number in shards_done for answer in whole[number])
    list(evaluate(backend, task, Shots(), None, done))
    first = [
        request for q in list(task.questions(Shots(), frozenset()))[:SHARD_SIZE] for request in q.requests
    ]
    assert prepared == ([] if len(shards_done) == 3 else [first])


def test_a_failure_is_never_a_wrong_answer() -> None:
    failures = {"question 1": Failure("skipped", "too long"), "question 2": Failure("error", "non_finite")}
    (answers,) = evaluate(FailingBackend(failures), CountingTask(6), Shots())
    assert [answer.state for answer in answers] == ["ok", "skipped", "error", "ok", "ok", "ok"]
    assert answers[1].reason == "too long"
    assert not answers[1].values
    (score,) = score_answers(CountingTask(6), answers)
    assert (score.n, score.skipped, score.errors) == (4, 1, 1)
    values = [answer.values["acc"] for answer in answers if answer.state == "ok"]
    assert score.value == sum(values) / 4
    assert score.low is not None
    assert score.high is not None
    assert score.low <= score.value <= score.high


def test_a_score_without_answers_is_missing_not_zero() -> None:
    failures = {f"question {index}": Failure("error", "non_finite") for index in range(3)}
    (answers,) = evaluate(FailingBackend(failures), CountingTask(3), Shots())
    (score,) = score_answers(CountingTask(3), answers)
    assert score.value is None
    assert score.low is None
    assert score.errors == 3


def test_clusters_reach_the_interval() -> None:
    (answers,) = evaluate(FakeBackend(), CountingTask(40, clustered=True), Shots())
    (score,) = score_answers(CountingTask(40), answers)
    assert score.clusters == 10


def test_responses_are_kept_as_json_objects() -> None:
    (answers,) = evaluate(FakeBackend(), CountingTask(3), Shots())
    response: Any = answers[2].responses[0]
    assert response["logprob"] == sum(response["token_logprobs"])
    assert len(answers[2].responses) == 3


def test_repeats_of_a_sample_are_one_item() -> None:
    (answers,) = evaluate(FakeBackend(), CountingTask(30), Shots())
    (once,) = score_answers(CountingTask(30), answers)
    twice = [replace(answer, repeat=repeat) for answer in answers for repeat in (0, 1)]
    (again,) = score_answers(CountingTask(30), twice)
    assert (again.n, again.value, again.low, again.high) == (once.n, once.value, once.low, once.high)


def test_thoughts_and_repeats_are_kept_with_the_answer(tmp_path: Path) -> None:
    rows = [{"q": "Where does Anna work?", "a": "in the mill"}, {"q": "What does Ben read?", "a": "letters"}]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    file = parse_task_file(
        {
            "task": "asked",
            "kind": "question-answering",
            "data": "test.jsonl",
            "doc_to_text": "{{q}}",
            "doc_to_target": "a",
            "repeats": 3,
            "thinking": {"max_tokens": 5},
            "generation_kwargs": {"max_gen_toks": 4, "do_sample": True, "temperature": 1.0},
            "metric_list": ["exact_match", "majority_vote", "pass@2"],
        },
        "asked.yaml",
    )
    task = YamlTask(file, tmp_path / "asked.yaml")
    backend = CausalBackend(tiny_llama(), tiny_tokenizer())
    answers = [answer for shard in evaluate(backend, task, Shots()) for answer in shard]
    stored = [answer_from_text(answer_to_text(answer)) for answer in answers]
    assert stored == answers
    for answer in stored:
        assert answer.state == "ok"
        assert len({response["thought"] for response in answer.responses}) == 3
        assert all(response["thought_truncated"] for response in answer.responses)
        assert all(response["thought"] not in response["text"] for response in answer.responses)
    assert [score.metric for score in score_answers(task, stored)] == list(file.metric_names)
    assert all(score.value == 0 and score.n == 2 for score in score_answers(task, stored))
