"""Synthetic studies for tests of board and web: entries with a known chance of being right on each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tianti.board.entries import Price
from tianti.board.results import Items, Result
from tianti.core.fingerprint import fingerprint
from tianti.evaluation.answer import Answer
from tianti.evaluation.score import Score
from tianti.store import Run, Store

ACCURACY = {"name": "acc", "higher_is_better": True, "chance": 0.5, "scale": "proportion"}
PERPLEXITY = {"name": "perplexity", "higher_is_better": False, "chance": None, "scale": "ratio"}


@dataclass
class World:
    """Makes results and runs. Items of a task have a difficulty that all entries share."""

    seed: int = 0
    items: int = 100
    metrics: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def task(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "reference": name,
            "include": [],
            "kind": "choice",
            "language": self.languages.get(name, "en"),
            "split": "test",
            "version": "1",
            "fingerprint": fingerprint(name),
            "metrics": [dict(self.metrics.get(name, ACCURACY))],
        }

    def model(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "reference": name,
            "source": "folder",
            "architecture": "causal",
            "fingerprint": fingerprint(name),
            "revision": None,
            "parameters": 1_000_000,
        }

    def values(self, model: str, adaptation: str, task: str, seed: int | None, chance: float) -> np.ndarray:
        difficulty = np.random.default_rng([self.seed, 1, int(fingerprint(task)[:8], 16)]).normal(
            size=self.items
        )
        key = int(fingerprint([model, adaptation, task, seed])[:8], 16)
        logit = np.log(chance / (1 - chance)) * 1.2 if 0 < chance < 1 else 99.0 * (1 if chance else -1)
        noise = np.random.default_rng([self.seed, 2, key]).random(self.items)
        return (noise < 1 / (1 + np.exp(-(logit - difficulty)))).astype(float)

    def result(
        self,
        model: str,
        adaptation: str = "zero-shot",
        task: str = "sentiment",
        chance: float = 0.7,
        *,
        seed: int | None = None,
        limit: int | None = None,
        items: Items | None = None,
        value: float | None = None,
        **changes: Any,
    ) -> Result:
        """A finished run. `value` makes it one of a metric that is no mean over items."""
        self.number += 1
        if items is None and value is None:
            values = self.values(model, adaptation, task, seed, chance)[:limit]
            items = Items(tuple(f"{task}-{index}" for index in range(len(values))), values)
        facts: dict[str, Any] = {
            "run_id": f"run{self.number:09d}",
            "state": "finished",
            "reason": "",
            "started_at": f"2026-01-01T00:00:{self.number:06d}",
            "model": self.model(model),
            "adaptation": {
                "name": adaptation.partition("(")[0],
                "label": adaptation,
                "settings": {"of": adaptation},
            },
            "task": self.task(task),
            "seed": seed,
            "limit": limit,
            "score": self.score(float(items.values.mean()) if items else value, task),
            "items": items,
            "price": Price(1000, 2.0, 1.0, 500, 700),
        }
        return Result(**{**facts, **changes})

    def failed(self, model: str, adaptation: str, task: str, reason: str, state: str = "failed") -> Result:
        return self.result(
            model,
            adaptation,
            task,
            score=None,
            items=None,
            value=0.0,
            state=state,
            reason=reason,
            price=Price(),
        )

    def score(self, value: float | None, task: str, **changes: Any) -> Score:
        metric = self.metrics.get(task, ACCURACY)
        facts: dict[str, Any] = {
            "metric": metric["name"],
            "value": value,
            "low": None if value is None else value * 0.9,
            "high": None if value is None else value * 1.1,
            "level": 0.95,
            "method": "Wilson",
            "n": self.items,
            "clusters": None,
            "target": "new items",
            "errors": 0,
            "skipped": 0,
            "chance": metric["chance"],
            "higher_is_better": metric["higher_is_better"],
            "scale": metric["scale"],
            "main": True,
        }
        return Score(**{**facts, **changes})

    def manifest(self, model: str, adaptation: str, task: str, seed: int | None) -> dict[str, Any]:
        return {
            "manifest_version": 1,
            "model": self.model(model),
            "adaptation": {
                "name": adaptation.partition("(")[0],
                "label": adaptation,
                "settings": {"of": adaptation},
            },
            "task": self.task(task),
            "seed": seed,
            "limit": None,
            "engine": {"dtype": "auto"},
        }

    def record(
        self,
        store: Store,
        model: str,
        adaptation: str = "zero-shot",
        task: str = "sentiment",
        chance: float = 0.7,
        *,
        seed: int | None = None,
        prompt: str = "Is it good?",
        prediction: str = "",
        further: Sequence[Score] = (),
        learned: Mapping[str, Any] | None = None,
    ) -> Run:
        """Write a finished run into a store; `further` are scores of metrics that do not rank, `learned` is more of
        what making the model ready took."""
        manifest = self.manifest(model, adaptation, task, seed)
        run = store.start_run(fingerprint(manifest), manifest, {"versions": {"tianti": "0"}, "cores": 2})
        values = self.values(model, adaptation, task, seed, chance)
        answers = [
            Answer(
                sample_id=str(index),
                repeat=0,
                state="ok",
                prompt=f"{prompt} {index}",
                target="yes",
                prediction=prediction or ("yes" if value else "no"),
                values={self.metrics.get(task, ACCURACY)["name"]: float(value)},
                responses=({"logprob": -0.5},),
                tokens=5,
                position=index,
            )
            for index, value in enumerate(values)
        ]
        answers[-1] = Answer(
            str(self.items - 1), 0, "skipped", prompt, "yes", reason="too long", position=self.items - 1
        )
        answers[-2] = Answer(
            str(self.items - 2), 0, "error", prompt, "yes", reason="NaN", position=self.items - 2
        )
        store.append(run.run_id, answers)
        score = self.score(float(values[:-2].mean()), task, errors=1, skipped=1, n=self.items - 2)
        cost = {
            "adaptation": {"trainable_parameters": 10, "seconds": 1.5, "tokens": 9, **(learned or {})},
            "evaluation_seconds": 0.5,
            "evaluation_tokens": 100,
            "peak_memory_bytes": 10**8,
        }
        return store.finish_run(run.run_id, [score, *further], cost, len(answers))

    def record_failure(self, store: Store, model: str, adaptation: str, task: str, reason: str) -> Run:
        manifest = self.manifest(model, adaptation, task, None)
        run = store.start_run(fingerprint(manifest), manifest, {})
        return store.fail_run(run.run_id, reason)
