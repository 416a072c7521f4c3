"""The benchmarks measure what they say: lengths, counts and agreement, on the smallest shapes. No time is looked at."""

from __future__ import annotations

import importlib.util
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from language import Language, make_language  # noqa: E402
from measure import make_shape, measure, measure_growth  # noqa: E402
from networks import make_network, vocabulary_of  # noqa: E402
from peers import ROWS, Ours, compare, fastest_rows  # noqa: E402
from report import HEADINGS, Memory, Results, row_cells  # noqa: E402
from shapes import LINEAR, SHAPES, make_choices  # noqa: E402
from work import count_work  # noqa: E402

MODEL = "tiny-2k"


@pytest.fixture(scope="module")
def language() -> Language:
    return make_language(vocabulary_of(MODEL))


@pytest.fixture(scope="module")
def network() -> Any:
    return make_network(MODEL)


def test_texts_have_the_lengths_asked_for(language: Language) -> None:
    draw = random.Random(0)
    for tokens in (2, 3, 17, 200):
        parts = [language.passage(draw, tokens), language.passage(draw, tokens), language.phrase(draw, 5)]
        for part in parts:
            language_text = language.tokenizer.decode(language.tokenizer(part)["input_ids"])
            assert language_text == part
        assert len(language.tokenizer("".join(parts))["input_ids"]) == 2 * tokens + 5
    assert len(language.tokenizer) == 2000
    assert len(language.tokenizer(" A B")["input_ids"]) == 2


@pytest.mark.parametrize("name", [name for name, lengths in SHAPES.items() if not lengths.written])
def test_work_is_what_the_texts_hold(name: str, language: Language) -> None:
    shape = make_choices(name, SHAPES[name].small(), language)
    prefixes: set[tuple[int, ...]] = set()
    scored: set[tuple[int, ...]] = set()
    rows = set()
    for request in shape.requests:
        before = language.tokenizer(request.context)["input_ids"]
        whole = language.tokenizer(request.context + request.continuation)["input_ids"]
        rows.add(tuple(whole[:-1]))
        prefixes |= {tuple(whole[:end]) for end in range(1, len(whole))}
        scored |= {tuple(whole[:end]) for end in range(len(before), len(whole))}
    work = count_work(shape, language.tokenizer)
    assert (work.distinct, work.scored, work.apart) == (len(prefixes), len(scored), sum(map(len, rows)))


def test_full_shapes_have_the_lengths_of_their_tasks(language: Language) -> None:
    lengths = SHAPES["letters"]
    work = count_work(make_choices("letters", lengths, language), language.tokenizer)
    per_question = (work.distinct - lengths.shared) / lengths.questions
    assert per_question == pytest.approx(83, abs=2)
    assert work.apart / lengths.questions == pytest.approx(464 + 83, abs=2)


@pytest.mark.parametrize("name", SHAPES)
def test_a_row(name: str, language: Language, network: Any) -> None:
    lengths = replace(SHAPES[name].small(), questions=3)
    shape = make_shape(name, lengths, language, network)
    row = measure(MODEL, shape, language.tokenizer, network, repeat=2, rows=4)
    assert row.agreement.agree
    assert row.questions == 3
    assert len(row.ours) == len(row.harness) == len(row.limit) == 2
    assert len(row_cells(row, 1e12)) == len(HEADINGS)
    results = Results("command", "float32", "cpu", 2, rows=[row], memory=[Memory(MODEL, name, 4, 1, None)])
    assert f"| {MODEL} | {name} | 3 |" in results.as_markdown()
    assert results.as_json()["agree"]


def test_answers_end_where_the_drafts_said(language: Language, network: Any) -> None:
    shape = make_shape("answers", replace(SHAPES["answers"].small(), questions=6), language, network)
    found = dict(Ours(network, language.tokenizer).backend.answer(shape.requests))
    assert len({request.stop for request in shape.requests}) == 1
    assert len(set(shape.written)) > 2
    for index, (request, written) in enumerate(zip(shape.requests, shape.written, strict=True)):
        prompt = language.tokenizer(request.context)["input_ids"]
        assert found[index].tokens == len(prompt) + written


def test_the_batch_size_of_the_harness_is_searched(language: Language, network: Any) -> None:
    shape = make_choices("text", replace(SHAPES["text"].small(), questions=2), language)
    work = count_work(shape, language.tokenizer)
    assert fastest_rows(network, language.tokenizer, shape, work) in ROWS[:3]


def test_growth_says_what_planning_takes_or_nothing(language: Language, network: Any) -> None:
    shape = make_choices("linear", replace(LINEAR, questions=5), language)
    growth = measure_growth(MODEL, shape, language.tokenizer, network, repeat=1)
    assert growth.questions == 5
    assert growth.planning is None or 0 <= growth.planning <= 1


def test_different_answers_disagree() -> None:
    assert compare([(-10.0, False)], [(-10.0005, False)], exact=True).agree
    assert not compare([(-10.0, False)], [(-10.01, False)], exact=True).agree
    assert not compare([(float("nan"), False)], [(-10.0, False)], exact=True).agree
    assert not compare([(-10.0, True)], [(-10.0, False)], exact=True).agree
    assert not compare(["a"], ["b"], exact=True).agree
    assert compare(["a", "c"], ["b", "c"], exact=False).equal == 1


@pytest.mark.parametrize("side", ["ours", "harness"])
def test_peak_of_memory(side: Any) -> None:
    """In this process: a child takes ten seconds to import what it needs."""
    import memory
    import torch

    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("peaks are read from Linux's /proc")
    ask = memory.Ask(side, MODEL, "letters", True, "float32", "cpu", torch.get_num_threads(), 4)
    peak = memory.measure(ask)
    assert peak is not None
    assert 0 <= peak < 1 << 30


def test_bad_input_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("benchmarks_engine", BENCHMARKS / "engine.py")
    assert spec is not None
    assert spec.loader is not None
    command = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(command)
    with pytest.raises(SystemExit):
        command.read_arguments(["--only", "letters,lettres"])
    assert "no lettres; expected some of letters" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.read_arguments(["--models", "34m-32k,35m-32k"])
    assert "no model '35m-32k': expected one of" in capsys.readouterr().err
