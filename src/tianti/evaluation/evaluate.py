"""One adapted model meets one task: questions → requests → responses → answers.

Questions are answered in shards of fixed membership: the shard of a question depends on its place in the data alone.
A shard is answered whole and handed on whole, so that a run that was killed and resumed asks the model exactly the
batches that an undisturbed run would have asked, and gets the same numbers bit for bit. For the same reason what all
questions have in common (few-shot examples, say) is always found in the first shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace

from tianti.engine import Backend, Failure, Response
from tianti.evaluation.answer import Answer
from tianti.tasks.task import Question, Shots, Task

SHARD_SIZE = 64
"""Questions of a shard: enough for full batches, few enough that little is lost when a run is killed."""


def evaluate(
    backend: Backend,
    task: Task,
    shots: Shots,
    limit: int | None = None,
    answered: frozenset[tuple[str, int]] = frozenset(),
) -> Iterator[list[Answer]]:
    """Yield the answers of one shard after another, leaving out shards that are answered already.

    Args:
        answered: (sample id, repeat) of the answers that are on disk. They always make up whole shards.
    """
    questions = task.questions(shots, backend.request_types, limit)
    first: list[tuple[int, Question]] | None = None
    prepared = False
    for shard in _shards(enumerate(questions)):
        first = first or shard
        if any((question.sample_id, question.repeat) not in answered for _, question in shard):
            if not prepared:
                backend.prepare([request for _, question in first for request in question.requests])
                prepared = True
            yield answer_shard(backend, task, shard)


def answer_shard(backend: Backend, task: Task, shard: Sequence[tuple[int, Question]]) -> list[Answer]:
    """The answers to the questions of one shard, each given with its position in the data."""
    requests = [request for _, question in shard for request in question.requests]
    responses: dict[int, Response] = dict(backend.answer(requests))
    answers, start = [], 0
    for position, question in shard:
        end = start + len(question.requests)
        answers.append(_answer(task, question, position, [responses[index] for index in range(start, end)]))
        start = end
    return answers


def _answer(task: Task, question: Question, position: int, responses: Sequence[Response]) -> Answer:
    asked = Answer(
        sample_id=question.sample_id,
        repeat=question.repeat,
        state="ok",
        prompt=question.prompt,
        target=question.target,
        cluster=question.cluster,
        position=position,
        tokens=sum(response.tokens for response in responses),
        responses=tuple(asdict(response) for response in responses),
    )
    failures = [response for response in responses if isinstance(response, Failure)]
    if failures:
        # One request that the model failed on makes the whole sample an error; only then does "skipped" count.
        failure = next((failure for failure in failures if failure.state == "error"), failures[0])
        return replace(asked, state=failure.state, reason=failure.reason)
    grade = task.grade(question, responses)
    return replace(asked, prediction=grade.prediction, values=grade.values)


def _shards(questions: Iterable[tuple[int, Question]]) -> Iterator[list[tuple[int, Question]]]:
    shard: list[tuple[int, Question]] = []
    for item in questions:
        shard.append(item)
        if len(shard) == SHARD_SIZE:
            yield shard
            shard = []
    if shard:
        yield shard
