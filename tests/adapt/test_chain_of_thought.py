"""Chain of thought and self-consistency, and which settings of prompts are part of a manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tianti.adapt import FewShot, ZeroShot, label, parse_adaptation, settings
from tianti.core.exceptions import InputError
from tianti.core.progress import Silent
from tianti.engine import GenerateRequest
from tianti.evaluation.evaluate import evaluate
from tianti.tasks import load_tasks
from tianti.tasks.wording import Thought


def test_settings_that_are_not_used_are_no_part_of_a_manifest() -> None:
    assert settings(ZeroShot()) == {}
    assert settings(FewShot()) == {"k": 4, "selection": "random"}
    assert settings(ZeroShot(template="all", instruction="Do.")) == {"template": "all", "instruction": "Do."}


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("chain-of-thought", Thought(None, 256)),
        ("chain-of-thought(trigger=none, max_tokens=8)", Thought("", 8)),
        ("self-consistency(n=4, trigger='Think.')", Thought("Think.", 256, 4, 0.7, 1.0)),
    ],
)
def test_how_chains_are_written(text: str, thought: Thought) -> None:
    adaptation = parse_adaptation(text)
    assert adaptation.shots(0).wording.thought == thought
    assert parse_adaptation(label(adaptation)) == adaptation


def test_what_is_drawn_depends_on_the_seed() -> None:
    seeded = {text: parse_adaptation(text).seeded for text in ("chain-of-thought", "chain-of-thought(k=2)")}
    assert seeded == {"chain-of-thought": False, "chain-of-thought(k=2)": True}
    assert parse_adaptation("self-consistency").seeded


@pytest.mark.parametrize(
    "text", ["chain-of-thought(calibrate=true)", "self-consistency(n=1)", "chain-of-thought(k=-1)"]
)
def test_settings_without_meaning_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_adaptation(text)


@pytest.mark.parametrize("network", ["llama", "t5", "masked"])
@pytest.mark.parametrize(
    "text",
    [
        "zero-shot(template=all, calibrate=true)",
        "few-shot(k=2, selection=balanced, calibrate=true)",
        "zero-shot(instruction=true)",
        "self-consistency(n=2, max_tokens=4)",
    ],
)
@pytest.mark.parametrize("name", ["nano/sentiment", "nano/sentiment-zh"])
def test_each_network_is_asked_so(
    network: str, text: str, name: str, model: Callable[[str], Any], tmp_path: Path
) -> None:
    loaded, adaptation = model(network), parse_adaptation(text)
    (task,) = load_tasks(name)
    backend = adaptation.adapt(loaded, task, 0, tmp_path, Silent()).backend
    if "consistency" in text and GenerateRequest not in backend.request_types:
        with pytest.raises(Exception, match="writes nothing"):
            list(evaluate(backend, task, adaptation.shots(0), 2))
        return
    answers = [answer for shard in evaluate(backend, task, adaptation.shots(0), 2) for answer in shard]
    assert len(answers) == (6 if "all" in text else 2)
    assert all(each.state in ("ok", "skipped") for each in answers)
