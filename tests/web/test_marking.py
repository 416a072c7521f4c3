import re

import pytest

from tianti.board.snapshot import take_snapshot
from tianti.evaluation.answer import Answer
from tianti.web.marking import Marking, marking
from tianti.web.site import Site
from worlds import World

FLIPS = {"name": "counterfactual_flips", "higher_is_better": False, "chance": None, "scale": "proportion"}


def valued(**values):
    return Answer("s", 0, "ok", "p", "yes", values=values)


@pytest.mark.parametrize(
    ("value", "text"), [(1, "✓"), (0.0, "✗"), (0.5, "0.5"), ([1, 2], ""), (None, ""), (True, "✓")]
)
def test_marks(value, text):
    assert Marking("acc").mark(valued(acc=value)) == text


def test_what_is_better_low_says_nothing_of_right_and_wrong():
    flips = Marking("counterfactual_flips", judges=False)
    assert [flips.verdict(valued(counterfactual_flips=value)) for value in (1, 0)] == ["other", "other"]
    assert [flips.mark(valued(counterfactual_flips=value)) for value in (1, 0)] == ["1", "0"]


def test_answers_are_judged_by_the_first_metric_of_which_more_is_better():
    world = World(metrics={"pairs": FLIPS})
    main, accuracy = world.score(0.05, "pairs"), world.score(0.8, "sentiment", main=False)
    assert marking([main, accuracy]) == Marking("acc")
    assert marking([main]) == Marking("counterfactual_flips", judges=False)
    assert marking([accuracy, world.score(0.5, "x", metric="f1")]) == Marking("f1")
    assert marking([]) == Marking("", judges=False)


def test_a_flipped_pair_is_not_the_right_answer(store):
    """Three of four answers are right; the one that is wrong is the one that changes with the group."""
    world = World(metrics={"pairs": FLIPS})
    run = store.start_run("t" * 64, world.manifest("a", "zero-shot", "pairs", None), {"cores": 2})
    flips = [0.0, 1.0, 0.0, 0.0]
    store.append(
        run.run_id,
        [
            Answer(
                str(i),
                0,
                "ok",
                "p",
                "yes",
                values={"counterfactual_flips": flip, "acc": 1 - flip},
                position=i,
            )
            for i, flip in enumerate(flips)
        ],
    )
    scores = [world.score(0.25, "pairs", n=4), world.score(0.75, "sentiment", n=4, main=False)]
    store.finish_run(run.run_id, scores, {}, 4)
    site = Site(take_snapshot(store), store)
    for language, right, wrong in (("en", "right", "wrong"), ("zh", "正确", "错误")):
        text, _ = site.render(f"{language}/r/{run.run_id[:12]}/")
        assert re.search(rf">{right} \(3\)<", text)
        assert re.search(rf">{wrong} \(1\)<", text)
        changed, _ = site.render(f"{language}/r/{run.run_id[:12]}/s/2/")
        assert 'class="mark wrong"' in changed
        assert 'class="mark right"' not in changed
