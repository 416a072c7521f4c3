"""Any order of starting, appending, failing, finishing and reopening, against a model that is a few dictionaries."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tianti.core.exceptions import StoreError
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Store

TRIALS = st.sampled_from(["a" * 64, "b" * 64])
NUMBERS = st.lists(st.integers(0, 9), max_size=4)


def answer(number: int) -> Answer:
    state = "ok" if number % 4 else "error"
    return Answer(str(number // 2), number % 2, state, f"prompt {number}", "t", position=number // 2)  # type: ignore[arg-type]


def score(metric: str, value: float | None) -> Score:
    return Score(
        metric, value, None, None, 0.95, "none", 1, None, "new items", 0, 0, None, True, "mean", True
    )


class Truth:
    """What a run ought to be."""

    def __init__(self, trial: str) -> None:
        self.trial = trial
        self.state = "running"
        self.attempts = 1
        self.answers: set[int] = set()
        self.scores: dict[str, float | None] = {}


class Machine(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tianti-test-"))
        self.store = Store(self.folder)
        self.runs: dict[str, Truth] = {}

    def unfinished(self, trial: str) -> str | None:
        return next(
            (key for key, run in self.runs.items() if run.trial == trial and run.state != "finished"), None
        )

    def finished(self, trial: str) -> list[str]:
        return [key for key, run in self.runs.items() if run.trial == trial and run.state == "finished"]

    def attempt(self, allowed: bool, action: Callable[[], object]) -> bool:
        """Do it where it is allowed; where not, see that it is refused."""
        if allowed:
            action()
        else:
            with pytest.raises(StoreError):
                action()
        return allowed

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(self.folder)

    @rule(trial=TRIALS)
    def start(self, trial: str) -> None:
        known = self.unfinished(trial)
        run = self.store.start_run(trial, {"trial": trial}, {})
        if known is None:
            assert run.run_id not in self.runs
            self.runs[run.run_id] = Truth(trial)
        else:
            assert run.run_id == known
            self.runs[known].attempts += 1
            self.runs[known].state = "running"

    @rule(trial=TRIALS, numbers=NUMBERS)
    def append(self, trial: str, numbers: list[int]) -> None:
        for key in [self.unfinished(trial), *self.finished(trial)[:1]]:
            if key is not None:
                run = self.runs[key]
                distinct = len(set(numbers)) == len(numbers) and not run.answers & set(numbers)
                allowed = not numbers or (run.state == "running" and distinct)
                answers = [answer(number) for number in numbers]
                if self.attempt(allowed, lambda key=key, answers=answers: self.store.append(key, answers)):  # type: ignore[misc]
                    run.answers |= set(numbers)

    @rule(trial=TRIALS, off_by=st.sampled_from([0, 0, 0, 1]), value=st.none() | st.floats(0, 1))
    def finish(self, trial: str, off_by: int, value: float | None) -> None:
        key = self.unfinished(trial)
        if key is None:
            return
        run = self.runs[key]
        expected = len(run.answers) + off_by
        allowed = run.state == "running" and off_by == 0
        if self.attempt(allowed, lambda: self.store.finish_run(key, [score("acc", value)], {}, expected)):
            run.state = "finished"
            run.scores["acc"] = value
            # The newest finished run stands last.
            self.runs[key] = self.runs.pop(key)

    @rule(trial=TRIALS)
    def fail(self, trial: str) -> None:
        key = self.unfinished(trial)
        if key is not None:
            run = self.runs[key]
            if self.attempt(run.state == "running", lambda: self.store.fail_run(key, "reason")):
                run.state = "failed"

    @rule(trial=TRIALS, metric=st.sampled_from(["acc", "f1"]), value=st.floats(0, 1))
    def score_again(self, trial: str, metric: str, value: float) -> None:
        for key in self.finished(trial)[-1:]:
            self.store.add_scores(key, [score(metric, value)])
            self.runs[key].scores.pop(metric, None)
            self.runs[key].scores[metric] = value

    @invariant()
    def the_store_tells_the_truth(self) -> None:
        if not hasattr(self, "store"):
            return
        found = {run.run_id: run for run in self.store.runs()}
        assert found.keys() == self.runs.keys()
        for key, truth in self.runs.items():
            run = found[key]
            assert (run.trial_id, run.state, run.attempts) == (truth.trial, truth.state, truth.attempts)
            assert run.answers_count == len(truth.answers)
            assert run.errors_count == sum(number % 4 == 0 for number in truth.answers)
            assert self.store.answers(key) == [answer(number) for number in sorted(truth.answers)]
            assert self.store.answered(key) == {(str(n // 2), n % 2) for n in truth.answers}
            assert [(s.metric, s.value) for s in self.store.scores(key)] == list(truth.scores.items())
        for trial in ("a" * 64, "b" * 64):
            standing = self.finished(trial)[-1:] or [self.unfinished(trial)]
            run_found = self.store.find_run(trial)
            assert (run_found.run_id if run_found else None) == standing[0]

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)


def new_machine() -> RuleBasedStateMachine:
    """The machine, from a function: Hypothesis reads the source of what it is given.

    For a class Python 3.11 parses the whole file to find it. That fails now and then, with "SystemError: AST
    constructor recursion depth mismatch", when other code is compiled meanwhile (during a garbage collection, say).
    For a function nothing is parsed.
    """
    return Machine()


def test_the_store_survives_any_order_of_events() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        new_machine,
        settings=settings(
            max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
