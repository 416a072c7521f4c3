import math
import re

import pytest

from tianti.board.snapshot import take_snapshot
from tianti.evaluation.answer import Answer
from tianti.web.extent import LIVE, Extent, exported
from tianti.web.marking import Marking
from tianti.web.page import NoSuchPageError
from tianti.web.pages import answers
from tianti.web.samples import kind_of, listing, responses_of, thoughts_of
from tianti.web.site import Site
from worlds import World

HOSTILE = "</script><img src=x onerror=alert(1)>javascript:alert(1)"
EXPLANATION = {
    "method": "integrated gradients (captum)", "least_steps": 32, "answer": HOSTILE, "score": -0.2, "baseline": -0.9,
    "delta": 0.001, "steps": 64, "deletion": {},
    "tokens": [
        {"text": "Is", "start": 0, "end": 2, "weight": 0.2},
        {"text": HOSTILE, "start": 3, "end": 5, "weight": -0.4},
    ],
}  # fmt: skip


def answer(**facts):
    return Answer(**{"sample_id": "s", "repeat": 0, "state": "ok", "prompt": "p", "target": "yes", **facts})


def test_kinds_of_answers():
    assert kind_of(answer(values={"acc": 1.0}), Marking("acc")) == "right"
    assert kind_of(answer(values={"acc": 0}), Marking("acc")) == "wrong"
    assert kind_of(answer(values={"acc": 0.5}), Marking("acc")) == "other"
    assert kind_of(answer(values={"f1": [0, 1]}), Marking("f1")) == "other"
    assert kind_of(answer(), Marking("acc")) == "other"
    assert kind_of(answer(state="error", values={"acc": 1.0}), Marking("acc")) == "error"


def test_a_listing_has_the_numbers_of_each_kind():
    given = [answer(values={"acc": value}) for value in (1, 0, 0, 1)] + [answer(state="skipped")]
    assert listing(given, Marking("acc"), LIVE).numbers == {
        "all": [1, 2, 3, 4, 5], "right": [1, 4], "wrong": [2, 3], "skipped": [5],
    }  # fmt: skip
    first = listing(given, Marking("acc"), Extent(samples=1, listed=2))
    assert first.numbers == {"all": [1, 2], "right": [1], "wrong": [2]}
    assert (first.paged, first.total) == (1, 5)


def test_what_else_the_model_gave_back():
    written = answer(responses=({"text": "x", "thought": "so", "truncated": True, "tokens": 2},))
    assert responses_of(written) == [("truncated", "true"), ("tokens", "2")]
    assert thoughts_of(written) == ["so"]


@pytest.fixture
def site(store):
    """Three entries on one task; one answer of the first is explained."""
    world = World(items=8)
    for model in ("a", "b", HOSTILE):
        run = world.record(store, model, "zero-shot", "sentiment", 0.6, prompt=HOSTILE, prediction=HOSTILE)
        if model == "a":
            store.put_explanation(run.run_id, "1", 0, EXPLANATION)
    return Site(take_snapshot(store), store)


def run_of(site, model):
    return (
        next(entry for entry in site.snapshot.board.entries if entry.model == model)
        .cells["sentiment"]
        .run_ids[0]
    )


def test_a_sample_with_its_neighbours_and_the_answers_of_others(site):
    run = run_of(site, "b")
    text, _ = site.render(f"en/r/{run}/s/3/")
    assert f'rel="prev" href="../../../../../en/r/{run}/s/2/"' in text
    assert f'rel="next" href="../../../../../en/r/{run}/s/4/"' in text
    others = [f"../en/r/{run_of(site, model)}/s/3/" for model in ("a", HOSTILE)]
    assert all(other in text for other in others)
    assert f"tianti explain {run}" not in text  # these answers were not chosen among several
    assert "too long" in site.render(f"en/r/{run}/s/8/")[0]
    for number in ("0", "9", "01", "x"):
        with pytest.raises(NoSuchPageError):
            site.render(f"en/r/{run}/s/{number}/")


def test_each_choice_has_its_probability_whatever_was_measured(store):
    world = World()
    manifest = world.manifest("a", "zero-shot", "sentiment", None)
    run = store.start_run("t" * 64, manifest, {"versions": {"tianti": "0"}, "cores": 2})
    scored = tuple({"logprob": math.log(p), "is_greedy": False} for p in (0.125, 0.375))
    store.append(run.run_id, [answer(prediction="yes", values={"acc": 1.0}, responses=scored)])
    store.finish_run(run.run_id, [world.score(1.0, "sentiment", n=1)], {}, 1)
    text, _ = Site(take_snapshot(store), store).render(f"en/r/{run.run_id[:12]}/s/1/")
    cells = re.findall(
        r'<tr><td class="number">(\d)</td><td class="text">(.*?)</td>.*?class="number">(25.0|75.0)<', text
    )
    assert cells == [("1", "–", "25.0"), ("2", "yes", "75.0")]


def test_an_explanation_is_shown_as_marked_tokens_and_as_a_table(site):
    text, _ = site.render(f"zh/r/{run_of(site, 'a')}/s/2/")
    assert '<span class="up2" title="+0.200">Is</span> <span class="down5" title="-0.400">' in text
    assert text.count("-0.400") == 2
    assert "64 步" in text


def test_samples_are_text(site):
    for address in ("en/r/{}/s/2/", "en/r/{}/a/all/1/", "en/r/{}/"):
        text, _ = site.render(address.format(run_of(site, "a")))
        assert "<img" not in text
        assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in text
        assert 'href="javascript' not in text


def test_pages_of_one_kind_have_every_answer_once(site, monkeypatch):
    monkeypatch.setattr(answers, "ROWS", 2)
    run = run_of(site, "a")
    listed = site.listing(run)
    assert set(listed.numbers) >= {"all", "error", "skipped"}
    for kind, numbers in listed.numbers.items():
        pages = [keys for keys in answers.every(site) if keys["run"] == run and keys["kind"] == kind]
        shown = [answers.context(site, **keys)["rows"] for keys in pages]
        assert [number for rows in shown for number, _, _ in rows] == numbers
        assert all(own == kind or kind == "all" for rows in shown for _, own, _ in rows)
    for kind, number in (("all", "9"), ("nothing", "1"), ("all", "01")):
        with pytest.raises(NoSuchPageError):
            site.render(f"en/r/{run}/a/{kind}/{number}/")


def test_the_command_that_explains_is_shown_where_it_may_help(store):
    from tianti.web.pages.sample import explains

    assert explains("folder", 2)
    assert not explains("folder", 0)
    assert not explains("baseline", 2)


def test_an_export_says_what_it_leaves_out(site, store):
    small = Site(site.snapshot, store, extent=exported(2))
    run = run_of(site, "a")
    assert "first 8 of 8 answers and has pages for the first 2" in small.render(f"en/r/{run}/")[0]
    assert "first 2 of 8 answers" in small.render(f"en/r/{run}/s/2/")[0]
    with pytest.raises(NoSuchPageError):
        small.render(f"en/r/{run}/s/3/")
