from __future__ import annotations

import csv
import json

import numpy as np
import pyarrow as pa
import pytest

import tianti
from battlefields import fight
from real_data_folder import REAL_DATA
from tianti.board.battles.terminal import to_text
from tianti.core.exceptions import InputError, UnknownNameError

LLMFAO = REAL_DATA / "pairwise_llmfao"
NAMES = np.array(["alpha", "beta", "gamma", "delta"])
WORDS = np.array(["left", "right", "tie"])


def table(n=400, seed=0, **options):
    battles = fight(np.random.default_rng(seed), np.array([1.0, 0.3, 0.0, -0.8]), n, nu=0.6, **options)
    columns = {
        "left": NAMES[battles.first], "right": NAMES[battles.second], "winner": WORDS[battles.outcome],
    }  # fmt: skip
    if battles.clusters:
        columns["voter"] = [f"v{code}" for code in battles.clusters[0]]
    return pa.table(columns)


def test_a_board_of_battles():
    found = tianti.rate_battles(table(votes=10))
    assert found.models[0].name == "alpha"
    assert [model.rank for model in found.models] == [1, 2, 3, 4]
    assert np.mean([model.rating for model in found.models]) == pytest.approx(1000)
    for model in found.models:
        assert model.low < model.rating < model.high
        assert model.rank_low <= model.rank <= model.rank_high
        assert model.battles == model.wins + model.losses + model.ties
    assert sum(model.battles for model in found.models) == 2 * found.n == 800
    assert [(each.column, each.groups) for each in found.clusters] == [("voter", 40)]
    assert (found.family, found.target, found.level) == (12, "new battles of the same kind", 0.95)
    assert 0 < found.unseat.votes < 200
    assert found.win_probability[0][0] is None
    assert 0.5 < found.win_probability[0][3] < 1


def test_an_anchor_moves_all_and_changes_no_rank():
    free, held = tianti.rate_battles(table()), tianti.rate_battles(table(), anchor="beta")
    by_name = {model.name: model for model in held.models}
    assert (by_name["beta"].rating, by_name["beta"].low, by_name["beta"].high) == (1000, 1000, 1000)
    shift = {round(by_name[model.name].rating - model.rating, 6) for model in free.models}
    assert len(shift) == 1
    assert [(m.name, m.rank_low, m.rank_high) for m in free.models] == [
        (m.name, m.rank_low, m.rank_high) for m in held.models
    ]
    with pytest.raises(UnknownNameError, match="did you mean 'beta'"):
        tianti.rate_battles(table(), anchor="betta")


def test_the_order_of_rows_changes_no_byte():
    votes = table(votes=10)
    shuffled = votes.take(np.random.default_rng(1).permutation(votes.num_rows))
    assert tianti.rate_battles(votes).to_json() == tianti.rate_battles(shuffled).to_json()


def test_json_says_how_the_numbers_were_found():
    found = json.loads(tianti.rate_battles(table(votes=10), ties="drop", prior=0.5, level=0.9).to_json())
    assert {"target", "n", "clusters", "method", "level", "family", "left_out", "unseat"} <= found.keys()
    assert (found["ties"], found["prior"], found["level"]) == ("drop", 0.5, 0.9)
    assert found["n"] + found["ties_dropped"] == 400
    assert found["ties_dropped"] == found["tie_count"]


def test_a_planted_style_is_found_and_held_equal():
    rng = np.random.default_rng(3)
    a, b = rng.integers(50, 1000, size=(2, 4000))
    # gamma answers at length, and length wins: held equal, nobody is better.
    first = rng.integers(4, size=4000)
    second = (first + rng.integers(1, 4, size=4000)) % 4
    a, b = a + 1000 * (first == 2), b + 1000 * (second == 2)
    x = (a - b) / (a + b)
    x /= np.sqrt(np.mean(x**2))
    won = rng.random(4000) < 1 / (1 + np.exp(-0.6 * x))
    votes = pa.table(
        {"left": NAMES[first], "right": NAMES[second], "winner": WORDS[np.where(won, 0, 1)], "la": a, "lb": b}
    )
    raw, equal = tianti.rate_battles(votes), tianti.rate_battles(votes, style="la:lb")
    assert raw.models[0].name == "gamma"
    assert raw.models[0].rank_high == 1
    (style,) = equal.style
    assert style.gamma.low < 0.6 < style.gamma.high
    (of_gamma,) = [model for model in equal.models if model.name == "gamma"]
    assert abs(of_gamma.rating - 1000) < (of_gamma.high - of_gamma.low) / 2
    assert "at equal style" in to_text(equal)


def test_the_terminal_tells_all_that_matters(monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    votes = table(votes=10)
    more = pa.table(
        {
            "left": ["alpha", "beta", "beta"],
            "right": ["beta", "beta", "gamma"],
            "winner": ["bothbad", "tie", None],
            "voter": ["v0"] * 3,
        }
    )
    text = str(tianti.rate_battles(pa.concat_tables([votes, more.cast(votes.schema)])))
    for words in (
        "4 models, 400 battles of 403 rows", "ties among them", "1 with both bad are counted apart",
        "rating: 1000 is the mean of all models", "Holm over 12 hypotheses", "clustered by 40 values of voter",
        "two equal models tie in", "first place: without", "1 row: no winner (the first is row 403)",
        "1 row: a model against itself (the first is row 402)", "both bad",
    ):  # fmt: skip
        assert words in text
    text = str(tianti.rate_battles(table(), ties="half", anchor="beta"))
    for words in ("each battle on its own", "a tie is half a win for each", "beta is 1000"):
        assert words in text
    assert "dropped" in str(tianti.rate_battles(table(), ties="drop"))


def test_two_models_one_of_them_first_for_good():
    votes = pa.table({"left": ["a"] * 6, "right": ["b"] * 6, "winner": ["left"] * 5 + ["right"]})
    found = tianti.rate_battles(votes)
    assert found.unseat.votes == 4
    lone = pa.table({"left": ["a"], "right": ["b"], "winner": ["left"]})
    with pytest.raises(InputError, match=r"do not link all 2 models.* a won all battles against the others"):
        tianti.rate_battles(lone)
    few = tianti.rate_battles(lone, prior=1)
    assert few.models[0].low is None
    assert (few.models[0].rank_low, few.models[0].rank_high) == (1, 2)
    assert str(few)


@pytest.mark.real_data
@pytest.mark.skipif(not LLMFAO.exists(), reason="no real data beside the checkout")
def test_real_votes_equal_the_golden_scores():
    with (LLMFAO / "llmfao-golden.csv").open(encoding="utf-8") as file:
        golden = {
            row["item"]: float(row["score"])
            for row in csv.DictReader(file)
            if row["algorithm"] == "bradley_terry"
        }
    found = tianti.rate_battles(LLMFAO / "llmfao.csv", ties="half")
    assert [model.name for model in found.models] == sorted(golden, key=lambda name: -golden[name])
    strengths = {model.name: np.exp(model.strength) for model in found.models}
    total, golden_total = sum(strengths.values()), sum(golden.values())
    for name, score in golden.items():
        assert strengths[name] / total == pytest.approx(score / golden_total, rel=1e-4)
    assert (found.n, found.tie_count) == (8931, 3471)
    assert [(each.column, each.groups) for each in found.clusters] == [("worker", 124)]
    alone = tianti.rate_battles(LLMFAO / "llmfao.csv", voter="none")
    clustered = tianti.rate_battles(LLMFAO / "llmfao.csv", prompt="prompt")
    assert [each.groups for each in clustered.clusters] == [124, 13]
    width = {
        name: np.mean([model.high - model.low for model in each.models])
        for name, each in (("alone", alone), ("clustered", clustered))
    }
    assert width["clustered"] > 1.2 * width["alone"]
