"""One trial that is asked some samples now and more later: its run, its adapted model and the answers so far."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tianti.adapt import Adapted
from tianti.adapt.embedding import with_embedder
from tianti.adapt.sizes import shortfall
from tianti.conductor import SMALL_MODEL, Conductor, adapt, set_threads, template_facts
from tianti.core.environment import environment, peak_memory_bytes
from tianti.engine import Backend
from tianti.evaluation.answer import Answer
from tianti.evaluation.bounds import Bounds, bounds_of
from tianti.evaluation.contamination import contamination_facts
from tianti.evaluation.evaluate import SHARD_SIZE, answer_shard
from tianti.evaluation.score import score_answers
from tianti.store import Run
from tianti.study import Trial
from tianti.tasks.task import Question

Placed = tuple[int, Question]
"""A question with its place in the data."""


class Asking:
    """A trial whose samples are asked in an order that is given bit by bit.

    A finished run that has to go on is taken over by a new one, which starts with its answers and supersedes it.
    """

    def __init__(self, trial: Trial, conductor: Conductor) -> None:
        self.trial = trial
        self._conductor = conductor
        self._store = conductor.store
        self._run = self._store.find_run(trial.id)
        found = self._store.answers(self._run.run_id) if self._run else []
        self._answers = {(answer.sample_id, answer.repeat): answer for answer in found}
        self._before = len(self._answers)
        self._open = False
        self._questions: dict[str, list[Placed]] = {}
        self._adapted: Adapted | None = None
        self._prepared = False
        self._seconds = {"adaptation": 0.0, "evaluation": 0.0}

    @property
    def asked_now(self) -> int:
        """How many answers were given since this was made."""
        return len(self._answers) - self._before

    def check(self) -> list[str]:
        """Make the model and the questions ready; the ids of all samples, in the order of the data.

        Raises:
            TiantiError: it cannot be done; `fail` puts the reason on record.
        """
        trial = self.trial
        backend = self._backend()
        loaded = self._conductor.load(trial)
        shots = with_embedder(trial.adaptation.shots(trial.seed or 0, loaded.tokenizer), loaded)
        questions = trial.task.questions(shots, backend.request_types, trial.limit)
        for position, question in enumerate(questions):
            self._questions.setdefault(question.sample_id, []).append((position, question))
        self._rest()
        return list(self._questions)

    def bounds(self) -> Bounds:
        """What the samples asked so far are worth."""
        return bounds_of(self._answers.values(), self.trial.task.metrics[0].name)

    def ask(self, samples: Sequence[str]) -> None:
        """Ask those of these samples that have not been asked.

        They are answered in shards of fixed membership and kept shard by shard, so that a run that was killed and
        goes on asks the same batches.
        """
        started = time.perf_counter()
        questions = [placed for sample in samples for placed in self._questions[sample]]
        for start in range(0, len(questions), SHARD_SIZE):
            left = [each for each in questions[start : start + SHARD_SIZE] if _key(each) not in self._answers]
            if left:
                run_id = self.start().run_id
                answers = answer_shard(self._prepared_backend(), self.trial.task, left)
                self._store.append(run_id, answers)
                self._answers |= {(answer.sample_id, answer.repeat): answer for answer in answers}
        self._seconds["evaluation"] += time.perf_counter() - started
        self._rest()

    def start(self) -> Run:
        """The run that answers are added to."""
        if self._run is None or not self._open:
            self._run = self._store.start_run(self.trial.id, self.trial.manifest, environment())
            there = self._store.answered(self._run.run_id)
            self._store.append(
                self._run.run_id, [answer for key, answer in self._answers.items() if key not in there]
            )
            self._open = True
        return self._run

    def finish(self, facts: Mapping[str, Any]) -> Run:
        """Seal the run with what it has and how it came to stop.

        A finished run that was not asked more stays where it came to stop so; else one with its answers and what they
        took, and with these facts, supersedes it.
        """
        before = self._run if self._run is not None and self._run.state == "finished" else None
        if before is not None and {key: before.cost.get(key) for key in facts} == dict(facts):
            return before
        run = self.start()
        answers = self._store.answers(run.run_id)
        cost = {**before.cost, **facts} if before is not None else {**self._cost(answers), **facts}
        cost |= template_facts(self.trial, answers)
        scores = score_answers(self.trial.task, answers)
        self._run = self._store.finish_run(run.run_id, scores, cost, len(answers))
        self._adapted = None
        return self._run

    def _cost(self, answers: Sequence[Answer]) -> dict[str, Any]:
        trial, adapted = self.trial, self._adapted or self._adapt()
        return {
            "answers_of_earlier_attempts": self._before,
            "adaptation": asdict(adapted.cost),
            "adaptation_seconds": self._seconds["adaptation"],
            "evaluation_seconds": self._seconds["evaluation"],
            "evaluation_tokens": sum(answer.tokens for answer in answers),
            "peak_memory_bytes": peak_memory_bytes(),
            "backend": dict(adapted.backend.facts()),
            **contamination_facts(trial.adaptation, trial.task, trial.seed or 0, answers),
            **shortfall(trial.adaptation, trial.task),
        }

    def fail(self, reason: str) -> Run:
        """Record why the trial cannot be run."""
        return self._store.fail_run(self.start().run_id, reason)

    def _backend(self) -> Backend:
        """The adapted model; made, or loaded again, where it is not in memory."""
        set_threads(self.trial.model)
        if self._adapted is None:
            self._adapted = self._adapt()
        return self._adapted.backend

    def _prepared_backend(self) -> Backend:
        """The adapted model, which has read what the questions have in common: always those of the first shard."""
        backend = self._backend()
        if not self._prepared:
            placed = [each for questions in self._questions.values() for each in questions][:SHARD_SIZE]
            backend.prepare([request for _, question in placed for request in question.requests])
            self._prepared = True
        return backend

    def _adapt(self) -> Adapted:
        trial, started = self.trial, time.perf_counter()
        loaded = self._conductor.load(trial)
        trial.adaptation.check(loaded, trial.task)
        adapted = adapt(trial, loaded, self._store, self._conductor.progress)
        self._seconds["adaptation"] += time.perf_counter() - started
        self._prepared = False
        return adapted

    def _rest(self) -> None:
        """Let go of a large model: another one has to fit into memory."""
        if (self.trial.model.parameters or 0) >= SMALL_MODEL:
            self._adapted = None


def _key(placed: Placed) -> tuple[str, int]:
    return placed[1].sample_id, placed[1].repeat
